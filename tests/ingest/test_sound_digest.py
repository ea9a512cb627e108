"""Tags may change, and files be moved: what sounds the same is not analysed a second time."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import write_with_av

from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.ingest.sound_digest import sound_digest
from songscape.library import Library

RATE = 44_100
KINDS = ("mp3", "flac", "ogg", "opus", "wav", "aiff", "m4a")


def write(path: Path, seed: int = 0) -> Path:
    time = np.arange(2 * RATE) / RATE
    noise = 0.01 * np.random.default_rng(seed).standard_normal((len(time), 2))
    y = (0.3 * np.sin(2 * np.pi * (300 + 50 * seed) * time)[:, None] + noise).astype(np.float32)
    if path.suffix == ".m4a":
        return write_with_av(path, y, RATE, "aac")
    options = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
    soundfile.write(path, y, 48_000 if path.suffix == ".opus" else RATE, **options)
    return path


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


def ogg_page(head: bytes, number: int, lengths: bytes, data: bytes) -> bytes:
    page = bytearray(head[:18] + struct.pack("<II", number, 0) + bytes([len(lengths)]))
    page += lengths + data
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 1 << 31 else 0)) & 0xFFFFFFFF
    page[22:26] = struct.pack("<I", crc)
    return bytes(page)


def ogg_with_longer_comments(data: bytes, extra: int) -> bytes:
    """Comments grow by whole pages, so that the number of every later page changes."""
    pages, at = [], 0
    while at < len(data):
        head, n = data[at : at + 27], data[at + 26]
        lengths = data[at + 27 : at + 27 + n]
        stop = at + 27 + n + sum(lengths)
        pages.append((head, lengths, data[at + 27 + n : stop]))
        at = stop
    head, lengths, body = pages[1]
    first = lengths.index(next(x for x in lengths if x < 255)) + 1
    comment = body[: sum(lengths[:first])]
    is_opus = comment.startswith(b"OpusTags")
    start = 8 if is_opus else 7
    vendor = struct.unpack_from("<I", comment, start)[0]
    entry = b"TITLE=" + b"x" * extra
    text = comment[: start + 4 + vendor] + struct.pack("<I", 1)
    text += struct.pack("<I", len(entry)) + entry + (b"" if is_opus else b"\1")
    rest_lengths, rest = lengths[first:], body[sum(lengths[:first]) :]
    laced = bytes([255] * (len(text) // 255) + [len(text) % 255])
    new: list[bytes] = [ogg_page(pages[0][0], 0, *pages[0][1:])]
    while len(laced) > 200:
        new.append(ogg_page(head, len(new), laced[:200], text[: 200 * 255]))
        laced, text = laced[200:], text[200 * 255 :]
        head = head[:5] + b"\1" + head[6:]
    new.append(ogg_page(head, len(new), laced, text))
    if rest_lengths:
        new.append(ogg_page(head[:5] + b"\0" + head[6:], len(new), rest_lengths, rest))
    new += [ogg_page(p[0], len(new) + i, *p[1:]) for i, p in enumerate(pages[2:])]
    return b"".join(new)


def retagged(path: Path) -> bytes:
    """The file with other tags, written as its format has it."""
    data, text = path.read_bytes(), b"a title" * 3000
    if path.suffix == ".mp3":
        frame = b"TIT2" + struct.pack(">I", 1 + len(text)) + b"\0\0\0" + text
        ape = b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0) + bytes(8)
        tail = b"TAG" + b"other".ljust(125, b"\0")
        return b"ID3\3\0\0" + syncsafe(len(frame)) + frame + data + ape + tail
    if path.suffix == ".flac":
        comment = struct.pack("<I", 0) + struct.pack("<II", 1, len(text)) + text
        block = b"\4" + struct.pack(">I", len(comment))[1:] + comment
        assert data[4] == 0, "another block follows the first"
        return data[:42] + block + data[42:]
    if path.suffix in (".ogg", ".opus"):
        return ogg_with_longer_comments(data, 120_000)
    if path.suffix == ".wav":
        body = data[12:] + b"LIST" + struct.pack("<I", len(text)) + text
        return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body
    if path.suffix == ".aiff":
        body = data[12:] + b"ANNO" + struct.pack(">I", 14) + text[:14]
        return b"FORM" + struct.pack(">I", 4 + len(body)) + data[8:12] + body
    return data + box(b"udta", box(b"name", text))  # behind all else, so that no offset changes


@pytest.mark.parametrize("kind", KINDS)
def test_tags_change_the_file_and_not_the_digest_of_its_sound(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}")
    samples = soundfile.read(path)[0] if kind != "m4a" else None
    before, whole = sound_digest(path), path.read_bytes()
    path.write_bytes(retagged(path))
    if samples is not None:
        np.testing.assert_array_equal(soundfile.read(path)[0], samples)
    assert path.read_bytes() != whole
    assert sound_digest(path) == before
    assert before is not None
    assert before.startswith("sound:")


@pytest.mark.parametrize("kind", KINDS)
def test_one_byte_of_sound_changes_it(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}")
    data = bytearray(path.read_bytes())
    at = data.find(b"mdat") + 500 if kind == "m4a" else len(data) * 2 // 3
    data[at] ^= 0x10
    before = sound_digest(path)
    path.write_bytes(data)
    assert sound_digest(path) != before


def test_sounds_differ_and_what_cannot_be_read_has_none(tmp_path):
    files = [write(tmp_path / f"{n}.{kind}", n) for kind in KINDS for n in range(2)]
    assert len({sound_digest(file) for file in files}) == len(files)
    assert sound_digest(tmp_path / "nothing") is None
    assert sound_digest(tmp_path) is None


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_have_a_digest_and_never_an_error(tmp_path, kind):
    rng = np.random.default_rng(0)
    whole = write(tmp_path / f"a.{kind}").read_bytes()
    damaged = tmp_path / "damaged"
    for n in range(40):
        data = bytearray(whole[: rng.integers(1, len(whole))] if n % 2 else whole)
        for at in rng.integers(0, min(len(data), 400), 4):
            data[at] = rng.integers(256)
        damaged.write_bytes(data)
        assert sound_digest(damaged) is not None
    for size in range(64):
        damaged.write_bytes(whole[:size])
        assert sound_digest(damaged) is not None


def test_a_library_that_was_tagged_and_renamed_is_not_analysed_again(tmp_path):
    folder = tmp_path / "Music"
    folder.mkdir()
    files = [write(folder / f"track {n}.{kind}", n) for n, kind in enumerate(KINDS)]
    totals: list[int] = []

    def read() -> dict[str, bytes]:
        with Library.open(tmp_path / "a.db") as library:
            extract(
                library,
                read_collection(folder),
                workers=2,
                progress=lambda _, total, __: totals.append(total),
            )
            return {i: x.tobytes() for i, x in library.features("timbre").items()}

    before = read()
    (folder / "Artist").mkdir()
    for n, file in enumerate(files):
        (folder / "Artist" / f"{n:02} - Title{file.suffix}").write_bytes(retagged(file))
        file.unlink()
    after = read()
    assert totals[-1] == 0
    assert len(before) == len(after) == len(KINDS)
    assert [after[f"Artist/{n:02} - Title"] for n in range(len(KINDS))] == [
        before[f"track {n}"] for n in range(len(KINDS))
    ]


def test_another_part_of_a_file_is_another_sound(tmp_path):
    from dataclasses import replace

    folder = tmp_path / "Music"
    folder.mkdir()
    write(folder / "album.flac")
    whole = read_collection(folder)
    (track,) = whole.tracks
    totals: list[int] = []

    def read(name: str, *spans: tuple[float, float | None]) -> list[bytes]:
        parts = tuple(
            replace(track, id=f"{name}#{n}", audio=folder / f"{name}.flac", span=span)
            for n, span in enumerate(spans)
        )
        with Library.open(tmp_path / "a.db") as library:
            progress = lambda _, total, __: totals.append(total)  # noqa: E731
            extract(library, replace(whole, tracks=parts), workers=1, progress=progress)
            return [x.tobytes() for x in library.features("timbre").values()]

    first = read("album", (0.0, 1.0), (1.0, None))
    assert totals.pop() == 2
    assert read("album", (0.0, 1.0), (1.0, None)) == first
    assert totals.pop() == 0
    moved = read("album", (0.0, 1.2), (1.0, None))
    assert totals.pop() == 1
    assert moved[0] != first[0]
    assert moved[1] == first[1]
    # Under another name each part finds its own features again, and a part of other times none.
    (folder / "album.flac").rename(folder / "renamed.flac")
    again = read("renamed", (1.0, None), (0.0, 1.2), (0.3, 1.5))
    assert totals.pop() == 1
    assert again[:2] == moved[::-1]
