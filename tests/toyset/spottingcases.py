"""Tables of true and found intervals in long videos, and a set of awkward cases worked by hand."""

import pandas as pd

# Six videos of 100 frames, three subjects: what is true, what is found, and TP, FP, FN by hand.
CASES = {
    # Eight of ten frames; one that meets nothing; one true interval that nothing meets.
    "toy/a/plain": ([(10, 19), (60, 69)], [(12, 19), (30, 39)], (1, 1, 1)),
    # One interval over two true ones, five of ten frames with each: one hit, the other is missed.
    "toy/a/spanning": ([(10, 14), (15, 19)], [(10, 19)], (1, 0, 1)),
    # Two found over one true, five of ten each; then touching, which shares no frame.
    "toy/b/doubled": ([(10, 19), (40, 49)], [(10, 14), (15, 19), (50, 59)], (1, 2, 1)),
    # No expression: nothing but false positives.
    "toy/b/neutral": ([], [(0, 9), (5, 14), (90, 99)], (0, 3, 0)),
    # Nothing found.
    "toy/b/silent": ([(10, 19), (0, 0)], [], (0, 0, 2)),
    # Identical twice on both sides, then a third time in what was found; the ends of the video.
    "toy/c/twins": ([(0, 9), (0, 9), (99, 99)], [(0, 9), (0, 9), (0, 9), (99, 99)], (3, 1, 0)),
}


def table(rows, **columns):
    """Intervals from (video, onset, offset), and further columns of values."""
    ends = pd.DataFrame(rows, columns=["video_id", "onset", "offset"])
    return ends.astype({"onset": "int64", "offset": "int64"}).assign(**columns)


def videos_of(*video_ids, n_frames=100):
    subjects = [video_id.rsplit("/", 1)[0] for video_id in video_ids]
    return pd.DataFrame({"subject": subjects, "n_frames": n_frames}, index=list(video_ids))


def tables(cases):
    true = table([(video_id, *ends) for video_id, (rows, _, _) in cases.items() for ends in rows])
    found = table([(video_id, *ends) for video_id, (_, rows, _) in cases.items() for ends in rows])
    return true, found, videos_of(*cases)


def counts(scored):
    return scored["TP"], scored["FP"], scored["FN"]
