"""Apexes searched where the user asks for it."""

__all__ = ["searched"]

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from microexpr.core.clipset import ClipSet


def searched(clips: "ClipSet", feature: str | None, jobs: int) -> "ClipSet":
    """Return the clips, with the apexes that the user asked to be searched."""
    if feature is None:
        return clips
    from microexpr.pipelines.apexes import with_apexes
    from microexpr.video import ApexSearch

    return with_apexes(clips, ApexSearch(feature=feature), n_jobs=jobs)
