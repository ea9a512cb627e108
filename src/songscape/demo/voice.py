"""Sings a melody on open vowels: a harmonic source with vibrato, shaped by formants."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songscape.demo.score import Note
from songscape.demo.synthesis import SYNTHESIS_RATE, TABLE_SIZE, hertz, smooth, table

__all__ = ["Singer", "sing"]

# First three formants in Hz of a, e, i, o, u and a neutral vowel (after Peterson & Barney, 1952).
_FORMANTS = np.array(
    [
        [730.0, 1090.0, 2440.0],
        [530.0, 1840.0, 2480.0],
        [290.0, 2250.0, 2950.0],
        [570.0, 840.0, 2410.0],
        [320.0, 870.0, 2240.0],
        [500.0, 1400.0, 2400.0],
    ]
)
_FORMANT_GAINS = np.array([1.0, 0.55, 0.3])
_BANDWIDTHS = np.array([90.0, 120.0, 170.0])


@dataclass(frozen=True)
class Singer:
    """A voice.

    ``register`` is the lowest comfortable MIDI pitch, ``tract`` scales the formants (a shorter
    vocal tract is above 1), ``tilt`` is the fall of the glottal source, ``vibrato_rate`` is in Hz
    and ``vibrato_depth`` in semitones, ``breath`` the level of breath noise, ``glide`` the time in
    seconds from note to note, and ``vowels`` the weights of the six vowels.
    """

    register: float
    tract: float
    tilt: float
    vibrato_rate: float
    vibrato_depth: float
    breath: float
    glide: float
    vowels: tuple[float, ...]


def sing(
    singer: Singer, notes: Sequence[Note], n_samples: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Sing a melody, one syllable per note.

    Vowels and consonants are drawn from ``rng`` and never from the lyrics: the sound must not
    tell the language.

    Parameters
    ----------
    singer
        The voice.
    notes
        Notes in order of time, not overlapping.
    n_samples
        Length of the result at :data:`SYNTHESIS_RATE`.
    rng
        Source of syllables and noise.

    Returns
    -------
    ndarray of float32, shape (n_samples,)
    """
    heard = [note for note in notes if note.start * SYNTHESIS_RATE < n_samples - 64]
    if not heard:
        return np.zeros(n_samples, dtype=np.float32)
    vowels = rng.choice(len(_FORMANTS), size=len(heard), p=np.array(singer.vowels))
    keys = sorted({(int(vowel), note.pitch) for vowel, note in zip(vowels, heard)})
    tables = np.stack([_vowel_table(singer, vowel, pitch) for vowel, pitch in keys])

    # Every note owns the samples up to the next one; the first owns the time before it too.
    starts = np.array([round(note.start * SYNTHESIS_RATE) for note in heard])
    lengths = np.diff(np.concatenate([[0], starts[1:], [n_samples]]))
    codes = np.array([keys.index((int(v), note.pitch)) for v, note in zip(vowels, heard)])
    syllable = np.repeat(codes, lengths)
    before = np.repeat(np.concatenate([codes[:1], codes[:-1]]), lengths)
    pitch = np.repeat(np.array([note.pitch for note in heard]), lengths)
    level = np.zeros(n_samples)
    swell = np.zeros(n_samples)
    blend = np.ones(n_samples, dtype=np.float32)
    consonants = np.zeros(n_samples, dtype=np.float32)
    for start, note in zip(starts.tolist(), heard):
        stop = min(n_samples, start + max(64, round(note.duration * SYNTHESIS_RATE)))
        level[start:stop] = note.velocity
        swell[start:stop] = np.minimum(1, np.arange(stop - start) / (0.5 * SYNTHESIS_RATE))
        mix = min(n_samples - start, round(0.05 * SYNTHESIS_RATE))
        blend[start : start + mix] = np.linspace(0, 1, mix)
        _consonant(consonants, level, start, note.velocity, rng)

    clock = np.arange(n_samples) / SYNTHESIS_RATE
    wave = np.sin(2 * np.pi * singer.vibrato_rate * clock)
    knots = np.arange(0, clock[-1] + 0.15, 0.15)
    drift = np.interp(clock, knots, rng.normal(0, 0.05, len(knots)))
    pitch = smooth(pitch, singer.glide) + singer.vibrato_depth * swell * wave + drift
    phase = np.cumsum(440.0 / SYNTHESIS_RATE * 2.0 ** ((pitch - 69.0) / 12.0))
    place = (phase * TABLE_SIZE).astype(np.int64) & (TABLE_SIZE - 1)
    tone = blend * tables[syllable, place] + (1 - blend) * tables[before, place]
    level = smooth(level, 0.05)
    noise = rng.standard_normal(n_samples, dtype=np.float32)
    noise[1:] -= 0.7 * noise[:-1]
    tone += singer.breath * noise
    return np.asarray(level * tone + consonants, dtype=np.float32)


def _vowel_table(singer: Singer, vowel: int, pitch: float) -> NDArray[np.float32]:
    fundamental = hertz(pitch)
    harmonics = np.arange(1, max(2, int(8000.0 / fundamental)) + 1)
    frequency = harmonics * fundamental
    centres = _FORMANTS[vowel] * singer.tract
    resonance = 1 / (1 + ((frequency[:, None] - centres) / _BANDWIDTHS) ** 2)
    envelope = resonance @ _FORMANT_GAINS + 0.02
    return table(harmonics**-singer.tilt * envelope)


def _consonant(
    into: NDArray[np.float32],
    level: NDArray[np.float64],
    start: int,
    velocity: float,
    rng: np.random.Generator,
) -> None:
    """Begin a syllable with a hiss, a stop or nothing."""
    kind = rng.random()
    if kind < 0.3:
        n = min(round(rng.uniform(0.03, 0.09) * SYNTHESIS_RATE), len(into) - start)
        hiss = np.diff(rng.standard_normal(n + 1, dtype=np.float32)) * np.hanning(n)
        into[start : start + n] += np.float32(0.25 * velocity) * hiss.astype(np.float32)
    elif kind < 0.6:
        gap = round(rng.uniform(0.02, 0.05) * SYNTHESIS_RATE)
        level[max(0, start - gap) : start] = 0
