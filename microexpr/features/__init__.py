"""Clips to arrays: one descriptor a file, each a public function and a transformer."""

# Imported here, not at first use: a function named as its module would be hidden by the module otherwise.
from microexpr.features.biwoof import BiWOOF, biwoof
from microexpr.features.cbptop import CBPTOP, cbptop
from microexpr.features.flowmap import FlowMap, flow_map
from microexpr.features.gabor import Gabor, gabor
from microexpr.features.hog3d import HOG3D, hog3d
from microexpr.features.lbpsip import LBPSIP, lbpsip
from microexpr.features.lbptop import LBPTOP, lbptop
from microexpr.features.maskedregions import OnlyRegions
from microexpr.features.mdmo import MDMO, mdmo
from microexpr.features.pulse import PulseFeatures, pulse_features
from microexpr.features.regionwise import InRegions
from microexpr.features.stlbpip import STLBPIP, stlbpip
from microexpr.features.strainmap import OpticalStrain, pooled_strain, strain_image
from microexpr.features.tensors import FlowImage, FrameAndFlow, Stills, Volume, frame_and_flow
from microexpr.video.strain import optical_strain

__all__ = [
    "CBPTOP",
    "HOG3D",
    "LBPSIP",
    "LBPTOP",
    "MDMO",
    "STLBPIP",
    "BiWOOF",
    "FlowImage",
    "FlowMap",
    "FrameAndFlow",
    "Gabor",
    "InRegions",
    "OnlyRegions",
    "OpticalStrain",
    "PulseFeatures",
    "Stills",
    "Volume",
    "biwoof",
    "cbptop",
    "flow_map",
    "frame_and_flow",
    "gabor",
    "hog3d",
    "lbpsip",
    "lbptop",
    "mdmo",
    "optical_strain",
    "pooled_strain",
    "pulse_features",
    "stlbpip",
    "strain_image",
]
