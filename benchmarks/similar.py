"""How quickly similar songs are found: a cold `songscape similar`, and the search alone.

    OMP_NUM_THREADS=1 python benchmarks/similar.py [--tracks 10000] [--vectors 1000000] [--work DIR]

1. A results folder of synthetic songs is made, with titles, artists, albums, lyrics and more in its
   library, and `songscape similar` is started on it as a person does, 9 times (and once before,
   unmeasured). Goal: under 0.5 s.
2. An index of random vectors of 32 dimensions is asked for 10 neighbours 41 times, and one of
   100,000 of them for a path of 25 songs 5 times; an answer is compared with a search in double
   precision. Goals: 20 ms and 50 ms in the median.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from songscape.library import Library
from songscape.library.records import Analysis, Collection, FileStamp, Track
from songscape.models.presets import DEFAULT_FREE
from songscape.neighbours.index import Index
from songscape.results import ResultsFolder, write_latents

N_DIMENSIONS = 32


def make_folder(root: Path, n: int) -> ResultsFolder:
    """Songs that exist only in the catalogue."""
    rng = np.random.default_rng(0)
    folder = ResultsFolder(root / "out")
    folder.root.mkdir(parents=True)
    words = [f"word{i}" for i in range(5_000)]
    tracks = []
    for i in range(n):
        labels = {"title": f"Song number {i}", "artist": f"Artist {i // 10}", "genre": "folk"}
        labels |= {"album": f"Album {i // 12}", "language": ("German", "English")[i % 2]}
        labels |= {f"tag{j}": str(rng.integers(1_000)) for j in range(10)}
        text = " ".join(rng.choice(words, 150))
        tracks.append(Track(f"Artist {i // 10}/song {i}", root / f"{i}.mp3", text, labels))
    with Library.open(folder.library) as library:
        library.update(Collection(root, tuple(tracks), label_columns=tuple(tracks[0].labels)))
        for track in tracks:
            timbre = {"timbre": np.zeros(160, np.float32)}
            stamp = FileStamp(str(track.audio), 1, 1, 1)
            library.store(
                track.id, Analysis(timbre), stamp=stamp, recipe="r", recipes={"timbre": "r"}
            )
    vectors = rng.normal(size=(n, N_DIMENSIONS)).astype(np.float32)
    ids = tuple(sorted(track.id for track in tracks))
    names = [f"z{i}" for i in range(N_DIMENSIONS)]
    write_latents(folder.latents(DEFAULT_FREE, 0), ids, vectors, names, "key")
    return folder


def timed(function: Callable[[int], object], times: int) -> str:
    """Median and lowest of some calls, after one that is not counted."""
    function(0)
    taken = []
    for i in range(1, times + 1):
        start = time.perf_counter()
        function(i)
        taken.append(1e3 * (time.perf_counter() - start))
    return f"median {statistics.median(taken):.1f} ms, lowest {min(taken):.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tracks", type=int, default=10_000)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--work", type=Path)
    parsed = parser.parse_args()
    work = parsed.work or Path(tempfile.mkdtemp(prefix="songscape-similar-"))
    folder = ResultsFolder(work / "out")
    if not folder.library.exists():
        folder = make_folder(work, parsed.tracks)

    def cold(i: int) -> None:
        command = [sys.executable, "-m", "songscape", "similar", f"Song number {i}"]
        subprocess.run([*command, "--in", str(folder.root)], check=True, capture_output=True)

    print(f"songscape similar, cold, {parsed.tracks:,} tracks: {timed(cold, 9)}", flush=True)

    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(parsed.vectors, N_DIMENSIONS)).astype(np.float32)
    ids = [f"{i:07}" for i in range(parsed.vectors)]
    index = Index(ids, vectors)
    exact = np.linalg.norm(vectors.astype(float) - vectors[0], axis=1)
    middle = vectors.mean(axis=0, dtype=float)
    usual = np.square(vectors - middle).sum(axis=1) + np.square(vectors - middle).sum() / len(ids)
    exact /= usual**0.25
    found = [one.id for one in index.similar(ids[0], 10)]
    assert found == [ids[i] for i in np.argsort(exact)[1:11]], "not exact"
    took = timed(lambda i: index.similar(ids[i], 10), 41)
    print(f"Index.similar, {parsed.vectors:,} x {N_DIMENSIONS}, exact: {took}", flush=True)
    some = Index(ids[:100_000], vectors[:100_000])
    took = timed(lambda i: some.path(ids[i], ids[i + 1]), 5)
    print(f"Index.path of 25 songs, {len(some):,} x {N_DIMENSIONS}: {took}")


if __name__ == "__main__":
    main()
