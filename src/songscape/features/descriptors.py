"""What a person would say of a sound: tempo, loudness, brightness, percussion, key, steadiness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from songscape.features.harmony import chroma
from songscape.features.spectra import N_MELS, hz_to_mel, mel_to_hz

DESCRIPTORS = (
    *("tempo_bpm", "tempo_confidence", "loudness_db", "dynamics_db", "brightness_hz"),
    *("percussive", "steadiness", "key", "mode", "key_confidence"),
)
"""The columns of the view `descriptors`. `key` counts semitones above C, `mode` is 1 for major and
0 for minor, confidences and shares lie between 0 and 1; a confidence of 0 means unknown."""
SLOWEST_BPM, FASTEST_BPM = 40.0, 220.0
_USUAL_BPM, _OCTAVES = 115.0, 0.9
_WINDOW = 512  # frames: 12 s, six beats of the slowest tempo and more
_SOUND_DB = 60.0
# Krumhansl & Kessler (1982): how well each note fits into C major and C minor.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

Array = NDArray[np.float32]
Float = NDArray[np.float64]


class DescriptorStream:
    """Describes a clip whose mel spectra come in blocks, at `frame_rate` frames per second."""

    def __init__(self, sr: float, frame_rate: float) -> None:
        self.frame_rate = frame_rate
        top = float(hz_to_mel(np.array([sr / 2.0]))[0])
        centres = mel_to_hz(np.linspace(0.0, top, N_MELS + 2))[1:-1]
        self._octaves = np.log2(centres).astype(np.float32)
        self._last: Array | None = None
        self._parts: list[Array] = []

    def push(self, mel: Array, db: Array) -> None:
        """Take the next frames, (n, n_mels): power, and dB no lower than 80 under the loudest."""
        before = db[:1] if self._last is None else self._last
        steps = np.diff(np.concatenate([before, db]), axis=0)
        self._last = db[-1:].copy()
        level = mel.sum(axis=1)
        amplitude = np.sqrt(mel)
        centre = (amplitude @ self._octaves) / np.maximum(amplitude.sum(axis=1), 1e-20)
        onset, change = np.maximum(steps, 0.0).mean(axis=1), np.abs(steps).mean(axis=1)
        slope = np.abs(np.diff(db, axis=1)).mean(axis=1)
        self._parts.append(np.stack([level, centre, onset, change, slope]))

    def finish(self, histogram: Array) -> Array:
        """The view `descriptors` of the clip, shape (10,); zeros where nothing sounds.

        `histogram` is what `songscape.features.harmony.PitchStream` gives of the whole clip.

        Percussion is how much spectra change over time compared with over frequency:
        strokes are upright lines in a spectrogram, notes lie (Ono et al. 2008). Brightness is the
        centre of the amplitudes on an octave scale. Steadiness is how well the onsets repeat
        themselves at their strongest period (pulse clarity; Lartillot et al. 2008).
        """
        if not self._parts:
            return np.zeros(len(DESCRIPTORS), np.float32)
        level, centre, onset, change, slope = np.concatenate(self._parts, axis=1)
        sounding = level > float(level.max()) * 10.0 ** (-_SOUND_DB / 10.0)
        if not sounding.any() or float(level.max()) <= 1e-12:
            return np.zeros(len(DESCRIPTORS), np.float32)
        tempo, sure, clarity = tempo_of(onset, self.frame_rate)
        key, mode, key_sure = key_of(histogram)
        db = 10.0 * np.log10(_moving_mean(level, 17)[sounding] + 1e-20)
        bright = 2.0 ** float(centre[sounding].mean(dtype=np.float64))
        upright, lying = float(change[sounding].mean()), float(slope[sounding].mean())
        loud = 10.0 * np.log10(float(level.mean(dtype=np.float64)) + 1e-20)
        dynamics = float(np.subtract(*np.quantile(db, [0.95, 0.1])))
        percussive = upright / max(upright + lying, 1e-9)
        found = (tempo, sure, loud, dynamics, bright, percussive, clarity, key, mode, key_sure)
        return np.asarray(found, np.float32)


def tempo_of(onset: Array, frame_rate: float) -> tuple[float, float, float]:
    """Tempo in beats a minute, how sure it is (0 to 1), and how clear the pulse is (0 to 1).

    Onset strengths (n_frames,) at `frame_rate` Hz. Autocorrelations of windows of 12 s are added
    up and weighted by a preference for usual tempi (Ellis 2007, Beat tracking by dynamic
    programming). It is sure of a tempo as far as no other that is not its double or half comes
    near.
    """
    width = min(_WINDOW, len(onset))
    if width < 3 * frame_rate:
        return 0.0, 0.0, 0.0
    n_windows = 1 + (len(onset) - width) // (width // 2)
    starts = np.linspace(0, len(onset) - width, n_windows).astype(int)
    windows = np.stack([onset[start : start + width] for start in starts]).astype(np.float64)
    windows -= windows.mean(axis=1, keepdims=True)
    spectrum = np.abs(scipy.fft.rfft(windows, 2 * width, axis=1)) ** 2
    together = scipy.fft.irfft(spectrum.sum(axis=0))[:width] / np.arange(width, 0, -1)
    if together[0] <= 1e-9:
        return 0.0, 0.0, 0.0
    together /= together[0]
    beats = np.geomspace(SLOWEST_BPM, FASTEST_BPM, 400)
    lags = 60.0 * frame_rate / beats
    at = np.arange(width)
    # A beat comes back after two and four of its periods as well.
    strength = np.mean(
        [np.interp(times * lags, at, together, right=0.0) for times in (1, 2, 4)], axis=0
    )
    weight = np.exp(-0.5 * (np.log2(beats / _USUAL_BPM) / _OCTAVES) ** 2)
    scores = np.maximum(strength, 0.0) * weight
    best = int(scores.argmax())
    clarity = float(np.clip(np.interp(lags[best], at, together), 0.0, 1.0))
    octaves = np.abs(np.log2(beats / beats[best]))
    other = (np.abs(octaves - np.round(octaves)) > 0.12) & (octaves < 2.5)
    rival = float(scores[other].max(initial=0.0))
    sure = 0.0 if scores[best] <= 0 else clarity**0.5 * (1.0 - rival / float(scores[best]))
    return float(beats[best]), float(np.clip(sure, 0.0, 1.0)), clarity


def key_of(histogram: Array) -> tuple[float, float, float]:
    """Key (semitones above C), mode (1 major, 0 minor) and how sure they are (0 to 1).

    The profile of all notes is correlated with those of the 24 keys (Krumhansl & Kessler 1982);
    it is as sure as the best of them is ahead of the next.
    """
    profiles = chroma(histogram)
    if not len(profiles):
        return 0.0, 0.0, 0.0
    notes = np.roll(profiles.mean(axis=0), -3)  # from C upwards; it begins with A
    rows = [np.roll(shape, key) for shape in (_MAJOR, _MINOR) for key in range(12)]
    matches = np.nan_to_num([np.corrcoef(notes, row)[0, 1] for row in rows])
    order = np.argsort(-matches, kind="stable")
    ahead = float(matches[order[0]] - matches[order[1]])
    sure = float(np.clip(matches[order[0]], 0.0, 1.0)) * min(1.0, ahead / 0.2)
    return float(order[0] % 12), float(order[0] < 12), sure


def _moving_mean(values: Sequence[float] | Array, width: int) -> Float:
    """Mean of a window around each value, shorter at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    at, n = np.arange(len(values)), len(values)
    low, high = np.maximum(at - width // 2, 0), np.minimum(at + width // 2 + 1, n)
    return np.asarray((sums[high] - sums[low]) / (high - low))
