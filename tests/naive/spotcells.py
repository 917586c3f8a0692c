"""Slow obvious twins of the pooling of cells, of one step of the fit of the head, and of resting windows."""

import numpy as np


def pooled_cell(tensors, motions, counts, least):
    """Motion w that minimizes sum c (w - w_i)' T_i (w - w_i) + least * sum c * |w|^2, and how well it is known."""
    mean = sum(count * tensor for count, tensor in zip(counts, tensors, strict=True))
    right = sum(count * tensor @ motion for count, tensor, motion in zip(counts, tensors, motions, strict=True))
    ridged = mean + least * sum(counts) * np.eye(2)
    return np.linalg.solve(ridged, right), np.sqrt(np.linalg.eigvalsh(ridged / sum(counts))[0])


def fit_head(motion, weights, basis, spread, rounds=6):
    """Reweighted least squares, each round as one overdetermined system: a row a cell, a row a term held back."""
    strong = weights > np.median(weights[weights > 0])
    current, usual = weights.copy(), 0.0
    for _ in range(rounds):
        found = np.zeros((basis.shape[1], 2))
        for axis in range(2):
            terms = [term for term in range(basis.shape[1]) if spread[term, axis] > 0]
            system = [current[:, None] * basis[:, terms]]
            right = [current * motion[:, axis]]
            for place, term in enumerate(terms):
                held = np.zeros((1, len(terms)))
                held[0, place] = usual * current.max() / spread[term, axis]
                system.append(held)
                right.append(np.zeros(1))
            found[terms, axis] = np.linalg.lstsq(np.concatenate(system), np.concatenate(right))[0]
        residual = np.linalg.norm(motion - basis @ found, axis=1)
        usual = 2 * np.median(residual[strong]) + 0.01
        tukey = [(1 - (size / (2 * usual)) ** 2) ** 2 if size < 2 * usual else 0.0 for size in residual]
        current = weights * (np.array(tukey) + 1e-6)
    return found


def window(values, place, before, after):
    """Values from `before` rows earlier to `after` rows later, as far as there are any."""
    return values[max(0, place - before) : place + after + 1]


def medians(values, before, after):
    return np.array([np.median(window(values, place, before, after), axis=0) for place in range(len(values))])


def means(values, half):
    return np.array([np.mean(window(values, place, half, half), axis=0) for place in range(len(values))])


def activity(moved, head, rate):
    """Displacement of regions (rows, regions, 2) from rest and apart from the head's shift, and its noise."""
    moved = moved - medians(moved, int(2 * rate), int(2 * rate))
    head = head - medians(head, int(2 * rate), int(2 * rate))
    half = (int(4 * rate) | 1) // 2
    left = np.empty_like(moved)
    for row in range(len(moved)):
        shifts, motions = window(head, row, half, half), window(moved, row, half, half)
        # Ridge regression on the head's shift, no intercept: a shift of .02 distances between the eyes tells nothing.
        gram = shifts.T @ shifts / len(shifts) + 0.02**2 * np.eye(2)
        for region in range(moved.shape[1]):
            for axis in range(2):
                share = np.linalg.solve(gram, shifts.T @ motions[:, region, axis] / len(shifts))
                left[row, region, axis] = moved[row, region, axis] - np.clip(share, -0.35, 0.35) @ head[row]
    # The median length of a normal vector is sqrt(2 ln 2) standard deviations.
    noise = medians(np.linalg.norm(left, axis=-1), int(20 * rate), int(0.5 * rate)) / 1.1774
    return left, np.maximum(noise, 4e-4), head
