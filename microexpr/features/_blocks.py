"""Where the blocks along an axis begin and end, for the descriptors whose last block takes the remainder."""

__all__ = ["block_edges"]

import numpy as np


def block_edges(length: int, n_blocks: int) -> np.ndarray:
    """Return the edges of blocks of floor(length / n_blocks) and the last of what is left, int64 (n_blocks + 1,)."""
    edges = np.arange(n_blocks + 1, dtype=np.int64) * (length // n_blocks)
    edges[-1] = length
    return edges
