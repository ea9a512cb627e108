"""The files under a folder: whatever is or looks like audio or lyrics, taken or refused."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import regex

from songscape.ingest.file_kinds import (
    HEAD_BYTES,
    FileKind,
    is_audio_name,
    is_bin,
    is_hidden,
    is_sound,
    kind_of,
    printable,
    reason_to_skip,
)

_NO_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# Opening a terminal, or a pipe without a writer, would block.
_OPEN = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
)
_BLOCK = 1 << 20
_TABLES = (".csv", ".tsv", ".json", ".jsonl")
_MANY_MARKS = regex.compile(r"(\p{M}{30})\p{M}+")
_BREAKS = regex.compile(r"[\p{Cc}\p{Zl}\p{Zp}]")


class UnreadableError(Exception):
    """There is no readable file at a path, or it is too large; the message is the reason."""


class TooLargeError(UnreadableError):
    """A file has more bytes than are read."""


@dataclass
class Files:
    """The files below a folder that matter, as paths relative to it, with slashes.

    `audio` are regular files to try as audio; `lyrics` and `sheets` files whose names end as those
    of lyrics and of CUE sheets; `tables` CSV, TSV and JSON files in the root and up to two folders
    below it. `failed` and `skipped` are what looks like audio and can't be read, or isn't taken,
    `unlisted` folders that can't be listed, each with the reason. `bins` are folders of systems
    that were left out, `ignored` what `.ndignore` or `.notmusic` leaves out, with how many audio
    files they hold.
    """

    root: Path
    audio: list[str] = field(default_factory=list)
    lyrics: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unlisted: dict[str, str] = field(default_factory=dict)
    bins: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)

    def add(self, place: str, path: str, name: str, *, hidden: bool) -> None:
        """Take a file or refuse it; of a hidden folder only audio is named."""
        kind = FileKind.HIDDEN if hidden and is_audio_name(name) else kind_of(name)
        if kind is FileKind.HIDDEN and name.startswith("._"):
            self.bins["._*"] = self.bins.get("._*", 0) + 1
        elif kind is FileKind.HIDDEN:
            self.skipped[place] = reason_to_skip(name)
        elif hidden:
            return
        elif kind is FileKind.LYRICS:
            self.lyrics.append(place)
        elif name.lower().endswith(".cue"):
            self.sheets.append(place)
        elif name.lower().endswith(_TABLES) and place.count("/") <= 2:
            if file_trouble(path) is None:
                self.tables.append(place)
        elif kind is FileKind.AUDIO and (trouble := file_trouble(path)):
            self.failed[place] = trouble
        elif kind is FileKind.AUDIO or (kind is not FileKind.OTHER and _sounds(path)):
            self.audio.append(place)
        elif kind is FileKind.SKIPPED:
            self.skipped[place] = reason_to_skip(name)


def walk(root: Path) -> Files:
    """List what is under a folder; links to folders are followed, each folder once.

    A folder with a file `.notmusic`, or an empty `.ndignore`, is left out; lines of `.ndignore` are
    patterns of what is left out below it, as in `.gitignore`.
    """
    files = Files(root)
    # A link to a folder above the root would bring in all of its other folders.
    seen = {_identity(os.fspath(parent)) for parent in root.parents}
    waiting: list[tuple[str, str, bool, _Rules]] = [("", os.fspath(root), False, ())]
    while waiting:
        place, folder, hidden, rules = waiting.pop()
        name = os.path.basename(place)
        try:
            identity = _identity(folder)
            if identity in seen:
                continue
            seen.add(identity)
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            files.unlisted[place] = f"cannot be listed ({error.strerror}); check the permissions"
            continue
        names = [entry.name for entry in entries]
        if place and is_bin(name, names):
            _leave_out(files.bins, f"{name}/", folder)
            continue
        hidden = hidden or (bool(place) and is_hidden(name))
        rules = (*rules, *_rules_in(folder, place, names))
        below = []
        for entry in entries:
            inside = f"{place}/{entry.name}" if place else entry.name
            is_folder = _is_folder(entry)
            if _is_ignored(inside, is_folder, rules):
                _leave_out(files.ignored, f"{inside}/" if is_folder else inside, entry.path)
            elif is_folder:
                below.append((inside, entry.path, hidden, rules))
            else:
                files.add(inside, entry.path, entry.name, hidden=hidden)
        waiting += reversed(below)
    files.audio.sort()
    files.lyrics.sort()
    return files


_Rules = tuple[tuple[str, Any], ...]
"""Folders that have patterns of what to leave out below them, and these; None leaves out all."""


def _rules_in(folder: str, place: str, names: Sequence[str]) -> _Rules:
    if ".notmusic" in names:
        return ((place, None),)
    if ".ndignore" not in names:
        return ()
    from pathspec import GitIgnoreSpec

    try:
        lines = read_bytes(os.path.join(folder, ".ndignore"), _BLOCK).decode("utf-8-sig", "replace")
        patterns = [line for line in lines.splitlines() if line.strip() and line[0] != "#"]
        return ((place, GitIgnoreSpec.from_lines(patterns) if patterns else None),)
    except (UnreadableError, ValueError):  # no file, or no pattern
        return ()


def _is_ignored(place: str, is_folder: bool, rules: _Rules) -> bool:
    for base, patterns in rules:
        below = place[len(base) :].lstrip("/") + ("/" if is_folder else "")
        if patterns is None or patterns.match_file(below):
            return True
    return False


def _leave_out(counts: dict[str, int], name: str, path: str) -> None:
    """Count the audio files in what is left out; folders without any are not reported."""
    names = [path]
    if os.path.isdir(path):
        names = [name for _, _, inside in os.walk(path) for name in inside]
    if n_audio := sum(map(is_audio_name, names)):
        counts[name] = counts.get(name, 0) + n_audio


def file_trouble(path: str) -> str | None:
    """Why a path is no regular file that can be opened, or None."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "a link that leads back to itself; correct or remove it"
        if os.path.islink(path):
            return "a link to a file that does not exist; correct or remove it"
        return f"cannot be read ({error.strerror}); check the file"
    if stat.S_ISREG(mode):
        return None
    kind = next((name for test, name in _NO_FILES if test(mode)), "something else")
    return f"not a file ({kind}); remove it"


