"""`songscape run` again with nothing changed: seconds and memory until the tracks are there.

    python benchmarks/rerun.py                          # 3,000 tracks, the working tree
    python benchmarks/rerun.py --against ../other/src   # and beside it the code of another checkout

Composes a collection once (short silent WAV files, lyrics in two languages, a `tracks.csv`) and
fills a library with random features of the usual sizes. Then a fresh process does what a second run
does before it trains or draws anything: scan, compare with the library, and load what the models
and the page will ask for. Each line is the median of `--repeats`; the first pass, which a library
that was just filled pays once, is printed too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
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
from songscape.features.analyse import EVERY_PASS, RECIPES
from songscape.ingest import read_collection
from songscape.library import Library
folder, path = Path(sys.argv[1]), Path(sys.argv[2])
try:
    from songscape.library import Analysis, FileStamp
except ImportError:
    from songscape.features.analyse import Analysis
    FileStamp = None
shapes = {"timbre": (160,), "mfcc": (40, 300), "segments": (10, 120), "rhythm": (160,)}
shapes["mel"] = (10, 128)
rng = np.random.default_rng(0)
collection = read_collection(folder)
with Library.open(path) as library:
    library.update(collection)
    for track in collection.tracks:
        arrays = {n: rng.standard_normal(shapes[n], dtype=np.float32) for n in EVERY_PASS}
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
RERUN = """
import json, resource, sys, time
start = time.perf_counter()
from pathlib import Path
from songscape.settings import Settings
try:
    import songscape.experiment.dataset as dataset
except ImportError:  # what it was called before
    import songscape.pipeline.inputs as dataset
folder, path, settings = Path(sys.argv[1]), Path(sys.argv[2]), Settings()
needed = dataset.views_needed(settings.models, options=settings.model_options)
if hasattr(dataset, "load_dataset"):
    with dataset.read_library(folder, path, settings, needed) as library:
        scanned = time.perf_counter()
        loaded = dataset.load_dataset(library, settings, needed)
    digest = loaded.digest
else:
    with dataset.read_library(folder, path, None, (), needed) as library:
        scanned = time.perf_counter()
        loaded = dataset.load_inputs(library, settings, needed)
    digest = loaded.views.digest()
end = time.perf_counter()
found = {"scan": scanned - start, "load": end - scanned, "cpu": time.process_time()}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found["peak"] = peak / (2**20 if sys.platform == "darwin" else 1024)
print(json.dumps(found | {"digest": digest}))
"""


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


def python(script: str, sources: Path, *arguments: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(sources)}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{sources}: {done.stderr.strip()}")
    return done.stdout


def measure(sources: Path, folder: Path, path: Path, repeats: int) -> None:
    """Print the first and the median of later passes."""
    python(FILL, sources, folder, path)
    print(f"\n{sources}: library of {path.stat().st_size / 1e6:.0f} MB")
    passes = [json.loads(python(RERUN, sources, folder, path)) for _ in range(repeats + 1)]
    assert len({each["digest"] for each in passes}) == 1, "every pass has the same input"
    later = {
        key: statistics.median(p[key] for p in passes[1:])
        for key in ("scan", "load", "cpu", "peak")
    }
    for name, found in (("first pass", passes[0]), (f"median of {repeats}", later)):
        seconds = found["scan"] + found["load"]
        print(
            f"{name:>12}: {seconds:5.2f} s (imports and scan {found['scan']:.2f}, "
            f"load {found['load']:.2f}), {found['cpu']:.2f} s of processor time, "
            f"peak {found['peak']:.0f} MB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=3_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--against", type=Path, help="src folder of another checkout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "collection"
        compose(folder, options.tracks)
        checkouts = [SOURCES, *([options.against.resolve()] if options.against else [])]
        for number, sources in enumerate(checkouts):
            measure(sources, folder, Path(scratch) / f"{number}.db", options.repeats)


if __name__ == "__main__":
    main()
