"""Folder -> tracks: reading a music collection."""
