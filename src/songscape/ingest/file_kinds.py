"""What a file is by its name: tried as audio, read as lyrics, or left out and why."""

from __future__ import annotations

import os
import re
from enum import Enum

__all__ = [
    "AUDIO_SUFFIXES",
    "FIRST_AUDIO_SUFFIXES",
    "LYRIC_SUFFIXES",
    "FileKind",
    "is_audio_name",
    "is_bin",
    "is_hidden",
    "kind_of",
    "reason_to_skip",
    "without_suffix",
]

FIRST_AUDIO_SUFFIXES = frozenset(
    {
        *(".mp3", ".ogg", ".oga", ".opus", ".flac", ".wav", ".wave", ".aif", ".aiff", ".aifc"),
        *(".au", ".caf", ".w64", ".rf64", ".m4a", ".m4b", ".mp4", ".aac", ".wma", ".ape", ".wv"),
        *(".mka", ".mpc", ".tta", ".webm"),
    }
)
"""These give a track its short id; a file of another suffix beside it doesn't take that away."""
AUDIO_SUFFIXES = FIRST_AUDIO_SUFFIXES | {
    *(".mp1", ".mp2", ".mpa", ".mpga", ".m4p", ".m4r", ".3gp", ".3ga", ".3g2", ".adts", ".ac3"),
    *(".ec3", ".eac3", ".dts", ".dtshd", ".mlp", ".thd", ".truehd", ".ogx", ".spx", ".bwf", ".afc"),
    *(".snd", ".sf", ".dsf", ".dff", ".asf", ".weba", ".mp+", ".mpp", ".tak", ".ofr", ".ofs"),
    *(".shn", ".ra", ".rm", ".amr", ".awb", ".gsm", ".voc", ".avr", ".paf", ".svx"),
    *(".8svx", ".nist", ".sph", ".oma", ".aa3", ".at3", ".at9", ".mogg", ".qcp"),
}
"""Tried as audio; what can't be decoded is listed as failed with its reason."""
LYRIC_SUFFIXES = (
    *(".txt", ".lrc", ".elrc", ".alrc", ".srt", ".vtt", ".ttml", ".qrc", ".yrc", ".trc"),
    *(".lyric", ".lyrics", ".cho", ".crd", ".chopro", ".chordpro"),
)
"""Read as lyrics; where a track has several, the first in this order counts."""

_NOT_TAKEN = {
    "a video; extract its sound to take it": ".mkv .avi .mov .mpg .mpeg .m4v .wmv .flv .f4v .vob "
    ".ogv .m2ts .divx",
    "notes without sound; render them as audio": ".mid .midi .kar .rmi .mod .xm .it .s3m .sid "
    ".nsf .spc .vgm .vgz .mptm",
    "encrypted by the program that stored it; export it as plain audio": ".aa .aax .ncm .qmc0 "
    ".qmc3 .qmcflac .qmcogg .mflac .mgg .kgm .kgma .vpr .kwm .tkm .aaxc .bkcmp3 .bkcflac",
    "a pointer to a track of a compact disc; rip the disc": ".cda",
    "samples without a header; save them as WAV": ".raw .pcm .sw",
}
_REASONS = {suffix: reason for reason, names in _NOT_TAKEN.items() for suffix in names.split()}
_WRAPPED = {
    "an unfinished download; finish it": ".part .partial .crdownload .download .opdownload .!ut "
    ".!qb .bc! .aria2",
    "packed; unpack it": ".gz .bz2 .xz .zst .zip .rar .7z",
    "a link of a file manager; put the file itself here": ".lnk .url .desktop .webloc",
    "only in the cloud; download it": ".icloud .cloud .cloudf",
}
_WRAPPERS = {suffix: reason for reason, names in _WRAPPED.items() for suffix in names.split()}
# Opened by nobody: what is sound by content hides under names that say nothing.
_NO_SOUND = frozenset(
    {
        *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg", ".ico"),
        *(".heic", ".pdf", ".log", ".cue", ".m3u", ".m3u8", ".pls", ".xspf", ".nfo", ".sfv"),
        *(".md5", ".sha256", ".ini", ".db", ".sqlite", ".html", ".htm", ".csv", ".tsv", ".json"),
        *(".xml", ".md", ".doc", ".docx", ".odt", ".xlsx", ".py", ".sh", ".toml", ".yaml", ".npy"),
        *(".npz", ".parquet", ".safetensors", ".ipynb", ".js", ".css", ".musicxml", ".mscz"),
    }
)

