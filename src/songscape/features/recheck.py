"""Features that an earlier version stored: those that this one would make otherwise.

Recipes say how numbers are computed. What this version decodes otherwise (joined recordings,
samples that are not scaled, silence at the beginning, files that only their name made sound) are
a few files in a hundred, so these are found, and the others are not decoded a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from songscape.features.analyse import LONGEST_REST, SILENCE_DB
from songscape.features.container import is_plain
from songscape.features.decode import INTEGER_PEAK
from songscape.features.jobs import Job, run_jobs
from songscape.features.spectra import N_MELS
from songscape.library import Analysis, Library, Track

__all__ = ["mark_decoded", "outdated"]

_FACT, _VERSION = "decoding", "2"
_LOUDEST_BAND_DB = 48.0
"""No mel band of a clip whose peak is 1 is louder: 44.8 dB by Parseval's theorem, and a margin."""

Array = NDArray[np.float32]


def mark_decoded(library: Library, track_ids: Iterable[str]) -> None:
    """Note that features of these tracks were decoded as this version does."""
    library.store_facts(_FACT, dict.fromkeys(track_ids, (_VERSION, None)))


def outdated(
    library: Library, tracks: Sequence[Track], workers: int | None, executor: Executor | None
) -> set[str]:
    """Tracks to analyse anew because an earlier version decoded them otherwise."""
    known, analysed = library.facts(_FACT), set(library.track_ids("analysed"))
    todo = {t.id: t for t in tracks if t.id in analysed and known.get(t.id, ("",))[0] != _VERSION}
    if not todo:
        return set()
    facts = library.audio_facts()
    peaks = facts["peak_dbfs"].astype(float).fillna(np.inf).to_dict()  # unknown: looked at again
    nameless = set(facts.index[facts["container"] == "RAW"])
    found = set()
    for track_id, view in library.each_feature("mfcc"):
        peak = peaks.get(track_id, np.inf)
        is_loud = peak > 20 * np.log10(INTEGER_PEAK)
        if track_id in todo and (
            is_loud or track_id in nameless or not _begins_with_sound(view, peak)
        ):
            found.add(track_id)
    jobs = [Job(track) for track in todo.values() if track.id not in found and track.audio]
    with closing(run_jobs(jobs, inspect, workers=workers, executor=executor)) as results:
        found |= {job.track.id for job, result in results if not result.facts.get("is_plain")}
    mark_decoded(library, todo.keys() - found)
    return found


def inspect(path: str, *_: object) -> Analysis:
    """Whether the file is one recording from its first byte on, as `is_plain` of the facts."""
    try:
        with Path(path).open("rb") as file:
            return Analysis(facts={"is_plain": is_plain(file)})
    except OSError as error:
        return Analysis(failure=str(error))


def _begins_with_sound(view: Array, peak_dbfs: float) -> bool:
    """Whether `first_sound` was 0 for sure, by the view `mfcc` alone.

    The Fejér kernel is positive: smoothed with it, a frame is nowhere louder than it was.
    """
    cepstra = np.zeros((N_MELS, view.shape[1]))
    cepstra[: len(view)] = view * (1 - np.arange(len(view)) / len(view))[:, None]
    level = scipy.fft.idct(cepstra, axis=0, norm="ortho").max(axis=0)
    is_sound = level > peak_dbfs + _LOUDEST_BAND_DB - SILENCE_DB
    return bool(is_sound[:LONGEST_REST].any() and is_sound.mean() >= 0.5)
