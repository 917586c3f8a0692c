"""Faces of a stream side by side with those some rows before and after them; bounded memory, whatever the length."""

__all__ = ["Kept", "Neighbourhood", "neighbourhoods"]

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from microexpr.spotting.method import FaceFrame


@dataclass(eq=False)
class Kept:
    """What is kept of a face: `value` was made of it once, `memo` holds what is found out later."""

    run: int
    value: Any
    points: np.ndarray
    memo: dict[int, Any] = field(default_factory=dict)


class Neighbourhood:
    """One row and those around it that are still, or already, known."""

    def __init__(self, kept: deque[Kept | None], middle: int) -> None:
        self._kept = kept
        self._middle = middle

    def pair(self, first: int, second: int) -> tuple[Kept, Kept] | None:
        """Return what is kept at two offsets from the row; None if they cannot be compared, or one is not there."""
        here, there = self._at(first), self._at(second)
        # Runs only grow: two faces of one run have no other between them.
        return (here, there) if here is not None and there is not None and here.run == there.run else None

    def _at(self, offset: int) -> Kept | None:
        place = self._middle + offset
        return self._kept[place] if 0 <= place < len(self._kept) else None


def neighbourhoods(
    faces: Iterable[FaceFrame], *, keep: Callable[[FaceFrame], Any], before: int, after: int, max_speed: float
) -> Iterator[Neighbourhood]:
    """Yield each row's neighbourhood, `after` rows late.

    Two faces can be compared if neither they nor any face between them moves faster than `max_speed`, all are there,
    and none but the earlier one of the two is a restart.
    """
    kept: deque[Kept | None] = deque()
    run = 0
    waiting = 0
    past = 0
    for face in faces:
        if face.grey is None or not face.speed <= max_speed:
            kept.append(None)
            run += 1
        else:
            run += face.restart
            kept.append(Kept(run, keep(face), face.points))
        waiting += 1
        if waiting > after:
            yield Neighbourhood(kept, past)
            waiting -= 1
            if past < before:
                past += 1
            else:
                kept.popleft()
    for _ in range(waiting):
        yield Neighbourhood(kept, past)
        past += 1
