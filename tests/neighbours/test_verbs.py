"""`songscape similar` and `songscape playlist` on a results folder, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from by_path import load_module

from songscape.cli import DONE, USAGE, main
from songscape.errors import UsageError
from songscape.models.presets import DEFAULT_FREE
from songscape.neighbours.collection import read_groups
from songscape.neighbours.find import find_song
from songscape.neighbours.playlists import file_name
from songscape.neighbours.songs import Songs
from songscape.results import ResultsFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ResultsFolder:
    """Of 36 songs in three clouds by seven artists: song i is of cloud i % 3."""
    module = load_module(Path(__file__).parents[1] / "web" / "results_of.py")
    made: ResultsFolder = module.make_results(tmp_path_factory.mktemp("verbs ü #"))
    return made


@pytest.fixture
def songs() -> Songs:
    titles = ["Moon River", "Night", "Night", "Ångström (Live)", "AC/DC - Medley", "川の向こう"]
    artists = ["A. Hepburn", "One", "Two & Co", "Four", "Various", "Five"]
    ids = [f"x/0{i} - file" for i in range(6)]
    return Songs(ids, {"title": titles, "artist": artists})


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("x/03 - file", 3),
        ("moon river", 0),
        ("MOON  RIVER", 0),
        ("Two & Co - Night", 2),
        ("One – Night", 1),
        ("Night - One", 1),
        ("moon", 0),
        ("ångström", 3),
        ("AC/DC - Medley", 4),
        ("川の", 5),
    ],
)
def test_a_song_is_found_by_what_a_person_calls_it(songs: Songs, text: str, row: int) -> None:
    assert find_song(songs, text) == songs.ids[row]


def test_several_songs_are_listed_and_a_typing_error_is_pointed_at(songs: Songs) -> None:
    with pytest.raises(UsageError) as several:
        find_song(songs, "night")
    assert "One – Night" in str(several.value)
    assert "Two & Co – Night" in str(several.value)
    with pytest.raises(UsageError, match=r"did you mean A\. Hepburn"):
        find_song(songs, "mon rivver")
    for text in ("", "  ", "?", "no such thing"):
        with pytest.raises(UsageError):
            find_song(songs, text)


def test_similar_lists_the_songs_of_the_same_cloud(
    folder: ResultsFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["similar", "Song 9", "--in", str(folder.root), "-n", "11", "--json"]) == DONE
    tracks = json.loads(capsys.readouterr().out)["tracks"]
    assert {int(t["id"][-3:]) % 3 for t in tracks} == {0}
    assert main(["similar", "Song 9", "--in", str(folder.library), "--language", "ja"]) == DONE
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "near Artist 2 – Song 9 (Arabic):"
    assert all("Japanese" in line for line in lines)


def test_a_song_is_named_by_its_file(
    folder: ResultsFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.root.parent / "music")
    assert main(["similar", "song 010 ü#.wav", "--in", str(folder.root)]) == DONE
    assert "Song 10" in capsys.readouterr().out.splitlines()[0]


def test_playlists_are_written_around_songs_between_two_and_of_groups(
    folder: ResultsFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    where = ["--in", str(folder.root), "--out", str(tmp_path)]
    assert main(["playlist", "Song 9", "Song 12", "-n", "8", *where]) == DONE
    lines = (tmp_path / "Like Song 9.m3u8").read_text("utf-8").splitlines()
    files = [line for line in lines if not line.startswith("#")]
    assert len(files) == 8
    assert all(Path(unquote(urlparse(file).path)).is_file() for file in files)
    assert main(["playlist", "--from", "Song 9", "--to", "Song 10", *where, "-n", "6"]) == DONE
    assert (tmp_path / "Song 9 → Song 10.m3u8").exists()
    regions = read_groups(folder, "regions")
    assert main(["playlist", regions[1].id, *where, "--format", "jspf"]) == DONE
    document = json.loads((tmp_path / f"{file_name(regions[1].name)}.jspf").read_text("utf-8"))
    assert len(document["playlist"]["track"]) == len(regions[1].track_ids)
    written = set(tmp_path.glob("*.m3u8"))
    for _ in range(2):
        assert main(["playlist", "--all", *where]) == DONE
    assert len(set(tmp_path.glob("*.m3u8")) - written) == len(regions) == 3
    assert f": {len(regions[2].track_ids)} songs, " in capsys.readouterr().out


def test_groups_are_those_of_the_run_and_their_files_follow_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load_module(Path(__file__).parents[1] / "web" / "results_of.py")
    folder: ResultsFolder = module.make_results(tmp_path)
    ids = [f"album/song {i:03}" for i in range(36)]
    regions = [{"id": "g1", "name": "slow, soft"}, {"id": "g7", "name": "house"}]
    pieces = [{"id": f"n{i}", "name": f"around {i}"} for i in range(3)]
    levels = [
        {"name": "regions", "groups": regions, "member": [i % 2 for i in range(36)]},
        {"name": "neighbourhoods", "groups": pieces, "member": [i % 3 for i in range(36)]},
    ]
    document = {"tracks": ids, "model": DEFAULT_FREE, "levels": levels}
    path = folder.tables / "groups.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    lists = tmp_path / "lists"
    all_of_them = ["playlist", "--all", "--in", str(folder.root), "--out", str(lists)]
    assert main(all_of_them) == DONE
    assert {file.name for file in lists.iterdir()} == {"slow, soft.m3u8", "house.m3u8"}
    regions[0]["name"] = "Sunday morning"
    path.write_text(json.dumps(document), encoding="utf-8")
    (lists / "mine.m3u8").write_text("#EXTM3U\nx.mp3\n")
    assert main(all_of_them) == DONE
    names = {file.name for file in lists.iterdir()}
    assert names == {"Sunday morning.m3u8", "house.m3u8", "mine.m3u8"}
    where = ["--in", str(folder.root), "--out", str(lists)]
    assert main(["playlist", "SUNDAY", *where, "-n", "5"]) == DONE
    assert main([*all_of_them, "--level", "neighbourhoods", "--format", "xspf"]) == DONE
    assert len(list(lists.glob("around *.xspf"))) == 3
    assert main(["playlist", "around", *where]) == USAGE
    assert "n0 around 0; n1 around 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--from", "Song 9"],
        ["--all", "Song 9"],
        ["Song 9", "-n", "1"],
        ["Song 9", "--max-per-artist", "0"],
        ["nothing like it"],
        ["--all", "--out", "x.m3u8"],
        ["Song 9", "--out", "x.xspf", "--format", "m3u8"],
    ],
)
def test_wrong_usage_is_one_plain_message(
    folder: ResultsFolder,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(["playlist", *arguments, "--in", str(folder.root)])
    printed = capsys.readouterr()
    assert code == USAGE
    assert printed.err.startswith("songscape: ")
    assert "Traceback" not in printed.err
    assert list(tmp_path.iterdir()) == []


def test_similar_imports_nothing_heavy(folder: ResultsFolder) -> None:
    code = (
        "import sys; from songscape.cli import main; "
        f"main(['similar', 'Song 9', '--in', {str(folder.root)!r}]); "
        "print([m for m in ('torch', 'sklearn', 'scipy', 'pandas', 'matplotlib') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
