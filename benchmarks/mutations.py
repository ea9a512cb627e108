"""Small files of every kind, and damage to them: what `stress.py` and its tests feed."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import soundfile

from songscape.errors import SongscapeError
from songscape.ingest import read_collection

__all__ = ["lyrics_seeds", "mutated", "read_table", "sound_seeds", "table_seeds", "tag_seeds"]

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


TAGS = {
    "title": "Sång 東京",
    "artist": "Ann; Bob",
    "album": "An Album",
    "genre": "Folk;Rock",
    "date": "1987-01-02",
    "language": "deu",
    "track": "3/12",
    "lyrics": "erste Zeile der Welt\n" * 30,
}
TAGGED = {
    "mp3": ("mp3", "libmp3lame"),
    "flac": ("flac", "flac"),
    "opus": ("opus", "libopus"),
    "m4a": ("ipod", "aac"),
    "wma": ("asf", "wmav2"),
    "wv": ("wv", "wavpack"),
    "mka": ("matroska", "libopus"),
    "wav": ("wav", "pcm_s16le"),
}


def tag_seeds() -> dict[str, bytes]:
    """By suffix, a short tagged file of each kind of tags."""
    import av

    found = {}
    for suffix, (kind, codec) in TAGGED.items():
        buffer = io.BytesIO()
        with av.open(buffer, "w", format=kind) as out:
            out.metadata.update(TAGS)
            stream = out.add_stream(codec, rate=48_000, layout="mono")
            stream.codec_context.options = {"b": "64000"}
            stream.codec_context.open()
            size = stream.codec_context.frame_size or 1024
            resampler = av.AudioResampler(stream.codec_context.format, "mono", 48_000, size)
            frame = av.AudioFrame(format="s16", layout="mono", samples=9600)
            frame.sample_rate = 48_000
            for each in (*resampler.resample(frame), *resampler.resample(None)):
                out.mux(stream.encode(each))
            out.mux(stream.encode(None))
        found[suffix] = buffer.getvalue()
    synced = b"\3eng\2\1\0" + b"".join(b"line %d\0\0\0%c\0" % (n, n) for n in range(60))
    frames = (b"SYLT", synced), (b"TXXX", b"\1\xff\xfeA\0\0\0\xff\xfeB\0"), (b"TCON", b"\0(17)(6)")
    tag = b"".join(name + bytes([0, 0, len(c) >> 7, len(c) & 127, 0, 2]) + c for name, c in frames)
    head = b"ID3\4\0\xc0" + bytes([0, 0, len(tag) >> 7, len(tag) & 127])
    found["2.mp3"] = head + tag + b"\xff\xfb\x90\x64" * 500
    return found


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
        "apart.lrc": timed.replace("line", "[bg: x] v1: a\n[00:01.50]").encode(),
        "apple.ttml": (
            '<?xml version="1.0"?><tt xml:lang="es"><body><div>'
            + '<p begin="1"><span>Ti</span><span role="x-translation">you</span><br/></p>' * 50
            + "</div></body></tt>"
        ).encode(),
        "lrcget.yaml": (
            "version: '1.0'\nmetadata: {title: x, language: en}\nlines:\n"
            + "- {text: 'a line', start_ms: 1, words: [{text: a}]}\n" * 50
        ).encode(),
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
