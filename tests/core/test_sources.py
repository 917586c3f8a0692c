import os
import pickle
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from microexpr.core.errors import DataError, NeedsError
from microexpr.core.frames import check_frames, to_grey
from microexpr.core.sources import ArraySource, FlowMapSource, ImageFilesSource, VideoSource, read_image

RNG = np.random.default_rng(0)


def _images(folder, frames, suffix="png"):
    paths = []
    for position, frame in enumerate(frames):
        path = folder / f"img{position}.{suffix}"
        Image.fromarray(frame).save(path)
        paths.append(path)
    return paths


def _video(path, n_frames=10, times=None):
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for position in range(n_frames):
            frame = np.full((48, 64, 3), 20 * position, np.uint8)
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            if times is not None:
                picture.pts, picture.time_base = times[position], Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


@pytest.mark.parametrize("shape", [(4, 8, 9), (4, 8, 9, 3)])
def test_image_files_give_the_frames_they_were_written_from(tmp_path, shape):
    frames = RNG.integers(0, 255, shape, dtype=np.uint8)
    source = ImageFilesSource(_images(tmp_path, frames))
    np.testing.assert_array_equal(source.read(), frames)
    assert source.count() == 4


def test_the_fingerprint_is_of_the_content_not_of_the_place(tmp_path):
    frames = RNG.integers(0, 255, (3, 80, 90), dtype=np.uint8)
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here = _images(tmp_path / "here", frames)
    there = _images(tmp_path / "there", frames)
    assert ImageFilesSource(here).fingerprint() == ImageFilesSource(there).fingerprint()
    assert ImageFilesSource(here).fingerprint() != ImageFilesSource(here[::-1]).fingerprint()


def test_a_changed_file_changes_the_fingerprint_although_digests_are_remembered(tmp_path):
    frames = RNG.integers(0, 255, (3, 300, 300), dtype=np.uint8)  # large enough to be remembered
    paths = _images(tmp_path, frames, "bmp")
    before = ImageFilesSource(paths).fingerprint()
    assert ImageFilesSource(paths).fingerprint() == before
    Image.fromarray(255 - frames[1]).save(paths[1])
    os.utime(paths[1], ns=(1, 1))
    assert ImageFilesSource(paths).fingerprint() != before


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
def test_a_truncated_image_is_refused_by_name(tmp_path, suffix):
    [path] = _images(tmp_path, RNG.integers(0, 255, (1, 60, 60), dtype=np.uint8), suffix)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=f"img0.{suffix}: unreadable image"):
        ImageFilesSource([path]).read()


def test_what_is_no_image_or_absent_is_refused_by_name(tmp_path):
    (tmp_path / "note.png").write_text("no image")
    with pytest.raises(DataError, match=r"note.png: not an image"):
        read_image(tmp_path / "note.png")
    with pytest.raises(DataError, match=r"absent.png: no such image file"):
        read_image(tmp_path / "absent.png")


def test_sixteen_bit_images_are_refused(tmp_path):
    Image.fromarray(np.zeros((5, 5), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match="8-bit"):
        read_image(tmp_path / "deep.png")


def test_frames_of_differing_sizes_are_refused_by_name(tmp_path):
    paths = _images(tmp_path, [np.zeros((5, 6), np.uint8), np.zeros((5, 7), np.uint8)])
    with pytest.raises(DataError, match=r"img1.png: frame of shape \(5, 7\).*\(5, 6\)"):
        ImageFilesSource(paths).read()


def test_a_source_of_files_pickles_paths_only(tmp_path):
    source = ImageFilesSource(_images(tmp_path, np.zeros((2, 200, 200), np.uint8)))
    copy = pickle.loads(pickle.dumps(source))
    assert len(pickle.dumps(source)) < 1000
    assert copy.fingerprint() == source.fingerprint()


def test_a_video_gives_the_frames_asked_for(tmp_path):
    _video(tmp_path / "clip.mp4")
    whole = VideoSource(tmp_path / "clip.mp4")
    part = VideoSource(tmp_path / "clip.mp4", start=3, stop=7)
    assert whole.count() == 10
    frames = whole.read()
    assert frames.shape == (10, 48, 64, 3)
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3)), 20 * np.arange(10), atol=4)
    np.testing.assert_array_equal(part.read(), frames[3:7])
    assert part.fingerprint() != whole.fingerprint()


