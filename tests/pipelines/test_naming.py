"""Expressions of a video named by a model, or not, and why."""

import numpy as np
import pandas as pd
import pytest
from toyset.films import write_film
from toyset.watchedcases import watched

from microexpr.core.errors import DataError, NoAnswer
from microexpr.data import make_clips
from microexpr.pipelines.framing import measure_framing
from microexpr.pipelines.naming import name_events
from microexpr.pipelines.review.tables import review_table

CLIP = make_clips(1, 1, duration=(0.04, 0.05), fps=100.0, margin=20).clips[0]
N_FRAMES = 40


class Teller:
    """A model that says of each clip what a test tells it to: a label, or an error to raise."""

    classes = ("negative", "positive")
    framing = measure_framing([CLIP])

    def __init__(self, *says, **strengths):
        self.says, self.asked = list(says), []
        self.strengths = {f"strength_{action}": [strength] for action, strength in strengths.items()}
        self.card = {"method": "teller"}

    def check_clip(self, clip):
        pass

    def predict(self, clips):
        [clip] = clips
        self.asked.append(clip)
        said = self.says.pop(0)
        if isinstance(said, type):
            raise said(f"{clip.clip_id}: something is the matter")
        return pd.DataFrame(
            {"clip_id": [clip.clip_id], "label": [said], "proba_negative": [0.25], "proba_positive": [0.75]}
            | self.strengths
        )


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    frames = np.repeat(CLIP.frames()[:N_FRAMES, ..., None], 3, axis=3)
    assert len(frames) == N_FRAMES
    return write_film(tmp_path_factory.mktemp("films") / "face.mp4", frames, fps=20)


def _seen(film, *spans):
    """Return a watched film with an event at each (onset, apex, offset), and one blink."""
    rows = [(*span, "micro", 1.0, "mouth", 0.5) for span in spans] + [(3, 4, 5, "blink", 1.0, "", 0.15)]
    table = pd.DataFrame(rows, columns=["onset", "apex", "offset", "kind", "score", "region", "duration"])
    return watched(film, table=table, n_frames=N_FRAMES, fps=20.0, name="face")


def test_each_expression_is_named_by_its_own_frames(film):
    model = Teller("positive", "negative")
    named = name_events(_seen(film, (2, 5, 9), (12, 14, 20)), model)
    assert named.events["label"].tolist() == ["positive", "negative", ""]
    assert named.events["proba_positive"].tolist()[:2] == [0.75, 0.75]
    assert np.isnan(named.events["proba_positive"].iloc[2])
    assert [(clip.n_frames, clip.apex, clip.offset) for clip in model.asked] == [(8, 3, 7), (9, 2, 8)]
    assert named.events["action_units"].tolist() == ["", "", ""]
    assert named.notes == ()


def test_the_action_units_of_an_expression_are_told_and_their_strengths_are_not(film):
    model = Teller("positive", NoAnswer, DataError, L6=0.2, R6=0.5, L12=1.0, R12=0.8)
    named = name_events(_seen(film, (2, 5, 9), (12, 14, 20), (21, 25, 30)), model)
    assert named.events["action_units"].tolist() == ["R6+12", "", "", ""]
    assert not any(name.startswith("strength_") for name in named.events)


def test_an_expression_without_an_answer_says_so_and_why(film):
    named = name_events(_seen(film, (2, 5, 9), (12, 14, 20), (21, 25, 30)), Teller("positive", NoAnswer, DataError))
    assert named.events["label"].tolist() == ["positive", "no answer", "", ""]
    assert np.isnan(named.events["proba_positive"].to_numpy()[1:]).all()
    assert named.notes == (
        "No answer: face, expression at 0.60 s: something is the matter.",
        "Not named: face, expression at 1.05 s: something is the matter.",
    )
    assert review_table(named).set_index("onset").loc[12, "label"] == "no answer"


def test_of_many_without_an_answer_three_are_told_and_the_rest_counted(film):
    spans = [(onset, onset + 1, onset + 3) for onset in range(0, 30, 6)]
    named = name_events(_seen(film, *spans), Teller(*[NoAnswer] * 5))
    assert named.events["label"].tolist() == ["no answer"] * 5 + [""]
    assert len(named.notes) == 4
    assert named.notes[-1] == "2 more expressions are not named."
