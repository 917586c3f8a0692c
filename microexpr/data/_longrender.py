"""Rendering of a synthetic long video, any frame of it without the others, and the true place of the skin in it.

The skin at point p of the neutral face lies in frame t at ``H_t(u + D_t(u))`` with ``u = B_t(p)``: the lids B_t draw
skin over the eyes; D_t is the sum of what the face does (an expression, speech, and in a turn the nose, which is nearer
than the rest); the affine H_t moves the head with the whole picture. All depend on the frame's own time alone.
"""

__all__ = ["VERSION", "Stage", "stage_of"]

from functools import lru_cache

import numpy as np

from microexpr.core.frames import to_grey
from microexpr.data import _render
from microexpr.data._eyelids import Eyelids
from microexpr.data._face import draw_face, landmarks
from microexpr.data._paint import Picture, paint
from microexpr.data._timeline import Event, Script, course, random_stream
from microexpr.data.actionunits import Motion, invert, joined

# Raised whenever a pixel, a landmark or a time of the same arguments changes; part of every fingerprint.
VERSION = 1

# The nose is nearer to the camera than the neck: it moves this part further when the head turns or nods.
_NEARNESS = 0.35
# How far from the nose that is felt, in design units: across, along the face.
_REACH = (55.0, 65.0)
# A face that turns by its full motion looks this much narrower, one that nods this much lower.
_FORESHORTENING = 0.04
# A head tilts about the neck, this far below the middle of the picture, in design units.
_NECK = 60.0
# How much of the pulse each of R, G and B shows: what CHROM and POS take for granted of skin in white light.
_BLOOD = np.array([0.33, 0.77, 0.53]) / 0.77
# The inverse motion is iterated until no point moves by more, in pixels.
_TOLERANCE = 2e-3
_MAX_STEPS = 100


