"""`songscape doctor` names what is wrong with which file, once each, and changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.cli import DONE, SOME_FAILED, main

GERMAN = """Ich gehe durch die Straßen und denke an dich
Die Sterne leuchten über dem stillen Haus
Wo bist du geblieben, mein Herz ist so schwer
Wir wollten zusammen ans Meer und nach Haus
Der Wind trägt die Lieder der Nacht zu mir her
Und morgen beginnt wieder alles von vorn
"""
ENGLISH = """I walk through the streets and I think about you
The stars over the silent house are shining bright
Where have you been and my heart is so heavy
We wanted to go to the sea and back home
The wind is carrying songs of the night to me
And tomorrow it all will begin once again
"""
RATE = 22_050


def tune(seed: int, seconds: float = 6.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y = 0.004 * rng.standard_normal(int(seconds * RATE))
    time = np.arange(RATE // 2) / RATE
    for start in range(0, len(y), RATE // 4):
        pitch = 220.0 * 2 ** (rng.integers(0, 24) / 12)
        note = 0.2 * np.exp(-6 * time) * np.sin(2 * np.pi * pitch * time)
        y[start : start + len(note)] += note[: len(y) - start]
    return y


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("x") / "Music"
    folder.mkdir()
    for n in range(3):
        soundfile.write(folder / f"fine{n}.flac", tune(n), RATE)
    (folder / "fine0.txt").write_text(GERMAN)
    soundfile.write(folder / "copy of 1.ogg", 0.5 * tune(1), RATE)
    shutil.copy(folder / "fine2.flac", folder / "again 2.flac")
    soundfile.write(folder / "quiet.wav", np.zeros(3 * RATE), RATE)
    soundfile.write(folder / "blip.wav", tune(7, 0.2), RATE)
    (folder / "broken.flac").write_bytes(b"fLaC" + bytes(5000))
    soundfile.write(folder / "named.flac", tune(8), RATE, format="WAV", subtype="PCM_16")
    whole = (folder / "fine1.flac").read_bytes()
    soundfile.write(folder / "cut.flac", tune(9), RATE)
    whole = (folder / "cut.flac").read_bytes()
    (folder / "cut.flac").write_bytes(whole[: len(whole) * 2 // 3])
    soundfile.write(folder / "mistagged.flac", tune(10), RATE)
    (folder / "mistagged.txt").write_text(GERMAN)
    soundfile.write(folder / "binary.flac", tune(11), RATE)
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 8)
    rows = [("fine0", "Eins", "de"), ("mistagged", "Zwei", "English"), ("quiet", "Still", "")]
    names = {path.stem: path.name for path in folder.iterdir() if path.suffix != ".txt"}
    rows += [(stem, "", "") for stem in sorted(names) if stem not in {row[0] for row in rows}]
    lines = [f"{names[stem]},{title},{language}" for stem, title, language in rows]
    (folder / "tracks.csv").write_text("\n".join(["audio,title,language", *lines]) + "\n")
    return folder


@pytest.fixture(scope="module")
def told(music: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    import contextlib
    import io
    import os

    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    before = {path: path.stat().st_mtime_ns for path in music.rglob("*")}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = main(["doctor", str(music), "--workers", "2", "--json"])
    assert code == SOME_FAILED
    assert list(Path.cwd().iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in music.rglob("*")} == before
    os.chdir(here)
    return json.loads(printed.getvalue())


@pytest.mark.parametrize(
    ("kind", "tracks"),
    [
        ("unreadable", ["broken"]),
        ("silent", ["quiet"]),
        ("too short", ["blip"]),
        ("damaged", ["cut"]),
        ("wrong extension", ["named"]),
        ("copies", ["copy of 1", "fine2"]),
        ("lyrics unreadable", ["binary"]),
        ("language", ["mistagged"]),
        ("lyrics doubtful", []),
    ],
)
def test_each_trouble_is_found_at_its_tracks_and_nowhere_else(told, kind, tracks):
    assert sorted(t["track_id"] for t in told["troubles"] if t["kind"] == kind) == tracks


def test_the_rest_is_fine_and_tracks_go_by_their_titles(told):
    assert (told["tracks"], told["fine"]) == (12, 3)
    names = {t["kind"]: t["name"] for t in told["troubles"]}
    assert names["language"] == "Zwei"
    assert names["unreadable"] == "broken.flac", "without a title it is called by its file"
    assert names["silent"] == "Still"


def test_copies_say_what_they_are_copies_of_the_best_first(told):
    details = {t["track_id"]: t["detail"] for t in told["troubles"] if t["kind"] == "copies"}
    assert details["fine2"].startswith("FLAC at ")
    assert "the same audio as again 2.flac (FLAC at" in details["fine2"]
    assert details["copy of 1"].startswith("OGG at ")
    assert "sounds like fine1.flac (FLAC at" in details["copy of 1"]


def test_the_first_line_is_the_answer(music, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    assert main(["doctor", str(music), "--out", str(out)]) == SOME_FAILED
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("Music: 3 of 12 tracks are fine, 9 need a look: 1 cannot be read, ")
    assert "  Zwei (mistagged.flac): tagged English, the words are German (100 % of them)" in others
    # What was read is kept.
    assert main(["status", str(out)]) == DONE
    assert "12 found = 9 analysed + 0 skipped + 3 failed" in capsys.readouterr().out


def test_a_collection_without_fault_is_one_line(music, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Good").mkdir()
    for n in range(3):
        shutil.copy(music / f"fine{n}.flac", tmp_path / "Good")
    assert main(["doctor", "Good"]) == DONE
    assert capsys.readouterr().out == "Good: 3 of 3 tracks are fine\n"
