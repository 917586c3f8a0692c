"""The named baselines; importing this package registers them all."""

from microexpr.pipelines.methods import handcrafted, majority

__all__ = ["handcrafted", "majority"]
