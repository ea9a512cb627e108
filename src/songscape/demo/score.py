"""Notes and parts: what a style writes and the orchestra plays."""

from dataclasses import dataclass

__all__ = ["Note", "Part"]


@dataclass(frozen=True)
class Note:
    """One note or drum hit: start and duration in seconds, MIDI pitch, velocity 0 to 1."""

    start: float
    duration: float
    pitch: float
    velocity: float


@dataclass(frozen=True)
class Part:
    """The notes of one instrument (or drum, or ``voice``), its level in dB and place, -1 to 1."""

    instrument: str
    notes: tuple[Note, ...]
    level: float = 0.0
    pan: float = 0.0
