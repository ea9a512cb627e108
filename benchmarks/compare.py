"""`songscape compare --quick`: seconds and peak memory of the whole command.

    python benchmarks/compare.py                          # 1,000 songs, the working tree
    python benchmarks/compare.py --against ../other/src   # and beside it another checkout

The songs are those of `rerun.py`. Everything is trained, measured, tested and drawn: the default
models, baselines and clusterers with three seeds; `--models` takes fewer.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rerun import SOURCES, Cost, compose, fill, python


def measure(sources: Path, folder: Path, out: Path, options: argparse.Namespace) -> Cost:
    """Print the cost of one comparison."""
    fill(sources, folder, out)
    command = ["-m", "songscape", "compare", out, "--quick", "--workers", str(options.workers)]
    command += ["--models", options.models] if options.models else []
    cost = python(sources, *command)
    print(f"{sources}: {cost}", flush=True)
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--models", help="models beside the baselines, separated by commas")
    parser.add_argument("--against", type=Path, help="src folder of another checkout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "collection"
        compose(folder, options.tracks)
        ours = measure(SOURCES, folder, Path(scratch) / "ours", options)
        if options.against:
            theirs = measure(options.against.resolve(), folder, Path(scratch) / "theirs", options)
            print(f"ours / theirs: {ours.over(theirs)}")


if __name__ == "__main__":
    main()
