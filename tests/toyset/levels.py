"""Spotting without faces: grey videos whose brightness says what happens, and methods that read it."""

import numpy as np
import pandas as pd

from microexpr.core.base import ClipTransformer
from microexpr.core.sources import ArraySource
from microexpr.data.videos import VideoSet
from microexpr.spotting import FaceFrame, Signals, SpottingMethod
from microexpr.spotting.method import empty_events
from microexpr.spotting.motion import RegionMotion

#: At rest; what happens is so many grey levels above it.
REST = 100
FPS = 10.0
N_FRAMES = 60


class LevelSpotter(SpottingMethod):
    """Frames brighter than rest by the threshold, in one run, are an expression."""

    name = "level"
    version = 1
    decision_params = ("threshold", "longest_micro")

    def __init__(self, *, threshold=5.0, longest_micro=0.5, gain=1.0):
        self.threshold = threshold
        self.longest_micro = longest_micro
        self.gain = gain

    def check_params(self):
        pass

    @property
    def columns(self):
        return ("level",)

    def measure(self, faces, *, rate):
        for face in faces:
            yield np.array([self.gain * (float(face.grey.mean()) - REST)])

    def reach(self, rate):
        return 1, 1

    def scores(self, rows, *, rate):
        return rows[:, 0]

    def thresholds(self):
        return np.array([2.0, 4.0, 6.0, 8.0, 12.0])

    def decide(self, rows, *, rate):
        high = np.concatenate([[False], self.scores(rows, rate=rate) >= self.threshold, [False]])
        edges = np.flatnonzero(np.diff(high.astype(int))).reshape(-1, 2)
        events = []
        for onset, stop in edges.tolist():
            apex = onset + int(np.argmax(rows[onset:stop, 0]))
            kind = "micro" if (stop - onset) / rate <= self.longest_micro else "macro"
            score = float(self.scores(rows, rate=rate)[apex])
            events.append((onset, apex, stop - 1, kind, score, "mouth", (stop - onset) / rate))
        empty = empty_events()
        return pd.DataFrame(events, columns=list(empty.columns)).astype(empty.dtypes.to_dict())


class LearnedSpotter(LevelSpotter):
    """Scores are levels as parts of the mean level of the expressions it has learned from."""

    name = "learned"
    is_learned = True

    def fit(self, rows, expressions, *, rates):
        spans = [
            (levels[int(one.onset) : int(one.offset) + 1, 0], one)
            for levels, table in zip(rows, expressions, strict=True)
            for one in table.itertuples()
        ]
        self.usual_ = float(np.mean([part.max() for part, _ in spans]))
        return self

    def scores(self, rows, *, rate):
        return rows[:, 0] / self.usual_

    def thresholds(self):
        return np.array([0.25, 0.5, 0.75])


class Heights(ClipTransformer):
    """How bright a clip becomes: of one size, whatever its length."""

    def transform_clip(self, clip):
        return np.array([float(clip.frames().max())])


def measure_levels(method, frames, *, fps, name="video"):
    """Take the place of `measure_video`: every frame is a face, and no head or lid moves."""
    video = frames.read()
    faces = [FaceFrame(place, frame, np.zeros((68, 2)), 0.0, place == 0) for place, frame in enumerate(video)]
    rows = np.array(list(method.measure(faces, rate=fps)))
    # Unknown motion holds no distractor.
    return Signals(rows, np.full((len(rows), len(RegionMotion.columns)), np.nan), 1, fps, len(rows))


def level_videos(shown, true, *, n_frames=N_FRAMES, fps=FPS):
    """Return videos in which brightness rises, and the truth that is told of them.

    `shown` maps video_id (`casmesq/a/1`) to (onset, offset, height) of each rise, `true` to (onset, offset, emotion).
    """
    videos, intervals, sources = {}, {}, {}
    for video_id, rises in shown.items():
        frames = np.full((n_frames, 16, 16), REST, np.uint8)
        for onset, offset, height in rises:
            frames[onset : offset + 1] += np.uint8(height)
        subject = video_id.rpartition("/")[0]
        videos[video_id] = {"dataset": "casmesq", "subject": subject, "n_frames": n_frames, "fps": fps}
        sources[video_id] = ArraySource(frames, name=video_id)
        for number, (onset, offset, emotion) in enumerate(true[video_id]):
            kind = "micro" if (offset - onset + 1) / fps <= 0.5 else "macro"
            intervals[f"{video_id}_{number}"] = {
                **{"video_id": video_id, "onset": onset, "apex": (onset + offset + 1) // 2, "offset": offset},
                **{"kind": kind, "emotion": emotion},
            }
    columns = ["video_id", "onset", "apex", "offset", "kind", "emotion"]
    table = pd.DataFrame.from_dict(intervals, orient="index", columns=columns)
    return VideoSet(pd.DataFrame.from_dict(videos, orient="index"), table, sources)
