"""Which part of a long file is decoded: all of it, or half a minute that stands for it."""

from __future__ import annotations

from songscape.library.records import Span

WHOLE = DEFAULT = "whole"
"""The default is that of `benchmarks/excerpts.py`."""
EXCERPT_S, LONG_S = 30.0, 60.0
"""Seconds that are decoded of a track, and the length up to which all of it is."""


def pieces_of(kind: str, start: float, end: float) -> list[Span]:
    """The parts of a track from `start` to `end` to decode, in seconds of its file, in their order.

    `kind` is one of `songscape.settings.EXCERPTS`, but "whole": the first half minute, that around
    the middle, or three pieces of ten seconds around the middles of three equal parts.
    """
    n = 3 if kind == "spread" else 1
    size, part = EXCERPT_S / n, (end - start) / n
    begins = [start + part * (i + 0.5) - size / 2 for i in range(n)]
    return [(begin, begin + size) for begin in ([start] if kind == "start" else begins)]
