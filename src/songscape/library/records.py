"""What a library hands out: tracks, ledger rows and counts of outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Counts", "LedgerRow", "Track"]


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
