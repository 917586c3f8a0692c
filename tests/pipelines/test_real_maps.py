"""The harness on real input: the flow maps of CASME II and SMIC, where they lie beside the checkout."""

import pytest

from microexpr.data.catalog import load_data
from microexpr.features.mapcheck import map_fault
from microexpr.pipelines.harness import run
from microexpr.pipelines.metrics import by_dataset, scores
from microexpr.pipelines.refusing import refuse
from microexpr.pipelines.zeroshot import measured_on, shipped_card, shipped_model

pytestmark = pytest.mark.real


def test_flow_svm_gives_the_figures_measured_elsewhere(real_maps):
    clips = load_data(f"flowmaps={real_maps}")
    table = run("flow-svm", clips)
    pooled, parts = scores(table, clips.classes), by_dataset(table, clips.classes)
    measured = [pooled["UF1"], pooled["UAR"]]
    for dataset in ("casme2", "smic"):
        measured += [parts.loc[dataset, "UF1"], parts.loc[dataset, "UAR"]]
    assert measured == pytest.approx([0.756, 0.769, 0.857, 0.875, 0.673, 0.681], abs=0.002)


def test_flow_rbf_gives_the_figure_measured_elsewhere(real_maps):
    clips = load_data(f"flowmaps={real_maps}")
    found = scores(run("flow-rbf", clips), clips.classes)
    # UF1 as published; of the readings of its scaling none gives the published UAR, .815, as well.
    assert [found["UF1"], found["UAR"]] == pytest.approx([0.794, 0.820], abs=0.002)


def test_the_card_of_zero_shot_holds_what_it_gives(real_maps):
    clips = load_data(f"flowmaps={real_maps}")
    table = run("zero-shot", clips)
    card = shipped_card()["measured_on"]
    for name, part in [("all", table), *table.groupby("dataset")]:
        assert measured_on(part, clips.classes) == card[name]


def test_no_real_map_is_refused(real_maps):
    model = shipped_model()
    for clip in load_data(f"flowmaps={real_maps}").clips:
        refuse(clip, model.framing)


@pytest.mark.parametrize("order", [(2, 1, 0), (2, 0, 1), (0, 2, 1), (1, 2, 0)])
def test_real_maps_in_another_order_are_refused(real_maps, order):
    for clip in load_data(f"flowmaps={real_maps}").clips[::10]:
        assert "not in the order u, v, strain" in str(map_fault(clip.flow_map()[..., order]))
