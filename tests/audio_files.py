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


FORMATS = {
    "mp3": ("libmp3lame", {}),
    "flac": ("flac", {}),
    "ogg": ("vorbis", {"strict": "experimental"}),
    "opus": ("libopus", {}),
    "wma": ("wmav2", {"b": "64000"}),
    "wv": ("wavpack", {}),
    "aiff": ("pcm_s16be", {"write_id3v2": "1"}),
    "mka": ("libopus", {}),
    "m4a": ("aac", {}),
    "wav": ("pcm_s16le", {}),
}


def write_tagged(path: Path, tags: dict[str, str], seconds: float = 0.2, **options: str) -> Path:
    """Noise, tagged by FFmpeg."""
    import av

    codec, more = FORMATS[path.suffix[1:]]
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).normal(0, 3000, int(seconds * 48000)).astype(np.int16)
    with av.open(str(path), "w", options={**more, **options}) as out:
        for name, value in tags.items():
            out.metadata[name] = value
        layout = "stereo" if codec == "vorbis" else "mono"
        stream = out.add_stream(codec, rate=48000, layout=layout)
        stream.codec_context.options = more
        stream.codec_context.open()
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.codec_context.format, layout, 48000, size)
        frame = av.AudioFrame.from_ndarray(noise[None], format="s16p", layout="mono")
        frame.sample_rate = 48000
        for each in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(each))
        out.mux(stream.encode(None))
    return path
