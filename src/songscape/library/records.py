"""What goes into a library and comes out of it: small frozen types that every room knows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_LARGEST = 2**63 - 1  # SQLite's; a date after the year 2262 has more nanoseconds

Span = tuple[float, float | None]
"""Part of a file, from and to in seconds; None for its end."""


@dataclass(frozen=True)
class Track:
    """One song: where its audio is, its words, and what the collection's table says of it.

    `span` is the part of the file that it is, where that is not all of it.
    """

    id: str
    audio: Path | None
    lyrics: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = None


class FileStamp(NamedTuple):
    """A file in one state: a change of its content or its place changes one of these."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int | None
    """Time of the last change, also of the name and the rights; None where it was not read."""

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileStamp:
        """The file's state now; size -1 where it can't be looked at."""
        try:
            status = os.stat(path)
        except OSError:
            return cls(os.fspath(path), -1, -1, None)
        times = (status.st_mtime_ns, status.st_ctime_ns)
        mtime_ns, ctime_ns = (max(-_LARGEST, min(time, _LARGEST)) for time in times)
        return cls(os.fspath(path), status.st_size, mtime_ns, ctime_ns)

    def is_state_of(self, now: FileStamp) -> bool:
        """Whether the file is unchanged, so that it need not be read again."""
        same = self[:3] == now[:3] and self.size >= 0
        return same and self.ctime_ns in (None, now.ctime_ns)


@dataclass(frozen=True)
class Lyrics:
    """The outcome (ok, warning or failed) of reading one lyric file or cell, with the reason.

    `text` are the words of the song and nothing else, a line a line; None where there are none to
    use. `language` is what tags say that they are in, by its English name.
    """

    text: str | None
    status: str = "ok"
    reason: str = ""
    language: str = ""


@dataclass(frozen=True)
class Tags:
    """What an audio file says of itself: columns of the collection's table, and the words.

    Cells have "; " between several values. `remark` says why the tags could not be read, `sheet` is
    the CUE sheet of an album in one file; both are else empty.
    """

    cells: Mapping[str, str] = field(default_factory=dict)
    lyrics: Lyrics | None = None
    remark: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class Listed:
    """A row of the collection's table (a hash of it), and the audio that it meant at the last look.

    `sound` is a hash of the file's sound, "" where it was not read.
    """

    row: str
    stamp: FileStamp
    sound: str


class LedgerRow(NamedTuple):
    """What happened to one track at one stage.

    Status is ok, warning, failed or skipped; gone for a track of an earlier scan that the
    collection no longer has.
    """

    track_id: str
    stage: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Counts:
    """Outcomes: found = analysed + skipped + failed (+ pending while an extraction is unfinished).

    `warnings` counts ledger rows, and `failed_parts` tracks that were analysed without a part
    that was there but couldn't be read (their lyrics). `gone` are tracks of earlier scans that the
    collection no longer has; their features are kept.
    """

    found: int
    analysed: int
    skipped: int
    failed: int
    pending: int
    warnings: int
    failed_parts: int
    gone: int = 0

    @property
    def complete(self) -> bool:
        """Whether nothing failed, neither a track nor a part of one (exit 0 and not 3)."""
        return not (self.failed or self.failed_parts or self.pending)


@dataclass(frozen=True)
class Collection:
    """What a scan of a folder or table gives: its absolute `root`, and tracks sorted by id.

    Of `problems`, rows of stage `scan` with status failed or skipped stand for a found item that is
    not among `tracks`; all others are remarks on a track or file. `label_columns` are in the
    table's order, `files` what the scan read, or knew from the library, of every lyric and audio
    file, and `rows` how the table names the audio of each track, with a hash of the row.
    """

    root: Path
    tracks: tuple[Track, ...]
    problems: tuple[LedgerRow, ...] = ()
    label_columns: tuple[str, ...] = ()
    files: Mapping[FileStamp, Lyrics | Tags] = field(default_factory=dict)
    rows: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Analysis:
    """What came out of one file: features, columns of the library's `audio_facts`, warnings.

    Features are `timbre` (160,), `mfcc` (40, up to 300), `segments` (10, 120), `rhythm` (160,),
    `harmony` (89,), `mel` (10, 128) in dB, `descriptors` (10,); those that were asked for. Among
    the facts is `file_digest`, a hash of its sound. `failure` says why there is nothing else,
    `transient` that it may pass by itself, such as a drive that does not answer: tried again next
    time.
    """

    features: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    failure: str | None = None
    transient: bool = False


@dataclass(frozen=True)
class Analysed:
    """What a library knows of a track's extraction: its `outcome` is ok, failed or None.

    `recipe` is of the features that every track has, `stamp` the file that they are of, and
    `file_digest` a hash of its sound.
    """

    outcome: str | None
    recipe: str | None
    stamp: FileStamp | None
    file_digest: str | None
