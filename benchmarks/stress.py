"""What Songscape does with damaged files, kills and odd places; prints how many of each held.

    python benchmarks/stress.py [--files 300] [--tags 300] [--tables 100] [--kills 9]
    python benchmarks/stress.py --only kills --kills 50 --songs 100 --signals SIGKILL
    python benchmarks/stress.py --only fuzz tags --files 2000 --tags 2000

`fuzz`: sounds and lyrics with random damage, a hundred to a collection. Every file is accounted
for, no run ends in a traceback, and no worker takes long. `tags`: damaged tags and lyrics, read or
refused in one line, none by the end of its worker. `tables`: damaged tables, likewise. `kills`:
SIGKILL, SIGTERM and SIGINT at random moments, one run after the other on the same folder (a song is
three files); no kill costs a track that was done, and then an undisturbed run has the features of
one that was never disturbed. `places`: collections and results folders that can't be read, written,
or that vanish in the middle. What did not hold is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from mutations import lyrics_seeds, mutated, read_table, sound_seeds, table_seeds, tag_seeds

from songscape.errors import SongscapeError
from songscape.features.analyse import RECIPES
from songscape.ingest.reading import read_in_workers
from songscape.library import Library, Tags
from songscape.workers import WorkerError, run_limited

RUN = [sys.executable, "-m", "songscape", "run"]
QUICK = ["--models", "pca,balanced-pca", "--clusterers", "kmeans", "--k", "2", "--seeds", "0"]
LONGEST_S = 600.0


@dataclass
class Tally:
    """How often what happened, and what should not have."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def expect(self, holds: bool, what: str) -> None:
        self.counts["held" if holds else "wrong"] += 1
        if not holds:
            self.wrong.append(what)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str
    seconds: float

    @property
    def is_tidy(self) -> bool:
        return "Traceback" not in self.err and "Exception ignored" not in self.err


