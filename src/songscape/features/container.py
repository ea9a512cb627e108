"""Where the recordings in an audio file begin and end, and how long its containers say they are.

Files are joined end to end by people (`cat a.mp3 b.mp3`) and by recorders of streams. Decoders
stop at the end of the first recording and say nothing.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import IO

from songscape.ingest.file_kinds import id3_length

# ISO/IEC 11172-3 and 13818-3, layer III: kbit/s by index, for MPEG 1 and for MPEG 2 and 2.5.
_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_BLOCK = 1 << 20
_LONGEST_HEAD = 64
_FRAME_HEAD = 200


@dataclass(frozen=True)
class Part:
    """One recording in a file: its bytes, and what its container says.

    `seconds` is the length it declares, where that can be trusted; `cut` says that it ends before
    its container does.
    """

    start: int
    stop: int
    seconds: float | None = None
    cut: bool = False


@dataclass(frozen=True)
class Contents:
    """Recordings in a file, one after the other (at least one).

    `n_trailing` bytes behind the last are neither a recording nor tags.
    """

    parts: tuple[Part, ...]
    n_trailing: int = 0


class _Bytes:
    """A file's bytes by position, without all of them in memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = file.seek(0, 2)

    def read(self, at: int, length: int) -> bytes:
        self._file.seek(at)
        return self._file.read(length)

    def unpack(self, layout: str, at: int) -> tuple[int, ...]:
        return struct.unpack(layout, self.read(at, struct.calcsize(layout)))

    def search(self, pattern: re.Pattern[bytes], at: int) -> Iterator[int]:
        """Every position from `at` on where the pattern, of up to 64 bytes, occurs."""
        while at < self.size:
            matches = pattern.finditer(self.read(at, _BLOCK + _LONGEST_HEAD))
            yield from (at + match.start() for match in matches if match.start() < _BLOCK)
            at += _BLOCK


def read_contents(file: IO[bytes]) -> Contents:
    """Find the recordings in an open file; of an unknown format it is one."""
    data = _Bytes(file)
    parts: list[Part] = []
    at = _after_tags(data, 0)
    try:
        while at < data.size and (reader := _reader(data, at, is_first=not parts)) is not None:
            parts += reader(data, at)
            at = _after_tags(data, parts[-1].stop)
    except (struct.error, IndexError):  # a broken header: the decoder will say so
        at = data.size
    if not parts:
        return Contents((Part(0, data.size),))
    if data.read(0, 3) == b"ID3":  # decoders step over it themselves
        parts[0] = replace(parts[0], start=0)
    return Contents(tuple(parts), data.size - at)


def _after_tags(data: _Bytes, at: int) -> int:
    """The first byte from `at` on that is neither of a tag nor padding."""
    while at < data.size:
        head = data.read(at, 32)
        if length := id3_length(head):
            at += length
        elif head[:3] == b"TAG":
            at += 227 if head[3:4] == b"+" else 128
        elif head[:8] == b"APETAGEX" and len(head) == 32:
            at += 32 + (int.from_bytes(head[12:16], "little") if head[23] & 32 else 0)
        elif head[:4] == bytes(4):
            block = data.read(at, _BLOCK)
            at += len(block) - len(block.lstrip(b"\0"))
        else:
            break
    return min(at, data.size)


def _reader(data: _Bytes, at: int, *, is_first: bool) -> Callable[[_Bytes, int], list[Part]] | None:
    head = data.read(at, _LONGEST_HEAD)
    if head[:4] == b"OggS":
        return _ogg
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _wav
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _aiff
    if any(pattern.match(head) for pattern in _HEADS):
        return _by_heads
    is_mp3 = _first_frame(data, at) is not None if is_first else _frame(head) is not None
    return _mp3 if is_mp3 else None


_OGG_HEAD = re.compile(rb"OggS\0\x02")
_HEADS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rb"fLaC[\0\x80]\0\0\x22",
        rb"\0\0\0[\x10-\x60]ftyp[ -~]{4}",  # MP4
        rb"\x1aE\xdf\xa3.{0,40}?B\x82.(?:matroska|webm)",
        rb"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel",  # ASF
        rb"caff\0\x01\0.desc",
        rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0",  # W64
        rb"MAC .\x0f",
    )
)
"""Heads of recordings that are too long to occur by chance."""


def _by_heads(data: _Bytes, start: int) -> list[Part]:
    """Recordings that begin with heads of one kind."""
    head = data.read(start, _LONGEST_HEAD)
    pattern = next(each for each in _HEADS if each.match(head))
    starts = [start, *data.search(pattern, start + 1)]
    return [Part(*bounds) for bounds in pairwise([*starts, data.size])]


def _ogg(data: _Bytes, at: int) -> list[Part]:
    """Links of a chain; each begins with the first pages of its tracks (RFC 3533)."""
    starts, end = [], -1
    for page in data.search(_OGG_HEAD, at):
        if page != end:  # not a further track of the same link
            starts.append(page)
        end = page + _page_length(data, page)
    parts = [Part(*bounds) for bounds in pairwise([*(starts or [at]), data.size])]
    return [*parts[:-1], replace(parts[-1], cut=_ogg_is_cut(data, parts[-1]))]


def _page_length(data: _Bytes, page: int) -> int:
    n_segments = data.read(page + 26, 1)[0]
    return 27 + n_segments + sum(data.read(page + 27, n_segments))


