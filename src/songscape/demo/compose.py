"""Composes a demo collection: audio files, lyric sidecars and the table of ground truth."""

import csv
import io
import json
from collections.abc import Callable
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

import numpy as np

from songscape.demo.files import write_audio
from songscape.demo.plan import SongPlan, plan_collection
from songscape.demo.song import compose_song, draw_tempo
from songscape.demo.synthesis import SYNTHESIS_RATE
from songscape.demo.words import SongText, to_lrc, write_lyrics
from songscape.errors import SongscapeError, UsageError
from songscape.results import write_bytes, write_json
from songscape.workers import IsolatingExecutor, WorkerError

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
        0 to 1: probability that a song's language is replaced by the one of its style.
    seconds
        Shortest and longest song, in seconds.
    workers
        Number of processes.
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
    shortest, longest = float(seconds[0]), float(seconds[1])
    between = f"{shortest:g} to {longest:g}: give two lengths in order, from 1 to 600"
    for name, is_right, wrong in (
        ("n_songs", n_songs >= 1, f"{n_songs}: a collection needs at least 1 song"),
        ("seed", seed >= 0, f"{seed}: give a whole number of 0 or more"),
        ("confound", 0.0 <= confound <= 1.0, f"{confound}: give a number from 0 to 1"),
        ("seconds", 1.0 <= shortest <= longest <= 600.0, between),
        ("workers", workers >= 1, f"{workers}: at least 1 process is needed"),
    ):
        if not is_right:
            raise UsageError(f"{name} is {wrong}")
    parameters: dict[str, Any] = {"composer": _COMPOSER, "n_songs": n_songs, "seed": seed}
    parameters |= {"confound": float(confound), "seconds": [shortest, longest]}
    try:
        _start(folder, parameters)
        _compose(folder, parameters, workers, progress)
    except (OSError, WorkerError) as error:
        raise SongscapeError(
            f"{folder}: can't write the demo collection"
            f" ({getattr(error, 'strerror', None) or error});"
            " choose a folder that you may write to, on a disk with free space"
        ) from error
    return folder


def _start(folder: Path, parameters: dict[str, Any]) -> None:
    """Make the folder with its record, or refuse one that holds anything else."""
    if folder.exists() and not folder.is_dir():
        raise SongscapeError(f"{folder}: is a file, not a folder; choose another name")
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / _RECORD
    if not record.exists():
        # A run that was killed in its first moment leaves a draft of the record.
        if any(entry.name != ".demo.partial.json" for entry in folder.iterdir()):
            raise SongscapeError(
                f"{folder}: holds other files and is no demo collection;"
                " choose an empty or new folder"
            )
        write_json(record, {**parameters, "complete": False})
        return
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        earlier = {name: content[name] for name in parameters}
    except (ValueError, TypeError, KeyError):
        raise SongscapeError(
            f"{record}: was not written by the demo composer; choose an empty or new folder"
        ) from None
    differing = ", ".join(f"{k} {earlier[k]}" for k in parameters if earlier[k] != parameters[k])
    if differing:
        raise SongscapeError(
            f"{folder}: holds a demo collection composed with {differing};"
            " choose another folder or remove that one"
        )


def _compose(
    folder: Path,
    parameters: dict[str, Any],
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    seed = parameters["seed"]
    plans = plan_collection(parameters["n_songs"], seed, parameters["confound"])
    missing = [
        plan
        for plan in plans
        if not (folder / plan.audio_path).exists()
        or not (plan.instrumental or (folder / plan.lyrics_path).exists())
    ]
    table = folder / "tracks.csv"
    if not missing and table.exists():
        return
    (folder / "audio").mkdir(exist_ok=True)
    (folder / "lyrics").mkdir(exist_ok=True)
    done = len(plans) - len(missing)
    with IsolatingExecutor(max(1, min(workers, len(missing))), light=False) as pool:
        arguments = str(folder), seed, parameters["seconds"]
        for task in as_completed([pool.submit(_compose_one, plan, *arguments) for plan in missing]):
            task.result()
            done += 1
            if progress is not None:
                progress(done, len(plans))
    rows = [_truth(plan, seed) for plan in plans]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(table, text.getvalue().encode())
    write_json(folder / _RECORD, {**parameters, "complete": True})


def _compose_one(plan: SongPlan, folder: str, seed: int, seconds: tuple[float, float]) -> None:
    samples, sung_from = compose_song(plan, seed, seconds)
    lyrics = _lyrics(plan, seed)
    if lyrics is not None:
        text = lyrics.to_text()
        if plan.timed:
            end = samples.shape[1] / SYNTHESIS_RATE
            text = to_lrc(lyrics, plan.artist_name, sung_from, end)
        write_bytes(Path(folder, plan.lyrics_path), text.encode())
    serial = (seed * 1_000_003 + plan.index) % 2**32
    path = Path(folder, plan.audio_path)
    write_audio(path, samples, plan.container, plan.sample_rate, serial)


def _lyrics(plan: SongPlan, seed: int) -> SongText | None:
    if plan.instrumental:
        return None
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(4, plan.index)))
    return write_lyrics(rng, plan.languages, plan.theme)


def _truth(plan: SongPlan, seed: int) -> dict[str, object]:
    """A row of ``tracks.csv``; an instrumental's lyrics, languages, theme and match are empty."""
    lyrics = _lyrics(plan, seed)
    return {
        "id": plan.id,
        "audio": plan.audio_path,
        "lyrics": plan.lyrics_path,
        "title": lyrics.title if lyrics else f"Untitled no. {plan.index + 1}",
        "artist": plan.artist_name,
        "language": "".join(plan.languages[:1]),
        "languages": "; ".join(plan.languages),
        "genre": plan.style,
        "theme": plan.theme,
        "tempo": draw_tempo(plan, seed),
        "instrumental": "yes" if plan.instrumental else "no",
        "lyrics_match": "" if plan.instrumental else "yes" if plan.lyrics_match else "no",
    }
