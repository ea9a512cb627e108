"""Small files of every kind, and damage to them: what `stress.py` and its tests feed."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import soundfile

from songscape.errors import SongscapeError
from songscape.ingest import read_collection

__all__ = ["lyrics_seeds", "mutated", "read_table", "sound_seeds", "table_seeds"]

Random = np.random.Generator
SUFFIXES = ("mp3", "ogg", "opus", "flac", "wav", "aiff", "au", "caf", "w64", "m4a", "mka")


def tune(rng: Random, seconds: float, sr: int) -> np.ndarray:
    """Decaying notes, (n, 2)."""
    y = 0.003 * rng.standard_normal((int(seconds * sr), 2))
    time = np.arange(sr // 2) / sr
    for start in range(0, len(y), sr // 4):
        pitch = 2 * np.pi * 220.0 * 2 ** (rng.integers(0, 24) / 12)
        note = np.exp(-6 * time) * np.sin(pitch * time) * rng.uniform(0.1, 0.3)
        y[start : start + len(note)] += note[: len(y) - start, None]
    return y.astype(np.float32)


def sound_seeds(rng: Random, seconds: float = 2.0) -> dict[str, bytes]:
    """By suffix, an undamaged file."""
    found = {}
    for suffix in SUFFIXES:
        y = tune(rng, seconds, 24_000)
        if suffix in ("m4a", "mka"):
            found[suffix] = _with_av(y, suffix)
            continue
        name = {"opus": "OGG"}.get(suffix, suffix.upper())
        options = {"subtype": "OPUS"} if suffix == "opus" else {}
        buffer = io.BytesIO()
        soundfile.write(buffer, y, 24_000, format=name, **options)
        found[suffix] = buffer.getvalue()
    return found


def _with_av(y: np.ndarray, suffix: str) -> bytes:
    import av

    buffer = io.BytesIO()
    kind = {"m4a": "ipod", "mka": "matroska"}[suffix]
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream("aac", rate=24_000, layout="stereo")
        for start in range(0, len(y) - 1023, 1024):
            chunk = np.ascontiguousarray(y[start : start + 1024].T)
            frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 24_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def lyrics_seeds() -> dict[str, bytes]:
    """By name, the words of a song in some encoding and layout."""
    verse = "[Verse 1]\nSonne und Mond, die Nacht war lang\n\n"
    text = (verse + "[Chorus]\nNa na na, là-bas, Солнце\n") * 5
    timed = "".join(f"[00:{n:02d}.50] <00:{n:02d}.70> line {n}\n" for n in range(50))
    return {
        "plain.txt": text.encode(),
        "bom.txt": b"\xef\xbb\xbf" + text.encode(),
        "wide.txt": text.encode("utf-16"),
        "old.txt": text.encode("latin-1", "replace"),
        "russian.txt": ("Солнце и луна, ночь была длинной\n" * 20).encode("cp1251"),
        "timed.lrc": timed.encode(),
        "newlines.txt": b"\n" * 200_000,
        "one line.txt": b"la " * 100_000,
        "brackets.txt": b"[" * 50_000 + b"]" * 50_000,
        "angles.lrc": b"<00:" * 50_000,
        "spaces.txt": b" " * 200_000 + b"x",
    }


def table_seeds(names: list[str]) -> dict[str, bytes]:
    """By name, a table of these audio files."""
    rows = [f'{n},{name},"Title, {n}",genre {n % 3}' for n, name in enumerate(names)]
    text = "\n".join(["id,audio,title,genre", *rows]) + "\n"
    return {
        "tracks.csv": text.encode(),
        "tracks.tsv": text.replace(",", "\t").encode(),
    }


def read_table(folder: str) -> str:
    """What reading a collection by its table comes to; for a worker process."""
    try:
        collection = read_collection(folder)
    except SongscapeError as error:
        return f"refused: {error}"
    return f"{len(collection.tracks)} tracks"


def mutated(data: bytes, rng: Random, others: list[bytes]) -> bytes:
    """The data with one to three kinds of damage."""
    ways: list[Callable[[bytearray, Random], bytearray]] = [
        _flip_bits,
        _cut,
        _zero,
        _repeat,
        _shuffle,
        _set_numbers,
        lambda d, r: d[: int(r.integers(len(d) + 1))] + bytearray(_one_of(others, r)),
        lambda d, r: bytearray(_one_of(others, r)[: int(r.integers(1, 200))]) + d,
    ]
    damaged = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        damaged = _one_of(ways, rng)(damaged, rng) or bytearray(b"\0")
    return bytes(damaged)


def _one_of(things: list, rng: Random):
    return things[int(rng.integers(len(things)))]


def _flip_bits(data: bytearray, rng: Random) -> bytearray:
    # Mostly near the beginning, where the heads are.
    reach = len(data) if rng.random() < 0.4 else min(len(data), 200)
    for at in rng.integers(reach, size=int(rng.integers(1, 30))):
        data[at] ^= 1 << int(rng.integers(8))
    return data


def _cut(data: bytearray, rng: Random) -> bytearray:
    return data[: int(rng.integers(len(data) + 1))]


def _zero(data: bytearray, rng: Random) -> bytearray:
    start, stop = sorted(rng.integers(len(data) + 1, size=2).tolist())
    data[start:stop] = bytes(stop - start)
    return data


def _repeat(data: bytearray, rng: Random) -> bytearray:
    start, stop = sorted(rng.integers(len(data) + 1, size=2).tolist())
    return data[:stop] + data[start:stop] + data[stop:]


def _shuffle(data: bytearray, rng: Random) -> bytearray:
    bounds = sorted(rng.integers(len(data) + 1, size=3).tolist())
    return data[: bounds[0]] + data[bounds[1] : bounds[2]] + data[bounds[0] : bounds[1]]


def _set_numbers(data: bytearray, rng: Random) -> bytearray:
    """Fields in heads: lengths, counts and rates at their limits."""
    for at in rng.integers(min(len(data), 120), size=3):
        size = int(_one_of([1, 2, 4, 8], rng))
        data[at : at + size] = _one_of([b"\xff", b"\0", b"\x7f", b"\x80"], rng) * size
    return data
