"""A lyric file -> the words of its song, or the reason why there are none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from songscape.ingest.cleaning import clean_lyrics
from songscape.ingest.encodings import NotTextError, decode_text
from songscape.ingest.files import UnreadableError, display, read_bytes
from songscape.library.records import LyricFile

__all__ = ["RECIPE", "Lyrics", "Reader", "lyrics_in", "read_files", "read_here", "read_lyrics"]

MAX_BYTES = 1_000_000
"""A lyric file over this is something else: the longest song texts are a few hundred kB."""
RECIPE = "2"
"""Raised whenever decoding or cleaning changes, so that stored words are read again."""

_SILENCE = {
    "instrumental": ("ok", "says that the song is instrumental"),
    "missing": ("warning", "says that there are no lyrics; read as none"),
    None: ("warning", "no words; read as no lyrics"),
}


@dataclass(frozen=True)
class Lyrics:
    """The outcome of reading one lyric file or cell.

    Attributes
    ----------
    text : str or None
        Cleaned words, one line of the song a line; None where there is nothing to use.
    status : {"ok", "warning", "failed"}
    reason : str
        What is to be known, and the mend; empty when all is well.
    """

    text: str | None
    status: str = "ok"
    reason: str = ""


Reader = Callable[[Sequence[tuple[str, str]]], Iterable[Lyrics]]
"""Reads files, given by their path and the name to show, and gives the outcomes in order."""


def lyrics_in(text: str, shown: str, remark: str = "") -> Lyrics:
    """The words in a decoded text; `remark` is what decoding had to say."""
    cleaned = clean_lyrics(text)
    if cleaned.text:
        return (
            Lyrics(cleaned.text, "warning", f"{shown}: {remark}")
            if remark
            else Lyrics(cleaned.text)
        )
    status, reason = _SILENCE[cleaned.silence] if text.strip() else ("warning", "empty")
    return Lyrics(None, status, f"{shown}: {reason}")


def read_lyrics(path: str | os.PathLike[str], shown: str) -> Lyrics:
    """Read one lyric file; whatever is wrong comes back as a status with its reason.

    Parameters
    ----------
    path : path
    shown : str
        The name used in the reason, as the user knows it (relative to the collection).
    """
    try:
        text, remark = decode_text(read_bytes(path, MAX_BYTES))
    except UnreadableError as error:
        mend = "; no lyric file is so long, remove it" if "over" in str(error) else ""
        return Lyrics(None, "failed", f"{shown}: {error}{mend}")
    except NotTextError as error:
        mend = "convert it to UTF-8" if "UTF-8" in str(error) else "rename or remove it"
        return Lyrics(None, "failed", f"{shown}: {error}; {mend}")
    return lyrics_in(text, shown, remark)


def read_here(files: Sequence[tuple[str, str]]) -> Iterator[Lyrics]:
    """Read files in this process."""
    return (read_lyrics(path, shown) for path, shown in files)


def read_files(
    root: Path, places: Iterable[str], known: Mapping[str, LyricFile], read: Reader
) -> dict[str, LyricFile]:
    """The content of lyric files; those that did not change since they were read are not opened.

    Parameters
    ----------
    root : Path
    places : iterable of str
        Paths relative to `root`.
    known : mapping
        What an earlier call gave.
    read : Reader
    """
    found: dict[str, LyricFile] = {}
    changed: list[tuple[str, int, int]] = []
    for place in sorted(set(places)):
        size, mtime_ns = _fingerprint(root / place)
        before = known.get(place)
        if before is not None and (before.size, before.mtime_ns, before.recipe) == (
            *(size, mtime_ns, RECIPE),
        ):
            found[place] = before
        else:
            changed.append((place, size, mtime_ns))
    outcomes = read([(os.fspath(root / place), display(place)) for place, _, _ in changed])
    for (place, size, mtime_ns), lyrics in zip(changed, outcomes, strict=True):
        found[place] = LyricFile(size, mtime_ns, RECIPE, lyrics.text, lyrics.status, lyrics.reason)
    return found


def _fingerprint(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
