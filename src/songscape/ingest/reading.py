"""Lyric and audio files -> words and tags, in worker processes: a bad file costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from songscape.ingest.files import display
from songscape.ingest.lyrics import read_lyrics
from songscape.ingest.tags import read_tags
from songscape.library.records import FileStamp, Lyrics, Tags
from songscape.workers import IsolatingExecutor, WorkerError, available_cores

BATCH = 64
"""Files that a worker reads at a time."""
TIME_LIMIT_S = 30.0

Task = Sequence[str]
"""A file to read: "lyrics" or "tags", its path, and the name to show."""
Reader = Callable[[Sequence[Task]], Iterable[Lyrics | Tags]]
"""Reads files, and gives what is in them in their order."""


def read_batch(tasks: Sequence[Task]) -> list[Lyrics | Tags]:
    """Read files in this process."""
    read: Mapping[str, Callable[[str, str], Lyrics | Tags]]
    read = {"lyrics": read_lyrics, "tags": read_tags}
    return [read[kind](path, shown) for kind, path, shown in tasks]


def read_in_workers(tasks: Sequence[Task]) -> Iterator[Lyrics | Tags]:
    """Read files in worker processes, so that a file that crashes its reader costs only itself."""
    if not tasks:
        return
    batches = [tasks[start : start + BATCH] for start in range(0, len(tasks), BATCH)]
    with IsolatingExecutor(min(available_cores(), len(batches)), TIME_LIMIT_S) as pool:
        for batch, outcome in [(batch, pool.submit(read_batch, batch)) for batch in batches]:
            try:
                yield from outcome.result()
            except WorkerError:
                for task in batch:
                    yield _read_alone(pool, task)


def _read_alone(pool: IsolatingExecutor, task: Task) -> Lyrics | Tags:
    kind, _, shown = task
    try:
        outcome: list[Lyrics | Tags] = pool.submit(read_batch, [task]).result()
    except WorkerError as error:
        if kind == "lyrics":
            return Lyrics(None, "failed", f"{shown}: cannot be read ({error}); remove it")
        return Tags(remark=f"{shown}: its tags cannot be read ({error}); write them again")
    return outcome[0]


def read_files(
    root: Path, kinds: Mapping[str, str], known: Mapping[FileStamp, Lyrics | Tags], read: Reader
) -> dict[str, tuple[FileStamp, Lyrics | Tags]]:
    """What is in files ("lyrics" or "tags" of each place below `root`), by place.

    Files in a state that is `known` are not opened.
    """
    stamps = {place: FileStamp.of(root / place) for place in sorted(kinds)}
    new = [place for place, stamp in stamps.items() if stamp not in known]
    outcomes = read([(kinds[place], stamps[place].path, display(place)) for place in new])
    found = dict(zip(new, outcomes, strict=True))
    return {place: (s, found[place] if place in found else known[s]) for place, s in stamps.items()}
