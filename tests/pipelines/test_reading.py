import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from microexpr.core.base import ClipMap
from microexpr.core.clip import Clip
from microexpr.core.digest import digest
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data import make_clips
from microexpr.features.gabor import Gabor
from microexpr.pipelines.reading import FrameReader
from microexpr.pipelines.registry import build
from microexpr.spotting import read_expressions
from microexpr.video.resize import Resize

SMALL = Gabor(frames="onset-apex", size=16, n_scales=4, pool=4)


def striped(course, *, fps=10.0, apex=None, name="toy/s/0"):
    """A clip of noise in which letters say what each frame shows: '.' nothing, 'h' rows of stripes, 'v' columns."""
    frames = np.random.default_rng(len(course)).integers(100, 140, (len(course), 16, 16))
    stripes = 60 * (np.arange(16) // 2 % 2)
    for frame, letter in zip(frames, course, strict=True):
        frame += {".": 0, "h": stripes[:, None], "v": stripes[None, :]}[letter]
    return Clip(name, ArraySource(frames.astype(np.uint8)), onset=0, apex=apex, fps=fps)


def trained(**params):
    clips = [striped("." * n + letter, apex=n, name=f"toy/s/{letter}{n}") for n in (2, 3, 4, 5) for letter in "hv"]
    estimator = params.pop("estimator", SVC(kernel="linear"))
    return FrameReader(estimator, **{"features": SMALL, **params}).fit(clips, ["rows", "columns"] * 4)


def test_every_frame_gets_the_label_of_what_it_shows():
    labels = trained().predict_frames(striped("..hhh.vv."))
    assert "".join(label[0] for label in labels) == "nnrrrnccn"


def test_the_estimator_is_the_papers_where_none_is_given():
    reader = trained(estimator=None)
    [_, (_, registered)] = build("gentlesvm").steps
    assert digest(reader.classifier_.estimator) == digest(registered.estimator)
    # A clip that it was trained on: boosting needs more than 8 clips to be right on others.
    assert reader.predict_frames(striped("...v"))[[0, 3]].tolist() == ["neutral", "columns"]


def test_expressions_are_read_off_the_labels():
    video = striped("..hhhhhhh.vv.")
    found = trained().read(video)
    pd.testing.assert_frame_equal(found, read_expressions(trained().predict_frames(video), fps=10))
    assert found["label"].tolist() == ["rows", "columns"]
    assert found["micro"].tolist() == [False, True]


def test_rules_of_reading_are_passed_on():
    found = trained(max_duration=1.0, min_frames=3, neutral="rest").read(striped("..hhhhhhh.vv."))
    assert found[["label", "micro"]].to_numpy().tolist() == [["rows", True]]


def test_a_given_frame_rate_comes_before_the_clips_own():
    assert trained().read(striped(".hh."), fps=100)["duration"].tolist() == [0.02]
    assert trained().read(striped(".hh.").frames(), fps=50)["duration"].tolist() == [0.04]


def test_an_array_is_read_as_a_clip_is():
    video = striped("..hhh.vv.")
    np.testing.assert_array_equal(trained().predict_frames(video.frames()), trained().predict_frames(video))


@pytest.mark.parametrize("batch_size", [1, 2, 9, 100])
def test_the_size_of_batches_changes_no_label(batch_size):
    video = striped("..hhh.vv.")
    np.testing.assert_array_equal(trained(batch_size=batch_size).predict_frames(video), trained().predict_frames(video))


def test_no_more_than_a_batch_is_described_at_a_time(monkeypatch):
    reader = trained(batch_size=4)
    sizes = []
    describe = Gabor.transform_frames

    def counted(self, frames):
        sizes.append(len(frames))
        return describe(self, frames)

    monkeypatch.setattr(Gabor, "transform_frames", counted)
    reader.predict_frames(striped("..hhh.vv."))
    assert sizes == [4, 4, 1]


def test_crop_is_applied_to_clips_and_to_videos():
    crop = Resize((32, 32))
    plain, cropped = trained(), trained(crop=crop)
    video = striped("..hhh.vv.")
    resized = next(clip.frames() for clip in crop.transform([video]))
    pairs = SMALL.transform(crop.transform([striped("..h", apex=2)]))
    np.testing.assert_array_equal(
        cropped.predict_frames(video), cropped.classifier_.predict_frames(SMALL.transform_frames(resized))
    )
    assert cropped.classifier_.predict(pairs).tolist() == ["rows"]
    assert not np.array_equal(plain.classifier_.estimator_.dual_coef_, cropped.classifier_.estimator_.dual_coef_)


def test_clone_and_pickle_read_the_same():
    reader, video = trained(), striped("..hhh.vv.")
    expected = reader.read(video)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(reader)).read(video), expected)
    clips = [striped("." * n + letter, apex=n) for n in (2, 3, 4, 5) for letter in "hv"]
    pd.testing.assert_frame_equal(clone(reader).fit(clips, ["rows", "columns"] * 4).read(video), expected)