def _ogg_is_cut(data: _Bytes, part: Part) -> bool:
    """The last page of a complete stream carries the end-of-stream flag."""
    near = max(part.start, part.stop - (1 << 17))
    page = data.read(near, part.stop - near).rfind(b"OggS")
    if page < 0 or near + page + 27 > part.stop:
        return True
    page += near
    flags = data.read(page + 5, 1)[0]
    return page + _page_length(data, page) > part.stop or not flags & 4


def _wav(data: _Bytes, start: int) -> list[Part]:
    at, byte_rate, size = start + 12, 0, data.unpack("<I", start + 4)[0]
    stop = start + 8 + size + (size & 1)
    while at + 8 <= data.size:
        name, size = data.read(at, 4), data.unpack("<I", at + 4)[0]
        if name == b"fmt ":
            (byte_rate,) = data.unpack("<I", at + 16)
        if name == b"data":
            if size in (0, 0xFFFFFFFF):  # a recorder never came back to fill in the length
                break
            if at + 8 + size > data.size:
                seconds = size / byte_rate if byte_rate else None
                return [Part(start, data.size, seconds, cut=True)]
            # Some programs forget the chunks behind the samples, others the samples.
            stop = max(at + 8 + size + (size & 1), stop if stop <= data.size else 0)
            return [Part(start, min(stop, data.size))]
        at += 8 + size + (size & 1)
    return [Part(start, data.size)]


def _aiff(data: _Bytes, start: int) -> list[Part]:
    stop = start + 8 + data.unpack(">I", start + 4)[0]
    stop += stop - start & 1
    return [Part(start, min(stop, data.size), cut=stop - 1 > data.size)]


@dataclass(frozen=True)
class _Frame:
    length: int
    samples: int
    kind: tuple[int, bool]  # sample rate in Hz, whether mono
    tag_offset: int


def _frame(head: bytes) -> _Frame | None:
    """The layer III frame header in four bytes, or None."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version = head[1] >> 3 & 3
    bitrate_index, rate_index = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or rate_index == 3 or bitrate_index in (0, 15):
        return None
    first = version == 3
    kbps = (_BITRATES_1 if first else _BITRATES_2)[bitrate_index]
    rate = _RATES[version][rate_index]
    samples = 1152 if first else 576
    mono = head[3] >> 6 == 3
    side = (17 if mono else 32) if first else (9 if mono else 17)
    length = samples // 8 * kbps * 1000 // rate + (head[2] >> 1 & 1)
    return _Frame(length, samples, (rate, mono), 4 + side)


def _first_frame(data: _Bytes, start: int) -> int | None:
    """Position of the first frame; behind something else, the first of several that agree."""
    for sync in re.finditer(rb"\xff[\xe2-\xff]", data.read(start, 1 << 16)):
        at = start + sync.start()
        frame = first = _frame(data.read(at, 4))
        for _ in range(1 if at == start else 4):
            if frame and first and frame.kind == first.kind:
                at += frame.length
                frame = _frame(data.read(at, 4))
        if first and (at >= data.size or (frame and frame.kind == first.kind)):
            return start + sync.start()
    return None


def _mp3(data: _Bytes, start: int) -> list[Part]:
    """One recording, up to where one with a header of its own or of another kind begins."""
    first = at = _first_frame(data, start) or start
    head = data.read(at, _FRAME_HEAD)
    declared = _mp3_length(head)
    seconds, n_declared, n_bytes = declared or (None, 0, 0)
    stop = min(first + n_bytes, data.size)
    if n_bytes and _is_boundary(data, stop):
        return [Part(first, stop, seconds)]
    frame, n_frames = _frame(head), 0
    kind = frame and frame.kind
    while frame and frame.kind == kind and not (declared and n_frames == n_declared):
        if n_frames and _mp3_length(head) is not None:
            break
        if at + frame.length > data.size:
            return [Part(first, data.size, seconds, cut=declared is None)]
        at, n_frames = at + frame.length, n_frames + 1
        head = data.read(at, _FRAME_HEAD)
        frame = _frame(head)
    return [Part(first, at if _is_boundary(data, at) else data.size, seconds)]


def _is_boundary(data: _Bytes, at: int) -> bool:
    """Whether a recording may end there: with the file, at a tag or at another recording."""
    ends = at >= data.size or _after_tags(data, at) > at
    return ends or _reader(data, at, is_first=False) is not None


def _mp3_length(head: bytes) -> tuple[float, int, int] | None:
    """Seconds, frames and bytes (0: unknown) that a Xing, Info or VBRI frame declares."""
    frame = _frame(head)
    if frame is None:
        return None
    tag = head[frame.tag_offset :]
    if tag[:4] in (b"Xing", b"Info") and tag[7] & 1:
        (count,) = struct.unpack(">I", tag[8:12])
        n_bytes = struct.unpack(">I", tag[12:16])[0] if tag[7] & 2 else 0
        fields = sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if tag[7] & bit)
        lame = tag[8 + fields : 8 + fields + 24]
        trimmed = 0
        if lame[:4] in (b"LAME", b"Lavf", b"Lavc"):
            trimmed = (lame[21] << 4 | lame[22] >> 4) + ((lame[22] & 15) << 8 | lame[23])
        return max(count * frame.samples - trimmed, 0) / frame.kind[0], count + 1, n_bytes
    if head[36:40] == b"VBRI":
        n_bytes, count = struct.unpack(">II", head[46:54])
        return count * frame.samples / frame.kind[0], count + 1, n_bytes
    return None
