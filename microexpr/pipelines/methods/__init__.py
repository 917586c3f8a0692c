"""The named baselines; importing this package registers them all."""

from microexpr.pipelines.methods import boosted, fused, handcrafted, majority

__all__ = ["boosted", "fused", "handcrafted", "majority"]
