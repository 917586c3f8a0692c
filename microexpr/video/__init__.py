"""Frames to frames: motion, interpolation in time, and what else happens before a descriptor sees a clip."""

# Imported here, not at first use: a function named as its module would be hidden by the module otherwise.
from microexpr.video.apex import ApexSearch, apex_curve, find_apex
from microexpr.video.emr import EMR
from microexpr.video.evm import EVM, magnify
from microexpr.video.flow import optical_flow, resize_flow
from microexpr.video.pulse import Pulse, pulse, pulse_of_traces
from microexpr.video.pulsesignal import pulse_signal
from microexpr.video.resize import Pad, Resize, pad_frames, resize_frames
from microexpr.video.skin import skin_traces
from microexpr.video.strain import optical_strain
from microexpr.video.tim import TIM, tim

__all__ = [
    "EMR",
    "EVM",
    "TIM",
    "ApexSearch",
    "Pad",
    "Pulse",
    "Resize",
    "apex_curve",
    "find_apex",
    "magnify",
    "optical_flow",
    "optical_strain",
    "pad_frames",
    "pulse",
    "pulse_of_traces",
    "pulse_signal",
    "resize_flow",
    "resize_frames",
    "skin_traces",
    "tim",
]
