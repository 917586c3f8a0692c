"""Models: a method trained on all subjects, asked about clips of strangers."""

__all__ = ["Model"]

from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from microexpr.core.clip import Clip, as_clips
from microexpr.core.errors import DataError, MicroexprError, NeedsError, one_line
from microexpr.pipelines.actionunits import STRENGTH
from microexpr.pipelines.framing import Framing
from microexpr.pipelines.modelcards import how_good
from microexpr.pipelines.needs import NEEDS
from microexpr.pipelines.prefix import extract, split_prefix
from microexpr.pipelines.refusing import refuse


@dataclass(frozen=True, eq=False)
class Model:
    """A method fitted on all subjects of some data sets.

    Parameters
    ----------
    method : str
        The name under which it was registered.
    estimator : fitted estimator
        Of lists of clips.
    classes : tuple of str
        What it may answer, in the order of the training clips' label map.
    needs : tuple of keys of `NEEDS`
        What a clip must have.
    framing : Framing
        Where faces lie in the training clips; see `frame_clip`.
    card : dict
        What it was trained on, how well it does, what it is not for; see `make_card`.
    careful : bool
        Whether it declines to name clips that it could only guess at; see `microexpr.pipelines.refusing`.
    """

    method: str
    estimator: Any
    classes: tuple[str, ...]
    needs: tuple[str, ...]
    framing: Framing
    card: dict[str, Any]
    careful: bool = False

    def predict(self, clips: object) -> pd.DataFrame:
        """Name clips.

        Parameters
        ----------
        clips : list of n Clip, or of n arrays of shape (n_frames, height, width[, 3])
            Cut to the face as the training clips are; `frame_clip` brings others there.

        Returns
        -------
        DataFrame of n rows
            clip_id, label, `proba_<class>` where the method gives probabilities, and `strength_<action>` where it tells
            how strongly action units act, relative to the strongest of the clip.

        Raises
        ------
        NeedsError
            If a clip lacks what the method needs; the message names it.
        NoAnswer
            If the model is careful and could only guess: nothing moves, or too much, or a map's channels are not in the
            order u, v, strain.
        DataError
            If `clips` is empty, or a clip cannot be read or is not such as the model was trained on.

        Examples
        --------
        >>> from microexpr.data import make_clips
        >>> from microexpr.pipelines.modelfitting import fit_model
        >>> clips = make_clips(n_subjects=2, clips_per_subject=3)
        >>> fit_model("majority", clips).predict(clips.clips[:1])["label"].tolist()
        ['negative']
        """
        asked = as_clips(clips)
        if not asked:
            raise DataError("there is no clip to name: the list is empty")
        for clip in asked:
            self.check_clip(clip)
            if self.careful:
                refuse(clip, self.framing)
        with threadpool_limits(1):
            try:
                prefix, learner = split_prefix(self.estimator)
                inputs = asked if prefix is None else extract(prefix, asked, cache=None)
                labels = [str(label) for label in learner.predict(inputs)]
                shares = learner.predict_proba(inputs) if hasattr(learner, "predict_proba") else None
                known = [str(label) for label in learner.classes_]
                acting = _strengths(learner, inputs)
            except MicroexprError:
                raise
            # A file made by somebody else may hold numbers that lead nowhere; features of another size end here too.
            except Exception as error:
                raise DataError(f"{asked[0].clip_id}: the model cannot name it: {one_line(error)}") from error
        table = pd.DataFrame({"clip_id": [clip.clip_id for clip in asked], "label": labels})
        if shares is not None:
            for label in self.classes:
                table[f"proba_{label}"] = np.asarray(shares, np.float64)[:, known.index(label)]
        if acting is not None:
            table = pd.concat([table, acting.add_prefix(STRENGTH)], axis=1)
        return table

    def check_clip(self, clip: Clip) -> None:
        """Raise a NeedsError that names the clip if it lacks what the method needs."""
        for need in self.needs:
            what, has = NEEDS[need]
            if not has(clip):
                raise NeedsError(f"{clip.clip_id}: {self.method} needs {what}")

    def cautions(self) -> list[str]:
        """Return what a reader must know beside the model's answers, one sentence each, without full stops."""
        told = ["it names a facial movement, not what a person feels or means; never judge a person by it"]
        measured = self.card.get("measured")
        if isinstance(measured, dict):
            told.append(how_good(measured))
        else:
            told.append("how well it does on people that it has not seen was not measured")
        if caution := self.card["method"].get("caution"):
            told.append(str(caution))
        made_with = self.card["made"].get("versions", {}).get("scikit-learn")
        ours = metadata.version("scikit-learn")
        if isinstance(made_with, str) and made_with.split(".")[:2] != ours.split(".")[:2]:
            told.append(f"it was made with scikit-learn {made_with}, this is {ours}: answers may differ")
        return told


def _strengths(learner: Any, inputs: Any) -> pd.DataFrame | None:
    """Return how strongly action units act, one column each, or None where the classifier does not tell."""
    before, last = (learner[:-1], learner[-1]) if isinstance(learner, Pipeline) else (None, learner)
    if not hasattr(last, "action_strengths"):
        return None
    for _, step in before.steps if before is not None else ():
        inputs = step.transform(inputs)
    return pd.DataFrame(last.action_strengths(inputs), columns=list(last.actions_))
