"""One SQLite file that holds a collection's tracks, ledger and features."""

from songscape.library.library import Library
from songscape.library.records import (
    Analysis,
    Collection,
    Counts,
    FileStamp,
    LedgerRow,
    Lyrics,
    Tags,
    Track,
)

__all__ = [
    "Analysis",
    "Collection",
    "Counts",
    "FileStamp",
    "LedgerRow",
    "Library",
    "Lyrics",
    "Tags",
    "Track",
]
