"""What a cluster costs over worker processes: the same tracks by two workers of either kind.

    python benchmarks/cluster.py [--tracks 60] [--seconds 30] [--rounds 3]

The cluster is a `dask.distributed.LocalCluster` with two processes of one thread on this machine,
so both have the same cores. Prints tracks per second of each way, and their ratio (the median of
the rounds, in which both take their turn).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from distributed import LocalCluster

from songscape.dask_cluster import connected
from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.library import Library


def rate(folder: Path, **where: Any) -> float:
    """Tracks per second."""
    collection = read_collection(folder)
    with tempfile.TemporaryDirectory() as out, Library.open(Path(out) / "a.db") as library:
        started = time.perf_counter()
        counts = extract(library, collection, **where)
        assert counts.analysed == counts.found, counts
        return counts.found / (time.perf_counter() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=30, help="length of a track")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    found: dict[str, list[float]] = {"worker processes": [], "cluster": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(processes=True, **options) as local,
        connected(local.scheduler_address) as cluster,
    ):
        for n in range(arguments.tracks):
            noise = 0.1 * rng.standard_normal((arguments.seconds * 44_100, 2))
            soundfile.write(Path(folder) / f"{n:04}.mp3", noise, 44_100)
        rate(Path(folder), workers=2, executor=cluster)  # its workers start theirs
        for _ in range(arguments.rounds):
            found["worker processes"].append(rate(Path(folder), workers=2))
            found["cluster"].append(rate(Path(folder), workers=2, executor=cluster))
    for name, rates in found.items():
        print(f"{name}: {statistics.median(rates):.1f} tracks of {arguments.seconds} s per second")
    ratios = [b / a for a, b in zip(*found.values())]
    print(f"cluster / worker processes: {statistics.median(ratios):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
