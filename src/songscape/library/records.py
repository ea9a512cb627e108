"""What goes into a library and comes out of it: small frozen types that every room knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Analysis", "Collection", "Counts", "LedgerRow", "Track"]


@dataclass(frozen=True)
class Track:
    """One song: where its audio is, its words, and what the collection's table says of it."""

    id: str
    audio: Path | None
    lyrics: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerRow:
    """What happened to one track at one stage; status is ok, warning, failed or skipped."""

    track_id: str
    stage: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Counts:
    """Outcomes: found = analysed + skipped + failed (+ pending while an extraction is unfinished).

    `warnings` counts ledger rows, and `failed_parts` tracks that were analysed without a part
    that was there but couldn't be read (their lyrics).
    """

    found: int
    analysed: int
    skipped: int
    failed: int
    pending: int
    warnings: int
    failed_parts: int

    @property
    def complete(self) -> bool:
        """Whether nothing failed, neither a track nor a part of one (exit 0 and not 3)."""
        return not (self.failed or self.failed_parts or self.pending)


@dataclass(frozen=True)
class Collection:
    """What a scan of a folder or table gives.

    Attributes
    ----------
    root : Path
        Absolute folder that relative paths refer to.
    tracks : tuple of Track
        Tracks to analyse, sorted by id.
    problems : tuple of LedgerRow
        Rows of stage `scan` with status failed or skipped stand for a found item that is not
        among `tracks`; all others are remarks on a track or file.
    label_columns : tuple of str
        Names of the label columns in the table's order.
    """

    root: Path
    tracks: tuple[Track, ...]
    problems: tuple[LedgerRow, ...] = ()
    label_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Analysis:
    """What came out of one file.

    Attributes
    ----------
    features : mapping of str to ndarray
        `timbre` (160,), `mfcc` (40, up to 300), `segments` (10, 120), `rhythm` (160,),
        `harmony` (89,), `mel` (10, 128) in dB; those that were asked for.
    facts : mapping
        Columns of the library's `audio_facts`.
    warnings : tuple of str
    failure : str or None
        Why there is nothing else.
    """

    features: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    failure: str | None = None
