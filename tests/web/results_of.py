"""A small results folder made by hand: songs whose places, groups and words are known."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from songscape.features.analyse import CORE, RECIPES
from songscape.library import Library
from songscape.library.records import Analysis, Collection, FileStamp, Track
from songscape.models.presets import DEFAULT_FREE, DEFAULT_NEUTRAL
from songscape.results import ResultsFolder, write_json, write_latents

HOSTILE = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    '"><svg onload=window.hacked=1>',
    "</script><script>window.hacked=1</script>",
    "javascript:window.hacked=1",
    "{{7*7}}${window.hacked=1}",
    "‮evil‬ <b>bold</b>",
    "<!--<script>",
    "'; DROP TABLE tracks; --",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
)
HOSTILE_FILES = (
    "a\nsecret",
    "\u202egpj.exe",
    "<img src=x onerror=window.hacked=1>",
    'x" onmouseover="window.hacked=1',
    "<script>window.hacked=1<",
    "x\r\nSet-Cookie: hacked=1",
    "\x1b[31mred",
    "../../../etc/passwd".replace("/", "\\"),
)
OTHER_SCRIPTS = ("ليالي البحر", "川の向こう", "নদীর ওপারে", "שיר לילה", "Río de noche", "Straße #7")
LANGUAGES = ("English", "Arabic", "Japanese")
GENRES = ("folk", "house", "waltz")
SECONDS = 6.0


def make_results(
    root: Path,
    n_songs: int = 36,
    *,
    titles: tuple[str, ...] = OTHER_SCRIPTS,
    n_groups: int = 3,
    hostile: bool = False,
    recordings: Sequence[Path] = (),
) -> ResultsFolder:
    """Songs in `n_groups` clouds: song `i` is of group i % n_groups, a tone in a WAV file.

    Song `i` is the slower the higher `i` is, and as loud as its group's number says. Hostile ones
    have markup in every tag, in the words, and in the names of files, groups and collection.
    `recordings` are the sound of the first songs.
    """
    if hostile:
        titles = HOSTILE
    rng = np.random.default_rng(0)
    folder = ResultsFolder(root / "results of songs")
    (root / "music").mkdir(parents=True)
    folder.root.mkdir()
    ids = [f"album/song {i:03}" for i in range(n_songs)]
    times = np.arange(int(SECONDS * 8000)) / 8000
    tracks = []
    for i, track_id in enumerate(ids):
        name = HOSTILE_FILES[i] if hostile and i < len(HOSTILE_FILES) else f"song {i:03} ü#"
        path = root / "music" / f"{name}.wav"
        if i < len(recordings):
            path = path.with_suffix(recordings[i].suffix)
            shutil.copyfile(recordings[i], path)
        else:
            soundfile.write(path, 0.2 * np.sin(2 * np.pi * (220 + 10 * i) * times), 8000)
        labels = {
            "title": titles[i] if i < len(titles) else f"Song {i}",
            "artist": f"Artist {i % 7}",
            "language": LANGUAGES[i % 2 if i % 5 else 2],
            "genre": GENRES[i % 3],
            "year": str(1960 + i),
        }
        if hostile:
            text = HOSTILE[i % len(HOSTILE)]
            labels |= {"artist": f"{text} {i % 7}", "language": HOSTILE[i % 2], "year": text}
            labels |= {"genre": HOSTILE[i % 3], text: text}
        season = "winter snow" if i % 3 == 0 else "summer sun"
        words = f"river window {'lighthouse ' * (i == 7)}{season} 桜の花{titles[0]}"
        words += HOSTILE[i % len(HOSTILE)] if hostile else ""
        tracks.append(Track(track_id, path, words, labels))
    centres = rng.normal(size=(n_groups, 8)) * 4
    vectors = centres[np.arange(n_songs) % n_groups] + rng.normal(size=(n_songs, 8))
    with Library.open(folder.library) as library:
        names = tuple(dict.fromkeys(name for track in tracks for name in track.labels))
        library.update(Collection(root / "music", tuple(tracks), label_columns=names))
        for i, (track, vector) in enumerate(zip(tracks, vectors)):
            timbre = np.resize(vector, 160).astype(np.float32)
            heard = np.array([150 - i, 1, i % n_groups, 5, 1000, 0.5, 0.5, 0, 1, 1], np.float32)
            made = {CORE[0]: timbre, "descriptors": heard}
            assert track.audio is not None
            stamp = FileStamp.of(track.audio)
            library.store(track.id, Analysis(made), stamp=stamp, recipe=RECIPES["timbre"])
    for model, places in ((DEFAULT_NEUTRAL, vectors[:, :2]), (DEFAULT_FREE, vectors[:, 2:4])):
        write_latents(folder.map(model, 0), tuple(ids), np.float32(places), ["x", "y"], "k")
        columns = [f"z{i}" for i in range(8)]
        write_latents(folder.latents(model, 0), tuple(ids), np.float32(vectors), columns, "k")
    write_groups(folder, ids, n_groups, HOSTILE if hostile else ())
    (folder.tables / "report.html").write_text("<!doctype html><title>Evidence</title><p>0.71")
    document = {"title": HOSTILE[0] if hostile else "A <small> collection"}
    write_json(folder.tables / "experiment.json", document)
    return folder


def write_groups(
    folder: ResultsFolder, ids: list[str], n_groups: int, texts: tuple[str, ...] = ()
) -> None:
    """The groups that the places were drawn from, and each divided into two.

    With `texts` these are what is said of them.
    """
    n = len(ids)
    regions = [i % n_groups for i in range(n)]
    pieces = [2 * (i % n_groups) + (i // n_groups) % 2 for i in range(n)]

    def say(usual: str, at: int = 0) -> str:
        return texts[at % len(texts)] if texts else usual

    def described(label: str, names: list[str], member: list[int]) -> list[dict[str, Any]]:
        found = []
        for number, name in enumerate(names):
            its = [ids[i] for i in range(n) if member[i] == number]
            found.append(
                {
                    "id": f"{label}{number}",
                    "name": name,
                    "made_name": name,
                    "size": len(its),
                    "parent": None if label == "g" else f"g{number // 2}",
                    "sentence": "",
                    "stability": 0.9 if label == "g" else None,
                    "typical": its[:5],
                    "sure": "sure" if label == "g" else "",
                    "between": [[its[-1], f"g{(number + 1) % n_groups}"]] if label == "g" else [],
                    "descriptors": [
                        [say("tempo"), 15, say("slower than 85 % of your music"), -0.6]
                    ],
                    "tags": [[say("folk", 1), 3.1, "genre"]],
                    "languages": [[say("English", 2), 0.5, 0.4], [say("Arabic", 3), 0.5, 0.6]],
                    "decades": [[say("1970s", 4), 0.6, 0.5], ["1980s", 0.4, 0.5]],
                    "words": {say("English", 5): [say("river", 6), say("window", 7)]},
                }
            )
        return found

    fine = [f"around {GENRES[i // 2]} {i % 2}" for i in range(2 * n_groups)]
    certainty = [0.9 - 0.5 * (i >= n - n_groups) for i in range(n)]
    second = [(one + 1) % n_groups for one in regions]
    names = [
        f"{say(genre, i)} {i}" if texts else genre for i, genre in enumerate(GENRES[:n_groups])
    ]
    coarse = {"groups": described("g", names, regions), "member": regions}
    levels = [
        {"name": "regions", **coarse, "certainty": certainty, "second": second},
        {"name": "neighbourhoods", "groups": described("n", fine, pieces), "member": pieces},
    ]
    document = {"model": DEFAULT_NEUTRAL, "tracks": ids, "note": "The groups ignore the language."}
    document |= {"warning": "", "levels": levels}
    write_json(folder.tables / "groups.json", document)
