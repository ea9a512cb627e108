"""Sings a melody on open vowels: a harmonic source with vibrato, shaped by formants."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from songscape.data_tables import Row, read_table
from songscape.demo.frame import Note
from songscape.demo.synthesis import SYNTHESIS_RATE, TABLE_SIZE, hertz, smooth, table

_TABLE = read_table("demo/data", "sounds")["vowels"]
_VOWELS = {name: np.array(values) for name, values in _TABLE.items()}


def sing(
    voice: Row, notes: Sequence[Note], n_samples: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Sing a melody, one syllable per note; returns shape (n_samples,).

    The notes come in order of time and don't overlap. Vowels and consonants are drawn from ``rng``
    and never from the lyrics: the sound must not depend on the language.
    """
    heard = [note for note in notes if note.start * SYNTHESIS_RATE < n_samples - 64]
    if not heard:
        return np.zeros(n_samples, dtype=np.float32)
    vowels = rng.choice(len(_VOWELS["formants"]), size=len(heard), p=np.array(voice["vowels"]))
    keys = sorted({(int(vowel), note.pitch) for vowel, note in zip(vowels, heard)})
    tables = np.stack([_vowel_table(voice, vowel, pitch) for vowel, pitch in keys])

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
    wave = np.sin(2 * np.pi * voice["vibrato_rate"] * clock)
    knots = np.arange(0, clock[-1] + 0.15, 0.15)
    drift = np.interp(clock, knots, rng.normal(0, 0.05, len(knots)))
    pitch = smooth(pitch, voice["glide"]) + voice["vibrato_depth"] * swell * wave + drift
    phase = np.cumsum(440.0 / SYNTHESIS_RATE * 2.0 ** ((pitch - 69.0) / 12.0))
    place = (phase * TABLE_SIZE).astype(np.int64) & (TABLE_SIZE - 1)
    tone = blend * tables[syllable, place] + (1 - blend) * tables[before, place]
    level = smooth(level, 0.05)
    noise = rng.standard_normal(n_samples, dtype=np.float32)
    noise[1:] -= 0.7 * noise[:-1]
    tone += voice["breath"] * noise
    return np.asarray(level * tone + consonants, dtype=np.float32)


def _vowel_table(voice: Row, vowel: int, pitch: float) -> NDArray[np.float32]:
    fundamental = hertz(pitch)
    harmonics = np.arange(1, max(2, int(8000.0 / fundamental)) + 1)
    frequency = harmonics * fundamental
    centres = _VOWELS["formants"][vowel] * voice["tract"]
    resonance = 1 / (1 + ((frequency[:, None] - centres) / _VOWELS["bandwidths"]) ** 2)
    envelope = resonance @ _VOWELS["gains"] + 0.02
    return table(harmonics ** -voice["tilt"] * envelope)


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
