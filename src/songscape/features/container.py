"""What an audio file's own container promises: its length, and whether the file was cut off."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Promise", "read_promise"]

# ISO/IEC 11172-3 and 13818-3, layer III: kbit/s by index, for MPEG 1 and for MPEG 2 and 2.5.
_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


@dataclass(frozen=True)
class Promise:
    """What the container says.

    Attributes
    ----------
    seconds : float or None
        Length it declares, where it declares one that can be trusted.
    cut : bool
        Whether the file ends before the container does.
    """

    seconds: float | None = None
    cut: bool = False


@dataclass(frozen=True)
class _Frame:
    length: int
    samples: int
    rate: int
    tag_offset: int


def read_promise(path: Path) -> Promise:
    """Read the declared length of an MP3, Ogg, FLAC, WAV or AIFF file; others promise nothing."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            head = bytes(data[:12])
            if head[:4] == b"OggS":
                return _ogg(data)
            if head[:4] == b"fLaC":
                return _flac(bytes(data[:42]))
            if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
                return _wav(data)
            if head[:4] == b"FORM":
                return Promise(cut=struct.unpack(">I", head[4:8])[0] + 8 > len(data))
            return _mp3(data)
    except (OSError, ValueError, struct.error, IndexError):
        return Promise()


def _frame(data: mmap.mmap, at: int) -> _Frame | None:
    """The layer III frame header at a position, or None."""
    if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:
        return None
    version = data[at + 1] >> 3 & 3
    bitrate_index, rate_index = data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == 1 or rate_index == 3 or bitrate_index in (0, 15):
        return None
    first = version == 3
    kbps = (_BITRATES_1 if first else _BITRATES_2)[bitrate_index]
    rate = _RATES[version][rate_index]
    samples = 1152 if first else 576
    mono = data[at + 3] >> 6 == 3
    side = (17 if mono else 32) if first else (9 if mono else 17)
    length = samples // 8 * kbps * 1000 // rate + (data[at + 2] >> 1 & 1)
    return _Frame(length, samples, rate, 4 + side)


def _mp3(data: mmap.mmap) -> Promise:
    at, end = 0, len(data)
    while data[at : at + 3] == b"ID3" and at + 10 < end:
        size = data[at + 6 : at + 10]
        at += 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
    for _ in range(65536):  # padding after the tag
        frame = _frame(data, at)
        follower = frame and _frame(data, at + frame.length)
        if frame and (follower or at + frame.length >= end):
            break
        at += 1
    else:
        return Promise()
    tag = at + frame.tag_offset
    if data[tag : tag + 4] in (b"Xing", b"Info") and data[tag + 7] & 1:
        (count,) = struct.unpack(">I", data[tag + 8 : tag + 12])
        fields = sum(
            size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if data[tag + 7] & bit
        )
        lame = data[tag + 8 + fields : tag + 8 + fields + 24]
        trimmed = 0
        if lame[:4] in (b"LAME", b"Lavf", b"Lavc"):
            trimmed = (lame[21] << 4 | lame[22] >> 4) + ((lame[22] & 15) << 8 | lame[23])
        return Promise(max(count * frame.samples - trimmed, 0) / frame.rate)
    if data[at + 36 : at + 40] == b"VBRI":
        (count,) = struct.unpack(">I", data[at + 50 : at + 54])
        return Promise(count * frame.samples / frame.rate)
    return Promise(cut=_last_frame_is_cut(data, at))


def _last_frame_is_cut(data: mmap.mmap, at: int) -> bool:
    """Walk the frames of an MP3 without a length header to its last one."""
    end = len(data)
    if data[end - 128 : end - 125] == b"TAG":
        end -= 128
    while frame := _frame(data, at):
        if at + frame.length > end:
            return True
        at += frame.length
    return False


def _ogg(data: mmap.mmap) -> Promise:
    """The last page of a complete stream carries the end-of-stream flag (RFC 3533)."""
    last = data.rfind(b"OggS")
    if last + 27 > len(data):
        return Promise(cut=True)
    n_segments = data[last + 26]
    table = data[last + 27 : last + 27 + n_segments]
    complete = len(table) == n_segments and last + 27 + n_segments + sum(table) <= len(data)
    return Promise(cut=not (complete and data[last + 5] & 4))


def _flac(head: bytes) -> Promise:
    """Sample rate (20 bits) and total samples (36 bits) of the STREAMINFO block (RFC 9639)."""
    packed = int.from_bytes(head[18:26], "big")
    rate, total = packed >> 44, packed & (1 << 36) - 1
    return Promise(total / rate if rate and total else None)


def _wav(data: mmap.mmap) -> Promise:
    at, byte_rate = 12, 0
    while at + 8 <= len(data):
        name, size = struct.unpack("<4sI", data[at : at + 8])
        if name == b"fmt ":
            (byte_rate,) = struct.unpack("<I", data[at + 16 : at + 20])
        if name == b"data":
            # 0 and all ones are what a recorder writes that never came back to fill them in.
            cut = size not in (0, 0xFFFFFFFF) and at + 8 + size > len(data)
            return Promise(size / byte_rate if cut and byte_rate else None, cut)
        at += 8 + size + (size & 1)
    return Promise()
