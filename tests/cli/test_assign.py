"""`songscape assign` puts a song that is new where the same song in the library is."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import soundfile

from songscape.cli import DONE, FAILED, SOME_FAILED, USAGE, main
from songscape.clustering.groups import group
from songscape.features.extract import extract
from songscape.features.loading import load_views
from songscape.ingest import read_collection
from songscape.library import Library
from songscape.models.presets import DEFAULT_FREE, make_model
from songscape.models.saving import save_model
from songscape.results import ResultsFolder, write_json, write_latents

VIEWS = ("segments", "rhythm")
RATE = 22_050


def sound_of(i: int) -> np.ndarray:
    """Song i of sort i % 3: noise that throbs, a low tone, or high ones; two seconds."""
    rng, times = np.random.default_rng(i), np.arange(2 * RATE) / RATE
    if i % 3 == 0:
        sound = rng.normal(size=len(times)) * (np.sin((20 + i / 9) * times) > 0)
    elif i % 3 == 1:
        sound = np.sin(2 * np.pi * (90 + i / 3) * times)
    else:
        sound = np.sin(2 * np.pi * (3_000 + 9 * i) * times) + np.sin(1.3e4 * np.pi * times)
    return np.asarray(0.2 * sound + 1e-3 * rng.normal(size=len(times)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ResultsFolder:
    """Thirty songs of three sorts, analysed, in groups, and the model of their space."""
    root = tmp_path_factory.mktemp("assign ü")
    (root / "music").mkdir()
    for i in range(30):
        soundfile.write(root / "music" / f"song {i:02}.wav", sound_of(i), RATE)
    folder = ResultsFolder(root / "out")
    folder.tables.mkdir(parents=True)
    with Library.open(folder.library) as library:
        extract(library, read_collection(root / "music"), views=VIEWS, workers=1)
        views = load_views(library, VIEWS)
    model = make_model(DEFAULT_FREE, views=VIEWS)
    latents = model.fit_transform(views)
    save_model(model, folder.model(DEFAULT_FREE, 0))
    names = [f"z{i}" for i in range(latents.shape[1])]
    write_latents(folder.latents(DEFAULT_FREE, 0), views.track_ids, latents, names, "key")
    found = group(latents, views, k=3).named({"g1": "Sunday morning"})
    assert len({found.of(f"song {i:02}")[0].id for i in range(3)}) == 3
    write_json(folder.tables / "groups.json", {"model": DEFAULT_FREE, **found.as_dict()})
    return folder


def assigned(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list, str]:
    """The exit code, what is told of every song, and what is said beside that."""
    code = main(["assign", *map(str, arguments), "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out), told.err


def groups_of(folder: ResultsFolder) -> dict[str, str]:
    document = json.loads((folder.tables / "groups.json").read_text(encoding="utf-8"))
    regions = document["levels"][0]
    ids = [one["id"] for one in regions["groups"]]
    return {track: ids[number] for track, number in zip(document["tracks"], regions["member"])}


def test_a_copied_file_lands_in_the_group_of_its_song(folder, tmp_path, capsys):
    known, music = groups_of(folder), folder.root.parent / "music"
    before = folder.library.read_bytes()
    for i in range(3):
        new = tmp_path / f"Näw #{i}.wav"
        shutil.copy(music / f"song {i:02}.wav", new)
        code, (song,), _ = assigned(capsys, new, "--in", folder.root)
        assert (code, song["group"], song["sure"]) == (DONE, known[f"song {i:02}"], "sure")
        assert song["near"][0] == f"song {i:02}"
    assert folder.library.read_bytes() == before


def test_a_folder_is_placed_song_by_song_and_songs_that_are_there_are_not_read_again(
    folder, tmp_path, capsys
):
    known, music = groups_of(folder), folder.root.parent / "music"
    for i in (4, 9, 14):
        (tmp_path / "new" / str(i)).mkdir(parents=True)
        shutil.copy(music / f"song {i:02}.wav", tmp_path / "new" / str(i) / f"n{i}.wav")
    code, songs, _ = assigned(capsys, tmp_path / "new", "--in", folder.root)
    assert code == DONE
    assert {s["title"]: s["group"] for s in songs} == {
        f"n{i}": known[f"song {i:02}"] for i in (4, 9, 14)
    }
    code, songs, _ = assigned(capsys, music, "--in", folder.root, "-n", 1)
    assert (code, {s["id"]: s["group"] for s in songs}) == (DONE, known)
    assert {s["sure"] for s in songs} == {"already in the collection"}


def test_a_sound_like_none_that_is_there_is_unknown(folder, tmp_path, capsys):
    times = np.arange(2 * RATE) / RATE
    clicks = np.where(np.arange(len(times)) % 4_000 < 20, 0.9, 0.0) * np.sin(9e3 * times**2)
    soundfile.write(tmp_path / "clicks.wav", clicks, RATE)
    assert main(["assign", str(tmp_path / "clicks.wav"), "--in", str(folder.root)]) == DONE
    first, near = capsys.readouterr().out.splitlines()
    assert first == "clicks: unknown (unlike all known songs)"
    assert near.startswith("  near song ")


def test_the_name_that_a_person_gave_is_printed_and_what_is_no_song_is_no_failure(
    folder, tmp_path, capsys
):
    first = next(track for track, its in groups_of(folder).items() if its == "g1")
    shutil.copy(folder.root.parent / "music" / f"{first}.wav", tmp_path / "new.wav")
    (tmp_path / "film.mkv").write_bytes(b"\x1aE\xdf\xa3" * 99)
    assert main(["assign", str(tmp_path), "--in", str(folder.root)]) == DONE
    told = capsys.readouterr()
    assert told.out.startswith("new: Sunday morning (sure)\n")
    assert f"{tmp_path / 'film.mkv'}: a video" in told.err


@pytest.mark.parametrize("in_folder", [True, False])
def test_a_file_that_is_no_audio_is_named_and_the_others_are_placed(
    folder, tmp_path, capsys, in_folder
):
    shutil.copy(folder.root.parent / "music" / "song 07.wav", tmp_path / "z.wav")
    (tmp_path / "bad.mp3").write_text("words and no sound\n")
    what = [tmp_path] if in_folder else [tmp_path / "bad.mp3", tmp_path / "z.wav"]
    code, songs, said = assigned(capsys, *what, "--in", folder.root)
    assert (code, [song["title"] for song in songs]) == (SOME_FAILED, ["z"])
    assert len(said.splitlines()) == 1
    assert f"{tmp_path / 'bad.mp3'}: not audio" in said


def test_without_groups_the_way_to_make_them_is_said(folder, tmp_path, capsys):
    out = tmp_path / "out"
    shutil.copytree(folder.root, out)
    song = folder.root.parent / "music" / "song 07.wav"
    for damage in ("{", '{"levels": 3}', None):
        groups = out / "results" / "groups.json"
        groups.unlink() if damage is None else groups.write_text(damage)
        assert main(["assign", str(song), "--in", str(out)]) == FAILED
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1
        assert "songscape run" in said
    assert main(["assign", str(tmp_path / "nowhere"), "--in", str(out)]) == USAGE
    assert "no such file or folder" in capsys.readouterr().err
