"""Compute LBP-TOP of a video that is a plain array, as in a notebook."""

import numpy as np

from microexpr.features import LBPTOP, lbptop

video = np.random.default_rng(0).integers(0, 256, (30, 120, 100), dtype=np.uint8)
print(lbptop(video, radii=(1, 1, 2)).shape)
print(LBPTOP(blocks=(5, 5, 1)).fit_transform([video]).shape)
