"""Features as Parquet files: bytes a track, and how fast and in how much memory they are read.

    python benchmarks/parquet.py [--tracks 20000] [--per-file 1024]

Tracks have features of the sizes that extraction stores, every number drawn anew: real ones
compress better. Prints tracks written in a second by one process, bytes a track, tracks read in a
second, batch by batch, of the views that `balanced-lda` reads from audio, seconds to put these into
arrays in files, and the memory that either takes. Twice the tracks must not take twice the memory.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from library_size import shapes
from metrics import peak_megabytes

from songscape.features.parquet import FEATURES, SCAN, ParquetFeatures, _file
from songscape.ingest.remote import Folder

READ = ("segments", "rhythm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--per-file", type=int, default=1024)
    arguments = parser.parse_args()
    rng, sizes = np.random.default_rng(0), {n: int(np.prod(shapes()[n])) for n in FEATURES}
    with tempfile.TemporaryDirectory() as place:
        folder, started = Folder(place), time.perf_counter()
        for first in range(0, arguments.tracks, arguments.per_file):
            rows = [
                {"id": f"{n:09d}", "status": "analysed", "reason": "", "labels": []}
                | {name: rng.standard_normal(size, np.float32) for name, size in sizes.items()}
                for n in range(first, min(first + arguments.per_file, arguments.tracks))
            ]
            folder.write(f"part-{first:09d}.parquet", _file(rows))
        folder.write(SCAN, _file([]))
        written = time.perf_counter() - started
        size = sum(path.stat().st_size for path in Path(place).iterdir()) / arguments.tracks
        print(f"{arguments.tracks / written:,.0f} tracks/s written, {size:,.0f} bytes a track")
        before, started = peak_megabytes(), time.perf_counter()
        features = ParquetFeatures(place)
        opened = time.perf_counter() - started
        n_tracks = sum(views.n_tracks for views in features.batches(READ))
        read = time.perf_counter() - started - opened
        print(f"opened in {opened:.2f} s; {n_tracks / read:,.0f} tracks/s read in batches")
        print(f"memory for that: {peak_megabytes() - before:,.0f} MB")
        before, started = peak_megabytes(), time.perf_counter()
        with tempfile.TemporaryDirectory() as cache:
            views = features.views(READ, Path(cache))
            print(f"into arrays in files: {time.perf_counter() - started:.1f} s")
            rows = np.sort(rng.choice(n_tracks, 64, replace=False))
            started = time.perf_counter()
            for _ in range(200):
                views.take(rows)
            print(f"a batch of 64 tracks: {(time.perf_counter() - started) / 200 * 1e3:.1f} ms")
            print(f"memory for that: {peak_megabytes() - before:,.0f} MB")


if __name__ == "__main__":
    main()
