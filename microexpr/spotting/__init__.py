"""When expressions occur in long videos: from labels of frames to intervals."""

# Imported here, not at first use: a function named as its module would be hidden by the module otherwise.
from microexpr.spotting.matching import match_intervals
from microexpr.spotting.reading import read_expressions

__all__ = ["match_intervals", "read_expressions"]
