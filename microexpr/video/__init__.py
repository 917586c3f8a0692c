"""Frames to frames: motion, interpolation in time, and what else happens before a descriptor sees a clip."""

# Imported here, not at first use: a function named as its module would be hidden by the module otherwise.
from microexpr.video.flow import optical_flow, resize_flow
from microexpr.video.strain import optical_strain
from microexpr.video.tim import TIM, tim

__all__ = ["TIM", "optical_flow", "optical_strain", "resize_flow", "tim"]
