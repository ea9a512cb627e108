"""Files made to cost much: each costs only itself, within its limits, and is accounted for."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.library import Library

LIMIT_S = 6.0


def wav(rate: int, channels: int, bits: int, length: int, align: int | None = None) -> bytes:
    align = channels * bits // 8 if align is None else align
    form = struct.pack(
        "<HHIIHH", 1, channels, rate, rate * align & 0xFFFFFFFF, align & 0xFFFF, bits
    )
    head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data"
    head += struct.pack("<I", length)
    return b"RIFF" + struct.pack("<I", (len(head) + length) & 0xFFFFFFFF) + head


def sparse(path: Path, head: bytes, size: int) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)


def box(name: bytes, data: bytes, size: int | None = None) -> bytes:
    return struct.pack(">I", size or 8 + len(data)) + name + data


@pytest.fixture
def folder(tmp_path: Path, write_song: Callable[..., Path]) -> Path:
    folder = tmp_path / "songs"
    song = write_song(folder / "good.flac", 2.0, 22_050).read_bytes()
    write_song(folder / "also good.mp3", 2.0, 22_050, seed=1)
    # 4 GB of silence that take no room, and a day of it in a few megabytes.
    sparse(folder / "silence.wav", wav(44_100, 2, 16, 0xFFFFFF00), 0xFFFFFFF0)
    sparse(
        folder / "hiss and silence.wav", wav(8000, 1, 8, 0xFFFFFF00) + b"\x10\xf0" * 50_000, 1 << 32
    )
    soundfile.write(folder / "wide.flac", np.zeros((4 * 192_000, 8), np.int16), 192_000)
    heads = {
        "channels.wav": wav(44_100, 65_535, 16, 1 << 20) + bytes(1 << 20),
        "no channels.wav": wav(44_100, 0, 16, 4000) + bytes(4000),
        "rate.wav": wav(0xFFFFFFFF, 2, 16, 4000) + bytes(4000),
        "no rate.wav": wav(0, 2, 16, 4000) + bytes(4000),
        "bits.wav": wav(44_100, 2, 65_535, 4000, 65_535) + bytes(4000),
        "no align.wav": wav(44_100, 2, 16, 4000, 0) + bytes(4000),
        "length.wav": wav(44_100, 2, 16, 0xFFFFFFFE) + bytes(4000),
        "tag.mp3": b"ID3\4\0\0\x7f\x7f\x7f\x7f" + b"\xff\xfb\x90\0" * 500,
        "tags in tags.mp3": b"ID3\4\0\0\0\0\0\0" * 20_000,
        "picture.flac": song[:4] + b"\6\xff\xff\xff" + song[4:],
        "samples.flac": song[:21] + b"\xff" * 5 + song[26:],
        "endless.m4a": box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", b"", 1) + b"\xff" * 8,
        "deep.m4a": box(b"ftyp", b"M4A \0\0\0\0") + b"\xff\xff\xff\xf0moov" * 5000,
        "table.m4a": box(b"ftyp", b"M4A \0\0\0\0")
        + box(b"moov", box(b"trak", box(b"stsz", struct.pack(">III", 0, 0, 0xFFFFFFFF)))),
        "pages.ogg": b"OggS\0\2" + bytes(20) + b"\xff" + b"\xff" * 255 + bytes(70_000),
        "rate.aiff": b"FORM\0\0\1\0AIFFCOMM\0\0\0\x12\0\2\xff\xff\xff\xff\0\x10\x7f\xff"
        + b"\xff" * 8
        + bytes(200),
        "cluster.mka": b"\x1aE\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff"
        + b"\x42\x82\x88matroska" * 9,
    }
    for name, data in heads.items():
        (folder / name).write_bytes(data)
    return folder


def test_every_bomb_costs_its_file_alone(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("songscape.features.jobs.TIME_LIMIT_S", LIMIT_S)
    started = time.monotonic()
    with Library.open(tmp_path / "a.db") as library:
        counts = extract(library, read_collection(folder), workers=2)
        seconds = time.monotonic() - started
        rows = {row.track_id: row.reason for row in library.ledger("failed")}
        assert {"good", "also good"} <= set(library.features("timbre"))
        again: list[int] = []
        extract(library, read_collection(folder), progress=lambda _, n, __: again.append(n))
    assert counts.found == counts.analysed + counts.skipped + counts.failed == 22
    assert counts.failed >= 15
    assert seconds < 22 * LIMIT_S, "two workers, and none over its limit"
    for name, reason in rows.items():
        assert len(reason.splitlines()) == 1, name
        assert "its process crashed" not in reason, name
        assert "Error" not in reason, f"{name}: {reason}"
    assert again == [0], "no bomb is tried twice"
