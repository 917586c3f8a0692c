"""The clips that a method can work with: those it is tested on, and the auxiliary ones."""

__all__ = ["auxiliary_for", "check_auxiliary", "usable_clips"]

from microexpr.core.clipset import ClipSet
from microexpr.core.errors import NeedsError
from microexpr.pipelines.registry import clips_lacking, get_method, unmet_needs


def usable_clips(method: str, clipset: ClipSet, *, allow_incomplete: bool = False) -> ClipSet:
    """Return the clips that have what a registered method needs.

    Parameters
    ----------
    method : str
    clipset : ClipSet
    allow_incomplete : bool
        Whether to leave out the clips that lack something; they are then among the `findings` of what is returned.

    Raises
    ------
    ParameterError
        If the method is unknown.
    NeedsError
        If a clip lacks what the method needs; with `allow_incomplete`, if all clips of a data set do.

    Examples
    --------
    >>> from microexpr.data import make_clips
    >>> len(usable_clips("flow-svm", make_clips(n_subjects=2, clips_per_subject=3)))
    6
    """
    record = get_method(method)
    while reason := unmet_needs(record, clipset):
        lacking = clips_lacking(record, clipset)
        rest = clipset.without(lacking)
        if all(clip.has_pixels and clip.apex is None for clip in clipset.clips if clip.clip_id in lacking):
            reason += "; with_apexes (--find-apex) searches for it"
        if set(rest.table["dataset"]) != set(clipset.table["dataset"]):
            raise NeedsError(reason)
        if not allow_incomplete:
            raise NeedsError(f"{reason}; allow_incomplete=True (--allow-incomplete) goes on without these clips")
        clipset = rest
    return clipset


def check_auxiliary(method: str, auxiliary: ClipSet | None) -> None:
    """Raise a NeedsError if a registered method cannot work with these auxiliary clips, or not without any."""
    record = get_method(method)
    if auxiliary is None:
        if record.auxiliary == "required":
            raise NeedsError(f"{method} learns from macro-expressions too: give it auxiliary clips (--auxiliary)")
    elif record.auxiliary != "ignored" and (reason := unmet_needs(record, auxiliary)):
        raise NeedsError(f"auxiliary clips: {reason}")


def auxiliary_for(method: str, auxiliary: ClipSet | None) -> ClipSet | None:
    """Return the auxiliary clips that a registered method learns from: these, or None if it ignores any."""
    return None if get_method(method).auxiliary == "ignored" else auxiliary
