"""A lyric file -> the words of its song, or the reason why there are none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from songscape.ingest.cleaning import clean_lyrics
from songscape.ingest.encodings import NotTextError, decode_text
from songscape.ingest.files import UnreadableError, display, read_bytes
from songscape.library.records import FileStamp, Lyrics
from songscape.workers import IsolatingExecutor, WorkerError, available_cores

__all__ = ["Reader", "lyrics_in", "read_batch", "read_files", "read_in_workers", "read_lyrics"]

MAX_BYTES = 1_000_000
"""A lyric file over this is something else: the longest song texts are a few hundred kB."""
BATCH = 64
"""Files that a worker reads at a time."""
TIME_LIMIT_S = 30.0

_SILENCE = {
    "instrumental": ("ok", "says that the song is instrumental"),
    "missing": ("warning", "says that there are no lyrics; read as none"),
    None: ("warning", "no words; read as no lyrics"),
}


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
        text, remark = decode_text(read_bytes(path, MAX_BYTES), mend=True)
    except UnreadableError as error:
        mend = "; no lyric file is so long, remove it" if "over" in str(error) else ""
        return Lyrics(None, "failed", f"{shown}: {error}{mend}")
    except NotTextError as error:
        mend = "convert it to UTF-8" if "UTF-" in str(error) else "rename or remove it"
        return Lyrics(None, "failed", f"{shown}: {error}; {mend}")
    return lyrics_in(text, shown, remark)


def read_batch(files: Sequence[tuple[str, str]]) -> list[Lyrics]:
    """Read files in this process."""
    return [read_lyrics(path, shown) for path, shown in files]


def read_in_workers(files: Sequence[tuple[str, str]]) -> Iterator[Lyrics]:
    """Read files in worker processes, so that one that stops its reader costs only itself."""
    if not files:
        return
    batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
    with IsolatingExecutor(min(available_cores(), len(batches)), TIME_LIMIT_S) as pool:
        for batch, outcome in [(batch, pool.submit(read_batch, batch)) for batch in batches]:
            try:
                yield from outcome.result()
            except WorkerError:
                for file in batch:
                    yield _read_alone(pool, file)


def _read_alone(pool: IsolatingExecutor, file: tuple[str, str]) -> Lyrics:
    try:
        outcome: list[Lyrics] = pool.submit(read_batch, [file]).result()
    except WorkerError as error:
        return Lyrics(None, "failed", f"{file[1]}: cannot be read ({error}); remove it")
    return outcome[0]


def read_files(
    root: Path, places: Iterable[str], known: Mapping[FileStamp, Lyrics], read: Reader
) -> dict[str, tuple[FileStamp, Lyrics]]:
    """The words in lyric files, by place; files in a state that is known are not opened.

    Parameters
    ----------
    root : Path
    places : iterable of str
        Paths relative to `root`.
    known : mapping of FileStamp to Lyrics
    read : Reader
    """
    stamps = {place: FileStamp.of(root / place) for place in sorted(set(places))}
    new = [place for place, stamp in stamps.items() if stamp not in known]
    outcomes = read([(stamps[place].path, display(place)) for place in new])
    found = dict(zip(new, outcomes, strict=True))
    return {place: (s, found[place] if place in found else known[s]) for place, s in stamps.items()}
