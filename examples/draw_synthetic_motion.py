"""Pictures of the synthetic motion that the `zero-shot` model learned from: single action units, and what is added.

    python examples/draw_synthetic_motion.py

Writes synthetic-motion.png: arrows are the motion from onset to apex (u, v), colour is its strain. Above, maps in
which one action unit acts; below, maps of the three classes with blinks, head motion and errors of the flow.
"""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from microexpr.data.syntheticmotion import ACTIONS, make_motion_maps

UNITS = ("1", "2", "4", "6", "9", "10", "12", "14", "15", "17", "20", "25")


def draw(axes, channels, title):
    """Draw one map: arrows every other pixel over its strain."""
    u, v = (channels[..., axis].astype(float) - np.median(channels[..., axis]) for axis in (0, 1))
    axes.imshow(channels[..., 2], cmap="bone_r")
    y, x = np.mgrid[0:28:2, 0:28:2]
    axes.quiver(x, y, u[::2, ::2], v[::2, ::2], angles="xy", scale=900, color="firebrick", width=0.008)
    axes.set_title(title, fontsize=9)
    axes.axis("off")


def clearest(maps, unit):
    """Return the position of the map, of those in which both sides of a unit act alone, that shows it most clearly."""
    sides = [ACTIONS.index(name) for name in ACTIONS if name.strip("LR") == unit]
    alone = (maps.strengths[:, sides] > 0.5).all(axis=1) & (maps.strengths.sum(axis=1) <= len(sides) + 1e-6)
    alone &= maps.labels == ""
    # A tenth of the map is moved by it, half is not moved at all.
    half, tenth = np.percentile(maps.maps[..., 2], [50, 90], axis=(1, 2))
    return int(np.flatnonzero(alone)[(tenth - 3 * half)[alone].argmax()])


single = make_motion_maps(6000, seed=1, alone=1.0)
mixed = make_motion_maps(200, seed=2)
figure, rows = plt.subplots(4, 6, figsize=(10, 7.2), layout="constrained")
for axes, unit in zip(rows[:2].ravel(), UNITS, strict=True):
    draw(axes, single.maps[clearest(single, unit)], f"AU{unit}")
shown = [place for name in ("negative", "positive", "surprise") for place in np.flatnonzero(mixed.labels == name)[:4]]
for axes, place in zip(rows[2:].ravel(), shown, strict=True):
    acting = " ".join(name for name, value in zip(ACTIONS, mixed.strengths[place], strict=True) if value > 0.3)
    draw(axes, mixed.maps[place], f"{mixed.labels[place]}\n{acting}")
figure.savefig("synthetic-motion.png", dpi=80)
print("synthetic-motion.png")
