"""Videos opened for reading frame by frame: files whole and broken, pipes, cameras."""

import io
import sys
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from toyset.films import decoded, ramp, write_film

from microexpr.core.errors import DataError, ParameterError
from microexpr.video.opening import OpenVideo

SIZE = (64, 80)


def textured(n_frames):
    """RGB frames, no two alike, that turn and mirror into something else."""
    row, column = np.mgrid[: SIZE[0], : SIZE[1]]
    one = np.stack([40 + 2 * row, 200 - column, 60 + row + column], axis=-1)
    one[:20, :30] = (220, 190, 180)
    return np.clip(one + 2 * np.arange(n_frames)[:, None, None, None], 0, 255).astype(np.uint8)


def written(path, frames, codec, *, pixels="yuv420p", fps=25, rotation=None, times=None):
    """Write a film with any codec; the end of the name chooses the container."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps))
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for place, frame in enumerate(frames):
            made = av.VideoFrame.from_ndarray(frame, format="rgb24")
            if times is not None:
                made.pts, made.time_base = times[place], Fraction(1, fps)
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))
    return path


def read_until_broken(source, **params):
    """Frames, and what is said where they break off."""
    frames = []
    with OpenVideo(source, **params) as opened:
        try:
            frames.extend(opened)
        except DataError as error:
            return frames, str(error)
    return frames, None


class Pipe(io.RawIOBase):
    """Bytes that come once: no seeking."""

    def __init__(self, content):
        self._content = io.BytesIO(content)

    def readable(self):
        return True

    def seekable(self):
        return False

    def readinto(self, buffer):
        return self._content.readinto(buffer)


@pytest.fixture
def pipe(monkeypatch):
    def fill(content):
        monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": io.BufferedReader(Pipe(content))}))

    return fill


# Whole files


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "mpeg4", "yuv420p"),
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mkv", "ffv1", "gray"),
        ("a.avi", "mjpeg", "yuvj420p"),
        ("a.webm", "libvpx", "yuv420p"),
    ],
)
def test_frames_rate_and_size_are_those_of_the_file(tmp_path, name, codec, pixels):
    if codec == "mjpeg":
        path = write_film(tmp_path / name, textured(12), fps=30)
    else:
        path = written(tmp_path / name, textured(12), codec, pixels=pixels, fps=30)
    with av.open(str(path)) as container:
        expected = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    with OpenVideo(path) as opened:
        assert opened.name == str(path)
        assert opened.fps == 30.0
        assert opened.size == SIZE
        frames = list(opened)
        assert opened.uneven == 0
    assert len(frames) == 12
    assert frames[0].dtype == np.uint8
    np.testing.assert_array_equal(frames, expected)


def test_a_lossless_grey_film_gives_its_own_pixels(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (5, *SIZE), dtype=np.uint8)
    path = tmp_path / "noise.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=50)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "gray"
        for frame in grey:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        container.mux(stream.encode(None))
    with OpenVideo(path) as opened:
        np.testing.assert_array_equal(list(opened), grey)


def test_colour_is_rgb(tmp_path):
    path = write_film(tmp_path / "a.mp4", textured(4))
    expected, _ = decoded(path)
    with OpenVideo(path, color=True) as opened:
        np.testing.assert_array_equal(list(opened), expected)


def test_rates_need_not_be_whole(tmp_path):
    path = write_film(tmp_path / "a.mp4", ramp(5), fps=Fraction(30000, 1001))
    with OpenVideo(path) as opened:
        assert opened.fps == pytest.approx(29.97003, abs=1e-5)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_that_the_file_asks_for_is_carried_out(tmp_path, rotation):
    path = written(tmp_path / "phone.mp4", textured(3), "mpeg4", rotation=rotation)
    player = cv2.VideoCapture(str(path))
    _, shown = player.read()
    player.release()
    with OpenVideo(path, color=True) as opened:
        frame = next(iter(opened))
        assert opened.size == (SIZE if rotation == 180 else SIZE[::-1])
    assert frame.shape == shown.shape
    assert np.abs(frame.astype(int) - shown[..., ::-1]).mean() < 3
    assert frame.flags.c_contiguous


def test_lost_frames_are_counted(tmp_path):
    times = [0, 1, 2, 4, 5, 6, 9, 10]
    path = written(tmp_path / "a.mkv", textured(8), "mpeg4", times=times)
    with OpenVideo(path) as opened:
        assert len(list(opened)) == 8
        assert opened.uneven == 2


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_bytes_after_the_end_change_nothing(tmp_path, name):
    path = write_film(tmp_path / name, ramp(8))
    whole, _ = read_until_broken(path)
    path.write_bytes(path.read_bytes() + b"left over" * 200)
    frames, said = read_until_broken(path)
    assert said is None
    np.testing.assert_array_equal(frames, whole)


def test_frames_come_once(tmp_path):
    with OpenVideo(write_film(tmp_path / "a.mp4", ramp(4))) as opened:
        assert len(list(opened)) == 4
        with pytest.raises(DataError, match=r"a\.mp4: its frames have been read; they come once"):
            next(iter(opened))


# Broken files


@pytest.mark.parametrize("name", ["a.avi", "a.mkv"])
def test_a_file_that_was_cut_off_gives_its_frames_and_says_where_it_stops(tmp_path, name):
    path = write_film(tmp_path / name, textured(50))
    whole, _ = read_until_broken(path)
    broken = tmp_path / f"broken{path.suffix}"
    broken.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    frames, said = read_until_broken(broken)
    assert 20 < len(frames) < 40
    # The last one may be damaged.
    np.testing.assert_array_equal(frames[:-1], whole[: len(frames) - 1])
    assert said.startswith(f"{broken}: breaks off after frame {len(frames) - 1}: ")
    assert said.count("\n") == 0


def test_a_damaged_frame_ends_the_video(tmp_path):
    path = write_film(tmp_path / "a.mp4", textured(20))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = bytes(1500)
    path.write_bytes(bytes(content))
    frames, said = read_until_broken(path)
    assert 3 < len(frames) < 17
    assert said.startswith(f"{path}: breaks off after frame {len(frames) - 1}: ")


def test_a_damaged_first_frame_is_said_to_be_so(tmp_path):
    path = write_film(tmp_path / "a.mp4", textured(5))
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    content[start : start + 400] = bytes(400)
    path.write_bytes(bytes(content))
    frames, said = read_until_broken(path)
    assert frames == []
    assert said.startswith(f"{path}: no frame can be decoded: ")


def test_a_film_without_a_frame_is_refused(tmp_path):
    path = tmp_path / "empty.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = *SIZE, "gray"
        container.start_encoding()
    with pytest.raises(DataError, match=r"empty\.mkv: "), OpenVideo(path) as opened:
        list(opened)


@pytest.mark.parametrize("content", [b"", b"not a video\n" * 40])
def test_what_is_no_video_is_refused(tmp_path, content):
    (tmp_path / "note.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"note\.txt: (cannot be opened as a video: .+|there is no video in it)$"):
        OpenVideo(tmp_path / "note.txt")


@pytest.mark.parametrize("name", ["missing.mp4", "."])
def test_a_missing_file_and_a_folder_are_refused(tmp_path, name):
    with pytest.raises(DataError, match=r": cannot be opened as a video: no such file$"):
        OpenVideo(tmp_path / name)


def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(DataError, match=r"sound\.wav: there is no video in it$"):
        OpenVideo(path)


# Pipes


def test_a_dash_reads_standard_input(tmp_path, pipe):
    path = write_film(tmp_path / "a.mkv", textured(10))
    expected, _ = read_until_broken(path)
    pipe(path.read_bytes())
    with OpenVideo("-") as opened:
        assert opened.name == "standard input"
        np.testing.assert_array_equal(list(opened), expected)


def test_a_pipe_that_ends_early_says_so(tmp_path, pipe):
    content = write_film(tmp_path / "a.mkv", textured(40)).read_bytes()
    pipe(content[: len(content) // 2])
    frames, said = read_until_broken("-")
    assert 10 < len(frames) < 30
    assert said.startswith(f"standard input: breaks off after frame {len(frames) - 1}: ")


@pytest.mark.parametrize("content", [b"", b"not a video\n" * 40])
def test_a_pipe_without_a_video_is_refused(pipe, content):
    pipe(content)
    with pytest.raises(DataError, match=r"^standard input: cannot be opened as a video: "):
        OpenVideo("-")


# Cameras


@pytest.mark.parametrize("name", ["camera:", "camera:front", "camera:-1", "camera:1.5", "camera:²"])
def test_a_camera_has_a_number(name):
    with pytest.raises(ParameterError, match=r"^camera is .*: it must be camera:0, camera:1, \.\.\. on Linux"):
        OpenVideo(name)


def test_systems_whose_cameras_are_unknown_are_named(monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    with pytest.raises(ParameterError, match="camera is 'camera:0'"):
        OpenVideo("camera:0")


@pytest.mark.parametrize(
    ("system", "device", "form"),
    [("linux", "/dev/video1", "v4l2"), ("darwin", "1", "avfoundation"), ("win32", "video=1", "dshow")],
)
def test_each_system_calls_its_cameras_by_its_own_names(monkeypatch, system, device, form):
    asked = []

    def refuse(name, format):
        asked.append((name, format))
        raise FileNotFoundError(2, "No such device", name)

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(DataError, match=r"^camera:1: cannot be opened as a video: No such device$"):
        OpenVideo("camera:1")
    assert asked == [(device, form)]


def test_a_camera_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match=r"^camera:97: cannot be opened as a video: "):
        OpenVideo("camera:97")


def test_a_playlist_fetches_nothing_from_anywhere(tmp_path):
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://127.0.0.1:9/part.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(DataError), OpenVideo(playlist) as opened:
        list(opened)