class Stage:
    """The face and the camera of one video, ready to render."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._unit = _render.design_unit(script.size)
        self._points = landmarks(draw_face(_render.stream("face", script.people, script.subject)))
        self._lids = Eyelids(self._points)
        self._posed, self._placed = _render.pose(_shot(script, ()))
        self._unposed = invert(self._posed)
        self._middle = (np.array(script.size[::-1]) - 1) / 2
        self._onsets = np.array([event.onset for event in script.events])
        self._offsets = np.array([event.offset for event in script.events])
        self._drift = next((event for event in script.events if event.kind == "light drift"), None)
        self._steps = [event for event in script.events if event.kind == "light step"]
        self._step_frames = [event.onset for event in self._steps]
        sway = random_stream("camera", script, 0)
        self._sway_frequency, self._sway_phase = sway.uniform(0.2, 2.0, (4, 3)), sway.uniform(0, 2 * np.pi, (4, 3))
        hum = random_stream("camera", script, 1)
        self._beat = float(random_stream("pulse", script, 1).uniform(0.0, 2 * np.pi))
        self._level, self._hum = float(hum.uniform(0.92, 1.08)), hum.uniform([4.0, 0.0], [40.0, 2 * np.pi])
        height, width = script.size
        self._across, self._down = np.arange(width, dtype=float), np.arange(height, dtype=float)
        self._sideways = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]

    def frames(self, start: int, stop: int) -> np.ndarray:
        """Render the frames [start, stop): uint8 (n, height, width), or (n, height, width, 3) in colour."""
        script = self.script
        picture = _portrait(script.people, script.subject, script.size, script.color)
        result = np.empty((stop - start, *script.size, *((3,) if script.color else ())), np.uint8)
        for position in range(start, stop):
            self._render(picture, position, result[position - start])
        return result

    def landmarks(self, frame: int) -> np.ndarray:
        """Return the 68 landmarks in a frame, float64 of shape (68, 2), in pixels."""
        return self._place(self._points, frame)

    def flow(self, frame: int, since: int) -> np.ndarray:
        """Return how far what is seen at each pixel of frame `since` has moved in `frame`: (height, width, 2)."""
        x, y, closure = self._origins(since)
        if closure:
            skin, depth = self._lids.raised(x, y, closure)
            y = np.where(depth >= 0, skin, y)
        pixels = np.stack(np.meshgrid(self._across, self._down), axis=-1)
        return self._place(np.stack([x, y], axis=-1), frame) - pixels

    def _place(self, points: np.ndarray, frame: int) -> np.ndarray:
        """Return where points (..., 2) of the neutral face, in design units, lie in a frame, in pixels."""
        shown, closure = self._shown(frame)
        if closure:
            points = self._lids.lowered(points, closure)
        still = points @ self._posed.T + self._placed
        linear, shift = self._head(frame)
        moved = still if shown is None else still + shown.at(still)
        return np.asarray(moved @ linear.T + shift)

    def _origins(self, frame: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Return the design point u behind each pixel, x and y, and how far the lids are closed."""
        shown, closure = self._shown(frame)
        linear, shift = self._head(frame)
        x, y = np.broadcast_arrays(self._across[None, :], self._down[:, None])
        if shown is not None:
            unmoved = self._inverse(shown.moved(linear, shift))
            x, y = x + unmoved[0], y + unmoved[1]
        back = self._unposed @ invert(linear)
        origin = -(back @ shift) - self._unposed @ self._placed
        return back[0, 0] * x + back[0, 1] * y + origin[0], back[1, 0] * x + back[1, 1] * y + origin[1], closure

    def _inverse(self, motion: Motion) -> np.ndarray:
        """Return x - q where x + motion(x) = q, for the pixels q: shape (2, height, width)."""
        guess = np.zeros((2, self._down.size, self._across.size))
        for _ in range(_MAX_STEPS):
            better = -motion.on_grid(guess, self._across, self._down, float(np.abs(guess).max()))
            change = np.abs(better - guess).max()
            guess = better
            if change < _TOLERANCE:
                break
        return guess

    def _active(self, frame: int) -> list[tuple[Event, float]]:
        """Return the events that have begun and not ended, each with how far it has come."""
        places = np.flatnonzero((self._onsets <= frame) & (frame <= self._offsets))
        events = [self.script.events[place] for place in places]
        return [(event, course(event, frame)) for event in events]

    def _shown(self, frame: int) -> tuple[Motion | None, float]:
        """Return what the face does in a frame, None at rest, and how far its lids are closed."""
        parts, closure = [], 0.0
        for event, share in self._active(frame):
            if event.kind == "blink":
                closure = max(closure, share * event.strength)
            elif share == 0.0:
                continue
            elif event.kind in ("micro", "macro"):
                parts.append(_render.expression(_shot(self.script, event.actions, event.strength)).scaled(share))
            elif event.kind == "speech":
                parts += self._speech(event, share, frame)
            elif event.kind in ("turn", "nod"):
                vector = np.array([1.0, 0.0] if event.kind == "turn" else [0.0, 1.0])
                nose = self._posed @ self._points[30] + self._placed
                shape = np.diag(1.0 / (np.array(_REACH) * self._unit))
                parts.append(Motion(nose[None], _NEARNESS * share * event.strength * vector[None], shape[None]))
        return (joined(parts) if parts else None), closure

    def _speech(self, event: Event, share: float, frame: int) -> list[Motion]:
        """Return the mouth that opens for each syllable, its corners going out and in."""
        syllables, phase, pace, start, corners = event.details
        seconds = (frame - event.onset) / self.script.fps
        turn = 2 * np.pi * syllables * seconds + phase
        loudness = 0.7 + 0.3 * np.sin(2 * np.pi * pace * seconds + start)
        opened = event.strength * share * loudness * (0.5 - 0.5 * np.cos(turn))
        drawn = event.strength * share * corners * np.sin(0.5 * turn + start)
        opening = _render.expression(_shot(self.script, (("25", 1.0), ("26", 0.6))))
        stretching = _render.expression(_shot(self.script, (("L20", 1.0), ("R20", 1.0))))
        return [opening.scaled(opened), stretching.scaled(drawn)]

    def _head(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Return how the head stands: pixel = linear @ pixel of the neutral picture + shift."""
        script, seconds = self.script, frame / self.script.fps
        waves = np.sin(2 * np.pi * self._sway_frequency * seconds + self._sway_phase).sum(axis=1)
        # Each of the four drifts has a standard deviation of 1 over a long time.
        drift = script.sway * waves * np.sqrt(2.0 / 3.0)
        rim = 60.0 * self._unit
        linear = (1.0 + 0.3 * drift[3] / rim) * _rotation(0.5 * drift[2] / rim)
        shift = self._middle - linear @ self._middle + drift[:2]
        for event, share in self._active(frame):
            if event.kind in ("turn", "nod", "tilt"):
                own, moved = self._head_event(event, share)
                linear, shift = linear @ own, linear @ moved + shift
        return linear, shift

    def _head_event(self, event: Event, share: float) -> tuple[np.ndarray, np.ndarray]:
        if event.kind == "tilt":
            own, moved = _rotation(share * event.strength), np.zeros(2)
            centre = self._middle + np.array([0.0, _NECK * self._unit])
        else:
            axis = 0 if event.kind == "turn" else 1
            scale = np.ones(2)
            scale[axis] -= _FORESHORTENING * share
            own, centre = np.diag(scale), self._middle
            moved = share * event.strength * np.eye(2)[axis]
        return own, centre - own @ centre + moved

    def _light(self, frame: int) -> tuple[float, float]:
        """Return the brightness in a frame, relative to the video's own, and its slope from the left to the right."""
        level, slope = 1.0, 0.0
        place = int(np.searchsorted(self._step_frames, frame, side="right"))
        if place:
            level, (slope,) = self._steps[place - 1].strength, self._steps[place - 1].details
        if self._drift is not None:
            periods, phases = np.array(self._drift.details).reshape(2, 3)
            waves = np.sin(2 * np.pi * frame / self.script.fps / periods + phases)
            level *= 1.0 + self._drift.strength * float(waves[:2].mean())
            slope += 0.5 * self._drift.strength * float(waves[2])
        return level, slope

    def _blood(self, frame: int) -> np.ndarray:
        """Return how bright R, G and B are in a frame for the blood that fills the skin, relative to their mean."""
        rate, strength = self.script.pulse
        turn = 2 * np.pi * rate / 60.0 * frame / self.script.fps + self._beat
        # A beat rises faster than it falls: its first harmonic runs a quarter ahead.
        return np.asarray(1.0 - strength * _BLOOD * (np.sin(turn) + 0.25 * np.sin(2 * turn + 0.5 * np.pi)), np.float32)

    def _render(self, picture: Picture, frame: int, result: np.ndarray) -> None:
        """Write one frame into `result`."""
        import cv2

        def seen(height: np.ndarray) -> np.ndarray:
            points = np.stack([x, height], axis=-1) * picture.scale + picture.centre
            mapped = points.astype(np.float32)
            return np.asarray(
                cv2.remap(picture.pixels, mapped, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            )

        script = self.script
        x, y, closure = self._origins(frame)
        image = seen(y)
        if closure:
            skin, depth = self._lids.raised(x, y, closure)
            # The edge of the lid is one pixel soft.
            lid = np.clip(0.5 + depth * self._unit, 0.0, 1.0).astype(np.float32)
            image += (lid[..., None] if script.color else lid) * (seen(skin) - image)
        generator = random_stream("noise", script, frame)
        hum = np.sin(2 * np.pi * self._hum[0] * frame / script.fps + self._hum[1])
        gain = self._level * (1.0 + script.flicker * (hum + 0.5 * generator.standard_normal()))
        level, slope = self._light(frame)
        light = np.float32(gain * level) * (1.0 + np.float32(slope) * self._sideways)
        image *= light[..., None] if script.color else light
        if script.pulse:
            image *= self._blood(frame)
        image += np.float32(script.noise) * generator.standard_normal(image.shape, dtype=np.float32)
        result[...] = np.clip(np.rint(image), 0, 255)


@lru_cache(maxsize=4)
def stage_of(script: Script) -> Stage:
    """Return the stage of a video, the last few kept."""
    return Stage(script)


@lru_cache(maxsize=4)
def _portrait(people: int, subject: int, size: tuple[int, int], color: bool) -> Picture:
    face = draw_face(_render.stream("face", people, subject))
    picture = paint(face, _render.stream("paint", people, subject), size)
    if color:
        return picture
    return Picture(to_grey(picture.pixels[None])[0].astype(np.float32), picture.scale, picture.centre)


def _shot(script: Script, actions: tuple[tuple[str, float], ...], peak: float = 1.0) -> _render.Shot:
    """Return a clip of the same face in the same pose that shows these actions; only its motion and pose are used."""
    return _render.Shot(
        actions=actions,
        seed=script.people,
        subject=script.subject,
        clip=script.video,
        n_frames=2,
        onset=0,
        apex=1,
        offset=1,
        peak=peak,
        size=script.size,
        fps=script.fps,
        sway=0.0,
        flicker=0.0,
        noise=0.0,
        color=False,
    )


def _rotation(angle: float) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])
