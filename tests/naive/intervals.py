"""Slow obvious twins of the levels of a moving window and of the intervals of peaks: loops over lists."""

import math


def window_levels(values, half):
    """Mean and maximum of the numbers at most `half` rows away; NaN where there are none."""
    levels = []
    for row in range(len(values)):
        near = [value for value in values[max(0, row - half) : row + half + 1] if not math.isnan(value)]
        levels.append((sum(near) / len(near), max(near)) if near else (math.nan, math.nan))
    return levels


def known(values, row):
    return 0 <= row < len(values) and not math.isnan(values[row])


def height(values, row):
    return values[row] if known(values, row) else -math.inf


def one_side(values, apex, step, level, longest):
    """All rows of the interval of a peak on one side, the nearest first; it is too long anyway after `longest`."""
    inside, row, gap = [], apex + step, 0
    while 0 <= row < len(values):
        higher = height(values, row) > values[apex] or (step < 0 and height(values, row) == values[apex])
        if higher:
            lowest = min(inside, key=lambda place: (values[place], abs(place - apex)), default=apex)
            return inside[: inside.index(lowest) + 1] if inside else []
        if height(values, row) >= level:
            inside.append(row)
            gap = 0
            if abs(row - apex) >= longest:
                break
        else:
            gap += 1
            if gap == 2:
                break
        row += step
    return inside


def peak_intervals(values, threshold, edge, longest, widen=0.0):
    """Onset, apex and offset of each event, by apex."""
    spans = {}
    for row in range(len(values)):
        if not known(values, row) or values[row] < threshold:
            continue
        if height(values, row - 1) < values[row] and height(values, row + 1) <= values[row]:
            sides = [one_side(values, row, step, edge * values[row], longest) for step in (-1, 1)]
            onset, offset = min([row, *sides[0]]), max([row, *sides[1]])
            length = offset - onset + 1
            if length + 2 * round(widen * length) <= longest:
                spans[row] = (onset, offset)
    above = {row: [other for other in spans if (values[other], -other) > (values[row], -row)] for row in spans}
    kept = {}
    for row, (onset, offset) in spans.items():
        taken = {place for other in above[row] for place in range(spans[other][0], spans[other][1] + 1)}
        if row in taken:
            continue
        while onset < row and any(place in taken for place in range(onset, row)):
            onset += 1
        while offset > row and any(place in taken for place in range(row, offset + 1)):
            offset -= 1
        kept[row] = (onset, offset)
    return widened(kept, values, widen)


def widened(kept, values, widen):
    """Rows are added one by one, those of the earlier event up to the middle of what lies between two."""
    events = []
    rows = sorted(kept)
    for place, apex in enumerate(rows):
        onset, offset = kept[apex]
        more = round(widen * (offset - onset + 1))
        left, right = onset, offset
        for _ in range(more):
            if place == 0 or left - 1 > (kept[rows[place - 1]][1] + onset) / 2:
                left -= known(values, left - 1)
            if place == len(rows) - 1 or right + 1 <= (offset + kept[rows[place + 1]][0]) / 2:
                right += known(values, right + 1)
        events.append((left, apex, right))
    return events
