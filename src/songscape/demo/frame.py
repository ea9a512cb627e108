"""The frame a style writes into: clock, scale, harmony, form, and who plays what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Note:
    """One note or drum hit: start and duration in seconds, MIDI pitch, velocity 0 to 1."""

    start: float
    duration: float
    pitch: float
    velocity: float


@dataclass(frozen=True)
class Part:
    """The notes of one instrument or drum, its level in dB and its pan, -1 to 1."""

    instrument: str
    notes: tuple[Note, ...]
    level: float = 0.0
    pan: float = 0.0


@dataclass(frozen=True)
class Frame:
    """Everything decided about a song before its notes.

    ``beat`` is in seconds; ``swing`` is the place of the off-beat within a beat (0.5 straight, 0.67
    shuffle); ``scale`` holds semitones above ``tonic`` (MIDI); ``progression`` holds one scale
    degree per bar, repeated; ``levels`` is the intensity of every bar, 0 to 3; ``taste`` is the
    artist's liking of each instrument; ``register`` and ``energy`` are the mood's pull on pitch
    (semitones) and on density (-1 to 1).
    """

    rng: np.random.Generator
    seconds: float
    beat: float
    beats_per_bar: int
    swing: float
    tonic: int
    scale: tuple[int, ...]
    progression: tuple[int, ...]
    levels: tuple[int, ...]
    taste: Mapping[str, float]
    register: float
    energy: float

    @property
    def n_bars(self) -> int:
        """Number of bars that begin before the song ends."""
        return len(self.levels)

    def time(self, bar: int, beat: float) -> float:
        """Return the time in seconds of a beat (0 = first) of a bar, swing applied."""
        whole = int(beat)
        part = beat - whole
        early, late = part * 2 * self.swing, self.swing + (part - 0.5) * 2 * (1 - self.swing)
        return (bar * self.beats_per_bar + whole + (early if part < 0.5 else late)) * self.beat

    def note(
        self, bar: int, beat: float, beats: float, pitch: float, velocity: float = 0.8
    ) -> Note:
        """Return a note of ``beats`` length, its velocity and time humanised a little."""
        wobble = 0.004 * float(self.rng.standard_normal())
        loud = velocity * float(self.rng.uniform(0.85, 1.1))
        start = max(0.0, self.time(bar, beat) + wobble)
        return Note(start, beats * self.beat, pitch, loud)

    def degree(self, bar: int) -> int:
        """Return the scale degree of the chord of a bar."""
        return self.progression[bar % len(self.progression)]

    def pick(self, names: Sequence[str]) -> str:
        """Choose an instrument by the artist's taste, or any drum; a single one without a draw."""
        if len(names) == 1:
            return names[0]
        if names[0] not in self.taste:
            return names[int(self.rng.integers(len(names)))]
        scores = [1.6 * self.taste[name] + float(self.rng.gumbel()) for name in names]
        return names[int(np.argmax(scores))]

    def chance(self, probability: float) -> bool:
        """Return true with a probability, raised or lowered a little by the mood's energy."""
        return bool(self.rng.random() < probability + 0.18 * self.energy)


def degree_pitch(frame: Frame, degree: int) -> int:
    """Return the MIDI pitch of a scale degree (0 = tonic; may be negative or beyond the octave)."""
    octave, step = divmod(degree, len(frame.scale))
    return frame.tonic + frame.scale[step] + 12 * octave


def triad(frame: Frame, degree: int, size: int = 3, near: float = 60) -> list[int]:
    """Return a chord of stacked thirds on a degree, folded to lie around the pitch ``near``."""
    return sorted(fold(degree_pitch(frame, degree + 2 * k), near) for k in range(size))


def fold(pitch: int, near: float) -> int:
    """Return the pitch moved by octaves to within six semitones of ``near``."""
    return pitch - 12 * round((pitch - near) / 12)


def melody(
    frame: Frame,
    *,
    near: float,
    grid: int,
    density: float,
    phrase_bars: int = 2,
    rest: float = 0.25,
    legato: float = 0.95,
    start_bar: int = 0,
) -> tuple[Note, ...]:
    """Write a tune: a rhythmic motif repeated with variation over a walk through the scale.

    It moves around the MIDI pitch ``near``. Notes may begin on ``grid`` steps a beat, and
    ``density`` is the share of steps that carry one; the share ``rest`` of each phrase is silent at
    its end; a note sounds for the share ``legato`` of the way to the next. The notes come in order
    of time and don't overlap.
    """
    rng = frame.rng
    steps = phrase_bars * frame.beats_per_bar * grid
    sung = max(2, round(steps * (1 - rest)))
    motifs = []
    for _ in range(2):
        weight = np.where(np.arange(sung) % grid == 0, 1.5, 0.8)
        motif = rng.random(sung) < density * weight
        motif[0] = True
        motifs.append(np.flatnonzero(motif))
    size = len(frame.scale)
    place = int(rng.integers(0, size))
    centre = size // 2
    shift = 12 * round((near - degree_pitch(frame, centre)) / 12)
    notes: list[Note] = []
    for phrase, bar in enumerate(range(start_bar, frame.n_bars, phrase_bars)):
        if phrase % 4 == 3 and rng.random() < 0.25:
            continue
        hits = motifs[phrase % 4 == 2]
        for k, step in enumerate(hits):
            beat = step / grid
            now = bar + int(beat // frame.beats_per_bar)
            if now >= frame.n_bars:
                break
            leap = rng.choice([-2, -1, -1, 0, 1, 1, 2, 3 if place < centre else -3])
            place = int(np.clip(place + leap, -3, size + 4))
            if step % (grid * 2) == 0 and len(frame.progression) > 1:
                # Strong beats rest on a note of the chord.
                chord = {(frame.degree(now) + 2 * j) % size for j in range(3)}
                place += min((abs(d), d) for d in range(-2, 3) if (place + d) % size in chord)[1]
            until = int(hits[k + 1]) if k + 1 < len(hits) else min(int(step) + 2 * grid, steps)
            start = frame.time(bar, beat)
            length = legato * (frame.time(bar, until / grid) - start)
            pitch = float(degree_pitch(frame, place) + shift)
            notes.append(Note(start, length, pitch, float(rng.uniform(0.65, 1.0))))
    return tuple(notes)
