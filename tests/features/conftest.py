"""Small songs, made where they are needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

Song = Callable[..., NDArray[np.float32]]
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def song() -> Song:
    """Samples (n, channels) of a few decaying notes over noise, another tune for every seed."""

    def make(
        seconds: float = 4.0, sr: int = 44_100, channels: int = 2, seed: int = 0
    ) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        y = 0.005 * rng.standard_normal((int(seconds * sr), channels))
        time = np.arange(sr // 2) / sr
        for start in range(0, len(y), sr // 4):
            pitch = 2 * np.pi * 220.0 * 2 ** (rng.integers(0, 24) / 12)
            note = np.exp(-6 * time) * sum(np.sin(pitch * k * time) / k for k in (1, 2, 3))
            volume = rng.uniform(0.05, 0.15, channels)
            y[start : start + len(note)] += (note[:, None] * volume)[: len(y) - start]
        return y.astype(np.float32)

    return make


@pytest.fixture
def write_song(song: Song) -> Write:
    """Write such a song to a path, in the format its suffix says; returns the path."""

    def write(path: Path, seconds: float = 4.0, sr: int = 44_100, **keywords: int) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
        soundfile.write(path, song(seconds, sr, **keywords), sr, **options)
        return path

    return write
