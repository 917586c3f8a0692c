"""Synthetic long videos: where the skin goes in each event, and whether the pixels follow."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.signal import find_peaks

from microexpr.data._eyelids import Eyelids
from microexpr.data._face import draw_face, landmarks
from microexpr.data.longvideos import make_videos

SMALL = (48, 42)
# Pixels of a small frame a pixel of a frame of 140 x 120.
UNIT = min(48 / 140, 42 / 120)
OFF = {"blinks": False, "speech": False, "head_motion": False, "light_changes": False}
STILL = {"sway": 0.0, "flicker": 0.0, "noise": 0.0}

UPPER_LIDS, LOWER_LIDS = [37, 38, 43, 44], [41, 40, 47, 46]
BROWS, MOUTH = slice(17, 27), slice(48, 68)


def magnitude(flow):
    return np.hypot(flow[..., 0], flow[..., 1])


def one_event(kind, **changes):
    """A video at rest but for one kind of distractor, and the first such event in it."""
    switch = {"blink": "blinks", "speech": "speech", "light step": "light_changes"}.get(kind, "head_motion")
    given = {"seconds": 120.0, "size": SMALL, "micro": 0, "macro": 0, **OFF, **STILL, switch: True, **changes}
    videos = make_videos(3, 1, seed=2, **given)
    row = videos.distractors[videos.distractors["kind"] == kind].iloc[0]
    return videos.sources[row["video_id"]], row


def test_an_expression_moves_by_its_peak_at_its_apex_and_not_at_all_outside():
    videos = make_videos(2, 1, seed=3, seconds=6.0, size=SMALL, **OFF, **STILL)
    for video_id, source in videos.sources.items():
        motion = np.array([magnitude(source.true_flow(frame, since=0)).max() for frame in range(source.count())])
        for row in videos.of(video_id).itertuples():
            inside = motion[row.onset : row.offset + 1]
            assert inside[[0, -1]].max() < 1e-9
            assert np.argmax(inside) == row.apex - row.onset
            assert inside.max() == pytest.approx(row.peak)
            assert (np.diff(motion[row.onset : row.apex + 1]) > 0).all()
            assert (np.diff(motion[row.apex : row.offset + 1]) < 0).all()
            motion[row.onset : row.offset + 1] = 0.0
        assert motion.max() < 1e-9


def test_a_face_at_rest_moves_less_than_noise():
    given = {"seconds": 3.0, "size": SMALL, "micro": 0, "macro": 0, **OFF}
    moving = make_videos(1, 1, **given, noise=0.0, flicker=0.0).sources["synthetic-long/sub01/V01"].read().astype(float)
    noisy = make_videos(1, 1, **given, sway=0.0, flicker=0.0).sources["synthetic-long/sub01/V01"].read().astype(float)
    assert 0 < np.diff(moving, axis=0).std() < np.diff(noisy, axis=0).std() / 2
    # Rounding to whole grey levels adds a variance of 1/12 to each of the two frames.
    assert np.diff(noisy, axis=0).std() == pytest.approx(np.sqrt(2 * (1.5**2 + 1 / 12)), rel=0.03)


def test_sway_has_the_standard_deviation_asked_for():
    source = make_videos(1, 1, seconds=600.0, fps=10.0, micro=0, macro=0, **OFF, sway=0.3).sources[
        "synthetic-long/sub01/V01"
    ]
    nose = np.array([source.landmarks(frame)[30] for frame in range(0, source.count(), 3)])
    assert nose.std(axis=0) == pytest.approx([0.3, 0.3], rel=0.1)


@pytest.mark.parametrize("kind", ["turn", "nod", "tilt", "speech", "micro", "macro"])
def test_the_pixels_follow_the_true_flow(kind):
    given = {"size": (140, 120), **OFF, **STILL, "sway": 0.6, "seconds": 60.0}
    videos = make_videos(3, 1, seed=2, **{**given, "speech": True, "head_motion": True})
    table = videos.intervals if kind in ("micro", "macro") else videos.distractors
    row = table[table["kind"] == kind].iloc[0]
    source = videos.sources[row["video_id"]]
    # Louder syllables come later in a stretch of speech than its onset.
    since, frame = int(row["onset"]), int(row["onset"]) + 20 if kind == "speech" else int(row["apex"])
    before, after = (source.window(place, place + 1).read()[0].astype(float) for place in (since, frame))
    flow = source.true_flow(frame, since=since)
    rows, columns = np.mgrid[0:140, 0:120].astype(float)
    there = map_coordinates(after, [rows + flow[..., 1], columns + flow[..., 0]], order=3)
    inside = (slice(14, -14), slice(14, -14))
    error, unmoved = np.abs(there - before)[inside], np.abs(after - before)[inside]
    assert error.mean() < 0.7
    assert error.mean() < 0.4 * unmoved.mean()


class TestBlinks:
    def test_both_lids_close_and_open_and_nothing_else_moves(self):
        source, row = one_event("blink")
        onset, apex, offset = (int(row[name]) for name in ("onset", "apex", "offset"))
        start, closed, end = (source.landmarks(frame) for frame in (onset, apex, offset))
        assert np.abs(end - start).max() < 1e-9
        opened = start[LOWER_LIDS, 1] - start[UPPER_LIDS, 1]
        left = closed[LOWER_LIDS, 1] - closed[UPPER_LIDS, 1]
        assert (left < 0.25 * opened).all()
        assert (closed[UPPER_LIDS, 1] > start[UPPER_LIDS, 1]).all()
        others = np.setdiff1d(np.arange(68), UPPER_LIDS)
        assert np.abs(closed - start)[others].max() < 1e-9

    def test_a_lid_is_lowest_at_the_apex(self):
        source, row = one_event("blink", fps=100.0)
        heights = [source.landmarks(frame)[37, 1] for frame in range(row["onset"], row["offset"] + 1)]
        assert np.argmax(heights) == row["apex"] - row["onset"]
        closing, opening = np.split(np.diff(heights), [np.argmax(heights)])
        assert (closing > 0).all()
        assert (opening < 0).all()

    def test_pixels_change_at_the_eyes_alone_and_the_eye_is_covered(self):
        source, row = one_event("blink", size=(140, 120))
        opened, closed = (source.window(frame, frame + 1).read()[0].astype(float) for frame in row[["onset", "apex"]])
        changed = np.abs(closed - opened)
        points = source.landmarks(int(row["onset"]))
        top, bottom = points[BROWS, 1].max(), points[LOWER_LIDS, 1].max() + 2
        assert changed[: int(top) - 3].max() == 0
        assert changed[int(bottom) + 1 :].max() == 0
        for eye in (slice(36, 42), slice(42, 48)):
            left, right = points[eye, 0].min(), points[eye, 0].max()
            area = np.s_[int(points[eye, 1].min()) : int(points[eye, 1].max()), int(left) + 3 : int(right) - 2]
            # The white, the iris and the pupil differ far more than skin does; all three are hidden.
            assert closed[area][:-2].std() < 0.75 * opened[area].std()
            assert changed[area].max() > 40

    def test_the_skin_seen_at_a_place_was_where_lowering_it_says(self):
        rng = np.random.default_rng(0)
        for subject in range(20):
            points = landmarks(draw_face(np.random.default_rng(subject)))
            lids = Eyelids(points)
            for eye in (points[36:42], points[42:48]):
                skin = np.column_stack(
                    [rng.uniform(eye[0, 0], eye[3, 0], 200), eye[:, 1].min() - rng.uniform(0, 9, 200)]
                )
                closure = rng.uniform(0.1, 1.0)
                lowered = lids.lowered(skin, closure)
                raised, depth = lids.raised(lowered[:, 0], lowered[:, 1], closure)
                assert np.abs(raised - skin[:, 1]).max() < 1e-9
                assert (depth > -1e-9).all()
                assert (lowered[:, 1] - skin[:, 1] >= 0).all()
                assert (lowered[:, 1] - skin[:, 1]).max() > 0.5
                # What lies on the eyeball stays.
                centre = eye.mean(axis=0)[None]
                assert np.array_equal(lids.lowered(centre, 1.0), centre)
                assert lids.raised(*centre.T, 1.0)[1] > 0 > lids.raised(*centre.T, 0.0)[1]


class TestOtherDistractors:
    @pytest.mark.parametrize(("kind", "axis"), [("turn", 0), ("nod", 1)])
    def test_a_turn_and_a_nod_move_everything_one_way_and_further_than_an_expression(self, kind, axis):
        source, row = one_event(kind)
        onset, apex, offset = (int(row[name]) for name in ("onset", "apex", "offset"))
        flow = source.true_flow(apex, since=onset)
        assert (np.abs(flow[..., axis]) > 0.3).all()
        assert len(np.unique(np.sign(flow[..., axis]))) == 1
        points = source.landmarks(apex) - source.landmarks(onset)
        assert np.abs(points[30, axis]) > 1.2 * 3.2 * UNIT
        # The nose is nearest and moves furthest.
        assert np.abs(points[30, axis]) > 1.15 * np.abs(points[[0, 8, 16], axis].mean())
        assert np.abs(source.true_flow(offset, since=onset)).max() < 1e-9

    def test_a_tilt_turns_the_whole_face(self):
        source, row = one_event("tilt")
        before, after = (source.landmarks(int(row[name])) for name in ("onset", "apex"))
        angle = np.diff([np.arctan2(*(points[45] - points[36])[::-1]) for points in (before, after)])[0]
        assert 4 / 75 <= abs(angle) <= 7 / 75
        # All distances within the face stay.
        sides = [np.linalg.norm(points[:, None] - points[None], axis=-1) for points in (before, after)]
        assert np.abs(sides[1] - sides[0]).max() < 1e-9
        assert np.abs(after - before)[17:48].max() > 3.2 * UNIT

    def test_speech_opens_the_mouth_again_and_again_and_leaves_the_eyes(self):
        source, row = one_event("speech")
        frames = range(int(row["onset"]), int(row["offset"]) + 1)
        points = np.array([source.landmarks(frame) for frame in frames])
        gap = points[:, 57, 1] - points[:, 51, 1]
        peaks, _ = find_peaks(gap, prominence=0.1 * UNIT)
        assert 3 <= len(peaks) / (len(frames) / 30) <= 6
        assert gap.max() - gap[0] > 1.0 * UNIT
        assert np.abs(points[[0, -1]] - source.landmarks(0)).max() < 1e-9
        assert np.abs(points[:, 17:48] - points[0, 17:48]).max() < 0.05

    def test_a_step_of_light_changes_the_brightness_in_its_frame(self):
        source, row = one_event("light step")
        frame = int(row["onset"])
        level = source.window(frame - 10, frame + 10).read().mean(axis=(1, 2))
        steps = np.abs(np.diff(level)) / level[:-1]
        assert np.argmax(steps) == 9
        assert 0.05 < steps[9] < 0.16
        assert np.delete(steps, 9).max() < 0.005

    def test_light_drifts_slowly_by_a_few_percent_and_not_at_all_when_switched_off(self):
        means = {}
        for drifting in (True, False):
            videos = make_videos(
                1, 1, seconds=60.0, size=SMALL, fps=10.0, **{**OFF, "light_changes": drifting}, **STILL
            )
            source = videos.sources["synthetic-long/sub01/V01"]
            first = videos.distractors.query("kind == 'light step'")["onset"].min() if drifting else 600
            places = range(0, int(first), 10)
            means[drifting] = np.array([source.window(place, place + 1).read().mean() for place in places])
        spread = np.ptp(means[True]) / means[True].mean()
        assert 0.01 < spread < 0.2
        assert np.ptp(means[False]) / means[False].mean() < 0.003

    def test_colour_frames_have_the_luma_of_the_grey_ones(self):
        grey, color = (one_event("blink", size=(70, 60), color=flag) for flag in (False, True))
        start = int(grey[1]["onset"])
        plain, rich = (source.window(start, start + 4).read() for source, _ in (grey, color))
        assert rich.shape == (4, 70, 60, 3)
        unclipped = rich.max(axis=-1) < 255
        assert unclipped.mean() > 0.9
        assert np.abs(rich @ [0.299, 0.587, 0.114] - plain)[unclipped].max() < 1.5
