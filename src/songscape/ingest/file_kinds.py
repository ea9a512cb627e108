"""What a file is: by its name audio, lyrics, or left out and why; and by its first bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from enum import Enum

from songscape.data_tables import read_table

_TABLE = read_table("ingest/data", "file_kinds")
SHORT_ID_SUFFIXES = frozenset(_TABLE["short_ids"].split())
AUDIO_SUFFIXES = SHORT_ID_SUFFIXES | set(_TABLE["audio"].split())
LYRIC_SUFFIXES = tuple(_TABLE["lyrics"].split())
SELDOM_LYRICS = tuple(_TABLE["seldom_lyrics"].split())
_OTHER = frozenset(_TABLE["other"].split())
_BINS = frozenset(_TABLE["bins"].split()) | {"system volume information"}
_NUMBERED_BIN = re.compile(r"\.trash-\w+", re.IGNORECASE)
_REASONS = {s: reason for reason, names in _TABLE["skipped"].items() for s in names.split()}
_WRAPPERS = {s: reason for reason, names in _TABLE["wrapped"].items() for s in names.split()}


class FileKind(Enum):
    """What a file is by its name."""

    AUDIO = "audio"
    LYRICS = "lyrics"
    SKIPPED = "skipped"  # it looks like audio and isn't taken, unless its content is sound
    HIDDEN = "hidden"
    UNKNOWN = "unknown"  # the content decides
    OTHER = "other"


def kind_of(name: str) -> FileKind:
    """The kind of a file of this name (without its folder)."""
    suffix = _suffix(name)
    if is_hidden(name):
        return FileKind.HIDDEN if suffix in AUDIO_SUFFIXES or _wrapped(name) else FileKind.OTHER
    if suffix in AUDIO_SUFFIXES:
        return FileKind.AUDIO
    if suffix in LYRIC_SUFFIXES:
        return FileKind.LYRICS
    if suffix in _REASONS or _wrapped(name):
        return FileKind.SKIPPED
    return FileKind.OTHER if suffix in _OTHER else FileKind.UNKNOWN


def reason_to_skip(name: str) -> str:
    """Why a file of kind SKIPPED or HIDDEN is not taken, and the mend."""
    hidden = "hidden (a name that begins with a dot); rename it to have it read"
    return _wrapped(name) or _REASONS.get(_suffix(name), hidden)


def is_audio_name(name: str) -> bool:
    """Whether a name ends as one of audio files does."""
    return _suffix(name) in AUDIO_SUFFIXES


def is_hidden(name: str) -> bool:
    """Whether a program hid this file or folder; "...Once" and ".38 Special" are music."""
    return name.startswith(".") and (name[1:2].isalpha() or name[1:2] in "_~@#")


def is_bin(name: str, inside: Iterable[str]) -> bool:
    """Whether a folder is a recycle bin or belongs to a system or a sync program.

    `inside` are the names in it: "RECYCLER" is one only with the folders of Windows accounts.
    """
    if name.lower() in _BINS or _NUMBERED_BIN.fullmatch(name):
        return True
    return name in ("RECYCLER", "RECYCLED") and any(each.startswith("S-1-5-") for each in inside)


def without_suffix(place: str) -> str:
    """A path without its suffix, if that is one of audio files."""
    return os.path.splitext(place)[0] if is_audio_name(place) else place


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _wrapped(name: str) -> str | None:
    """Why an audio file within another is not taken ("x.mp3.part")."""
    reason = _WRAPPERS.get(_suffix(name))
    return reason if reason and is_audio_name(os.path.splitext(name)[0]) else None


# -- by its first bytes --------------------------------------------------------------------------

HEAD_BYTES = 4096
"""What `is_sound` needs to see: a tag-less MPEG stream is known by its second frame."""

# The name people know a format by -> its first bytes (Gary Kessler's file signature table).
_SIGNATURES = {
    "a ZIP": (b"PK\x03\x04", b"PK\x05\x06"),
    "a PDF": (b"%PDF-",),
    "an MP3": (b"ID3", b"\xff\xfb", b"\xff\xf3"),
    "an OGG": (b"OggS",),
    "a FLAC": (b"fLaC",),
    "a WAV or AVI": (b"RIFF",),
    "an AIFF": (b"FORM",),
    "a gzip archive": (b"\x1f\x8b",),
    "a bzip2 archive": (b"BZh",),
    "a 7z archive": (b"7z\xbc\xaf\x27\x1c",),
    "an xz archive": (b"\xfd7zXZ",),
    "a RAR archive": (b"Rar!",),
    "a PNG picture": (b"\x89PNG",),
    "a JPEG picture": (b"\xff\xd8\xff",),
    "a GIF picture": (b"GIF8",),
    "an old Office document": (b"\xd0\xcf\x11\xe0",),
    "an RTF document": (b"{\\rtf",),
    "a SQLite database": (b"SQLite format 3",),
    "a program": (b"\x7fELF", b"MZ\x90"),
    "a WMA": (b"0&\xb2u\x8ef\xcf\x11",),
    "an APE": (b"MAC ",),
    "a WavPack": (b"wvpk",),
    "a Matroska or WebM": (b"\x1aE\xdf\xa3",),
}
_SOUND_SIGNATURES = (
    *(b"ID3", b"OggS", b"fLaC", b"RF64", b"BW64", b"caff", b".snd", b"MAC ", b"wvpk", b"TTA1"),
    *(b"TTA2", b"MPCK", b"MP+", b"DSD ", b"FRM8", b"#!AMR", b".ra\xfd", b"tBaK", b"ajkg", b"OFR "),
    *(b"0&\xb2u\x8ef\xcf\x11", b"riff\x2e\x91\xcf\x11", b"Creative Voice File"),
)
_SOUND_FORMS = {b"RIFF": (b"WAVE",), b"FORM": (b"AIFF", b"AIFC", b"8SVX"), b"RIFX": (b"WAVE",)}
_SOUND_BRANDS = (b"M4A", b"M4B", b"M4P", b"F4A", b"F4B")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


def looks_like(head: bytes) -> str | None:
    """The format whose signature the bytes carry, with an article ("a ZIP"), or None."""
    if head[4:8] == b"ftyp":
        return "an M4A or MP4"
    for name, signatures in _SIGNATURES.items():
        if head.startswith(signatures):
            return name
    start = head.lstrip()[:64].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    return None


def is_sound(head: bytes) -> bool:
    """Whether the first `HEAD_BYTES` of a file are those of a known audio format."""
    if head.startswith(_SOUND_SIGNATURES):
        return True
    if head[:4] in _SOUND_FORMS:
        return head[8:12] in _SOUND_FORMS[head[:4]]
    if head[4:8] == b"ftyp":
        return head[8:11] in _SOUND_BRANDS
    return _is_mpeg(head)


def _is_mpeg(head: bytes) -> bool:
    """Whether a frame header of MPEG audio (layers 1 to 3, ADTS) begins here, and one follows."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return False
    version, layer, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4
    if layer == 0:
        valid = head[1] >= 0xF0 and head[2] >> 2 & 15 < 13
    else:
        valid = version != 1 and 0 < rate < 15 and head[2] >> 2 & 3 < 3
    return valid and head.find(head[:2], 24, 2048) > 0


def id3_length(head: bytes) -> int:
    """Bytes of the ID3v2 tag that begins with these ten; 0 where none does (id3.org, ID3v2.4)."""
    if len(head) < 10 or not head.startswith(b"ID3"):
        return 0
    return 10 + synchsafe(head[6:10]) + (10 if head[5] & 16 else 0)


def synchsafe(four: bytes) -> int:
    """The number in four bytes of ID3v2, which have seven bits each."""
    return sum((byte & 127) << shift for byte, shift in zip(four, (21, 14, 7, 0)))


def control_share(text: str) -> float:
    """Share of characters that are control characters and not white space, 0 to 1."""
    return len(_CONTROLS.findall(text)) / max(len(text), 1)


def printable(head: bytes) -> bool:
    """Whether the bytes read as UTF-8 text (a character cut at the end is forgiven)."""
    if not head or b"\0" in head:
        return False
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and control_share(text) < 0.01