def read_bytes(path: str | os.PathLike[str], limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes, whatever its length is said to be."""
    data = _read(os.fspath(path), limit + 1)
    if len(data) > limit:
        raise TooLargeError(f"over {limit / 1e6:.0f} MB")
    return data


def display(text: str) -> str:
    """A file name as one line of text, with U+FFFD for line breaks and bytes that aren't UTF-8."""
    return str(_BREAKS.sub("\ufffd", os.fsencode(text).decode("utf-8", "replace")))


def nfc(text: str) -> str:
    """Composed letters: one spelling, whatever a file system or an editor made of it.

    Of more than 30 marks on one letter the rest is dropped, as in Unicode's stream-safe form
    (UAX 15): sorting them takes quadratic time.
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _MANY_MARKS.sub(r"\1", text))


def _read(path: str, limit: int) -> bytes:
    trouble = file_trouble(path)  # opening a device may already do something
    if trouble:
        raise UnreadableError(trouble)
    blocks = []
    try:
        descriptor = os.open(path, _OPEN)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableError("not a file; remove it")
            while limit > 0 and (block := os.read(descriptor, min(limit, _BLOCK))):
                blocks.append(block)
                limit -= len(block)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror}); check the file") from None
    return b"".join(blocks)


def _sounds(path: str) -> bool:
    try:
        head = _read(path, HEAD_BYTES)
    except UnreadableError:
        return False
    return is_sound(head) and not printable(head)


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False
