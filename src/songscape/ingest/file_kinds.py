"""What a file is by its name: tried as audio, read as lyrics, or left out and why."""

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
