"""Makes the sound of single notes: wavetable, FM and plucked-string tones, and drums."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from songscape.data_tables import Row, read_table

Signal = NDArray[np.float32]

SYNTHESIS_RATE = 22050
"""Sample rate in Hz at which every song is made before it is resampled for its file."""

TABLE_SIZE = 2048
_HIGHEST = 0.45 * SYNTHESIS_RATE


_TABLES = read_table("demo/data", "sounds")
INSTRUMENTS: dict[str, Row] = {
    name: _TABLES["instrument"] | row for name, row in _TABLES["instruments"].items()
}


@dataclass(frozen=True)
class Colour:
    """A player's changes: added to ``tilt`` and ``detune``, factors on ``attack`` and ``decay``."""

    tilt: float = 0.0
    attack: float = 1.0
    decay: float = 1.0
    detune: float = 0.0


def hertz(pitch: float) -> float:
    """Return the frequency in Hz of a MIDI pitch (A4 = 69 = 440 Hz, equal temperament)."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def table(amplitudes: NDArray[Any], phases: NDArray[Any] | None = None) -> Signal:
    """Return one period, ``TABLE_SIZE`` samples, of a sum of harmonics (last axis: 1, 2, ...)."""
    spectrum = np.zeros((*amplitudes.shape[:-1], TABLE_SIZE // 2 + 1), dtype=np.complex64)
    turned = amplitudes if phases is None else amplitudes * np.exp(1j * phases)
    spectrum[..., 1 : amplitudes.shape[-1] + 1] = -1j * turned
    period = scipy.fft.irfft(spectrum, axis=-1)
    peak = np.sqrt(np.mean(period**2, axis=-1, keepdims=True)) + 1e-9
    return np.asarray(period / peak, dtype=np.float32)


def smooth(values: NDArray[Any], seconds: float) -> NDArray[np.float64]:
    """Return a centred moving average over ``seconds``, edges held."""
    half = max(1, round(0.5 * seconds * SYNTHESIS_RATE))
    padded = np.concatenate([np.full(half + 1, values[0]), values, np.full(half, values[-1])])
    total = np.cumsum(padded, dtype=np.float64)
    width = 2 * half + 1
    return (total[width:] - total[:-width]) / width


class Player:
    """Plays one instrument in one song; equal notes are made once and kept."""

    def __init__(self, name: str, colour: Colour, rng: np.random.Generator) -> None:
        self._instrument = INSTRUMENTS[name]
        self._colour = colour
        self._rng = rng
        self._phases = rng.uniform(0, 2 * np.pi, 64)
        self._kept: dict[tuple[float, int], Signal] = {}

    def note(self, pitch: float, seconds: float) -> Signal:
        """Return the note, release included, at about unit level; ``pitch`` is MIDI."""
        # A tenth of a second is finer than the ear hears in a note's length once it has started.
        count = max(1, math.ceil(seconds / 0.05)) if seconds < 1 else math.ceil(seconds / 0.1) * 2
        key = (pitch, count)
        if key not in self._kept:
            self._kept[key] = self._make(hertz(pitch), min(seconds, count * 0.05))
        return self._kept[key]

    def _make(self, frequency: float, seconds: float) -> Signal:
        instrument, colour = self._instrument, self._colour
        release: float = instrument["release"]
        n = max(64, round((seconds + release) * SYNTHESIS_RATE))
        time = np.arange(n, dtype=np.float32) / np.float32(SYNTHESIS_RATE)
        if instrument["kind"] == "pluck":
            sound = self._pluck(frequency, n)
        elif instrument["kind"] == "fm":
            sound = self._fm(frequency, time)
        else:
            sound = self._tone(frequency, time)
        attack = instrument["attack"] * colour.attack
        envelope = np.minimum(1.0, time / np.float32(max(attack, 0.001)))
        envelope *= np.clip((seconds + release - time) / np.float32(release), 0.0, 1.0)
        if instrument["decay"] and instrument["kind"] != "pluck":
            # Low strings and bars ring longer than high ones.
            tau = instrument["decay"] * colour.decay * (220.0 / frequency) ** 0.3
            envelope *= np.exp(-time / np.float32(tau))
        return np.asarray(sound * envelope, dtype=np.float32)

    def _tone(self, frequency: float, time: Signal) -> Signal:
        instrument, colour = self._instrument, self._colour
        harmonics = np.arange(1, min(60, max(2, int(_HIGHEST / frequency))) + 1)
        tilt = max(0.4, instrument["tilt"] + colour.tilt)
        amplitudes = harmonics**-tilt
        amplitudes[1::2] *= instrument["odd"]
        phases = np.resize(self._phases, len(harmonics))
        bright = table(amplitudes, phases)
        phase = time * np.float32(frequency)
        if instrument["vibrato"]:
            rate = self._rng.uniform(4.5, 6.5)
            depth = 0.02 * instrument["vibrato"] * frequency / (2 * np.pi * rate)
            swell = np.minimum(1.0, time / np.float32(0.4))
            phase = phase + swell * np.float32(depth) * np.sin(np.float32(2 * np.pi * rate) * time)
        sound = _look_up(bright, phase)
        if instrument["decay"]:
            dark = table(amplitudes * harmonics**-1.2, phases)
            mix = np.exp(-time / np.float32(0.25 * instrument["decay"]))
            sound = mix * sound + (1 - mix) * _look_up(dark, phase)
        detune = instrument["detune"] + (colour.detune if instrument["detune"] else 0.0)
        if detune:
            sound = 0.6 * (sound + _look_up(bright, phase * np.float32(1 + detune) + 0.3))
        if instrument["breath"]:
            sound = sound + np.float32(instrument["breath"]) * self._rng.standard_normal(
                len(time), dtype=np.float32
            )
        return sound

    def _fm(self, frequency: float, time: Signal) -> Signal:
        instrument = self._instrument
        # The modulator must not fold over half the sample rate.
        ratio = min(instrument["ratio"], max(1.0, _HIGHEST / (3 * frequency)))
        index = instrument["index"] * 2.0 ** (-1.5 * self._colour.tilt)
        fade = np.exp(-time / np.float32(0.4 * instrument["decay"]))
        turn = np.float32(2 * np.pi * frequency) * time
        bend = np.float32(index) * fade * np.sin(np.float32(ratio) * turn)
        return np.asarray(1.4 * np.sin(turn + bend), dtype=np.float32)

    def _pluck(self, frequency: float, n: int) -> Signal:
        """Karplus & Strong (1983), one period of the string loop per step."""
        instrument, colour = self._instrument, self._colour
        damping = float(np.clip(instrument["damping"] + 0.3 * colour.tilt, 0.05, 0.95))
        period = max(8, round(SYNTHESIS_RATE / frequency))
        pitch_ratio = frequency * period / SYNTHESIS_RATE
        loops = math.ceil(n * pitch_ratio / period) + 2
        burst = self._rng.uniform(-1, 1, period).astype(np.float32)
        for _ in range(1 + int(4 * damping)):
            burst = 0.5 * (burst + np.roll(burst, 1))
        burst -= burst.mean()
        burst /= np.sqrt(np.mean(burst**2)) + 1e-6
        # The loop's averaging is one filter per turn: apply it as powers of its spectrum.
        keep = math.exp(-period / (SYNTHESIS_RATE * instrument["decay"] * colour.decay))
        angle = np.pi * np.arange(period // 2 + 1) / period
        gain = keep * (1 - damping * np.sin(angle) ** 2)
        turns = np.arange(loops, dtype=np.float32)[:, None]
        spectrum = scipy.fft.rfft(burst)[None, :] * np.exp(
            turns * np.log(np.maximum(gain, 1e-4)).astype(np.float32)
        )
        string = scipy.fft.irfft(spectrum, period, axis=1).astype(np.float32).ravel()
        # Whole-sample periods are out of tune; reading at a stretched clock corrects that.
        sound = np.interp(np.arange(n) * pitch_ratio, np.arange(len(string)), string)
        if instrument["buzz"]:
            bent = np.abs(sound)
            sound = sound + instrument["buzz"] * (bent - bent.mean())
        return np.asarray(sound, dtype=np.float32)


def drum(name: str, rng: np.random.Generator, tune: float, decay: float, snap: float) -> Signal:
    """Return one hit of a drum named in ``data/sounds.toml``.

    ``tune`` and ``decay`` are factors on pitch and ringing time; ``snap``, 0 to 1, is the share of
    noise against tone and the brightness of the noise.
    """
    length, tau, pitch, sweep, noise, low, high = _TABLES["drums"][name]
    tau *= decay
    n = round(min(length, 6 * tau) * SYNTHESIS_RATE)
    time = np.arange(n) / SYNTHESIS_RATE
    hit = np.zeros(n)
    if pitch:
        glide = pitch * tune * (1 + sweep * np.exp(-time / 0.03))
        turn = 2 * np.pi * np.cumsum(glide) / SYNTHESIS_RATE
        hit += (1 - noise) * (np.sin(turn) + 0.3 * (1 - sweep / 4) * np.sin(1.59 * turn))
    if noise:
        spectrum = scipy.fft.rfft(rng.standard_normal(n))
        frequency = scipy.fft.rfftfreq(n, 1 / SYNTHESIS_RATE)
        upper = high * 2.0 ** (1.5 * (snap - 0.5))
        band = 1 / (1 + (low / (frequency + 1)) ** 4) / (1 + (frequency / upper) ** 4)
        hiss = scipy.fft.irfft(spectrum * band, n)
        hiss /= np.sqrt(np.mean(hiss**2)) + 1e-9
        hit += noise * (0.5 + snap) * hiss * np.exp(-time / (0.6 * tau))
    envelope = np.exp(-time / tau) * np.minimum(1, time / 0.0015)
    if name == "clap":
        envelope *= 0.4 + 0.6 * (np.sin(2 * np.pi * time / 0.011) > 0) * (time < 0.033)
    if name in ("shaker", "brush"):
        envelope *= np.minimum(1, time / 0.02)
    return np.asarray(hit * envelope, dtype=np.float32)


def _look_up(period: Signal, phase: Signal) -> Signal:
    return np.take(period, (phase * np.float32(TABLE_SIZE)).astype(np.int32) & (TABLE_SIZE - 1))
