"""A hash of the sound in a file, which stays the same when its tags or its name change.

Left out are ID3, APEv2, the comments of FLAC and Ogg, and all but the samples of MP4, WAV and AIFF.
Of other formats, and where a file is not as its head says, all bytes count.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from typing import IO

from songscape.ingest.file_kinds import id3_length
from songscape.library.records import Span

_MARK = "sound:"
"""Tells these from digests of whole files."""
_BLOCK = 1 << 20
_SOUND_CHUNKS = {b"RIFF": (b"fmt ", b"data"), b"FORM": (b"COMM", b"SSND"), b"ftyp": (b"mdat",)}
_COMMENTS = 1  # the second packet of Vorbis, Opus and FLAC in Ogg

_Bounds = tuple[int, int]


def span_mark(span: Span | None) -> str:
    """What a digest ends in where a track is a part of its file: other times, another track."""
    return "" if span is None else f"@{span[0]}-{span[1] or ''}"


def sound_digest(path: str | os.PathLike[str]) -> str | None:
    """A hash of what is sound in a file, None where it is no file or can't be read."""
    hasher = hashlib.blake2b(digest_size=16)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            try:
                spans = list(_spans(file))
            except (IndexError, ValueError):
                spans = []
            for start, stop in spans or [(0, sys.maxsize)]:
                file.seek(start)
                while start < stop and (block := file.read(min(_BLOCK, stop - start))):
                    hasher.update(block)
                    start += len(block)
    except OSError:
        return None
    return (_MARK if spans else "") + hasher.hexdigest()


def _spans(file: IO[bytes]) -> Iterator[_Bounds]:
    """Where the sound is; nothing where the file is not as its head says."""
    stop = _without_tail(file, file.seek(0, os.SEEK_END))
    start = 0
    while length := id3_length(_read(file, start, 10)):
        start += length
    head = _read(file, start, 8)
    if head[:4] == b"fLaC":
        yield from _flac(file, start, stop)
    elif head[:4] == b"OggS":
        yield from _ogg(file, start, stop)
    elif head[4:] == b"ftyp" or head[:4] in _SOUND_CHUNKS:
        yield from _chunks(file, start, stop, head)
    elif start < stop:
        yield start, stop


def _read(file: IO[bytes], at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)


def _without_tail(file: IO[bytes], stop: int) -> int:
    """The end of the file without ID3v1 and APEv2."""
    if stop >= 128 and _read(file, stop - 128, 3) == b"TAG":
        stop -= 128
    foot = _read(file, max(stop - 32, 0), 32)
    if foot[:8] == b"APETAGEX":
        length = int.from_bytes(foot[12:16], "little") + (32 if foot[23] & 128 else 0)
        stop -= length if length <= stop else 0
    return stop


def _flac(file: IO[bytes], at: int, stop: int) -> list[_Bounds]:
    """The first block of metadata, which describes the stream, and the frames (RFC 9639)."""
    first, at = (at, at + 42), at + 4
    while True:
        head = _read(file, at, 4)
        at += 4 + int.from_bytes(head[1:4], "big")
        if head[0] & 128:
            return [first, (at, stop)] if at < stop else []


def _chunks(file: IO[bytes], at: int, stop: int, head: bytes) -> Iterator[_Bounds]:
    """Chunks of RIFF and AIFF, or boxes of MP4, that hold samples or say how to read them."""
    is_mp4, order = head[4:] == b"ftyp", "little" if head[:4] == b"RIFF" else "big"
    wanted = _SOUND_CHUNKS[b"ftyp" if is_mp4 else head[:4]]
    at += 0 if is_mp4 else 12
    while at + 8 <= stop:
        name, size = _read(file, at, 4), _read(file, at + 4, 4)
        if is_mp4:
            name, size = size, name
        start, length = at + 8, int.from_bytes(size, order)  # type: ignore[arg-type]
        if is_mp4 and length == 1:
            start, length = at + 16, int.from_bytes(_read(file, at + 8, 8), "big")
        end = at + length if is_mp4 else start + length + (length & 1)
        if is_mp4 and length == 0:
            end = stop
        if end <= at:
            raise ValueError("a chunk without an end")
        if name in wanted:
            yield start, min(end, stop)
        at = end


def _ogg(file: IO[bytes], at: int, stop: int) -> Iterator[_Bounds]:
    """What is in the pages, but for the packet of comments (RFC 3533).

    The heads of pages are left out: their numbers change when comments grow by a page.
    """
    packets: dict[bytes, int] = {}
    while at + 27 <= stop:
        head = _read(file, at, 27)
        if head[:4] != b"OggS":
            raise ValueError("something else between pages")
        lengths = file.read(head[26])
        stream, at = head[14:18], at + 27 + len(lengths)
        number = 0 if head[5] & 2 else packets.get(stream, 0)
        start = at
        for length in lengths:
            at += length
            is_last = length < 255
            if number == _COMMENTS:
                if start < at - length:
                    yield start, at - length
                start = at
            number += is_last
        if start < at:
            yield start, at
        packets[stream] = number
