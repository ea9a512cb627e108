"""One audio file -> its features and facts; what a worker process does, and all it imports."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.features import descriptors, harmony, rhythm, spectra
from songscape.features.decode import EXCERPT_S, LONG_S, SAMPLE_RATE, WHOLE, Decoder
from songscape.features.readers import DecodeError, UnreachableError
from songscape.ingest.sound_digest import sound_digest, span_mark
from songscape.library.records import Analysis, Span

MAX_FRAMES = 300
N_SEGMENTS = 10
MINIMUM_SECONDS = 1.0
"""44 frames: ten segments of at least four, and a delta window of nine fits several times."""
SILENCE_DB = 60.0
"""Frames this many dB below the loudest band of the clip are silence."""
NEARLY_SILENT, BEGINS_SILENT = "nearly silent", "begins with silence"
"""How such remarks begin."""
_FIRST_BAND = 1  # of 128: the lowest holds what a constant level leaves in a Hann window
_LEAST_FRAMES = 43  # a second
LONGEST_REST = 86  # frames of silence that the view may begin with: two seconds
_MEMORY_LIMIT = 32 << 20  # bytes of mel spectra kept in memory: about 25 minutes of audio
_FRAMES_PER_READ = 8192
FRAME_RATE = SAMPLE_RATE / spectra.HOP_LENGTH

Array = NDArray[np.float32]


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
_DESCRIPTORS = _recipe(version=1, columns=descriptors.DESCRIPTORS, of=[_MEL, _HARMONY])
RECIPES: Mapping[str, str] = {
    "timbre": _MFCC,
    "mfcc": _MFCC,
    "segments": _MFCC,
    "rhythm": _RHYTHM,
    "harmony": _HARMONY,
    "mel": _MEL,
    "descriptors": _DESCRIPTORS,
}
"""What can be computed from audio, each with a hash that changes when its numbers would.

