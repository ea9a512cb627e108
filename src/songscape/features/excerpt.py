"""Which part of a long file is decoded: all of it, or half a minute that stands for it."""

from __future__ import annotations

from collections.abc import Callable

WHOLE = "whole"
DEFAULT = WHOLE
"""Shown by `benchmarks/excerpts.py`."""
EXCERPT_S, LONG_S = 30.0, 60.0
"""Seconds that are decoded of a track, and the length up to which all of it is."""
N_PIECES = 3
_LOOK_EVERY_S = 15.0

Span = tuple[float, float | None]


def pieces_of(
    kind: str, start: float, end: float, loudness: Callable[[float], float]
) -> list[Span]:
    """The parts of a track from `start` to `end` to decode, in seconds of its file, in their order.

    `kind` is one of `songscape.settings.EXCERPTS`, but "whole": the first half minute, that around
    the middle, the loudest by `loudness` (power at a second), which is asked every 15 s, or three
    pieces of ten seconds around the middles of three equal parts.
    """
    room = end - start - EXCERPT_S
    if kind == "spread":
        size, part = EXCERPT_S / N_PIECES, (end - start) / N_PIECES
        begins = [start + part * (i + 0.5) - size / 2 for i in range(N_PIECES)]
        return [(begin, begin + size) for begin in begins]
    begin = {"start": start, "middle": start + room / 2}.get(kind)
    if begin is None:
        at = [start + i * _LOOK_EVERY_S for i in range(int((end - start) // _LOOK_EVERY_S))]
        heard = [loudness(second) for second in at]
        best = max(range(len(at) - 1), key=lambda i: sum(heard[i : i + 2]))
        begin = min(at[best], start + room)
    return [(begin, begin + EXCERPT_S)]
