"""Memory of extraction: flat from 500 to 10,000 tracks, in the process that writes and a worker.

    python benchmarks/extraction_memory.py [--tracks 500 10000] [--seconds 2] [--minutes 10]

Every number of tracks is extracted in a process of its own with two workers: short songs, and one
that is some minutes long. Prints the peak resident memory of the writing process and of its
largest worker, and the ratio of the largest number of tracks to the smallest (goal: 0.9 to 1.1;
under 300 MB a worker).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile


def extracted(folder: Path) -> dict[str, float]:
    """Extract a folder in this process, and say what memory that took, in MB."""
    from songscape.features.extract import extract
    from songscape.ingest import read_collection
    from songscape.library import Library

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with tempfile.TemporaryDirectory() as out, Library.open(Path(out) / "a.db") as library:
        counts = extract(library, read_collection(folder), workers=2)
    assert counts.analysed == counts.found, counts
    writer, worker = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {"tracks": counts.found, "start": before, "writer": writer, "worker": worker}


def make(folder: Path, n_tracks: int, seconds: float, minutes: float) -> None:
    """Songs that are links to one file, and a long one."""
    rng = np.random.default_rng(0)
    soundfile.write(
        folder / "short.flac", 0.1 * rng.standard_normal((int(seconds * 44_100), 2)), 44_100
    )
    for n in range(n_tracks - 2):
        os.link(folder / "short.flac", folder / f"song {n:05}.flac")
    with soundfile.SoundFile(folder / "long.ogg", "w", 44_100, 2) as file:
        for _ in range(int(minutes * 60)):
            file.write(0.1 * rng.standard_normal((44_100, 2)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, nargs="+", default=[500, 10_000])
    parser.add_argument("--seconds", type=float, default=2.0, help="length of the short songs")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the long one")
    parser.add_argument("--extract", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.extract is not None:
        print(json.dumps(extracted(arguments.extract)))
        return 0
    found = []
    for n_tracks in arguments.tracks:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), n_tracks, arguments.seconds, arguments.minutes)
            command = [sys.executable, __file__, "--extract", folder]
            found.append(json.loads(subprocess.run(command, stdout=-1, check=True).stdout))
        one = found[-1]
        print(
            f"{one['tracks']:>7,} tracks: writer {one['writer']:.0f} MB,"
            f" worker {one['worker']:.0f} MB",
            flush=True,
        )
    for who in ("writer", "worker"):
        print(f"{who}: {found[-1][who] / found[0][who]:.2f} x from the first to the last")
    return 0


if __name__ == "__main__":
    sys.exit(main())
