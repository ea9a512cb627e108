"""An audio file -> its tags as they are written: names and values, in any format of tags."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import IO

from songscape.ingest.file_signatures import HEAD_BYTES, synchsafe

__all__ = ["TagError", "raw_tags"]

_APE_FOOTER = struct.Struct("<8sIIII8x")
_APE_NO_TEXT = 0b110  # the bits of its flags that tell binary items and links
_LARGEST_TAG = 16 << 20
_UNSYNCHRONISED = 0x80
_ID3V1_BYTES = 128
_CONTAINERS = (b"\x1aE\xdf\xa3", b"caff", b"RF64", b"BW64", b"DSD ", b"FRM8", b"TTA1", b"riff\x2e")
"""Formats whose tags only FFmpeg reads, by their first bytes."""
_NO_APE = (b"fLaC", b"OggS", b"RIFF", b"FORM", b"0&\xb2u", *_CONTAINERS)


class TagError(Exception):
    """Tags that are damaged."""


def raw_tags(file: IO[bytes]) -> list[tuple[str, str]]:
    """Names and values in an open audio file, in the order of their worth.

    ID3, Vorbis comments, MP4, ASF, RIFF and AIFF chunks are read by tinytag, APEv2 here, and
    Matroska and rarer ones by FFmpeg, where it is installed. A name that has several values
    occurs several times. What stands in an ID3 tag goes before an APEv2 tag of the same file.

    Raises
    ------
    TagError
    """
    head = file.read(HEAD_BYTES)
    if head.startswith(_CONTAINERS):
        return list(_by_ffmpeg(file))
    try:
        found = list(_by_tinytag(file))
    except TagError:
        if not (found := list(_by_ffmpeg(file))):  # which may read what is before the damage
            raise
    return found if head.startswith(_NO_APE) else [*found, *_ape(file)]


def _by_tinytag(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    from tinytag import TinyTag, UnsupportedFormatError

    try:
        # Without a name it goes by the first bytes: suffixes are sometimes wrong.
        tag = TinyTag.get(file_obj=_resynchronised(file), duration=False)  # type: ignore[arg-type]
    except UnsupportedFormatError:
        return
    except Exception as error:  # struct.error, IndexError, ...: it reads on where sizes are wrong
        raise TagError from error
    for name, values in tag.as_dict().items():
        if isinstance(values, list):
            for value in values:
                for part in value.split("\0"):  # ID3 separates values by it
                    yield name, part.lstrip("\ufeff")


def _resynchronised(file: IO[bytes]) -> IO[bytes]:
    """A file whose ID3 tag has no zeros behind 0xFF, which older players needed ("unsynchronised").

    tinytag leaves them, and UTF-16 begins with 0xFF. Only tags that need it are copied.
    """
    file.seek(0)
    head = file.read(10)
    file.seek(0)
    if len(head) < 10 or not head.startswith(b"ID3") or not head[5] & _UNSYNCHRONISED:
        return file
    file.seek(10)
    tag = file.read(min(synchsafe(head[6:]), _LARGEST_TAG))
    end = file.read(HEAD_BYTES)
    file.seek(max(file.seek(0, 2) - _ID3V1_BYTES, 0))
    parts = [tag] if head[3] < 4 else _frames(tag)
    whole = b"".join(part.replace(b"\xff\0", b"\xff").ljust(len(part), b"\0") for part in parts)
    return io.BytesIO(head[:5] + b"\0" + head[6:] + whole + end + file.read())


def _frames(tag: bytes) -> Iterator[bytes]:
    """The heads and contents of the frames of an ID3v2.4 tag: the sizes are of what is stored."""
    at = 0
    while at + 10 <= len(tag) and tag[at]:
        size = synchsafe(tag[at + 4 : at + 8])
        yield from (tag[at : at + 10], tag[at + 10 : at + 10 + size])
        at += 10 + size
    yield tag[at:]


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