def test_unseen_synthetic_faces_are_mostly_neutral_at_the_ends_and_not_around_the_apex():
    # Twenty people train, four others are read; the strongest motion there is, 1.1 pixels of these small frames. A
    # third of the neutral frames are wrong: one frame says little of a face never seen before.
    clips = make_clips(
        24, 3, ("happiness", "surprise"), size=(48, 42), fps=20.0, duration=(0.3, 0.5), peak_motion=(3.2, 3.2)
    )
    known, unknown = clips.clips[:60], clips.clips[60:]
    assert not {clip.subject for clip in known} & {clip.subject for clip in unknown}
    estimator = make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.01))
    reader = FrameReader(estimator, features=Gabor(frames="onset-apex", pool=8)).fit(known, clips.y[:60])
    ends, middles, right = [], [], []
    for clip, label in zip(unknown, clips.y[60:], strict=True):
        labels = reader.predict_frames(clip)
        ends += (labels[[clip.onset, clip.offset]] == "neutral").tolist()
        middles += (labels[clip.apex - 1 : clip.apex + 2] != "neutral").tolist()
        right += (labels[clip.apex - 1 : clip.apex + 2] == label).tolist()
    assert np.mean(ends) > 0.55
    assert np.mean(middles) > 0.75
    assert np.mean(right) > 0.6


# Refusals


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"features": Gabor()}, r"features is Gabor\(\): it must be Gabor\(frames='onset-apex', ...\)"),
        ({"features": "gabor"}, "features is 'gabor'"),
        ({"crop": "align"}, "crop is 'align': it must be a ClipMap"),
        ({"batch_size": 0}, "batch_size is 0: it must be at least 1"),
        ({"max_duration": -1}, "max_duration is -1.0: it must be greater than 0"),
        ({"min_frames": 0}, "min_frames is 0: it must be at least 1"),
        ({"estimator": "svm"}, "estimator is 'svm': it must be a classifier"),
    ],
)
def test_a_parameter_against_the_rules_is_refused_before_frames_are_read(params, message):
    with pytest.raises(ParameterError, match=message):
        trained(**params)


def test_a_video_without_frame_rate_is_refused_before_its_frames_are_labelled():
    with pytest.raises(ParameterError, match="fps is None: toy/s/0 does not say its frame rate"):
        trained().read(replace(striped("..h"), fps=None))
    with pytest.raises(ParameterError, match="fps is 0"):
        trained().read(striped("..h"), fps=0)


def test_what_cannot_be_read_is_refused():
    stored = Clip("toy/s/1", FlowMapSource(np.zeros((28, 28, 3), np.uint8)), fps=10.0)
    with pytest.raises(NeedsError, match="toy/s/1: a stored flow map has no frames"):
        trained().read(stored)
    with pytest.raises(DataError, match="no clip"):
        trained().predict_frames(np.zeros((4, 4), np.uint8))
    with pytest.raises(NeedsError, match="the apex is unknown"):
        FrameReader(SVC(), features=SMALL).fit([striped("..h")], ["rows"])
    with pytest.raises(DataError, match="a class of y is called 'neutral'"):
        FrameReader(SVC(), features=SMALL).fit([striped("..h", apex=2)], ["neutral"])


def test_the_crop_of_the_documentation_is_a_clip_map():
    from microexpr.video.faces.align import Align

    assert isinstance(Align((96, 96)), ClipMap)
