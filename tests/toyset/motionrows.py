"""Rows of `RegionMotion` made up without a video: noise, and what a test lets happen."""

import numpy as np

from microexpr.spotting.motion import REGIONS, RegionMotion

NAMES = list(REGIONS)


def rest(n_rows, *, noise=0.001, seed=0):
    """Return rows of a face at rest, one segment, with white noise in each displacement."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((n_rows, len(RegionMotion.columns)))
    rows[:, : 2 * len(NAMES)] = rng.normal(0, noise, (n_rows, 2 * len(NAMES)))
    rows[:, 2 * len(NAMES) : -2] = rng.normal(0, noise / 3, (n_rows, 4))
    rows[:, -2] = np.abs(rng.normal(0, 0.02, n_rows))
    return rows


def hump(onset, apex, offset, n_rows):
    """Return a course that rises like a cosine from 0 at the onset to 1 at the apex, and falls to 0 at the offset."""
    return np.interp(np.arange(n_rows), [onset, apex, offset], [0.0, 1.0, 0.0]) ** 2 * (
        3 - 2 * np.interp(np.arange(n_rows), [onset, apex, offset], [0.0, 1.0, 0.0])
    )


def move(rows, names, course, motion):
    """Add a course times a motion (x, y) to the displacement of regions."""
    for name in names:
        place = 2 * NAMES.index(name)
        rows[:, place : place + 2] += course[:, None] * np.array(motion)


def shift_head(rows, course, motion, *, rate):
    """Let the head go along a course, and set its speed to that."""
    head = course[:, None] * np.array(motion)
    rows[:, 2 * len(NAMES) : 2 * len(NAMES) + 2] += head
    rows[1:, -2] += np.hypot(*np.diff(head, axis=0).T) * rate


def eventful(seconds, *, rate, seed):
    """Return rows of a face that does many things at random times, with gaps and new segments."""
    rng = np.random.default_rng(seed)
    n_rows = round(seconds * rate)
    rows = rest(n_rows, seed=seed)
    # A slow drift, as displacements summed up have.
    rows[:, : 2 * len(NAMES)] += np.cumsum(rng.normal(0, 2e-4, (n_rows, 2 * len(NAMES))), axis=0)

    def times(per_minute, shortest, longest):
        for _ in range(rng.poisson(per_minute * seconds / 60)):
            length = rng.uniform(shortest, longest) * rate
            onset = rng.uniform(0, max(1, n_rows - length))
            yield hump(onset, onset + rng.uniform(0.3, 0.6) * length, onset + length, n_rows)

    for course in times(12, 0.15, 2.5):
        names = rng.choice([name for name in NAMES if "lid" not in name], 4, replace=False)
        move(rows, names, course, rng.normal(0, 0.02, 2))
    for course in times(15, 0.1, 0.4):
        move(rows, ["right_lid", "left_lid"], course, (0.0, 0.03))
    for course in times(3, 0.8, 2.5):
        shift_head(rows, course, rng.normal(0, 0.1, 2), rate=rate)
    for onset in rng.uniform(0, n_rows - 3 * rate, round(seconds / 25)):
        for syllable in range(rng.integers(3, 14)):
            start = onset + syllable * 0.25 * rate
            course = hump(start, start + 0.1 * rate, start + 0.22 * rate, n_rows)
            move(rows, ["upper_lip", "lower_lip", "chin", "left_jaw"], course, (0.0, 0.03))
    for number, cut in enumerate(np.sort(rng.integers(0, n_rows, rng.integers(0, 3)))):
        rows[cut:, -1] = number + 1
        if rng.random() < 0.5:
            rows[cut : cut + rng.integers(1, round(2 * rate))] = np.nan
    return rows
