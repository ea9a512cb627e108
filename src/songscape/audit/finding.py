"""Finding: one thing that is odd about the data, with the tracks and the figures behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Check(StrEnum):
    """What was checked."""

    DUPLICATE_AUDIO = "duplicate-audio"
    DUPLICATE_LYRICS = "duplicate-lyrics"
    TEMPLATED_LYRICS = "templated-lyrics"
    LANGUAGE_MISMATCH = "language-mismatch"
    CONFOUNDED_LABEL = "confounded-label"
    UNINFORMATIVE_VIEW = "uninformative-view"
    NO_LYRICS = "no-lyrics"
    ONE_LANGUAGE = "one-language"
    KNOWN_SONGS = "known-songs"


class Severity(StrEnum):
    """A note explains; a warning can make a score mean something else."""

    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that a reader of the results should know about the data.

    `tracks` are the ids it is about; `values` the figures behind it, and the groups or columns,
    ready for JSON. Its sentence is made by `songscape.benchmark.wording.finding_sentence`.
    """

    check: Check
    severity: Severity
    tracks: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_row(self, message: str) -> dict[str, str]:
        """A row of `warnings.csv`, its sentence included."""
        values = json.dumps(dict(self.values), ensure_ascii=False)
        row = {"check": self.check.value, "severity": self.severity.value, "message": message}
        return row | {"tracks": "; ".join(self.tracks), "values": values}

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Finding:
        """Read what `as_row` wrote."""
        tracks = tuple(str(row["tracks"]).split("; ")) if row["tracks"] else ()
        values = json.loads(row["values"])
        return cls(Check(row["check"]), Severity(row["severity"]), tracks, values)
