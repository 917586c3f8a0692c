"""Where networks looked, drawn over a few of the clips."""

__all__ = ["attention_pictures", "blend"]

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from microexpr.core.base import ClipMap
from microexpr.core.clip import Clip
from microexpr.core.errors import MicroexprError
from microexpr.core.frames import to_grey
from microexpr.pipelines.comparison import Comparison
from microexpr.pipelines.prefix import split_prefix
from microexpr.pipelines.registry import build

_HEIGHT = 180


def attention_pictures(comparison: Comparison, name: str, records: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Draw a method's attention over one clip of each class.

    Parameters
    ----------
    comparison : Comparison
    name : str
        The method.
    records : sequence of mapping
        Its folds; those without `attention` count as none.

    Returns
    -------
    list of dict
        clip_id, truth, predicted and `picture`, a data URI of a PNG. Of each class, the first clip that the method gets
        right, or its first clip where it gets none right; none where the clips' frames cannot be read any more.
    """
    maps = {
        clip_id: np.asarray(attention)
        for record in records
        for clip_id, attention in zip(record["clip_ids"], record.get("attention", ()), strict=False)
    }
    table = comparison.predictions[name]
    table = table[table["clip_id"].isin(maps)]
    clips = {clip.clip_id: clip for clip in comparison.pictured}
    pictures = []
    for label in comparison.classes:
        own = table[table["y_true"] == label]
        right = own[own["y_pred"] == label]
        for row in (right if len(right) else own).head(1).itertuples():
            try:
                face = _face(clips[row.clip_id], name, comparison.params.get(name, {}))
            except (MicroexprError, KeyError):
                continue  # a report is worth having without this picture
            picture = _png(blend(face, maps[row.clip_id]))
            pictures.append({"clip_id": row.clip_id, "truth": row.y_true, "predicted": row.y_pred, "picture": picture})
    return pictures


def blend(face: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """Lay an attention map over a picture.

    Parameters
    ----------
    face : uint8 ndarray of shape (height, width)
    attention : float ndarray of shape (rows, columns), values 0..1
        Stretched over the whole picture.

    Returns
    -------
    uint8 ndarray of shape (height', width', 3)
        180 pixels high; the picture in grey where the map is 0, ever more in colour (red to yellow) towards 1.
    """
    import cv2
    from matplotlib import colormaps

    width = max(round(face.shape[1] * _HEIGHT / face.shape[0]), 1)
    grey = cv2.resize(face, (width, _HEIGHT), interpolation=cv2.INTER_LINEAR).astype(float)[..., np.newaxis]
    heat = np.clip(
        cv2.resize(np.asarray(attention, np.float64), (width, _HEIGHT), interpolation=cv2.INTER_LINEAR), 0, 1
    )
    colour = colormaps["autumn"](heat)[..., :3] * 255.0
    share = 0.6 * heat[..., np.newaxis]
    return np.asarray(np.rint((1.0 - share) * grey + share * colour), np.uint8)


def _face(clip: Clip, name: str, params: Mapping[str, Any]) -> np.ndarray:
    """Return the picture under the maps: the method's clip steps applied, the apex or else the middle frame."""
    if not clip.has_pixels:
        return _motion(clip.flow_map())
    prefix, _ = split_prefix(build(name, random_state=0, **params))
    steps = [step for _, step in prefix.steps] if isinstance(prefix, Pipeline) else []
    clips = [clip]
    for step in steps:
        if isinstance(step, ClipMap):
            clips = step.transform(clips)
    frames = clips[0].frames()
    position = len(frames) // 2 if clips[0].apex is None else clips[0].apex
    return np.asarray(to_grey(frames[position : position + 1])[0], np.uint8)


def _motion(channels: np.ndarray) -> np.ndarray:
    """Return the size of the motion of a stored map, brightest where it is largest."""
    flow = channels[..., :2].astype(float)
    size = np.hypot(*np.moveaxis(flow - np.median(flow, axis=(0, 1)), 2, 0))
    return np.asarray(255 * size / max(size.max(), 1e-9), np.uint8)


def _png(picture: np.ndarray) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
