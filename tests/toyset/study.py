"""Two small folders on which methods run: a CASME II of three subjects and three classes, and flow maps of SMIC."""

from pathlib import Path

import numpy as np
from PIL import Image
from toyset.casme2 import TABLE_2014, Toy, write_table

#: Three subjects, each with a clip of every class of `megc2019`; emotions as the table spells them.
STUDY = tuple(
    Toy(f"{subject:02d}", f"EP0{subject}_{number:02d}", 1, 4, 6, emotion, "4", range(1, 7))
    for subject in (1, 2, 3)
    for number, emotion in enumerate(("disgust", "happiness", "surprise"))
)


def write_study(root: Path, toys=STUDY) -> Path:
    """Write the table of 2014 and cropped frames of 24 x 20 pixels; return the folder."""
    toys = tuple(toys)
    write_table(root / TABLE_2014, toys)
    for number, toy in enumerate(toys):
        write_clip(root / "Cropped" / toy.folder, toy.numbers, seed=number)
    return root


def write_clip(folder: Path, numbers, *, seed: int = 0, size: tuple[int, int] = (24, 20)) -> None:
    """Write a frame for each number: a random texture that shifts."""
    texture = np.random.default_rng(seed).integers(0, 255, size, dtype=np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    for step, number in enumerate(numbers):
        shifted = np.roll(texture, step * (1 + seed % 3), axis=seed % 2)
        Image.fromarray(shifted).save(folder / f"reg_img{number}.png")


def write_maps(root: Path) -> Path:
    """Write truth.csv and maps of three subjects, a clip of every class for each; return the folder."""
    rng = np.random.default_rng(5)
    (root / "maps").mkdir(parents=True)
    rows = []
    for subject in ("s01", "s02", "s03"):
        for label, short in enumerate(("ne", "po", "sur")):
            clip = f"{subject}_{short}_01"
            stored = (rng.integers(0, 120, (28, 28, 3)) + 60 * label).astype(np.uint8)
            Image.fromarray(stored).save(root / "maps" / f"{subject}_{clip} .png")
            rows.append(f"smic,{subject},{clip},{label}\n")
    (root / "truth.csv").write_text("".join(rows))
    return root
