"""Mixes parts into a record: balance, equaliser, room, tape noise, level."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from songscape.data_tables import Row
from songscape.demo.synthesis import SYNTHESIS_RATE


def decibels(value: float) -> float:
    """Return the amplitude factor of a level in dB."""
    return float(10.0 ** (value / 20.0))


def balance(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a part at unit level, measured where it is loud (90th percentile of 50 ms RMS)."""
    width = SYNTHESIS_RATE // 20
    whole = len(sound) // width * width
    if not whole:
        return sound
    blocks = np.sqrt(np.mean(sound[:whole].reshape(-1, width) ** 2, axis=1))
    heard = blocks[blocks > 1e-4]
    if not len(heard):
        return sound
    return np.asarray(sound / np.percentile(heard, 90), dtype=np.float32)


def master(
    channels: NDArray[np.float32], record: Row, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Finish a mix of shape (n_channels, n_samples) at ``SYNTHESIS_RATE``.

    The room and the noise are drawn; the result has the peak of the record and no offset.
    """
    n = channels.shape[1]
    room_length = max(64, round(record["reverb_time"] * SYNTHESIS_RATE))
    size = scipy.fft.next_fast_len(n + room_length, real=True)
    frequency = scipy.fft.rfftfreq(size, 1 / SYNTHESIS_RATE).astype(np.float32)
    curve = _equaliser(frequency, record)
    finished: NDArray[np.float32] = np.empty_like(channels)
    for k, channel in enumerate(channels):
        room = _room(room_length, rng)
        response = curve * (1 + np.float32(decibels(record["wet"])) * scipy.fft.rfft(room, size))
        spectrum = scipy.fft.rfft(channel, size) * response
        finished[k] = scipy.fft.irfft(spectrum, size)[:n]
    finished /= np.max(np.abs(finished)) + np.float32(1e-9)
    drive = np.float32(record["drive"])
    np.tanh(drive * finished, out=finished)
    hiss = rng.standard_normal(finished.shape, dtype=np.float32)
    hiss[:, 1:] += 0.6 * hiss[:, :-1]
    finished += np.float32(decibels(record["noise"])) * hiss
    finished -= finished.mean(axis=1, keepdims=True)
    finished *= _fades(n, record)
    finished *= np.float32(decibels(record["peak"]) / (np.max(np.abs(finished)) + 1e-9))
    return finished


def _equaliser(frequency: NDArray[np.float32], record: Row) -> NDArray[np.float32]:
    octave = np.log2(np.maximum(frequency, 20.0) / 800.0)
    gain = record["tilt"] * np.clip(octave, -4, 4)
    for centre, height in record["bumps"]:
        gain = gain + height * np.exp(-0.5 * ((octave - np.log2(centre / 800.0)) / 0.5) ** 2)
    curve = 10.0 ** (gain / 20.0)
    curve /= np.sqrt(1 + (record["low_cut"] / np.maximum(frequency, 1.0)) ** 4)
    curve /= np.sqrt(1 + (frequency / record["high_cut"]) ** 8)
    curve[0] = 0.0
    return np.asarray(curve, dtype=np.float32)


def _room(length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the tail of a room: noise that decays by 60 dB over its length, duller than white."""
    tail = rng.standard_normal(length, dtype=np.float32)
    tail[1:] += 0.7 * tail[:-1]
    tail *= np.exp(np.linspace(0, -6.9, length, dtype=np.float32))
    tail[: min(length // 4, 220)] = 0
    return np.asarray(tail / (np.sqrt(np.sum(tail**2)) + 1e-9), dtype=np.float32)


def _fades(n: int, record: Row) -> NDArray[np.float32]:
    time = np.arange(n, dtype=np.float32) / SYNTHESIS_RATE
    rise = np.minimum(1, time / np.float32(record["fade_in"]))
    fall = np.minimum(1, (time[-1] - time) / np.float32(record["fade_out"]))
    return np.asarray(rise * fall, dtype=np.float32)
