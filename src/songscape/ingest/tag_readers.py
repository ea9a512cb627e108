"""An audio file -> its tags as they are written: names and values, in any format of tags."""

from __future__ import annotations

import errno
import io
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from songscape.ingest.file_kinds import HEAD_BYTES, synchsafe

_APE_FOOTER = struct.Struct("<8sIIII8x")
_APE_NO_TEXT = 0b110  # the bits of its flags that tell binary items and links
_LARGEST_TAG = 16 << 20
_UNSYNCHRONISED = 0x80
_ID3V1_BYTES = 128
_CONTAINERS = (b"\x1aE\xdf\xa3", b"caff", b"RF64", b"BW64", b"DSD ", b"FRM8", b"TTA1", b"riff\x2e")
"""Formats whose tags only FFmpeg reads, by their first bytes."""
_FRAMES_OF_WORDS = (b"USLT", b"SYLT", b"ULT", b"SLT")
_FLAC_RATE, _FLAC_SHEET = 0, 5  # blocks: that of the stream, that of a CUE sheet
_NO_TRACK = (170, 255)  # numbers of the lead-out
_NO_APE = (b"fLaC", b"OggS", b"RIFF", b"FORM", b"0&\xb2u", *_CONTAINERS)


class TagError(Exception):
    """Tags that are damaged."""


def raw_tags(file: IO[bytes]) -> list[tuple[str, str]]:
    """Names and values in an open audio file, in the order of their worth.

    ID3, Vorbis comments, MP4, ASF, RIFF and AIFF chunks are read by tinytag, APEv2 here, and
    Matroska and rarer ones by FFmpeg, where it is installed. A name that has several values
    occurs several times. What stands in an ID3 tag goes before an APEv2 tag of the same file.
    """
    head = file.read(HEAD_BYTES)
    if head.startswith(_CONTAINERS):
        return list(_by_ffmpeg(file))
    try:
        found = list(_by_tinytag(file))
    except TagError:
        if not (found := list(_by_ffmpeg(file))):  # which may read what is before the damage
            raise
    if head.startswith(b"fLaC"):
        found += _flac_sheet(file)
    return found if head.startswith(_NO_APE) else [*found, *_ape(file)]


