"""A model's card in words: those of fitted models and of the one that comes along, and cards of strangers."""

import pytest

from microexpr.data import make_clips
from microexpr.pipelines.modelfitting import fit_model
from microexpr.pipelines.review.cardlines import card_lines
from microexpr.pipelines.zeroshot import shipped_card


def test_the_card_of_a_fitted_model_in_words():
    clips = make_clips(n_subjects=2, clips_per_subject=3)
    model = fit_model("majority", clips)
    lines = card_lines(model.card)
    counts = "negative 2, positive 2, surprise 2"
    assert ("trained on", f"synthetic: 6 clips of 2 people ({counts})") in lines
    assert ("measured", "not measured") in lines
    assert [name for name, _ in lines if name in ("set", "auxiliary", "note")] == []
    assert not [text for _, text in lines if "{" in text]


def test_the_card_of_the_model_that_comes_along_in_words():
    card = shipped_card()
    lines = dict(card_lines(card))
    assert lines["trained on"] == "synthetic motion: 512,000 clips of 0 people"
    found = card["measured_on"]["casme2"]["UF1"]
    expected = f"UF1 {found['estimate']:.2f} [{found['low']:.2f}, {found['high']:.2f}], UAR"
    assert lines["on casme2"].startswith(expected)
    assert "145 clips of 24 people (nothing trained)" in lines["on casme2"]
    assert "on date" not in lines
    assert "detecting lies, intent or guilt" in lines["not for"]


@pytest.mark.parametrize("part", ["method", "settings", "trained_on", "auxiliary", "measured", "measured_on", "made"])
@pytest.mark.parametrize("value", [[1, "two"], {"odd": {"part": 3}}, 5])
def test_what_a_stranger_wrote_is_told_as_it_is(part, value):
    told = {"[1, 'two']": "1, two", "{'odd': {'part': 3}}": "odd: {'part': 3}", "5": "5"}[str(value)]
    lines = card_lines({part: value, "why_not": "because"})
    assert lines[-1] == ("why not", "because")
    # Figures of no data set are no figures.
    assert lines[:-1] == (
        [] if (part, told) == ("measured_on", "odd: {'part': 3}") else [(part.replace("_", " "), told)]
    )
