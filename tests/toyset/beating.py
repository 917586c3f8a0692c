"""Small colour clips of five seconds whose class shows in their pulse, for tests of what needs such clips."""

import numpy as np
import pandas as pd
from toyset.clips import CLASSES

from microexpr.core.clipset import ClipSet
from microexpr.core.sources import ArraySource

RATES = {"negative": 96.0, "positive": 72.0, "surprise": 120.0}


def beating_frames(rate, *, fps=12.0, seconds=5.0, size=(26, 24), strength=0.02, noise=2.0, seed=0):
    """Frames of nothing but skin that beats `rate` times a minute, uint8 RGB."""
    rng = np.random.default_rng(seed)
    beat = np.sin(2 * np.pi * rate / 60 * np.arange(round(fps * seconds)) / fps + rng.uniform(0, 6))
    colours = np.array([168.0, 121.0, 96.0]) * (1.0 - strength * beat[:, None] * [0.33, 0.77, 0.53])
    frames = colours[:, None, None] + rng.normal(0, noise, (len(beat), *size, 3))
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def beating_clips(n_subjects=3):
    """Return one clip of each class for each subject."""
    rows, sources = {}, []
    for subject in range(n_subjects):
        name = f"beating/s{subject:02d}"
        for number, label in enumerate(CLASSES):
            sources.append(ArraySource(beating_frames(RATES[label] + 2 * subject, seed=9 * subject + number)))
            rows[f"{name}/{label[:2]}"] = {"dataset": "beating", "subject": name, "label": label}
    facts = {"onset": 0, "apex": 30, "offset": 59, "n_frames": 60, "fps": 12.0}
    table = pd.DataFrame.from_dict(rows, orient="index").assign(**facts)
    return ClipSet(table, sources, classes=CLASSES, labels="toy")
