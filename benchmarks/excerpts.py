"""Which part of a long file stands for it: neighbours of the same label, by each choice of excerpt.

    python benchmarks/excerpts.py FOLDER LABEL [--songs 6] [--views segments,rhythm]
    python benchmarks/excerpts.py FOLDER composer

Long files are made of a collection of short ones: each is `--songs` songs of one value of LABEL,
one after the other, with a fade at both ends. So the parts of a file differ as much as songs of a
composer or a genre do; parts of one recording differ less, and what an excerpt loses here is more
than it loses of most music. Every choice reads the same files; neighbours are those in the space of
`balanced-lda` on the audio views, differences are to whole files, paired by file, with the 95 %
interval of a bootstrap. Last comes the time that each choice takes of an MP3 of four minutes, in
one process, and how many times faster it is than librosa with the whole file.
"""

# ruff: noqa: E402 (thread limits are read when numpy is loaded)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import soundfile
from extract import usual

from songscape.features.analyse import RECIPES, analyse_file
from songscape.features.decode import DEFAULT, SAMPLE_RATE, load_mono
from songscape.features.extract import extract
from songscape.features.loading import load_views
from songscape.ingest import read_collection
from songscape.library import Library
from songscape.metrics.neighbours import knn_agreement_samples, knn_chance, nearest_neighbors
from songscape.models.presets import make_model
from songscape.settings import EXCERPTS
from songscape.statistics.intervals import paired_difference

K = 10
FADE_S = 8.0


def make(source: Path, label: str, n_songs: int, folder: Path) -> dict[str, str]:
    """Long files below `folder`; the label of each, by its id."""
    by_label: dict[str, list[Path]] = {}
    for track in read_collection(source).tracks:
        if track.audio is not None and track.labels.get(label):
            by_label.setdefault(track.labels[label], []).append(track.audio)
    labels: dict[str, str] = {}
    fade = np.linspace(0, 1, int(FADE_S * SAMPLE_RATE), dtype=np.float32)
    for value, paths in sorted(by_label.items()):
        for start in range(0, len(paths) - n_songs + 1, n_songs):
            y = np.concatenate([load_mono(path) for path in paths[start : start + n_songs]])
            y[: len(fade)] *= fade
            y[-len(fade) :] *= fade[::-1]
            name = f"{len(labels):04d}"
            soundfile.write(folder / f"{name}.flac", y, SAMPLE_RATE)
            labels[name] = value
    return labels


def agreement(folder: Path, labels: dict[str, str], excerpt: str, views: list[str]) -> np.ndarray:
    """Of each file, the share of its 10 nearest that have its label."""
    with Library.open(folder.parent / f"{excerpt}.db") as library:
        counts = extract(library, read_collection(folder), excerpt=excerpt)
        assert counts.analysed == len(labels), counts
        found = load_views(library, views)
    X = make_model("balanced-lda", views=views).fit(found).transform(found)
    of_files = np.array([labels[track_id] for track_id in found.track_ids])
    return knn_agreement_samples(nearest_neighbors(X, K), of_files)


def speeds(folder: Path) -> None:
    rng = np.random.default_rng(0)
    path = folder / "long.mp3"
    with soundfile.SoundFile(path, "w", 44_100, 2) as file:
        for _ in range(240):
            file.write(rng.normal(0, 0.05, (44_100, 2)))
    ways = {f"ours, {kind}": kind for kind in EXCERPTS} | {"librosa, whole": ""}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(6):
        for name, kind in ways.items():
            started = time.process_time()
            usual(path) if not kind else analyse_file(str(path), RECIPES, kind)
            if number:  # the first round imports and compiles
                taken[name].append(time.process_time() - started)
    of_librosa = np.median(taken["librosa, whole"])
    for name, seconds in taken.items():
        ratio = of_librosa / np.median(seconds)
        print(f"{name:16} {1e3 * np.median(seconds):7.0f} ms   {ratio:5.1f} x librosa")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("label")
    parser.add_argument("--songs", type=int, default=6, help="songs that make a file")
    parser.add_argument("--views", default="segments,rhythm")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "long"
        folder.mkdir()
        labels = make(arguments.source, arguments.label, arguments.songs, folder)
        values = np.array(list(labels.values()))
        chance = knn_chance(values)[0]
        print(f"{len(labels)} files of {len(set(labels.values()))} values; chance {chance:.3f}")
        base = None
        for kind in EXCERPTS:
            samples = agreement(folder, labels, kind, arguments.views.split(","))
            base = samples if base is None else base
            change = paired_difference(samples, base)
            print(
                f"{kind:9} {np.nanmean(samples):.3f} ({change.estimate:+.3f}, "
                f"{change.low:+.3f} to {change.high:+.3f})",
                flush=True,
            )
        print(f"default: {DEFAULT}")
        speeds(Path(temporary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
