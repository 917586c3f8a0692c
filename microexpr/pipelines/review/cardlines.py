"""A model's card in words, for the page: whoever wrote it, what is there is told, and nothing else is guessed."""

__all__ = ["card_lines"]

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def card_lines(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a model's card as lines of a name and a text.

    Parameters
    ----------
    card : mapping
        As `microexpr.pipelines.modelcards.make_card` makes it; parts that are missing or of another kind are told as
        they are.

    Returns
    -------
    list of (str, str)
        Plain text: the page escapes it.
    """
    lines: list[tuple[str, str]] = []
    for name, value in card.items():
        try:
            lines += list(_PARTS[name](value)) if name in _PARTS else [(_spelled(name), _plain(value))]
        except (AttributeError, KeyError, TypeError, ValueError):  # a stranger's card
            lines.append((_spelled(name), _plain(value)))
    return [(name, text) for name, text in lines if text]


def _method(method: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "method", f"{method['name']}: {str(method['summary']).rstrip('.')}"
    yield "reference", str(method["reference"])
    yield "note", str(method["caution"])


def _settings(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "set", ", ".join(f"{key} = {value}" for key, value in settings["set"].items())


def _clips(name: str) -> Callable[[Any], Iterator[tuple[str, str]]]:
    def lines(what: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
        for part in what["datasets"] if what is not None else ():
            counts = ", ".join(f"{label} {number}" for label, number in part["classes"].items())
            told = f"{part['name']}: {part['clips']:,} clips of {part['subjects']} people"
            yield name, f"{told} ({counts})" if counts else told

    return lines


def _measured(measured: Mapping[str, Any] | str) -> Iterator[tuple[str, str]]:
    yield "measured", measured if isinstance(measured, str) else _figures(measured)


def _measured_on(measured: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, figures in measured.items():
        if name != "all" and isinstance(figures, Mapping) and "UF1" in figures:
            yield f"on {name}", _figures(figures)


def _figures(figures: Mapping[str, Any]) -> str:
    scores = ", ".join(
        f"{metric} {found['estimate']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"
        for metric, found in ((metric, figures[metric]) for metric in ("UF1", "UAR"))
    )
    how = "leave one subject out" if figures["protocol"] == "loso" else str(figures["protocol"])
    always = figures["majority"]["UF1"]
    return (
        f"{scores} on {figures['clips']} clips of {figures['subjects']} people ({how}); always naming the most "
        f"frequent class has UF1 {always:.2f}"
    )


def _made(made: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "made", f"{made['date']} with microexpr {made['versions']['microexpr']}"


_PARTS: dict[str, Callable[[Any], Iterator[tuple[str, str]]]] = {
    "method": _method,
    "settings": _settings,
    "trained_on": _clips("trained on"),
    "auxiliary": _clips("auxiliary"),
    "measured": _measured,
    "measured_on": _measured_on,
    "made": _made,
}


def _spelled(name: object) -> str:
    return str(name).replace("_", " ")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {part}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
