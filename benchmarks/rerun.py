"""`songscape run` again with nothing changed: seconds and peak memory of the whole command.

    python benchmarks/rerun.py                          # 3,000 tracks, the working tree
    python benchmarks/rerun.py --against ../other/src   # and beside it the code of another checkout

Composes a collection once (short files of noise, lyrics in two languages, a `tracks.csv`) and fills
a library with features of the usual sizes, in which every genre has its own mean. The first run
trains, clusters, measures and draws. The runs after it find that nothing has changed: they scan,
compare with the library, read what was measured, and write the tables and the page; no picture is
drawn again. Each of their figures is the median of `--repeats`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SOURCES = Path(__file__).resolve().parents[1] / "src"
SONGS = {
    "German": "wir gehen am fluss entlang wenn die lichter ausgehen und heute nacht singe ich für "
    "dich der mond ist aufgegangen über dem stillen wald niemand kennt den weg zurück nach haus",
    "English": "we walk along the river when the lights go down and i will sing for you tonight "
    "the evening star is rising over quiet hills nobody knows the way back home my love",
}
# Runs in a process of its own, with the sources of either checkout.
FILL = """
import sys, numpy as np
from pathlib import Path
from songscape.features.analyse import RECIPES
from songscape.ingest import read_collection
from songscape.library import Library
folder, path = Path(sys.argv[1]), Path(sys.argv[2])
try:
    from songscape.library import Analysis, FileStamp
except ImportError:
    from songscape.features.analyse import Analysis
    FileStamp = None
shapes = {"timbre": (160,), "mfcc": (40, 300), "segments": (10, 120), "rhythm": (160,)}
shapes |= {"mel": (10, 128), "harmony": (89,), "descriptors": (10,)}
rng = np.random.default_rng(0)
means = {n: rng.standard_normal((3, *shapes[n]), dtype=np.float32) / 2 for n in RECIPES}
collection = read_collection(folder)
with Library.open(path) as library:
    library.update(collection)
    for i, track in enumerate(collection.tracks):
        arrays = {n: rng.standard_normal(shapes[n], dtype=np.float32) for n in RECIPES}
        arrays = {n: array + means[n][i % 3] for n, array in arrays.items()}
        facts = {"duration_s": 30.0, "sample_rate": 22050, "digest": track.id, "channels": 1}
        facts |= {"peak_dbfs": -1.0, "loudness_dbfs": -12.0, "container": "WAV", "codec": "PCM_16"}
        status = track.audio.stat()
        state = {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
        if FileStamp is not None:
            state = {"stamp": FileStamp.of(track.audio)}
        library.store(
            track.id, Analysis(arrays, facts), recipe=RECIPES["timbre"], recipes=RECIPES, **state
        )
    try:
        from songscape.features.recheck import mark_decoded
    except ImportError:
        pass
    else:
        mark_decoded(library, library.track_ids())
"""
MODELS = "pca,balanced-pca,timbre-pca,tfidf,raw,random,language-only"
CLUSTERERS = "kmeans,ward,average,dbscan,hdbscan,gmm"


@dataclass(frozen=True)
class Cost:
    """Wall time and processor time in seconds, peak memory in MB; workers included."""

    seconds: float
    processor: float
    peak: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s, {self.processor:.2f} s of processor time, {self.peak:.0f} MB"

    @classmethod
    def median(cls, costs: Sequence[Cost]) -> Cost:
        """Of each figure."""
        each = (statistics.median(getattr(one, name) for one in costs) for name in vars(costs[0]))
        return cls(*each)

    def over(self, other: Cost) -> str:
        """This cost as a share of another."""
        pairs = zip(vars(self).items(), vars(other).values())
        return ", ".join(f"{name} {ours / theirs:.2f}" for (name, ours), theirs in pairs)


def compose(folder: Path, n_tracks: int) -> None:
    """Files that are quick to write and to look at: nobody decodes them here."""
    (folder / "audio").mkdir(parents=True)
    (folder / "lyrics").mkdir()
    rng = np.random.default_rng(0)
    rows = ["id,audio,artist,album,genre,language,year"]
    made_up = [f"word{i}" for i in range(8_000)]
    for i in range(n_tracks):
        name, language = f"{i:05}", "German" if i % 2 else "English"
        (folder / "audio" / f"{name}.wav").write_bytes(rng.bytes(64))
        words = [*rng.choice(SONGS[language].split(), 220), *rng.choice(made_up, 60)]
        lines = [" ".join(rng.permutation(words)[:7]) for _ in range(40)]
        (folder / "lyrics" / f"{name}.txt").write_text("\n".join(lines), encoding="utf-8")
        tagged = language if i % 3 else ""
        genre, artist = ("rock", "pop", "jazz")[i % 3], f"artist {i // 5}"
        rows.append(
            f"{name},audio/{name}.wav,{artist},album {i // 10},{genre},{tagged},{1960 + i % 60}"
        )
    (folder / "tracks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def python(sources: Path, *arguments: str | Path) -> Cost:
    """Run Python with the sources of a checkout."""
    command = [sys.executable, *map(str, arguments)]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        environment = {**os.environ, "PYTHONPATH": str(sources)}
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            said.seek(0)
            raise SystemExit(f"{sources}: {said.read().strip()[-2000:]}")
    peak = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
    return Cost(seconds, used.ru_utime + used.ru_stime, peak)


def fill(sources: Path, folder: Path, out: Path) -> None:
    """A results folder whose library has features of every track."""
    out.mkdir()
    python(sources, "-c", FILL, folder, out / "songscape.db")


def measure(sources: Path, folder: Path, out: Path, repeats: int) -> Cost:
    """Print the cost of the first run, and the median of the later ones."""
    fill(sources, folder, out)
    command = ["-m", "songscape", "run", folder, "--out", out]
    command += ["--models", MODELS, "--clusterers", CLUSTERERS, "--k", "6", "--workers", "1"]
    print(f"\n{sources}\n   first run: {python(sources, *command)}", flush=True)
    later = Cost.median([python(sources, *command) for _ in range(repeats)])
    print(f"   run again: {later} (median of {repeats})", flush=True)
    return later


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=3_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--against", type=Path, help="src folder of another checkout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "collection"
        compose(folder, options.tracks)
        ours = measure(SOURCES, folder, Path(scratch) / "ours", options.repeats)
        if options.against:
            theirs = options.against.resolve()
            theirs_again = measure(theirs, folder, Path(scratch) / "theirs", options.repeats)
            print(f"\nours / theirs, run again: {ours.over(theirs_again)}")


if __name__ == "__main__":
    main()
