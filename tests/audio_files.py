"""Audio files that soundfile does not write, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_with_av(path: Path, y: np.ndarray, sr: int, codec: str, n_tracks: int = 1) -> Path:
    """Write samples (n, 2) with FFmpeg, the same in every track."""
    import av

    layout = "stereo" if y.shape[1] == 2 else "mono"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream(codec, rate=sr, layout=layout) for _ in range(n_tracks)]
        for start in range(0, len(y) - 1023, 1024):
            chunk = np.ascontiguousarray(y[start : start + 1024].T)
            for stream in streams:
                frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout=layout)
                frame.sample_rate = sr
                frame.pts = start
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def bare_mp3(path: Path, name: str = "bare.mp3") -> Path:
    """An MP3 as a plain stream of frames, without the Xing or Info frame."""
    data = path.read_bytes()
    tag = max(data.find(b"Xing"), data.find(b"Info"))
    assert 0 < tag < 200
    bare = path.with_name(name)
    bare.write_bytes(data[data.find(data[:2], tag) :])
    return bare
