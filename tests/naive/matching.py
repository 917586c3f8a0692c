"""Slow obvious twin of the matching of intervals: every way of pairing, over sets of frames and exact fractions."""

from fractions import Fraction


def frames(interval):
    onset, offset = interval
    return set(range(onset, offset + 1))


def iou(one, other):
    return Fraction(len(frames(one) & frames(other)), len(frames(one) | frames(other)))


def matchings(true, found):
    """Every set of pairs (row of true, row of found) in which no row is twice."""
    if not true:
        yield []
        return
    last = len(true) - 1
    for pairs in matchings(true[:last], found):
        yield pairs
        taken = {column for _, column in pairs}
        for column in range(len(found)):
            if column not in taken:
                yield [*pairs, (last, column)]


def best(true, found, least):
    """The number of pairs and the total IoU of the best matching: most pairs first, then the largest total."""
    values = [
        (len(pairs), sum((iou(true[row], found[column]) for row, column in pairs), Fraction(0)))
        for pairs in matchings(true, found)
        if all(iou(true[row], found[column]) >= least for row, column in pairs)
    ]
    return max(values)


def counts(true, found, least):
    """TP, FP, FN over all videos, from {video: intervals}."""
    hits = sum(best(true.get(video, []), found.get(video, []), least)[0] for video in {*true, *found})
    return hits, sum(map(len, found.values())) - hits, sum(map(len, true.values())) - hits
