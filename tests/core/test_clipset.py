import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from microexpr.core.clip import Clip, as_clips
from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, NeedsError, ParameterError
from microexpr.core.labels import LabelMap
from microexpr.core.sources import ArraySource, FlowMapSource


def _set(n=4, dataset="toy", **columns):
    ids = [f"{dataset}/s{i % 2}/c{i}" for i in range(n)]
    table = {
        "dataset": dataset,
        "subject": [f"{dataset}/s{i % 2}" for i in range(n)],
        "emotion": ["joy", "fear"] * (n // 2),
        "onset": 0,
        "apex": [2] * n,
        "offset": 4,
        "n_frames": 5,
        "fps": 200.0,
    }
    frames = np.random.default_rng(0).integers(0, 255, (n, 5, 6, 7), dtype=np.uint8)
    return ClipSet(pd.DataFrame({**table, **columns}, index=ids), [ArraySource(one) for one in frames])


MAP = LabelMap("two", ("pos", "neg"), {"toy": {"joy": "pos", "fear": "neg"}})


def test_a_clip_carries_no_label_emotion_or_action_units():
    clip = _set(aus="4+L10").relabel(MAP).clips[0]
    assert {field.name for field in dataclasses.fields(clip)} == {
        "clip_id", "source", "dataset", "subject", "onset", "apex", "offset", "fps",
    }  # fmt: skip
    assert not any(hasattr(clip, name) for name in ("label", "emotion", "aus", "y"))


def test_a_clip_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        _set().clips[0].apex = 1


def test_positions_are_integers_and_missing_stays_missing():
    clip = _set(apex=[None, 1, 2, 3]).clips[0]
    assert (clip.onset, clip.apex, clip.offset) == (0, None, 4)
    with pytest.raises(NeedsError, match=r"toy/s0/c0: the apex is unknown"):
        clip.onset_apex()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"apex": [2, 5, 2, 2]}, r"toy/s1/c1: apex 5 lies outside the clip's 5 frames"),
        ({"apex": [2, -1, 2, 2]}, r"apex -1 lies outside"),
        ({"apex": [2, 2, 2, 1], "onset": [0, 0, 0, 2]}, r"toy/s1/c3: onset 2, apex 1, offset 4 are out of order"),
        ({"subject": "s1"}, r"subject 's1' is not qualified; it must begin with 'toy/'"),
        ({"subject": ["toy/s1", None, "toy/s1", "toy/s1"]}, r"toy/s1/c1: no subject"),
    ],
)
def test_contradictory_annotations_are_refused_by_clip(columns, message):
    with pytest.raises(DataError, match=message):
        _set(**columns)


def test_repeated_ids_are_refused():
    source = ArraySource(np.zeros((2, 3, 3), np.uint8))
    table = pd.DataFrame({"dataset": "a", "subject": "a/1"}, index=["a/1/x", "a/1/x"])
    with pytest.raises(DataError, match="clip_ids repeat: a/1/x"):
        ClipSet(table, [source, source])


def test_an_apex_outside_frames_that_are_read_later_is_refused():
    clip = Clip("a/1/x", ArraySource(np.zeros((3, 4, 4), np.uint8)), apex=3)
    with pytest.raises(DataError, match=r"a/1/x: apex 3 lies outside the clip's 3 frames"):
        clip.frames()


def test_relabel_drops_with_a_reason_and_keeps_the_map_order():
    rules = LabelMap("one", ("pos",), {"*": {"joy": "pos"}}, excluded={"toy/s0/c2": "left out by the protocol"})
    relabelled = _set().relabel(rules)
    assert list(relabelled.table.index) == ["toy/s0/c0"]
    assert relabelled.classes == ("pos",)
    reasons = dict(zip(relabelled.dropped["clip_id"], relabelled.dropped["reason"], strict=True))
    assert reasons == {
        "toy/s1/c1": "emotion 'fear' has no class in one",
        "toy/s0/c2": "left out by the protocol",
        "toy/s1/c3": "emotion 'fear' has no class in one",
    }


def test_a_map_that_does_not_know_the_data_set_is_refused():
    with pytest.raises(ParameterError, match="no rule for data set 'other'"):
        _set(dataset="other").relabel(MAP)


def test_labels_without_a_map_are_refused():
    with pytest.raises(DataError, match="4 clips have no label"):
        _ = _set().y


def test_y_and_groups_are_in_the_order_of_the_clips():
    clips = _set().relabel(MAP)
    assert clips.y.tolist() == ["pos", "neg", "pos", "neg"]
    assert clips.groups.tolist() == ["toy/s0", "toy/s1", "toy/s0", "toy/s1"]
    assert [clip.clip_id for clip in clips.clips] == list(clips.table.index)


def test_where_selects_by_column_and_mask():
    clips = _set()
    assert len(clips.where(subject="toy/s0")) == 2
    assert len(clips.where([True, False, False, True], subject=["toy/s0", "toy/s1"])) == 2
    with pytest.raises(ParameterError, match="column 'colour' does not exist"):
        clips.where(colour="red")


def test_without_leaves_clips_out_and_lists_the_reason():
    clips = _set()
    first, second, *others = clips.table.index
    rest = clips.without({first: "no apex"}).without({second: "no face"})
    assert list(rest.table.index) == others
    assert rest.findings.to_dict("list") == {"clip_id": [first, second], "finding": ["no apex", "no face"]}
    assert len(clips) == 4


def test_concat_refuses_a_clip_that_is_in_both():
    with pytest.raises(DataError, match=r"more than one of the data sets: toy/s0/c0"):
        _set().concat(_set())
    assert len(_set().concat(_set(dataset="other"))) == 8


def test_the_digest_follows_content_labels_and_order():
    clips = _set().relabel(MAP)
    moved = clips.where(clips.table.index.isin(clips.table.index))
    reverse = ClipSet(clips.table[::-1], clips.sources, classes=clips.classes)
    other = clips.relabel(LabelMap("two", ("pos", "neg"), {"toy": {"joy": "neg", "fear": "pos"}}))
    shifted = _set(apex=[1, 2, 2, 2]).relabel(MAP)
    assert moved.digest() == clips.digest()
    assert len({one.digest() for one in (clips, reverse, other, shifted)}) == 4


def test_the_table_is_the_sets_own():
    frame = _set().table
    clips = ClipSet(frame, _set().sources)
    frame.loc[frame.index[0], "apex"] = 0
    assert clips.clips[0].apex == 2


def test_clips_work_as_the_x_of_scikit_learn():
    from sklearn.dummy import DummyClassifier
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

    clips = _set().relabel(MAP)
    predicted = cross_val_predict(DummyClassifier(), clips.clips, clips.y, groups=clips.groups, cv=LeaveOneGroupOut())
    assert predicted.shape == (4,)


def test_bare_arrays_become_clips_and_a_single_one_is_refused():
    array = np.zeros((3, 4, 4), np.uint8)
    [clip] = as_clips([array])
    assert (clip.onset, clip.apex, clip.offset) == (0, None, 2)
    for wrong in (clip, "path", 3):
        with pytest.raises(DataError, match="a list of clips is needed"):
            as_clips(wrong)


def test_a_stored_map_has_no_frames():
    clip = Clip("a/1/x", FlowMapSource("nowhere.png"))
    with pytest.raises(NeedsError, match="a/1/x: a stored flow map has no frames"):
        clip.frames()
    assert pickle.loads(pickle.dumps(clip)).source.path == "nowhere.png"
