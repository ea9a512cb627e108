"""The files under a folder: whatever is or looks like audio or lyrics, taken or refused."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import regex

from songscape.ingest.file_kinds import (
    FileKind,
    is_audio_name,
    is_bin,
    is_hidden,
    kind_of,
    reason_to_skip,
)
from songscape.ingest.file_signatures import HEAD_BYTES, is_sound, printable

__all__ = ["Files", "UnreadableError", "display", "file_trouble", "nfc", "read_bytes", "walk"]

_NO_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# A pipe without a writer and a terminal would stop whoever opens them in the usual way.
_OPEN = os.O_RDONLY | sum(
    getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
)
_BLOCK = 1 << 20
_MANY_MARKS = regex.compile(r"(\p{M}{30})\p{M}+")
_BREAKS = regex.compile(r"[\p{Cc}\p{Zl}\p{Zp}]")


class UnreadableError(Exception):
    """There is no readable file at a path, or it is too large; the message is the reason."""


@dataclass
class Files:
    """The files below a folder that matter, as paths relative to it, with slashes.

    Attributes
    ----------
    root : Path
    audio : list of str
        Regular files to try as audio.
    lyrics : list of str
        Files whose names end as those of lyrics; they are not read yet.
    failed, skipped : dict of str to str
        What looks like audio and can't be read, or isn't taken, with the reason.
    unlisted : dict of str to str
        Folders that can't be listed.
    bins : dict of str to int
        Names of folders of systems that were left out, and how many audio files they hold.
    """

    root: Path
    audio: list[str] = field(default_factory=list)
    lyrics: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unlisted: dict[str, str] = field(default_factory=dict)
    bins: dict[str, int] = field(default_factory=dict)

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
        elif kind is FileKind.AUDIO and (trouble := file_trouble(path)):
            self.failed[place] = trouble
        elif kind is FileKind.AUDIO or (kind is not FileKind.OTHER and _sounds(path)):
            self.audio.append(place)
        elif kind is FileKind.SKIPPED:
            self.skipped[place] = reason_to_skip(name)


def walk(root: Path) -> Files:
    """List what is under a folder; links to folders are followed, each folder once."""
    files = Files(root)
    top = os.fspath(root)
    # A link to a folder above the root would bring in all that lies beside it.
    seen = {_identity(os.fspath(parent)) for parent in root.parents}
    waiting = [("", top, False)]
    while waiting:
        place, folder, hidden = waiting.pop()
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
        if place and is_bin(name, [entry.name for entry in entries]):
            count = _audio_names_below(folder)
            if count:
                files.bins[f"{name}/"] = files.bins.get(f"{name}/", 0) + count
            continue
        hidden = hidden or (bool(place) and is_hidden(name))
        below = []
        for entry in entries:
            inside = f"{place}/{entry.name}" if place else entry.name
            if _is_folder(entry):
                below.append((inside, entry.path, hidden))
            else:
                files.add(inside, entry.path, entry.name, hidden=hidden)
        waiting += reversed(below)
    files.audio.sort()
    files.lyrics.sort()
    return files


def file_trouble(path: str) -> str | None:
    """Why a path is no regular file that can be opened, or None."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "a link in a circle; mend or remove it"
        if os.path.islink(path):
            return "a link to a file that is not there; mend or remove it"
        return f"cannot be read ({error.strerror}); check the file"
    if stat.S_ISREG(mode):
        return None
    kind = next((name for test, name in _NO_FILES if test(mode)), "something else")
    return f"not a file ({kind}); remove it"


def read_bytes(path: str | os.PathLike[str], limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes, whatever its length is said to be.

    Raises
    ------
    UnreadableError
    """
    data = _read(os.fspath(path), limit + 1)
    if len(data) > limit:
        raise UnreadableError(f"over {limit / 1e6:.0f} MB")
    return data


def display(text: str) -> str:
    """A file name as one line of text: bytes that aren't UTF-8 and line breaks are replaced."""
    plain = os.fsencode(text).decode("utf-8", "replace")
    return str(_BREAKS.sub(lambda found: repr(found.group())[1:-1], plain))


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


def _audio_names_below(folder: str) -> int:
    return sum(is_audio_name(name) for _, _, names in os.walk(folder) for name in names)
