"""The named baselines; importing this package registers them all."""

from microexpr.pipelines.methods import boosted, deep, fused, handcrafted, majority, physiological, pretrained

__all__ = ["boosted", "deep", "fused", "handcrafted", "majority", "physiological", "pretrained"]