_BIN_NAMES = frozenset(
    {
        *("$recycle.bin", "#recycle", "@recycle", ".recycle", ".recycler", "lost+found"),
        *("system volume information", "@eadir", "@tmp", "#snapshot", "@recently-snapshot"),
        *(".@__thumb", "__macosx", ".appledouble", ".trashes", ".stversions", ".stfolder"),
        *(".spotlight-v100", ".fseventsd", ".temporaryitems", ".documentrevisions-v100"),
        *(".thumbnails", ".cache", ".git", ".hg", ".svn", ".snapshots", ".zfs", ".sync"),
        *(".dropbox.cache", ".mobilebackups", "found.000", ".~tmp~"),
    }
)
_BIN = re.compile(r"\.trash(?:-\w+)?|trash-\d+", re.IGNORECASE)
_OLD_WINDOWS_BINS = ("RECYCLER", "RECYCLED")


class FileKind(Enum):
    """What a name promises."""

    AUDIO = "audio"
    LYRICS = "lyrics"
    SKIPPED = "skipped"  # it looks like audio and isn't taken; `reason_to_skip` says why
    HIDDEN = "hidden"
    UNKNOWN = "unknown"  # the content decides
    OTHER = "other"


def kind_of(name: str) -> FileKind:
    """The kind of a file of this name (without its folder)."""
    if is_hidden(name):
        return FileKind.HIDDEN if is_audio_name(name) or _wrapper(name) else FileKind.OTHER
    suffix = os.path.splitext(name)[1].lower()
    if suffix in AUDIO_SUFFIXES:
        return FileKind.AUDIO
    if suffix in LYRIC_SUFFIXES:
        return FileKind.LYRICS
    if suffix in _REASONS or _wrapper(name):
        return FileKind.SKIPPED
    return FileKind.OTHER if suffix in _NO_SOUND else FileKind.UNKNOWN


def reason_to_skip(name: str) -> str:
    """Why a file of kind SKIPPED or HIDDEN is not taken, and the mend."""
    suffix = os.path.splitext(name)[1].lower()
    return (
        _wrapper(name)
        or _REASONS.get(suffix)
        or "hidden (a name that begins with a dot); rename it to take it"
    )


def is_audio_name(name: str) -> bool:
    """Whether a name ends as one of audio files does."""
    return os.path.splitext(name)[1].lower() in AUDIO_SUFFIXES


def is_hidden(name: str) -> bool:
    """Whether a program hid this file or folder; "...Once" and ".38 Special" are music."""
    return name.startswith(".") and (name[1:2].isalpha() or name[1:2] in "_~@#")


def is_bin(name: str, inside: list[str]) -> bool:
    """Whether a folder is a recycle bin or belongs to a system or a sync program.

    `inside` are the names in it: "RECYCLER" is one only with the folders of Windows accounts.
    """
    if name.lower() in _BIN_NAMES or _BIN.fullmatch(name):
        return True
    return name in _OLD_WINDOWS_BINS and any(
        each.startswith("S-1-5-") or each.upper() in ("INFO2", "DESKTOP.INI") for each in inside
    )


def without_suffix(place: str) -> str:
    """A path without its suffix, if that is one of audio files."""
    stem, suffix = os.path.splitext(place)
    return stem if suffix.lower() in AUDIO_SUFFIXES else place


def _wrapper(name: str) -> str | None:
    inner, suffix = os.path.splitext(name)
    return _WRAPPERS.get(suffix.lower()) if is_audio_name(inner) else None
