"""Slow obvious twins of the metrics: plain loops over lists of (subject, truth, prediction)."""

import itertools
import random


def confusion(rows, classes):
    return [[sum(1 for _, t, p in rows if t == true and p == predicted) for predicted in classes] for true in classes]


def class_counts(rows, name):
    hits = sum(1 for _, t, p in rows if t == name and p == name)
    false_alarms = sum(1 for _, t, p in rows if t != name and p == name)
    misses = sum(1 for _, t, p in rows if t == name and p != name)
    return hits, false_alarms, misses


def present(rows, classes):
    return [name for name in classes if any(t == name for _, t, _ in rows)]


def f1(rows, name):
    hits, false_alarms, misses = class_counts(rows, name)
    return 2 * hits / (2 * hits + false_alarms + misses)


def recall(rows, name):
    hits, _, misses = class_counts(rows, name)
    return hits / (hits + misses)


def precision(rows, name):
    hits, false_alarms, _ = class_counts(rows, name)
    return hits / (hits + false_alarms) if hits + false_alarms else 0.0


def uf1(rows, classes):
    names = present(rows, classes)
    return sum(f1(rows, name) for name in names) / len(names)


def uar(rows, classes):
    names = present(rows, classes)
    return sum(recall(rows, name) for name in names) / len(names)


def macro_precision(rows, classes):
    names = present(rows, classes)
    return sum(precision(rows, name) for name in names) / len(names)


def weighted_f1(rows, classes):
    total = 0.0
    for name in present(rows, classes):
        total += f1(rows, name) * sum(1 for _, t, _ in rows if t == name)
    return total / len(rows)


def accuracy(rows, classes=()):
    return sum(1 for _, t, p in rows if t == p) / len(rows)


def one_versus_rest_accuracy(rows, name):
    return sum(1 for _, t, p in rows if (t == name) == (p == name)) / len(rows)


def subjects(rows):
    return list(dict.fromkeys(subject for subject, _, _ in rows))


def uf1_averaged_over_subjects(rows, classes):
    """The mistake: one UF1 per subject over the classes that subject has, then the mean."""
    people = subjects(rows)
    return sum(uf1([row for row in rows if row[0] == person], classes) for person in people) / len(people)


def uf1_averaged_with_zero_fill(rows, classes):
    """The worse mistake: the same, but a class the subject lacks counts as an F1 of 0."""
    people = subjects(rows)
    total = 0.0
    for person in people:
        own = [row for row in rows if row[0] == person]
        total += sum(f1(own, name) for name in present(own, classes)) / len(classes)
    return total / len(people)


def area_under_curve(positive, values):
    """Share of (positive, negative) pairs in which the positive one has the higher value; ties count half."""
    wins = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high, is_high in zip(values, positive, strict=True)
        if is_high
        for low, is_low in zip(values, positive, strict=True)
        if not is_low
    ]
    return sum(wins) / len(wins)


def bootstrap_quantiles(rows, classes, score, n_resamples, confidence, seed):
    """Draw subjects with replacement, pool their rows, score; return the two quantiles."""
    generator = random.Random(seed)
    people = subjects(rows)
    values = []
    for _ in range(n_resamples):
        drawn = [row for person in generator.choices(people, k=len(people)) for row in rows if row[0] == person]
        values.append(score(drawn, classes))
    values.sort()
    tail = (1 - confidence) / 2
    return values[round(tail * (n_resamples - 1))], values[round((1 - tail) * (n_resamples - 1))]


def exchange_p_value(rows_a, rows_b, classes, score):
    """Exchange two methods' rows (in the same order) for every subset of subjects; twice the smaller tail."""
    people = subjects(rows_a)
    observed = score(rows_a, classes) - score(rows_b, classes)
    differences = []
    for exchanged in itertools.product((False, True), repeat=len(people)):
        swapped = {person for person, swap in zip(people, exchanged, strict=True) if swap}
        first = [b if a[0] in swapped else a for a, b in zip(rows_a, rows_b, strict=True)]
        second = [a if a[0] in swapped else b for a, b in zip(rows_a, rows_b, strict=True)]
        differences.append(score(first, classes) - score(second, classes))
    above = sum(1 for value in differences if value >= observed - 1e-9) / len(differences)
    below = sum(1 for value in differences if value <= observed + 1e-9) / len(differences)
    return min(1.0, 2 * min(above, below))


def adjust_benjamini_hochberg(p_values):
    """Adjusted p of rank i (from 1, ascending) is the least of m / j * p_j over all ranks j >= i."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    for rank, position in enumerate(order):
        later = range(rank, len(order))
        adjusted[position] = min(1.0, min(len(order) / (j + 1) * p_values[order[j]] for j in later))
    return adjusted


def make_rows(seed, classes, n_subjects=12, most_clips=7, right=0.6):
    """Random rows in which subjects differ in size and most lack a class."""
    generator = random.Random(seed)
    rows = []
    for person in range(n_subjects):
        own = generator.sample(classes, generator.randint(1, len(classes)))
        for _ in range(generator.randint(1, most_clips)):
            truth = generator.choice(own)
            rows.append(
                (f"toy/s{person:02d}", truth, truth if generator.random() < right else generator.choice(classes))
            )
    return rows
