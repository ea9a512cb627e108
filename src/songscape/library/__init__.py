"""One SQLite file that holds a collection's tracks, ledger and features."""

from songscape.library.library import Library
from songscape.library.records import Counts, LedgerRow, Track

__all__ = ["Counts", "LedgerRow", "Library", "Track"]
