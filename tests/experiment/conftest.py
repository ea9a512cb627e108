"""A small collection: two kinds of sound times two languages, and artists across both."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

# Fewer than UMAP is used for: compiling it takes longer than everything else here.
N_TRACKS = 14
SAMPLE_RATE = 22_050
WORDS = {"German": "und die nacht der wald", "English": "and the night of woods"}


def _write(folder: Path, order: list[int]) -> Path:
    """Two kinds of sound times two languages; the table lists the tracks in the order given."""
    (folder / "audio").mkdir(parents=True)
    (folder / "lyrics").mkdir()
    rows = []
    for i in order:
        rng = np.random.default_rng(i)
        t = np.arange(int(1.5 * SAMPLE_RATE)) / SAMPLE_RATE
        tone = np.sin(2 * np.pi * (220 if i % 2 else 880) * t * (1 + 0.01 * rng.normal()))
        sound = 0.3 * tone + (0.1 if i % 2 else 0.01) * rng.normal(size=t.size)
        soundfile.write(folder / "audio" / f"t{i:02}.wav", 0.5 * sound, SAMPLE_RATE)
        language = "German" if i % 4 < 2 else "English"
        words = rng.permutation(WORDS[language].split() * 3)
        (folder / "lyrics" / f"t{i:02}.txt").write_text(" ".join(words), encoding="utf-8")
        rows.append(
            (f"t{i:02}", f"audio/t{i:02}.wav", f"lyrics/t{i:02}.txt", language, f"g{i % 2}")
        )
    columns = ["id", "audio", "lyrics", "language", "genre"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "tracks.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def write_collection() -> Callable[[Path, list[int]], Path]:
    """Writes the tracks in the order given into a folder, with their table."""
    return _write


@pytest.fixture(scope="session")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("with space ü"), list(range(N_TRACKS)))
