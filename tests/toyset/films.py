"""Small video files, written with PyAV."""

from fractions import Fraction

import av
import numpy as np

RAMP = 3


def write_film(path, frames, *, fps=25):
    """Write uint8 frames of shape (n_frames, height, width, 3), each as a whole picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(fps))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        stream.gop_size = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def ramp(n_frames, size=(64, 80)):
    """Return grey frames, each `RAMP` levels brighter than the one before."""
    levels = (20 + RAMP * np.arange(n_frames)).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (n_frames, *size, 3))


def decoded(source):
    """Return the frames of a video, and when each is shown, in seconds."""
    with av.open(source if hasattr(source, "read") else str(source)) as container:
        pairs = [(frame.to_ndarray(format="rgb24"), frame.time) for frame in container.decode(video=0)]
    return np.stack([frame for frame, _ in pairs]), [time for _, time in pairs]
