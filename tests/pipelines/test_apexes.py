import numpy as np
import pytest
from toyset.clips import toy_clips

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import DataError, ParameterError
from microexpr.core.sources import ArraySource, FlowMapSource
from microexpr.data.synthetic import make_clips
from microexpr.pipelines.apexes import with_apexes
from microexpr.pipelines.comparison import compare
from microexpr.video import ApexSearch, find_apex

KNOWN = make_clips(n_subjects=3, clips_per_subject=3, size=(64, 56), fps=100.0, duration=(0.1, 0.15), noise=0.3)


def _without_apex(clips, keep=()):
    table = clips.table.copy()
    table.loc[~table.index.isin(keep), "apex"] = None
    return ClipSet(table, clips.sources, classes=clips.classes, labels=clips.labels)


def test_the_search_gives_what_the_function_finds_and_annotated_apexes_stay():
    kept = KNOWN.table.index[0]
    searched = with_apexes(_without_apex(KNOWN, keep=[kept]), ApexSearch(feature="strain"))
    assert searched.table.loc[kept, "apex"] == KNOWN.table.loc[kept, "apex"]
    assert searched.table["apex_found"].tolist() == [False] + [True] * 8
    for clip in searched.clips[1:]:
        assert clip.apex == find_apex(clip.frames(), onset=clip.onset, offset=clip.offset, feature="strain")


def test_the_findings_say_so():
    searched = with_apexes(_without_apex(KNOWN), ApexSearch(feature="strain"))
    assert searched.findings.to_dict("records") == [
        {"clip_id": "synthetic", "finding": "9 apexes are not annotated but found by search (strain)"}
    ]


def test_a_set_that_lacks_nothing_is_the_same_set():
    assert with_apexes(KNOWN, ApexSearch()) is KNOWN


def test_a_found_apex_is_part_of_the_digest_and_methods_run_on_it():
    searched = with_apexes(_without_apex(KNOWN), ApexSearch(feature="strain"))
    assert searched.digest() != _without_apex(KNOWN).digest()
    compared = compare(["flow-svm"], searched, params={"flowmap__method": "dis"})
    assert len(compared.predictions["flow-svm"]) == 9


def test_stored_maps_are_left_alone():
    clips = toy_clips(n_subjects=2, per_class=1)
    stored = ClipSet(clips.table.drop(columns=["onset", "apex", "offset", "n_frames"]), [FlowMapSource("m.png")] * 6)
    assert with_apexes(stored, ApexSearch()) is stored


def test_a_clip_without_motion_is_an_error_that_names_it():
    clips = _without_apex(toy_clips(n_subjects=2, per_class=1))
    still = {clip_id: ArraySource(np.full((5, 20, 20), 7, np.uint8)) for clip_id in clips.sources}
    with pytest.raises(DataError, match="toy/s00/ne0"):
        with_apexes(ClipSet(clips.table, still, classes=clips.classes), ApexSearch(blocks=(2, 2)))


def test_a_parameter_against_the_rules_is_refused_before_a_clip_is_read():
    with pytest.raises(ParameterError, match="feature is 'hog'"):
        with_apexes(_without_apex(KNOWN), ApexSearch(feature="hog"))