Stored features of another recipe are computed again.
"""
CORE = ("timbre", "mfcc", "segments")
"""What every analysed track has: models, the search for copies and the report read them."""


def recipes_for(excerpt: str, seconds: float | None) -> Mapping[str, str]:
    """`RECIPES` of a track of a length, where of long ones that excerpt is read."""
    return RECIPES if seconds is None or seconds <= LONG_S else _recipes_of_part(excerpt)


@lru_cache
def _recipes_of_part(excerpt: str) -> Mapping[str, str]:
    part = "" if excerpt == WHOLE else f" {excerpt} {EXCERPT_S:g} s"
    return {name: recipe + part for name, recipe in RECIPES.items()}


def analyse_file(
    path: str, names: Iterable[str] = RECIPES, excerpt: str = WHOLE, span: Span | None = None
) -> Analysis:
    """Decode one file block by block and describe it; never raises for a bad file.

    Everything is computed, as it costs little beside the decoding; `names` of `RECIPES` are given.
    `excerpt` is what is read of a long track (where that part can't be used, all of it is), and
    `span` the part of the file that the track is, in seconds.
    """
    try:
        return _analyse(Decoder(Path(path), span=span, excerpt=excerpt), names)
    except DecodeError as error:
        if excerpt != WHOLE:
            return analyse_file(path, names, WHOLE, span)
        return Analysis(failure=str(error), transient=isinstance(error, UnreachableError))
    except OSError as error:
        where = error.filename or f"temporary folder {tempfile.gettempdir()}"
        reason = f"{where}: {error.strerror or error}; is there free space?"
        return Analysis(failure=reason, transient=True)


def _analyse(decoder: Decoder, names: Iterable[str]) -> Analysis:
    mel, pitches = spectra.MelStream(SAMPLE_RATE), harmony.PitchStream(SAMPLE_RATE)
    histograms: list[Array] = []
    levels: list[Array] = []
    peak = 0.0
    digest = hashlib.sha256()

    def keep(frames: Array) -> None:
        nonlocal peak
        store.write(frames.data)
        peak = max(peak, float(frames.max(initial=0.0)))
        levels.append(frames[:, _FIRST_BAND:].max(axis=1))

    with tempfile.SpooledTemporaryFile(max_size=_MEMORY_LIMIT) as store:
        # Broken float data may overflow on its way to the check that refuses it.
        with np.errstate(over="ignore", invalid="ignore"):
            for samples in decoder.blocks():
                digest.update(_as_int16(samples).data)
                keep(mel.push(samples))
                histograms.append(pitches.push(samples))
        decoder.check(MINIMUM_SECONDS)
        keep(mel.finish())
        histogram = np.concatenate([*histograms, pitches.finish()])
        features, warnings = _describe(store, np.concatenate(levels), peak, histogram)
    if (file_digest := sound_digest(decoder.path)) is None:  # what was read may be less than all
        raise UnreachableError("cannot be read any more; check the drive")
    recording, seconds = decoder.first, decoder.whole_seconds
    of_file = seconds if decoder.span is None else recording.seconds or seconds
    return Analysis(
        features={name: features[name] for name in names},
        facts={
            "duration_s": seconds,
            "sample_rate": recording.sample_rate,
            "channels": recording.channels,
            "container": recording.container,
            "codec": recording.codec,
            "bitrate_kbps": decoder.size * 8 / 1000 / of_file,
            "loudness_dbfs": float(10 * np.log10(decoder.sum_squares / decoder.n_frames)),
            "peak_dbfs": float(20 * np.log10(decoder.peak)),
            "size_bytes": decoder.size,
            "digest": digest.hexdigest(),
            "file_digest": file_digest + span_mark(decoder.span),
        },
        warnings=(*decoder.warnings, *warnings),
    )


def _as_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    # Rounded, so that the last bit of a decoder's arithmetic doesn't make copies look different.
    scaled = np.multiply(samples, np.float32(32767.0))
    np.rint(scaled, out=scaled)
    np.clip(scaled, -32768, 32767, out=scaled)
    return scaled.astype("<i2")


def _describe(
    store: tempfile.SpooledTemporaryFile[bytes], level: Array, peak: float, histogram: Array
) -> tuple[dict[str, Array], list[str]]:
    """Features of mel spectra and of a histogram of pitches, and remarks.

    A second pass, as the dB scale hangs on the whole clip's maximum.
    """
    n_frames = len(level)
    coefficients = np.empty((spectra.N_MFCC, n_frames), np.float32)
    segments = spectra.SegmentMeans(n_frames, n_segments=N_SEGMENTS)
    power = np.empty((n_frames, rhythm.N_BANDS), np.float32)
    described, at = descriptors.DescriptorStream(SAMPLE_RATE, FRAME_RATE), 0
    for mel in _read(store):
        here = slice(at, at + len(mel))
        db = spectra.power_to_db(mel, peak=peak)
        segments.push(db)
        described.push(mel, db)
        coefficients[:, here] = spectra.mfcc_from_db(db)
        power[here] = rhythm.band_power(mel)
        at = here.stop
    is_sound = level > float(level.max()) * 10.0 ** (-SILENCE_DB / 10.0)
    start = first_sound(is_sound)
    features = {
        "timbre": spectra.timbre_summary(coefficients),
        "mfcc": np.ascontiguousarray(coefficients[:, start : start + MAX_FRAMES]),
        "segments": spectra.segment_summary(coefficients, N_SEGMENTS),
        "mel": segments.finish(),
        "descriptors": described.finish(histogram),
        "harmony": harmony.harmony_summary(histogram),
    }
    del coefficients  # the largest array of a long file
    features["rhythm"] = rhythm.rhythm_summary(power, FRAME_RATE)
    return features, _silence_remarks(is_sound, start)


def first_sound(is_sound: NDArray[np.bool_]) -> int:
    """Frame at which the view `mfcc` begins: 0, or the first sound behind long silence.

    A recording may begin with up to two seconds of silence. A single click does not count: at least
    half of the frames of the view are to sound (n_frames flags), or else as many as anywhere.
    """
    n_frames, sums = len(is_sound), np.concatenate([[0], np.cumsum(is_sound)])
    sounding = np.flatnonzero(is_sound)
    if not len(sounding):
        return 0
    last = n_frames - _LEAST_FRAMES
    starts = sounding[(sounding >= LONGEST_REST) & (sounding <= last)]
    if sounding[0] < LONGEST_REST:
        starts = np.concatenate([[0], starts])
    elif not len(starts):
        return last
    stops = np.minimum(starts + MAX_FRAMES, n_frames)
    share = (sums[stops] - sums[starts]) / (stops - starts)
    return int(starts[np.argmax(np.minimum(share, 0.5))])


def _silence_remarks(is_sound: NDArray[np.bool_], start: int) -> list[str]:
    seconds = is_sound.sum() / FRAME_RATE
    if seconds < MINIMUM_SECONDS:
        return [f"{NEARLY_SILENT}: {seconds:.1f} of {len(is_sound) / FRAME_RATE:.1f} s sound"]
    if start:
        return [f"{BEGINS_SILENT}: the view mfcc starts at {start / FRAME_RATE:.1f} s"]
    return []


def _read(store: tempfile.SpooledTemporaryFile[bytes]) -> Iterator[Array]:
    store.seek(0)
    while data := store.read(_FRAMES_PER_READ * spectra.N_MELS * 4):
        yield np.frombuffer(data, np.float32).reshape(-1, spectra.N_MELS)
