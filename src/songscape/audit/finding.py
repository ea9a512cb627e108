"""Finding: one plain sentence about the data, with the tracks and the figures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """One thing that a reader of the results should know about the data.

    Attributes
    ----------
    check : str
        Which check: `duplicate-audio`, `duplicate-lyrics`, `templated-lyrics`,
        `language-mismatch`, `confounded-label`, `no-lyrics`, `one-language`.
    severity : {"warning", "note"}
        A note explains; a warning can make a score mean something else.
    message : str
        One plain sentence.
    tracks : tuple of str
        Ids of the tracks it is about.
    values : mapping
        The figures behind it, and the groups or columns, ready for JSON.
    """

    check: str
    severity: str
    message: str
    tracks: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