def run(
    collection: Path, out: Path, meanwhile: Callable[[subprocess.Popen], None] | None = None
) -> Ended:
    """One run of the command, with something done to it meanwhile."""
    started = time.monotonic()
    process = subprocess.Popen(
        [*RUN, str(collection), "--out", str(out), *QUICK],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if meanwhile is not None:
        meanwhile(process)
    try:
        printed, said = process.communicate(timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, said = process.communicate()
        said += "\nTraceback: took too long"
    return Ended(process.returncode, printed, said, time.monotonic() - started)


def is_accounted(out: Path, tally: Tally, what: str) -> None:
    """found = analysed + skipped + failed, and everything that failed has its reason."""
    if not (out / "songscape.db").exists():
        return
    with Library.open(out / "songscape.db", must_exist=True) as library:
        counts = library.counts()
        rows = [row for row in library.ledger() if row.status != "ok"]
    tally.counts["analysed"] += counts.analysed
    tally.counts["refused"] += counts.skipped + counts.failed
    total = counts.analysed + counts.skipped + counts.failed
    tally.expect(counts.found == total and not counts.pending, f"{what}: {counts}")
    for row in rows:
        tally.expect(len(row.reason.strip().splitlines()) == 1, f"{what}: {row}")
        tally.counts["crashed a worker"] += "its process crashed" in row.reason
        tally.counts["took too long"] += "took longer than" in row.reason
        tally.counts["took too much memory"] += "MB of memory" in row.reason


def fuzz(folder: Path, rng: np.random.Generator, n_files: int, tally: Tally) -> None:
    """Collections of damaged files, with undamaged ones among them."""
    sounds, words = sound_seeds(rng), lyrics_seeds()
    pieces = [*sounds.values(), *words.values(), rng.bytes(20_000)]
    for start in range(0, n_files, 100):
        collection = folder / f"fuzz{start}"
        collection.mkdir()
        for n in range(start, min(start + 100, n_files)):
            suffix, data = list(sounds.items())[n % len(sounds)]
            is_whole = n % 25 == 0
            damaged = data if is_whole else mutated(data, rng, pieces)
            (collection / f"{n:05d}.{suffix}").write_bytes(damaged)
            name, text = list(words.items())[n % len(words)]
            text = text if n % 3 == 0 else mutated(text, rng, pieces)
            (collection / f"{n:05d}.{name.rsplit('.', 1)[1]}").write_bytes(text)
        ended = run(collection, folder / f"fuzz{start}-out")
        tally.counts["files"] += len(list(collection.iterdir()))
        tally.expect(ended.is_tidy, f"fuzz {start}: {ended.err[-500:]}")
        tally.expect(ended.code in (0, 1, 2, 3), f"fuzz {start}: exit {ended.code}")
        is_accounted(folder / f"fuzz{start}-out", tally, f"fuzz {start}")


def fuzz_tags(folder: Path, rng: np.random.Generator, n_files: int, tally: Tally) -> None:
    """Damaged tags and lyrics: what is wrong is one line, and no reader crashes or hangs."""
    seeds = [("tags", *seed) for seed in tag_seeds().items()]
    seeds += [("lyrics", *seed) for seed in lyrics_seeds().items()]
    pieces = [data[:5000] for _, _, data in seeds]
    tasks = []
    for n in range(n_files):
        kind, name, data = seeds[n % len(seeds)]
        path = folder / f"{n:05d} {name}"
        path.write_bytes(mutated(data[:200_000], rng, pieces))
        tasks.append((kind, str(path), path.name))
    outcomes = list(read_in_workers(tasks))
    tally.expect(len(outcomes) == n_files, f"{len(outcomes)} outcomes")
    for (kind, _, name), outcome in zip(tasks, outcomes):
        is_tags = isinstance(outcome, Tags)
        reason = outcome.remark if is_tags else outcome.reason
        tally.expect(is_tags == (kind == "tags"), f"{name}: {outcome}")
        tally.expect(len(reason.splitlines()) <= 1, f"{name}: {reason}")
        for what in ("crashed", "took longer", "MB of memory"):
            tally.expect(what not in reason, f"{name}: {reason}")
        tally.counts[f"{kind} {'refused' if reason else 'read'}"] += 1
        if is_tags:
            for cell in outcome.cells.values():
                tally.expect(len(cell.splitlines()) == 1, f"{name}: {cell!r}")


def fuzz_tables(folder: Path, rng: np.random.Generator, n_tables: int, tally: Tally) -> None:
    """Damaged tables of three songs: read or refused in one line, within seconds."""
    names = ["a.mp3", "b.flac", "c.ogg"]
    for n in range(n_tables):
        collection = folder / f"table{n}"
        collection.mkdir()
        for name in names:
            (collection / name).write_bytes(b"ID3")
        name, text = list(table_seeds(names).items())[n % 2]
        (collection / name).write_bytes(mutated(text, rng, [text]))
        try:
            outcome = run_limited(read_table, str(collection), timeout_s=20.0)
        except WorkerError as error:
            outcome = f"wrong: {error}"
        tally.counts[f"tables {outcome.split(':')[0] if ':' in outcome else 'read'}"] += 1
        is_held = not outcome.startswith("wrong") and len(outcome.splitlines()) == 1
        tally.expect(is_held, f"table {n}: {outcome}")


def make_collection(folder: Path, rng: np.random.Generator, n_songs: int) -> Path:
    folder.mkdir()
    for n in range(n_songs):
        for suffix, data in sound_seeds(rng, 4.0).items():
            if suffix in ("flac", "mp3", "ogg"):
                (folder / f"{n:03d}-{suffix}.{suffix}").write_bytes(data)
    return folder


def digests(out: Path) -> dict[str, dict[str, str]]:
    with Library.open(out / "songscape.db", must_exist=True) as library:
        return {name: library.feature_digests(name) for name in RECIPES}


def send(process: subprocess.Popen, how: signal.Signals, after: float) -> None:
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(how)


def n_analysed(out: Path) -> int:
    """Tracks that are done; what a kill left must open."""
    if not (out / "songscape.db").exists():
        return 0
    with Library.open(out / "songscape.db") as library:
        return library.counts().analysed


def kills(
    folder: Path,
    rng: np.random.Generator,
    n_kills: int,
    n_songs: int,
    names: Sequence[str],
    tally: Tally,
) -> None:
    """Signals at random moments of one run after the other; each kind in turn."""
    collection = make_collection(folder / "songs", rng, n_songs)
    whole = run(collection, folder / "whole")
    tally.expect(whole.code == 0, f"undisturbed: {whole}")
    signals = [signal.Signals[name] for name in names]
    out = folder / "killed"
    for n in range(n_kills):
        how = signals[n % len(signals)]
        # Until all is read kills fall into the reading; then it begins anew.
        before = n_analysed(out)
        is_fresh = before == 3 * n_songs
        if is_fresh:
            shutil.rmtree(out, ignore_errors=True)
            before = 0
        after = rng.uniform(0.0, whole.seconds / (1 if is_fresh else 2))
        ended = run(collection, out, partial(send, how=how, after=after))
        name = f"{how.name} after {after:.1f} s"
        done = n_analysed(out)
        tally.expect(done >= before, f"{name}: {done} of {before} tracks are left")
        tally.counts["in the middle of reading"] += before < done < 3 * n_songs
        tally.counts[f"{how.name}: exit {ended.code}"] += 1
        # Before Songscape is loaded, the signal ends the interpreter itself.
        is_early = after < 0.7
        allowed = {0, -how if how == signal.SIGKILL or is_early else 128 + how, 128 + how}
        tally.expect(ended.code in allowed, f"{name}: exit {ended.code} {ended.err}")
        if not is_early:
            tally.expect(ended.is_tidy, f"{name}: {ended.err[-500:]}")
        if ended.code == 128 + how and not is_early:
            tally.expect(len(ended.err.splitlines()) == 1, f"{name}: {ended.err}")
    last = run(collection, out)
    tally.expect(last.code == 0, f"after the kills: {last}")
    tally.expect(digests(out) == digests(folder / "whole"), "features differ after the kills")


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
    """A file system with little room, where one can be made."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def when_some_are_done(out: Path, act: Callable[[], None]) -> Callable[[subprocess.Popen], None]:
    """Act on a run once its library holds a few tracks."""

    def meanwhile(process: subprocess.Popen) -> None:
        while process.poll() is None:
            try:
                done = n_analysed(out)
            except SongscapeError:  # no tables in it yet
                done = 0
            if done >= 3:
                act()
                return
            time.sleep(0.02)

    return meanwhile


def places(folder: Path, rng: np.random.Generator, tally: Tally) -> None:
    """Odd places; each must end with one line that says why, or do its work."""
    songs = make_collection(folder / "songs", rng, 8)

    def refused(name: str, ended: Ended) -> None:
        tally.expect(ended.is_tidy, f"{name}: {ended.err[-500:]}")
        says = [line for line in ended.err.splitlines() if line.startswith("songscape: ")]
        tally.expect(ended.code in (1, 2) and len(says) == 1, f"{name}: {ended}")

    def works(name: str, ended: Ended, codes: tuple[int, ...] = (0,)) -> None:
        tally.expect(ended.is_tidy and ended.code in codes, f"{name}: {ended}")

    (folder / "file").touch()
    refused("out is a file", run(songs, folder / "file"))
    refused("out below a file", run(songs, folder / "file" / "out"))
    refused("out in /proc", run(songs, Path("/proc/songscape")))
    refused("no collection", run(folder / "nowhere", folder / "a"))
    refused("a device as collection", run(Path("/dev/null"), folder / "b"))
    works("out within the collection", run(songs, songs / "results"))
    shutil.rmtree(songs / "results", ignore_errors=True)
    works("a name that is no UTF-8", run(songs, Path(os.fsdecode(bytes(folder) + b"/\xff\xfe"))))
    works("a name with a line break", run(songs, folder / "a\nb"))

    odd = shutil.copytree(songs, folder / "odd")
    (odd / "loop").symlink_to(odd)
    os.mkfifo(odd / "pipe.mp3")
    os.mkfifo(odd / "000-mp3.lrc")
    (odd / "zero.mp3").symlink_to("/dev/zero")
    (odd / "far.mp3").symlink_to("/nowhere")
    (odd / "folder.mp3").mkdir()
    (odd / os.fsdecode(b"\xff.mp3")).write_bytes((odd / "000-mp3.mp3").read_bytes())
    os.utime(odd / "001-mp3.mp3", (1e10, 1e10))  # the year 2286
    os.utime(odd / "002-mp3.mp3", (-1e9, -1e9))
    works("odd files", run(odd, folder / "odd-out"), (3,))
    is_accounted(folder / "odd-out", tally, "odd files")

    for megabytes in (1, 3):
        with small_disk(folder / f"disk{megabytes}", megabytes) as disk:
            if disk is None:
                tally.counts["left out: no right to mount"] += 1
            else:
                refused(f"a disk of {megabytes} MB", run(songs, disk / "out"))

    many = make_collection(folder / "many", rng, 40)
    out = folder / "deleted-out"
    ended = run(many, out, when_some_are_done(out, lambda: shutil.rmtree(out)))
    refused("results deleted midway", ended)
    out = folder / "vanished-out"
    gone = when_some_are_done(out, lambda: many.rename(folder / "moved"))
    refused("collection vanishes midway", run(many, out, gone))
    (folder / "moved").rename(many)
    works("collection is back", run(many, out))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=300, help="damaged sounds (default 300)")
    parser.add_argument("--tags", type=int, default=300, help="damaged tags and lyrics (300)")
    parser.add_argument("--tables", type=int, default=100, help="damaged tables (default 100)")
    parser.add_argument("--kills", type=int, default=9, help="signals sent (default 9)")
    parser.add_argument("--songs", type=int, default=15, help="songs for the kills (default 15)")
    parser.add_argument("--signals", nargs="+", default=["SIGTERM", "SIGINT", "SIGKILL"])
    parser.add_argument("--only", nargs="+", choices=("fuzz", "tags", "tables", "kills", "places"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    arguments = parser.parse_args()
    parts: dict[str, Callable[[Path, np.random.Generator, Tally], None]] = {
        "fuzz": lambda folder, rng, tally: fuzz(folder, rng, arguments.files, tally),
        "tags": lambda folder, rng, tally: fuzz_tags(folder, rng, arguments.tags, tally),
        "tables": lambda folder, rng, tally: fuzz_tables(folder, rng, arguments.tables, tally),
        "kills": lambda folder, rng, tally: kills(
            folder, rng, arguments.kills, arguments.songs, arguments.signals, tally
        ),
        "places": places,
    }
    figures, wrong = {}, False
    for name in arguments.only or parts:
        tally, started = Tally(), time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            parts[name](Path(folder), np.random.default_rng(arguments.seed), tally)
        figures[name] = dict(tally.counts) | {"seconds": round(time.monotonic() - started)}
        wrong |= bool(tally.wrong)
        if not arguments.json:
            print(f"{name}: " + ", ".join(f"{n:,} {what}" for what, n in figures[name].items()))
        for what in tally.wrong:
            print(f"  WRONG {what}", file=sys.stderr)
    if arguments.json:
        json.dump(figures, sys.stdout)
        print()
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
