"""Folders and tables -> tracks."""

from songscape.ingest.scan import read_collection
from songscape.library.records import Collection

__all__ = ["Collection", "read_collection"]
