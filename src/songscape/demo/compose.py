"""Composes a demo collection: audio files, lyric sidecars and the table of ground truth."""

import csv
import io
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from songscape.demo.files import write_audio, write_whole
from songscape.demo.plan import SongPlan, plan_collection
from songscape.demo.synthesis import SYNTHESIS_RATE
from songscape.demo.words import Lyrics, to_lrc, write_lyrics
from songscape.errors import SongscapeError, UsageError

__all__ = ["COLUMNS", "compose_collection"]

COLUMNS = (
    "id",
    "audio",
    "lyrics",
    "title",
    "artist",
    "language",
    "languages",
    "genre",
    "theme",
    "tempo",
    "instrumental",
    "lyrics_match",
)
"""Columns of ``tracks.csv``; an instrumental's lyrics, languages, theme and match are empty."""

_RECORD = "demo.json"
_COMPOSER = 1
"""Raised whenever the same parameters would give other bytes than before."""


def compose_collection(
    folder: Path,
    *,
    n_songs: int = 240,
    seed: int = 0,
    confound: float = 0.0,
    seconds: tuple[float, float] = (20.0, 30.0),
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Compose a collection of songs whose style, language, theme and artist are known.

    The folder gets ``audio/``, ``lyrics/``, ``tracks.csv`` and ``demo.json`` (the parameters).
    Same parameters, same bytes, whatever the number of workers. A collection that was interrupted
    is completed; a complete one is left as it is.

    Parameters
    ----------
    folder
        Where to write; made if absent, otherwise empty or holding this very collection.
    n_songs
        Number of songs.
    seed
        Seed of everything that is drawn.
    confound
        0 to 1: probability that a song's language is replaced by its style's own.
    seconds
        Shortest and longest song, in seconds.
    workers
        Number of processes; 1 composes in this one.
    progress
        Called as ``progress(done, total)`` after every song.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UsageError
        If a parameter is out of range.
    SongscapeError
        If the folder holds anything else, or can't be written.
    """
    folder = Path(folder)
    seconds = (float(seconds[0]), float(seconds[1]))
    _check(n_songs, seed, confound, seconds, workers)
    parameters = {
        "composer": _COMPOSER,
        "n_songs": int(n_songs),
        "seed": int(seed),
        "confound": float(confound),
        "seconds": list(seconds),
    }
    try:
        _claim(folder, parameters)
        _compose(folder, parameters, workers, progress)
    except OSError as error:
        raise SongscapeError(
            f"{folder}: can't write the demo collection ({error.strerror or error});"
            " choose a folder on a disk with room that you may write to"
        ) from error
    return folder


def _check(
    n_songs: int, seed: int, confound: float, seconds: tuple[float, float], workers: int
) -> None:
    if n_songs < 1:
        raise UsageError(f"n_songs is {n_songs}: a collection needs at least 1 song")
    if seed < 0:
        raise UsageError(f"seed is {seed}: give a whole number of 0 or more")
    if not 0.0 <= confound <= 1.0:
        raise UsageError(f"confound is {confound}: give a number from 0 to 1")
    if not 1.0 <= seconds[0] <= seconds[1] <= 600.0:
        raise UsageError(
            f"seconds is {seconds[0]:g} to {seconds[1]:g}: give two lengths in order, from 1 to 600"
        )
    if workers < 1:
        raise UsageError(f"workers is {workers}: at least 1 process is needed")


def _claim(folder: Path, parameters: dict[str, Any]) -> None:
    """Make the folder ours, or refuse it."""
    if folder.exists() and not folder.is_dir():
        raise SongscapeError(f"{folder}: is a file, not a folder; choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / _RECORD
    if not record.exists():
        # A draft of the record is what a run killed in its first moment leaves.
        if any(entry.name != f".{_RECORD}.part" for entry in folder.iterdir()):
            raise SongscapeError(
                f"{folder}: holds other files and is no demo collection;"
                " choose an empty or new folder"
            )
        _write_record(folder, parameters, complete=False)
        return
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
        earlier = {name: found[name] for name in parameters}
    except (ValueError, TypeError, KeyError):
        raise SongscapeError(
            f"{record}: was not written by the demo composer; choose an empty or new folder"
        ) from None
    if earlier != parameters:
        names = [name for name in parameters if earlier[name] != parameters[name]]
        differing = ", ".join(f"{name} {earlier[name]}" for name in names)
        raise SongscapeError(
            f"{folder}: holds a demo collection composed with {differing};"
            " choose another folder or remove that one"
        )


def _write_record(folder: Path, parameters: dict[str, Any], *, complete: bool) -> None:
    content = json.dumps({**parameters, "complete": complete}, indent=2) + "\n"
    write_whole(folder / _RECORD, content.encode())


def _compose(
    folder: Path,
    parameters: dict[str, Any],
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    seed, low_high = parameters["seed"], tuple(parameters["seconds"])
    plans = plan_collection(parameters["n_songs"], seed, parameters["confound"])
    missing = [plan for plan in plans if not _is_there(folder, plan)]
    table = folder / "tracks.csv"
    if not missing and table.exists():
        return
    (folder / "audio").mkdir(exist_ok=True)
    (folder / "lyrics").mkdir(exist_ok=True)
    done = len(plans) - len(missing)
    job = partial(_compose_one, folder=folder, seed=seed, seconds=low_high)
    for _ in _each(job, missing, workers):
        done += 1
        if progress is not None:
            progress(done, len(plans))
    write_whole(table, _truth_table(plans, seed).encode())
    _write_record(folder, parameters, complete=True)


def _is_there(folder: Path, plan: SongPlan) -> bool:
    sidecar = plan.instrumental or (folder / plan.lyrics_path).exists()
    return sidecar and (folder / plan.audio_path).exists()


def _each(job: Callable[[SongPlan], None], plans: list[SongPlan], workers: int) -> Iterator[None]:
    """Run the job on every plan, in as many processes as are worth starting."""
    workers = min(workers, len(plans))
    if workers <= 1:
        for plan in plans:
            job(plan)
            yield
        return
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)
    try:
        for future in as_completed([executor.submit(job, plan) for plan in plans]):
            future.result()
            yield
    finally:
        # On an interrupt the songs in hand are finished (a second or so), the rest dropped.
        executor.shutdown(wait=True, cancel_futures=True)


def _prepare_worker() -> None:
    # The terminal sends Ctrl-C to every process; only the parent is to act on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def _compose_one(plan: SongPlan, *, folder: Path, seed: int, seconds: tuple[float, float]) -> None:
    from songscape.demo.song import compose_song

    song = compose_song(plan, seed, seconds)
    lyrics = _lyrics(plan, seed)
    if lyrics is not None:
        text = lyrics.to_text()
        if plan.timed:
            end = song.samples.shape[1] / SYNTHESIS_RATE
            text = to_lrc(lyrics, plan.artist_name, song.sung_from, end)
        write_whole(folder / plan.lyrics_path, text.encode())
    serial = (seed * 1_000_003 + plan.index) % 2**32
    write_audio(folder / plan.audio_path, song.samples, plan.container, plan.sample_rate, serial)


def _lyrics(plan: SongPlan, seed: int) -> Lyrics | None:
    if plan.instrumental:
        return None
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(4, plan.index)))
    return write_lyrics(rng, plan.languages, plan.theme)


def _truth_table(plans: list[SongPlan], seed: int) -> str:
    from songscape.demo.song import draw_tempo

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for plan in plans:
        lyrics = _lyrics(plan, seed)
        writer.writerow(
            (
                plan.id,
                plan.audio_path,
                plan.lyrics_path,
                lyrics.title if lyrics else f"Untitled no. {plan.index + 1}",
                plan.artist_name,
                plan.languages[0] if plan.languages else "",
                "; ".join(plan.languages),
                plan.style,
                plan.theme,
                draw_tempo(plan, seed),
                "yes" if plan.instrumental else "no",
                "" if plan.instrumental else "yes" if plan.lyrics_match else "no",
            )
        )
    return text.getvalue()
