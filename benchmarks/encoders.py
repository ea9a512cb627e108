"""Encoders: processor time per song, and musicnn beside the package's own code.

    make encoders                                        # brings the packages into build/encoders
    PYTHONPATH=build/encoders python benchmarks/encoders.py [--clips 5]
    ... --original PYTHON    # one that has musicnn, TensorFlow and NumPy 1

On one core. A clip is 30 s of music-like sound, decoding included; a song of words has 30 distinct
lines. The first of each is not counted: it waits for the weights. `--original` has the package
itself read the same file as often, in a process of its own (one thread), and gives the ratio.
"""

# ruff: noqa: E402 (thread limits are read when numpy is loaded)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from songscape.features.encoders.registry import ENCODERS
from songscape.features.encoders.sound import encode_file
from songscape.features.encoders.text import encode_lyrics

SR = 16_000
ORIGINAL = """
import os, sys, time
from musicnn.extractor import extractor
for _ in range(int(sys.argv[2])):
    started = time.process_time()
    extractor(sys.argv[1], model="MTT_musicnn", extract_features=True)
    print("seconds", time.process_time() - started)
"""
WORDS = [
    "river",
    "moon",
    "night",
    "light",
    "stone",
    "fire",
    "rain",
    "road",
    "heart",
    "home",
    "summer",
    "wind",
    "sea",
    "bridge",
]


def write_clip(path: Path) -> None:
    time_s = np.arange(30 * SR) / SR
    rng = np.random.default_rng(0)
    notes = sum(
        np.sin(2 * np.pi * f * time_s) * (np.sin(2 * np.pi * r * time_s) > 0)
        for f, r in ((220, 1.0), (330, 0.5), (880, 2.0))
    )
    soundfile.write(path, 0.05 * notes + 0.01 * rng.standard_normal(len(time_s)), SR)


def seconds(call: Callable[[], object], times: int) -> float:
    """Median processor time of a call, the first left out."""
    took = []
    for _ in range(times + 1):
        started = time.process_time()
        call()
        took.append(time.process_time() - started)
    return float(np.median(took[1:]))


def original_seconds(python: str, clip: Path, times: int) -> float:
    """Median processor time of the package's own extractor, the first left out."""
    command = [python, "-c", ORIGINAL, str(clip), str(times + 1)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = [float(w.split()[1]) for w in done.stdout.splitlines() if w.startswith("seconds")]
    if len(took) <= times:
        sys.exit(f"{python}: musicnn does not run there: {done.stderr.strip()[-300:]}")
    return float(np.median(took[1:]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=5, help="how often each is measured")
    parser.add_argument("--original", help="a Python that has the original musicnn")
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    absent = [name for name, encoder in ENCODERS.items() if not encoder.is_installed]
    if absent:
        sys.exit(f"not installed: {', '.join(absent)}; see the first lines of this file")
    rng = np.random.default_rng(0)
    songs = ["\n".join(" ".join(rng.choice(WORDS, 6)) for _ in range(30)) for _ in range(16)]
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.wav"
        write_clip(clip)
        for name, encoder in ENCODERS.items():
            if encoder.modality == "audio":
                took[name] = seconds(lambda n=name: encode_file(str(clip), [n]), arguments.clips)
            else:
                batch = seconds(lambda n=name: encode_lyrics(n, songs), arguments.clips)
                took[name] = batch / len(songs)
            rate = 1 / took[name]
            print(f"{name}: {took[name]:.3f} s a song, {rate:.1f} songs a second and core")
        if arguments.original:
            theirs = original_seconds(arguments.original, clip, arguments.clips)
            ratio = theirs / took["musicnn"]
            print(f"musicnn's own code: {theirs:.3f} s a clip; ours is {ratio:.1f} times as fast")
    return 0


if __name__ == "__main__":
    sys.exit(main())
