"""Small sets of clips in memory whose class shows in their brightness, for tests of what runs on clips."""

import numpy as np
import pandas as pd

from microexpr.core.base import ClipTransformer
from microexpr.core.clipset import ClipSet
from microexpr.core.sources import ArraySource

CLASSES = ("negative", "positive", "surprise")


class Brightness(ClipTransformer):
    """Mean and standard deviation of each frame, (2 * n_frames,)."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def transform_clip(self, clip):
        frames = clip.frames().astype(float)
        return self.scale * np.concatenate([frames.mean(axis=(1, 2)), frames.std(axis=(1, 2))])


def toy_clips(n_subjects=5, per_class=2, *, dataset="toy", seed=0, signal=25.0, labels=None):
    """Return `per_class` clips of each class for each subject; `signal` is how much brighter each class is."""
    rng = np.random.default_rng(seed)
    rows, sources = [], []
    for subject in range(n_subjects):
        offset = rng.normal(0, 4)
        for label, name in enumerate(CLASSES):
            for repeat in range(per_class):
                frames = np.clip(rng.normal(90 + offset + signal * label, 20, (5, 12, 10)), 0, 255).astype(np.uint8)
                rows.append((f"{dataset}/s{subject:02d}", f"{dataset}/s{subject:02d}/{name[:2]}{repeat}", name))
                sources.append(ArraySource(frames))
    table = pd.DataFrame(
        {
            "dataset": dataset,
            "subject": [row[0] for row in rows],
            "label": [row[2] for row in rows],
            "onset": 0,
            "apex": 2,
            "offset": 4,
            "n_frames": 5,
            "fps": 200.0,
        },
        index=[row[1] for row in rows],
    )
    if labels is not None:
        table["label"] = labels
    return ClipSet(table, sources, classes=CLASSES, labels="toy")


def with_garbage(clips, subject, seed=99):
    """Return the same set with random frames in place of one subject's."""
    rng = np.random.default_rng(seed)
    sources = {
        clip_id: ArraySource(rng.integers(0, 255, source.read().shape, dtype=np.uint8))
        if clips.table.loc[clip_id, "subject"] == subject
        else source
        for clip_id, source in clips.sources.items()
    }
    return ClipSet(clips.table, sources, classes=clips.classes, labels=clips.labels)