def _by_tinytag(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    from tinytag import TinyTag, UnsupportedFormatError

    file = _resynchronised(file)
    try:
        # Without a name it goes by the first bytes: suffixes are sometimes wrong.
        tag = TinyTag.get(file_obj=file, duration=False)  # type: ignore[arg-type]
    except UnsupportedFormatError:
        return
    except Exception as error:  # struct.error, IndexError, ...: it reads on where sizes are wrong
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise  # a drive or a network that fails
        raise TagError from error
    for name, values in tag.as_dict().items():
        if isinstance(values, list):
            spoken = _languages_of_words(file) if name == "lyrics" else []
            names = spoken if len(spoken) == len(values) else [name] * len(values)
            for its, value in zip(names, values):
                for part in value.split("\0"):  # ID3 separates values by it
                    yield its, part.lstrip("\ufeff")


def _id3(file: IO[bytes]) -> tuple[bytes, bytes]:
    """The head and content of the ID3v2 tag at the beginning; both empty where there is none."""
    file.seek(0)
    head = file.read(10)
    is_id3 = len(head) == 10 and head.startswith(b"ID3")
    return (head, file.read(min(synchsafe(head[6:]), _LARGEST_TAG))) if is_id3 else (b"", b"")


def _frames(tag: bytes, version: int) -> Iterator[tuple[bytes, int, int]]:
    """Names of the frames of an ID3v2 tag, and where their contents begin and end."""
    wide, at = 3 if version == 2 else 4, 0
    while at + 10 <= len(tag) and tag[at]:
        size, start = tag[at + wide : at + 2 * wide], at + (6 if version == 2 else 10)
        end = start + (synchsafe(size) if version == 4 else int.from_bytes(size, "big"))
        yield tag[at : at + wide], start, end
        at = end


def _resynchronised(file: IO[bytes]) -> IO[bytes]:
    """A file whose ID3 tag has no zeros behind 0xFF, which older players needed ("unsynchronised").

    tinytag leaves them, and UTF-16 begins with 0xFF. Only tags that need it are copied.
    """
    head, tag = _id3(file)
    if not head or not head[5] & _UNSYNCHRONISED:
        file.seek(0)
        return file
    end = file.read(HEAD_BYTES)
    file.seek(max(file.seek(0, 2) - _ID3V1_BYTES, 0))
    # In version 4 the sizes of frames are of what is stored.
    cuts = [0, *(at for _, *its in _frames(tag, 4) for at in its)] if head[3] == 4 else [0]
    parts = [tag[start:stop] for start, stop in zip(cuts, [*cuts[1:], len(tag)])]
    whole = b"".join(part.replace(b"\xff\0", b"\xff").ljust(len(part), b"\0") for part in parts)
    return io.BytesIO(head[:5] + b"\0" + head[6:] + whole + end + file.read())


def _languages_of_words(file: IO[bytes]) -> list[str]:
    """Names with the languages of the frames of words in an ID3 tag; tinytag drops these."""
    head, tag = _id3(file)
    found = []
    for name, start, _ in _frames(tag, head[3]) if head else ():
        if name in _FRAMES_OF_WORDS:
            code = tag[start + 1 : start + 4].decode("latin-1")
            found.append(f"lyrics-{code}" if code.isascii() and code.isalpha() else "lyrics")
    return found


def _flac_sheet(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    """The block of a FLAC file that tells the tracks of an album (RFC 9639, 8.7), as a sheet."""
    file.seek(4)
    rate, kind = 0, 0
    while kind < 128 and len(head := file.read(4)) == 4:
        kind, block = head[0], file.read(int.from_bytes(head[1:], "big"))
        if kind & 127 == _FLAC_RATE:
            rate = int.from_bytes(block[10:13], "big") >> 4
        elif kind & 127 == _FLAC_SHEET and rate:
            with suppress(struct.error, IndexError):
                yield "cuesheet", "\n".join(_sheet_lines(block, rate))


def _sheet_lines(block: bytes, rate: int) -> Iterator[str]:
    yield 'FILE "" WAVE'
    at = 396
    for _ in range(block[395]):
        begin, number, flags, n_points = struct.unpack_from(">QB12xB13xB", block, at)
        points = [struct.unpack_from(">QB", block, at + 36 + 12 * n) for n in range(n_points)]
        at += 36 + 12 * n_points
        if number not in _NO_TRACK:
            yield f"TRACK {number:02} {'DATA' if flags & 128 else 'AUDIO'}"
        for behind, point in points:
            if point == 1:
                seconds, frames = divmod(round((begin + behind) * 75 / rate), 75)
                yield f"INDEX 01 {seconds // 60:02}:{seconds % 60:02}:{frames:02}"


def _ape(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    """The items of an APEv2 tag (wiki.hydrogenaud.io, "APEv2 specification") at a file's end."""
    size = file.seek(0, 2)
    for behind in (0, _ID3V1_BYTES):
        at = size - behind - _APE_FOOTER.size
        if at < 0:
            return
        file.seek(at)
        magic, _, length, count, _ = _APE_FOOTER.unpack(file.read(_APE_FOOTER.size))
        start = at + _APE_FOOTER.size - length
        if magic == b"APETAGEX" and _APE_FOOTER.size <= length <= _LARGEST_TAG and start >= 0:
            file.seek(start)
            yield from _ape_items(file.read(length - _APE_FOOTER.size), count)
            return


def _ape_items(data: bytes, count: int) -> Iterator[tuple[str, str]]:
    at = 0
    for _ in range(min(count, len(data) // 9)):
        end = data.find(b"\0", at + 8, at + 8 + 256)
        if end < 0:
            return
        length, flags = struct.unpack_from("<II", data, at)
        name, at = data[at + 8 : end].decode("latin-1"), end + 1 + length
        if not flags & _APE_NO_TEXT:
            for value in data[end + 1 : at].decode("utf-8", "replace").split("\0"):
                yield name, value


def _by_ffmpeg(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    try:
        import av
    except ImportError:
        return
    file.seek(0)
    try:
        with av.open(file, metadata_errors="replace") as container:
            streams = [stream.metadata for stream in container.streams.audio[:1]]
            for metadata in (container.metadata, *streams):
                yield from metadata.items()
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        raise TagError from error
