"""Several views of each clip side by side, one for each member of a fusion."""

__all__ = ["ClipViews", "gives_arrays"]

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils.metaestimators import _BaseComposition

from microexpr.core.base import ClipMap, ClipTransformer
from microexpr.core.clip import Clip, as_clips
from microexpr.core.errors import DataError, ParameterError, join_names


def gives_arrays(step: Any) -> bool:
    """Whether a step is stateless and turns clips into arrays.

    Examples
    --------
    >>> from microexpr.features import LBPTOP
    >>> from microexpr.video import TIM
    >>> gives_arrays(make_pipeline(TIM(), LBPTOP())), gives_arrays(TIM())
    (True, False)
    """
    if isinstance(step, ClipTransformer):
        return True
    if isinstance(step, FeatureUnion):
        return all(gives_arrays(part) for _, part in step.transformer_list)
    if isinstance(step, Pipeline):
        *maps, last = [part for _, part in step.steps]
        return all(isinstance(part, ClipMap) for part in maps) and gives_arrays(last)
    return False


class ClipViews(ClipTransformer, _BaseComposition):
    """Describe each clip in several ways, kept apart by name.

    Parameters
    ----------
    views : list of (name, view)
        Each view a ClipTransformer, or a Pipeline of clip steps that ends in one. Parameters of a view are set by its
        name: `lbptop__lbptop__blocks`.

    Notes
    -----
    `transform` returns a structured array of shape (n_clips,) with one field a view, in their order:
    `X["lbptop"]` is what the view alone gives, of its own dtype and shape (n_clips, ...). It is taken apart by rows,
    joined and pickled like any array, so that folds need to know nothing of it, and
    `microexpr.classifiers.fusion.ScoreFusion` gives each member the field of its name.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> from microexpr.features import LBPTOP, FlowMap
    >>> clips = make_clips(n_subjects=1, clips_per_subject=2).clips
    >>> X = ClipViews([("texture", LBPTOP()), ("flow", FlowMap(method="dis"))]).transform(clips)
    >>> X.shape, X["texture"].shape, X["flow"].shape
    ((2,), (2, 177), (2, 2352))
    """

    version = 2

    def __init__(self, views: list[tuple[str, Any]]) -> None:
        self.views = views

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with `deep` the views by name and theirs as `name__parameter` too."""
        return dict(self._get_params("views", deep=deep))

    def set_params(self, **params: Any) -> Self:
        """Set parameters, views by name, or theirs as `name__parameter`."""
        self._set_params("views", **params)
        return self

    def check_params(self) -> None:  # noqa: D102
        if not isinstance(self.views, list) or not self.views:
            raise ParameterError("views must be a list of (name, view), one at least")
        names: set[str] = set()
        for item in self.views:
            if not isinstance(item, (tuple, list)) or len(item) != 2 or not isinstance(item[0], str):
                raise ParameterError(f"views holds {item!r}: each must be (name, view)")
            name, view = item
            if not name or "__" in name or name == "views" or name in names:
                raise ParameterError(f"views holds the name {name!r}: names must differ, not be 'views' nor hold '__'")
            if not gives_arrays(view) or isinstance(view, ClipViews):
                raise ParameterError(
                    f"view {name} must be a stateless transformer of clips, or a Pipeline ending in one"
                )
            names.add(name)
        for value in self.get_params(deep=True).values():
            if hasattr(value, "check_params"):
                value.check_params()

    def prefixes(self) -> dict[str, Pipeline]:
        """Return each view by name as the stateless beginning that a pipeline with this view alone has.

        So a view has the same key in the feature cache as the method that it comes from, and is not computed twice.
        """
        return {name: view if isinstance(view, Pipeline) else make_pipeline(view) for name, view in self.views}

    def transform(self, X: object) -> np.ndarray:
        """Return the views of all clips.

        Parameters
        ----------
        X : list of n Clip, or of n arrays of shape (n_frames, height, width[, 3])

        Returns
        -------
        structured ndarray of shape (n,)

        Raises
        ------
        ParameterError
            If `views` is not allowed.
        DataError
            If a clip cannot be read, or two clips give different shapes.
        """
        self.check_params()
        clips = as_clips(X)
        return self.assemble({name: prefix.transform(clips) for name, prefix in self.prefixes().items()})

    def transform_clip(self, clip: Clip) -> np.ndarray:
        """Return the clip's views, a structured array of shape ()."""
        return self.transform([clip]).reshape(())

    def assemble(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Put features computed view by view side by side.

        Parameters
        ----------
        arrays : mapping of name -> ndarray of shape (n, ...)
            One for each view.

        Returns
        -------
        structured ndarray of shape (n,)

        Raises
        ------
        DataError
            If a view is missing or unknown, or two have different numbers of clips.
        """
        names = [name for name, _ in self.views]
        if odd := sorted(set(arrays) ^ set(names)):
            raise DataError(
                f"there are the views {join_names(names)} and arrays of {join_names(arrays)}: {odd[0]} differs"
            )
        rows = {name: np.asarray(arrays[name]) for name in names}
        rows = {name: array[:, np.newaxis] if array.ndim == 1 else array for name, array in rows.items()}
        counts = {name: len(array) for name, array in rows.items()}
        if len(set(counts.values())) > 1:
            raise DataError(f"the views differ in their number of clips: {counts}")
        layout = np.dtype([(name, array.dtype, array.shape[1:]) for name, array in rows.items()])
        joined = np.empty(counts[names[0]], layout)
        for name, array in rows.items():
            joined[name] = array
        return joined
