"""Songscape: joint audio-lyrics representations of music collections."""

from songscape._version import __version__

__all__ = ["__version__"]
