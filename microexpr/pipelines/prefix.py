"""The stateless beginning of a pipeline: found, then run once over all clips, in parallel and cached."""

__all__ = ["extract", "feature_key", "for_auxiliary", "split_prefix"]

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from microexpr.core.base import ClipMap, stack
from microexpr.core.cache import ArrayCache
from microexpr.core.clip import Clip
from microexpr.core.digest import digest, estimator_spec
from microexpr.core.errors import DataError, MicroexprError, one_line
from microexpr.core.progress import progress
from microexpr.pipelines.parallel import in_parallel
from microexpr.pipelines.views import ClipViews, gives_arrays

# Raised when the layout of the key itself changes.
_SCHEMA = 1


def split_prefix(estimator: Any) -> tuple[Any | None, Any]:
    """Split an estimator at the first step that learns.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Of a Pipeline, the leading clip steps (ClipMap, ClipTransformer, FeatureUnion or ClipViews of such) up to the
        last one that gives arrays are the prefix; other estimators have none.

    Returns
    -------
    prefix : transformer or None
        Row i of its output depends on clip i alone.
    learner : estimator
        What is left: everything that may learn.
    """
    if not isinstance(estimator, Pipeline):
        return None, estimator
    length = 0
    for position, (_, step) in enumerate(estimator.steps[:-1], start=1):
        if isinstance(step, ClipMap):
            continue
        if not gives_arrays(step):
            break
        # What follows works on arrays, so the prefix ends here.
        length = position
        break
    if length == 0:
        return None, estimator
    prefix = Pipeline(estimator.steps[:length])
    return clone(prefix), Pipeline(estimator.steps[length:])


def for_auxiliary(prefix: Any) -> Any:
    """Return the prefix as auxiliary clips go through it: steps with a parameter `domain` have it set to 1."""
    named = {key: 1 for key in prefix.get_params(deep=True) if key == "domain" or key.endswith("__domain")}
    return clone(prefix).set_params(**named) if named else prefix


def feature_key(prefix: Any, clip: Clip) -> str:
    """Return the cache key of one clip's features: the steps with versions and parameters, and the clip's content."""
    return _key(estimator_spec(prefix), clip)


def _key(spec: dict[str, object], clip: Clip) -> str:
    return digest({"schema": _SCHEMA, "transformer": spec, "clip": clip.fingerprint()})


def extract(
    prefix: Any, clips: Sequence[Clip], *, cache: ArrayCache | None, n_jobs: int = 1, description: str = "features"
) -> np.ndarray:
    """Compute the features of all clips, taking from the cache what it holds.

    Views (`ClipViews`) are computed and kept one by one, under the keys that they have alone.

    Parameters
    ----------
    prefix : stateless transformer of clips, or a Pipeline of clip steps that ends in one
    clips : sequence of Clip
    cache : ArrayCache or None
        None computes everything and keeps nothing.
    n_jobs : int
        Threads (or workers of an active cluster).
    description : str
        The progress bar's.

    Returns
    -------
    ndarray of shape (n_clips, ...)

    Raises
    ------
    MicroexprError
        Whatever a step says of a clip, or that the cache cannot be written.
    """
    prefix.fit(list(clips[:1]))  # checks the parameters before any clip is read
    *maps, (_, last) = prefix.steps if isinstance(prefix, Pipeline) else [("", prefix)]
    if isinstance(last, ClipViews):
        parts = {name: Pipeline([*maps, *view.steps]) for name, view in last.prefixes().items()}
        return last.assemble(
            {
                name: extract(part, clips, cache=cache, n_jobs=n_jobs, description=f"{description}: {name}")
                for name, part in parts.items()
            }
        )
    spec = estimator_spec(prefix)
    keys = [_key(spec, clip) for clip in clips]
    rows: list[Any] = [cache.get(key) if cache is not None else None for key in keys]
    missing = [position for position, row in enumerate(rows) if row is None]
    tasks = ((prefix, clips[position]) for position in missing)
    with (
        progress(description, len(clips), done=len(clips) - len(missing)) as advance,
        closing(in_parallel(_features_of, tasks, n_jobs=n_jobs, prefer="threads")) as results,
    ):
        for number, row in results:
            position = missing[number]
            rows[position] = row
            if cache is not None:
                cache.put(keys[position], row)
            advance()
    return stack(rows, [clip.clip_id for clip in clips])


def _features_of(prefix: Any, clip: Clip) -> np.ndarray:
    """Return the features of one clip; whatever goes wrong with it is an error that names it."""
    try:
        return np.asarray(prefix.transform([clip])[0])
    except MicroexprError as error:
        if clip.clip_id in str(error):
            raise
        raise type(error)(f"{clip.clip_id}: {error}") from error
    # A step may be the user's code: what it raises must not take the other methods down.
    except Exception as error:
        raise DataError(f"{clip.clip_id}: {one_line(error)}") from error
