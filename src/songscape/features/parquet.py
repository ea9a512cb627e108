"""Features as a folder of Parquet files: workers write them, training reads them in batches.

For collections that one SQLite file should not carry. Each file holds tracks that follow each other
by id, about as many as were asked for: it ends where a hash of the id says so, so that a new track
changes one file. Its name is a digest of what it was made from. Nothing is written twice, and what
was written stays if the command stops.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from songscape.errors import SongscapeError
from songscape.features.analyse import N_SEGMENTS, analyse_file, recipes_for
from songscape.features.decode import DEFAULT
from songscape.features.jobs import Progress, Runner, call_of
from songscape.features.views import View, Views
from songscape.ingest.remote import Folder
from songscape.library import Analysis, Collection, Counts, FileStamp, Track
from songscape.workers import WorkerError, available_cores, each_done, run_limited

FEATURES = ("timbre", "segments", "rhythm", "mel", "harmony", "descriptors")
"""All but the sequence, which is twice as large as the others together."""
FACTS = ("duration_s", "sample_rate", "channels", "codec", "loudness_dbfs", "digest")
PER_FILE = 1024
SCAN = "scan.parquet"
_OF_SEGMENTS = ("segments", "mel")


def extract_to_parquet(
    collection: Collection,
    folder: str,
    *,
    excerpt: str = DEFAULT,
    per_file: int = PER_FILE,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Counts:
    """Analyse a `collection` into Parquet files; those that are there already stay.

    The `folder`, or its URL, must be one that all workers can write to; files hold `per_file`
    tracks on average. An `executor` such as that of a Dask client makes `workers` files at a time;
    without one this machine does. `excerpt` is what is read of files over a minute, and `progress`
    is called with the tracks that are done and all. Raises `SongscapeError` if a file cannot be
    written.
    """
    place, parts = Folder(folder), dict(_parts(collection.tracks, excerpt, per_file))
    before, total = place.names(), len(collection.tracks)
    done = sum(len(tracks) for name, tracks in parts.items() if name in before)
    calls = (
        (len(tracks), (write_part, folder, name, [_row(track, excerpt) for track in tracks]))
        for name, tracks in parts.items()
        if name not in before
    )
    runner, count = Runner(workers, executor, progress), workers or available_cores()
    threads = ThreadPoolExecutor(count)
    runner.tell(done, total)
    try:
        for n_tracks, future in each_done((executor or threads).submit, calls, 2 * count):
            future.result()
            done += n_tracks
            runner.tell(done, total)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    refused = {r.track_id: r for r in collection.problems if r.stage == "scan"}.values()
    left = [
        {"id": row.track_id, "status": row.status, "reason": row.reason}
        for row in refused
        if row.status in ("failed", "skipped")
    ]
    place.write(SCAN, _file(left))
    for name in before - parts.keys() - {SCAN}:
        if name.startswith("part-"):
            place.remove(name)
    return ParquetFeatures(folder).counts()


def _parts(
    tracks: Sequence[Track], excerpt: str, per_file: int
) -> Iterator[tuple[str, list[Track]]]:
    """Names of files, and the tracks in each."""
    recipes = [recipes_for(excerpt, seconds)[n] for seconds in (0.0, np.inf) for n in FEATURES]
    part: list[Track] = []
    for number, track in enumerate(tracks, 1):
        part.append(track)
        mark = hashlib.blake2b(ascii(track.id).encode(), digest_size=8).digest()
        is_end = int.from_bytes(mark, "big") % per_file == 0 or len(part) >= 4 * per_file
        if is_end or number == len(tracks):
            hasher = hashlib.blake2b(ascii(recipes).encode(), digest_size=12)
            for one in part:
                stamp = FileStamp.of(one.audio or "")
                known = (one.id, stamp.size, stamp.mtime_ns, one.span, one.lyrics)
                hasher.update(ascii((*known, sorted(one.labels.items()))).encode())
            yield f"part-{hasher.hexdigest()}.parquet", part
            part = []


def _row(track: Track, excerpt: str) -> tuple[Any, ...]:
    function, *arguments = call_of(track, analyse_file, FEATURES, excerpt)
    return track.id, track.lyrics, dict(track.labels), function, arguments


def write_part(folder: str, name: str, rows: Sequence[Sequence[Any]]) -> None:
    """Analyse some tracks, each in a child process with limits, and write their file."""
    found = []
    for track_id, lyrics, labels, function, arguments in rows:
        try:
            analysis = run_limited(function, *arguments)
        except WorkerError as error:
            analysis = Analysis(failure=f"{error}; convert it or remove it")
        status = "analysed" if analysis.failure is None else "failed"
        reason = analysis.failure or "; ".join(analysis.warnings)
        row = {"id": track_id, "status": status, "reason": reason, "lyrics": lyrics}
        row |= {"labels": list(labels.items())} | {f: analysis.facts.get(f) for f in FACTS}
        found.append(row | {n: np.ravel(x) for n, x in analysis.features.items()})
    Folder(folder).write(name, _file(found))


def _file(rows: Sequence[Mapping[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, number = pa.string(), pa.float64()
    kinds = dict.fromkeys(("id", "status", "reason", "lyrics"), text)
    kinds |= {"labels": pa.map_(text, text)} | dict.fromkeys(FACTS, number)
    kinds |= {"codec": text, "digest": text} | dict.fromkeys(FEATURES, pa.list_(pa.float32()))
    columns = {n: pa.array([row.get(n) for row in rows], kind) for n, kind in kinds.items()}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


class ParquetFeatures:
    """What `extract_to_parquet` wrote, tracks by id.

    Parameters
    ----------
    folder : str
        The folder, or its URL.

    Raises
    ------
    SongscapeError
        There is none.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Folder(folder)
        there = self._folder.names()
        if SCAN not in there:
            raise SongscapeError(f"{folder}: no features here; extract_to_parquet writes them")
        parts = {n: self._read(n, ["id", "status"]) for n in there if n.startswith("part-")}
        self._parts = sorted(parts, key=lambda name: parts[name]["id"][0].as_py())
        self._outcomes = [o for name in self._parts for o in parts[name]["status"].to_pylist()]

    def _read(self, name: str, columns: Sequence[str]) -> Any:
        import pyarrow.parquet as pq

        with self._folder.open(name) as file:
            return pq.ParquetFile(file).read(list(columns))

    def counts(self) -> Counts:
        """How many tracks there are, and what became of them."""
        every = [*self._outcomes, *self._read(SCAN, ["status"])["status"].to_pylist()]
        numbers = {name: every.count(name) for name in ("analysed", "skipped", "failed")}
        return Counts(found=len(every), **numbers, pending=0, warnings=0, failed_parts=0)

    def batches(self, names: Sequence[str]) -> Iterator[Views]:
        """The views of analysed tracks, file by file."""
        for part in self._parts:
            table = self._read(part, ["id", "status", *names])
            rows = [i for i, its in enumerate(table["status"].to_pylist()) if its == "analysed"]
            if rows:
                table = table.take(rows)
                blocks = {n: np.stack(table[n].to_numpy()).astype(np.float32) for n in names}
                ids = tuple(table["id"].to_pylist())
                yield Views(ids, {n: _view(n, values) for n, values in blocks.items()})

    def views(self, names: Sequence[str], cache: Path) -> Views:
        """The views of all analysed tracks as arrays in files below `cache`.

        Only the rows that are read are in memory: so models are trained, on
        batches of tracks.
        """
        arrays: dict[str, Any] = {}
        ids: list[str] = []
        for views in self.batches(names):
            rows = slice(len(ids), len(ids) + views.n_tracks)
            for name, view in views.items():
                if name not in arrays:
                    shape = (self._outcomes.count("analysed"), *view.shape[1:])
                    file = cache / f"{name}.npy"
                    arrays[name] = np.lib.format.open_memmap(file, "w+", np.float32, shape)
                arrays[name][rows] = view.values
            ids += views.track_ids
        if not ids:
            raise SongscapeError("no track could be analysed; the files say why")
        return Views(tuple(ids), {n: _view(n, array) for n, array in arrays.items()})


def _view(name: str, values: Any) -> View:
    """Of rows as they were written: one vector a track, in which segments follow each other."""
    mask = None
    if name in _OF_SEGMENTS:
        values = values.reshape(len(values), N_SEGMENTS, -1)
        mask = np.ones(values.shape[:2], bool)
    return View(values, np.ones(len(values), bool), mask, modality="audio")
