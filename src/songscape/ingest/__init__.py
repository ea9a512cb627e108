"""Folders and tables -> tracks."""

from songscape.ingest.scan import Collection, read_collection

__all__ = ["Collection", "read_collection"]
