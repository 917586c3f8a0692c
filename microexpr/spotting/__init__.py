"""Expressions in long videos: found in frames as they come, matched with the true ones."""

# Imported here, not at first use: a function named as its module would be hidden by the module otherwise.
from microexpr.spotting.matching import match_intervals
from microexpr.spotting.method import EVENT_COLUMNS, EXPRESSIONS, FaceFrame, SpottingMethod
from microexpr.spotting.methods import SPOTTERS, build_spotter
from microexpr.spotting.reading import read_expressions
from microexpr.spotting.stream import Piece, Signals, SpottingStream, decide_events, measure_video, spot

__all__ = [
    "EVENT_COLUMNS",
    "EXPRESSIONS",
    "SPOTTERS",
    "FaceFrame",
    "Piece",
    "Signals",
    "SpottingMethod",
    "SpottingStream",
    "build_spotter",
    "decide_events",
    "match_intervals",
    "measure_video",
    "read_expressions",
    "spot",
]
