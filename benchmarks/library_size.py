"""How a library's one file grows: writing, catalogue and views at several numbers of tracks.

    python benchmarks/library_size.py                             # 10,000 and 100,000 tracks
    python benchmarks/library_size.py --tracks 10000 100000 --folder /a/fast/disk

Tracks have features of the sizes that extraction stores (random numbers), labels and lyrics. One
line a number of tracks: tracks written in a second (the most that any number of workers can
deliver), bytes a track, seconds and memory to start again on an unchanged collection, seconds to
open and count, and to read the view `timbre`; then what 10 million tracks would need.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from metrics import peak_megabytes

from songscape.features.analyse import RECIPES, analyse_file
from songscape.features.loading import load_views
from songscape.library import Analysis, Collection, FileStamp, Library, Track


@cache
def shapes() -> dict[str, tuple[int, ...]]:
    """Of what is extracted from ten seconds of noise: all frames that are kept."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.wav"
        noise = np.random.default_rng(0).normal(0, 0.1, 220_500)
        soundfile.write(path, noise, 22_050)
        return {name: array.shape for name, array in analyse_file(str(path)).features.items()}


def analysis_of(rng: np.random.Generator, n: int) -> Analysis:
    """What one file gives, with a few hundred values drawn and the rest repeated."""
    drawn = rng.standard_normal(500, dtype=np.float32)
    features = {name: np.resize(drawn, shape) for name, shape in shapes().items()}
    facts = {"duration_s": 240.0, "sample_rate": 44_100, "channels": 2, "container": "MP3"}
    facts |= {"codec": "MPEG_LAYER_III", "bitrate_kbps": 192.0, "loudness_dbfs": -14.0}
    facts |= {"peak_dbfs": -0.1, "size_bytes": 5_760_000, "digest": f"{n:064x}"}
    return Analysis(features, facts | {"file_digest": f"sound:{n:032x}"})


def collection_of(n_tracks: int) -> Collection:
    root = Path("/music")
    words = "a line of a song that nobody has written down before\n" * 30  # and a number
    tracks = tuple(
        Track(
            f"artist {n // 120:06}/album {n // 12:07}/{n % 12 + 1:02} title {n:08}",
            root / f"artist {n // 120:06}/album {n // 12:07}/{n % 12 + 1:02} title {n:08}.mp3",
            words + str(n),
            {"title": f"title {n}", "artist": f"artist {n // 120}", "genre": f"genre {n % 20}"},
        )
        for n in range(n_tracks)
    )
    return Collection(root, tracks, (), ("title", "artist", "genre"))


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measured(path: Path, n_tracks: int) -> dict[str, float]:
    shapes()  # the libraries that this needs are not the library's memory
    rng, before = np.random.default_rng(0), peak_megabytes()
    collection = collection_of(n_tracks)
    with Library.open(path) as library:
        first = seconds(lambda: library.update(collection))
        started = time.perf_counter()
        for n, track in enumerate(collection.tracks):
            stamp = FileStamp(str(track.audio), 5_760_000, n, n)
            given = {"stamp": stamp, "recipe": RECIPES["timbre"], "recipes": RECIPES}
            library.store(track.id, analysis_of(rng, n), **given)
        writing = time.perf_counter() - started
        again = seconds(lambda: library.update(collection))
        again += seconds(lambda: (library.analysed_files(), library.track_ids("analysed")))
        memory = (peak_megabytes() - before) * 2**20 / n_tracks

    def count() -> None:
        with Library.open(path) as library:
            library.counts()

    def view() -> None:
        with Library.open(path) as library:
            load_views(library, ("timbre",))

    return {
        "tracks": n_tracks,
        "catalogued_per_s": n_tracks / first,
        "stored_per_s": n_tracks / writing,
        "bytes_per_track": path.stat().st_size / n_tracks,
        "again_s": again,
        "memory_per_track": memory,
        "count_s": seconds(count),
        "timbre_s": seconds(view),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--folder", type=Path, help="where to write (default: temporary)")
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    arguments = parser.parse_args()
    found = []
    for n_tracks in arguments.tracks:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            found.append(measured(Path(folder) / "songscape.db", n_tracks))
        one = found[-1]
        if not arguments.json:
            print(
                f"{n_tracks:>10,} tracks: {one['catalogued_per_s']:,.0f}/s catalogued, "
                f"{one['stored_per_s']:,.0f}/s stored, {one['bytes_per_track']:,.0f} bytes a track,"
                f" again {one['again_s']:.1f} s and {one['memory_per_track']:,.0f} bytes of memory "
                f"a track, counts {one['count_s']:.2f} s, "
                f"timbre {one['timbre_s']:.1f} s",
                flush=True,
            )
    if arguments.json:
        json.dump(found, sys.stdout)
        print()
        return 0
    last = found[-1]
    print(
        f"10 million tracks, at the rates of the last line: "
        f"{1e7 * last['bytes_per_track'] / 1e9:,.0f} GB, "
        f"{1e7 / last['stored_per_s'] / 3600:.1f} h of writing"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
