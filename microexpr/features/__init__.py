"""Clips to arrays: one descriptor a file, each a public function and a transformer."""

# Imported here, not at first use: a function named as its module would be hidden by the module otherwise.
from microexpr.features.flowmap import FlowMap, flow_map
from microexpr.features.lbptop import LBPTOP, lbptop

__all__ = ["LBPTOP", "FlowMap", "flow_map", "lbptop"]
