"""One audio file -> its features and facts; what a worker process does, and all it imports."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.features import harmony, rhythm, spectra
from songscape.features.decode import SAMPLE_RATE, DecodeError, Decoder
from songscape.library.records import Analysis, digest_of_file

__all__ = [
    "CORE",
    "EVERY_PASS",
    "MAX_FRAMES",
    "N_SEGMENTS",
    "RECIPES",
    "analyse_file",
]

MAX_FRAMES = 300
N_SEGMENTS = 10
MINIMUM_SECONDS = 1.0
"""44 frames: ten segments of at least four, and a delta window of nine fits several times."""
_MEMORY_LIMIT = 64 << 20  # bytes of mel spectra kept in memory: about 50 minutes of audio
_FRAMES_PER_READ = 8192
FRAME_RATE = SAMPLE_RATE / spectra.HOP_LENGTH


def _recipe(**parameters: Any) -> str:
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:16]


_SPECTRA: dict[str, Any] = {
    "sample_rate": SAMPLE_RATE,
    "mfcc": [spectra.N_MFCC, spectra.N_FFT, spectra.HOP_LENGTH, spectra.N_MELS],
    "db": [spectra.AMIN, spectra.TOP_DB],
    "minimum_seconds": MINIMUM_SECONDS,
}
_MFCC = _recipe(
    version=1, delta=spectra.DELTA_WIDTH, frames=MAX_FRAMES, segments=N_SEGMENTS, **_SPECTRA
)
_RHYTHM = _recipe(
    version=1,
    bands=rhythm.N_BANDS,
    rates=[rhythm.LOWEST_RATE, rhythm.HIGHEST_RATE, rhythm.N_RATES],
    window=[rhythm.WINDOW, rhythm.N_FFT],
    floor=rhythm.FLOOR_DB,
    **_SPECTRA,
)
_HARMONY = _recipe(
    version=1,
    sample_rate=SAMPLE_RATE,
    frames=[harmony.N_FFT, harmony.HOP_LENGTH],
    range=[harmony.LOWEST_HZ, harmony.HIGHEST_HZ, harmony.FADE_OCTAVES],
    db=[harmony.PEAK_DB, harmony.FRAME_DB],
    steps=[harmony.STEPS, harmony.SMOOTH, *harmony.LAGS],
)
_MEL = _recipe(version=1, segments=N_SEGMENTS, **_SPECTRA)
RECIPES: Mapping[str, str] = {
    "timbre": _MFCC,
    "mfcc": _MFCC,
    "segments": _MFCC,
    "rhythm": _RHYTHM,
    "harmony": _HARMONY,
    "mel": _MEL,
}
"""What can be computed from audio, each with a hash that changes when its numbers would.

Stored features of another recipe are made anew.
"""
CORE = ("timbre", "mfcc", "segments")
"""What every analysed track has: models, the search for copies and the report read them."""
EVERY_PASS = (*CORE, "rhythm", "mel")
"""What is computed whenever a file is decoded: each costs little beside the decoding."""


def analyse_file(path: str, names: Sequence[str] = EVERY_PASS) -> Analysis:
    """Decode one file block by block and describe it; never raises for a bad file.

    Parameters
    ----------
    path : str
    names : sequence of str
        Features to compute, of `RECIPES`.
    """
    file = Path(path)
    try:
        decoder = Decoder(file)
        mel = spectra.MelStream(SAMPLE_RATE)
        pitches = harmony.PitchStream(SAMPLE_RATE) if "harmony" in names else None
        histograms = []
        digest = hashlib.sha256()
        peak = 0.0
        with tempfile.SpooledTemporaryFile(max_size=_MEMORY_LIMIT) as store:
            # Broken float data may overflow on its way to the check that refuses it.
            with np.errstate(over="ignore", invalid="ignore"):
                for samples in decoder.blocks():
                    digest.update(_as_int16(samples).data)
                    peak = max(peak, _keep(store, mel.push(samples)))
                    if pitches is not None:
                        histograms.append(pitches.push(samples))
            decoder.check(MINIMUM_SECONDS)
            peak = max(peak, _keep(store, mel.finish()))
            features = _from_mel(store, peak, names)
        if pitches is not None:
            histogram = np.concatenate([*histograms, pitches.finish()])
            features["harmony"] = harmony.harmony_summary(histogram)
    except DecodeError as error:
        return Analysis(failure=str(error))
    except (MemoryError, OSError) as error:
        return Analysis(failure=f"{type(error).__name__}: {error}")
    stream = decoder.stream
    size = file.stat().st_size
    return Analysis(
        features={name: features[name] for name in names},
        facts={
            "duration_s": stream.seconds,
            "sample_rate": stream.sample_rate,
            "channels": stream.channels,
            "container": stream.container,
            "codec": stream.codec,
            "bitrate_kbps": size * 8 / 1000 / stream.seconds,
            "loudness_dbfs": float(10 * np.log10(stream.sum_squares / stream.n_frames)),
            "peak_dbfs": float(20 * np.log10(stream.peak)),
            "size_bytes": size,
            "digest": digest.hexdigest(),
            "file_digest": digest_of_file(file),
        },
        warnings=tuple(stream.warnings),
    )


def _as_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    # Rounded, so that the last bit of a decoder's arithmetic doesn't make copies look different.
    scaled = np.multiply(samples, np.float32(32767.0))
    np.rint(scaled, out=scaled)
    np.clip(scaled, -32768, 32767, out=scaled)
    return scaled.astype("<i2")


def _keep(store: tempfile.SpooledTemporaryFile[bytes], mel: NDArray[np.float32]) -> float:
    store.write(mel.tobytes())
    return float(mel.max()) if mel.size else 0.0


def _from_mel(
    store: tempfile.SpooledTemporaryFile[bytes], peak: float, names: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """What mel spectra tell; a second pass, as the dB scale hangs on the whole clip's maximum."""
    coefficients, power = [], []
    segments = spectra.SegmentMeans(_n_frames(store), n_segments=N_SEGMENTS)
    for mel in _read(store):
        if not {*CORE, "mel"}.isdisjoint(names):
            db = spectra.power_to_db(mel, peak=peak)
            segments.push(db)
            coefficients.append(spectra.mfcc_from_db(db))
        if "rhythm" in names:
            power.append(rhythm.band_power(mel))
    features = {}
    if coefficients:
        mfcc = np.concatenate(coefficients, axis=1)
        features = {
            "timbre": spectra.timbre_summary(mfcc),
            "mfcc": np.ascontiguousarray(mfcc[:, :MAX_FRAMES]),
            "segments": spectra.segment_summary(mfcc, N_SEGMENTS),
            "mel": segments.finish(),
        }
    if power:
        features["rhythm"] = rhythm.rhythm_summary(np.concatenate(power), FRAME_RATE)
    return features


def _n_frames(store: tempfile.SpooledTemporaryFile[bytes]) -> int:
    size = store.seek(0, os.SEEK_END)
    store.seek(0)
    return size // (spectra.N_MELS * 4)


def _read(store: tempfile.SpooledTemporaryFile[bytes]) -> Iterator[NDArray[np.float32]]:
    while data := store.read(_FRAMES_PER_READ * spectra.N_MELS * 4):
        yield np.frombuffer(data, np.float32).reshape(-1, spectra.N_MELS)