def test_a_video_that_is_none_or_too_short_is_refused(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(DataError, match=r"text.mp4: cannot be decoded"):
        VideoSource(tmp_path / "text.mp4").read()
    with pytest.raises(DataError, match=r"absent.mp4"):
        VideoSource(tmp_path / "absent.mp4").read()
    _video(tmp_path / "clip.mp4", n_frames=4)
    with pytest.raises(DataError, match=r"the video has 4 frames, 2 to 9 were asked for"):
        VideoSource(tmp_path / "clip.mp4", start=2, stop=9).read()


def test_a_video_of_variable_frame_rate_is_refused_unless_that_is_known(tmp_path):
    _video(tmp_path / "phone.mkv", times=[0, 33, 67, 100, 133, 233, 267, 300, 333, 367])
    with pytest.raises(DataError, match=r"variable frame rate: frame 5 comes 100.0 ms after .* the first ones 33.0 ms"):
        VideoSource(tmp_path / "phone.mkv").read()
    assert len(VideoSource(tmp_path / "phone.mkv", variable_rate=True).read()) == 10


def test_times_rounded_to_the_containers_clock_are_even(tmp_path):
    _video(tmp_path / "even.mkv", times=[0, 33, 67, 100, 133, 167, 200, 233, 267, 300])
    assert VideoSource(tmp_path / "even.mkv").count() == 10


def test_a_flow_map_is_read_in_the_order_red_green_blue(tmp_path):
    stored = np.zeros((28, 28, 3), np.uint8)
    stored[..., 0], stored[..., 2] = 10, 30
    Image.fromarray(stored).save(tmp_path / "map .png")
    source = FlowMapSource(tmp_path / "map .png")
    assert source.read_map()[0, 0].tolist() == [10, 0, 30]
    with pytest.raises(NeedsError):
        source.read()


def test_a_grey_flow_map_is_refused(tmp_path):
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(DataError, match="three channels"):
        FlowMapSource(tmp_path / "grey.png").read_map()


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((0, 5, 5), np.uint8), "the clip is empty"),
        (np.zeros((5, 5), np.uint8), r"shape \(5, 5\) is no clip"),
        (np.zeros((3, 5, 5, 4), np.uint8), "is no clip"),
        ([np.zeros((5, 5)), np.zeros((5, 6))], "frames differ in size"),
        (np.full((2, 5, 5), np.nan), "NaN"),
        (np.array([[["a"]]]), "not numeric"),
    ],
)
def test_arrays_that_are_no_clip_are_refused(frames, message):
    with pytest.raises(DataError, match=message):
        check_frames(frames)


def test_an_array_source_fingerprint_follows_its_values():
    frames = RNG.integers(0, 255, (3, 5, 5), dtype=np.uint8)
    changed = frames.copy()
    changed[1, 2, 3] ^= 1
    assert ArraySource(frames).fingerprint() == ArraySource(frames.copy()).fingerprint()
    assert ArraySource(frames).fingerprint() != ArraySource(changed).fingerprint()


def test_grey_is_the_luma_of_the_colours():
    frames = np.zeros((1, 1, 3, 3), np.uint8)
    frames[0, 0] = np.diag([200, 200, 200])
    expected = [60, 117, 23]  # 200 x (.299, .587, .114) rounded
    assert to_grey(frames)[0, 0].tolist() == expected
    np.testing.assert_allclose(to_grey(frames.astype(float))[0, 0], [59.8, 117.4, 22.8])
