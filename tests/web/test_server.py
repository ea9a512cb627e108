"""The server answers the questions of its page."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from starlette.testclient import TestClient

from songscape.errors import SongscapeError
from songscape.features.analyse import RECIPES
from songscape.library import Library
from songscape.library.records import Analysis, Collection, FileStamp
from songscape.models.presets import DEFAULT_FREE
from songscape.results import ResultsFolder, find_folder, read_latents, write_latents
from songscape.web.app import make_app

SONG = "album/song 000"


def wav_of(folder: ResultsFolder, number: int = 0) -> Path:
    return folder.root.parent / "music" / f"song {number:03} ü#.wav"


# -- questions -------------------------------------------------------------------------------------


def test_the_map_has_every_song_once_with_its_title_and_place(client: TestClient) -> None:
    found = client.get("/api/map").json()
    assert len(found["ids"]) == len(set(found["ids"])) == 36
    assert found["titles"][:2] == ["ليالي البحر", "川の向こう"]
    assert len(found["layouts"]) == 2
    assert client.get("/api/map", headers={"If-None-Match": '"other"'}).status_code == 200
    tag = client.get("/api/map").headers["etag"]
    assert client.get("/api/map", headers={"If-None-Match": tag}).status_code == 304


def test_groups_name_their_typical_songs_and_languages(client: TestClient) -> None:
    regions, pieces = client.get("/api/groups").json()
    assert [group["size"] for group in regions["groups"]] == [12, 12, 12]
    assert [group["parent"] for group in pieces["groups"]] == ["g0", "g0", "g1", "g1", "g2", "g2"]
    assert [group["name"] for group in regions["groups"]] == ["Folk", "House", "Waltz"]
    for group in regions["groups"]:
        assert len(group["typical"]) == 5
        assert sum(share for _, share, _ in group["languages"]) == pytest.approx(1)


def test_the_note_says_what_the_switch_beside_it_does(
    own_client: TestClient, own_folder: ResultsFolder
) -> None:
    said = own_client.get("/api/map").json()["note"]
    assert said.startswith("The groups ignore the language")
    assert "With the switch “ignore the language” off, the map shows" in said
    own_folder.map(DEFAULT_FREE, 0).unlink()  # then there is no switch
    (own_folder.tables / "report.html").touch()
    assert own_client.get("/api/map").json()["note"] == "The groups ignore the language."


def test_similar_songs_are_those_of_the_same_cloud_nearest_first(client: TestClient) -> None:
    found = client.get("/api/similar", params={"id": SONG, "n": 8}).json()["tracks"]
    assert all(int(track["id"][-3:]) % 3 == 0 for track in found)
    distances = [track["distance"] for track in found]
    assert distances == sorted(distances)
    assert SONG not in {track["id"] for track in found}


def test_similar_songs_can_be_of_another_artist_or_in_a_language(client: TestClient) -> None:
    others = client.get("/api/similar", params={"id": SONG, "n": 35, "not_same_artist": "true"})
    assert "Artist 0" not in {track["artist"] for track in others.json()["tracks"]}
    found = client.get("/api/similar", params={"id": SONG, "language": "Japanese"}).json()
    ids = [track["id"] for track in found["tracks"]]
    languages = [client.get("/api/track", params={"id": i}).json()["columns"] for i in ids]
    assert {columns["language"] for columns in languages} == {"Japanese"}


def test_the_weight_of_the_words_decides_what_is_near(client: TestClient) -> None:
    def order(words: float) -> list[str]:
        asked = {"id": "album/song 001", "n": 35, "words": words}
        return [t["id"] for t in client.get("/api/similar", params=asked).json()["tracks"]]

    by_sound, by_words = order(0), order(1)
    assert by_sound != by_words
    assert {int(track_id[-3:]) % 3 for track_id in by_sound[:8]} == {1}
    assert all(int(track_id[-3:]) % 3 for track_id in by_words[:20])  # they sing of summer too


def test_a_path_begins_and_ends_where_it_shall_and_has_no_song_twice(client: TestClient) -> None:
    ends = {"from": SONG, "to": "album/song 001", "n": 9}
    ids = [track["id"] for track in client.get("/api/path", params=ends).json()["tracks"]]
    assert (ids[0], ids[-1]) == (ends["from"], ends["to"])
    assert len(ids) == len(set(ids)) == 9


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("straße", "Straße #7"),
        ("RIO noche", "Río de noche"),  # accents and case make no difference
        ("川の", "川の向こう"),
        ("向こ", "川の向こう"),  # from the middle of a text without spaces
        ("ওপারে", "নদীর ওপারে"),
        ("שיר", "שיר לילה"),
        ("song 3", "Song 30"),  # the last word may be unfinished
    ],
)
def test_search_finds_titles_in_any_script(client: TestClient, query: str, title: str) -> None:
    found = client.get("/api/search", params={"q": query}).json()["tracks"]
    assert title in [track["title"] for track in found]


def test_search_finds_words_that_are_sung_and_shows_their_line(client: TestClient) -> None:
    found = client.get("/api/search", params={"q": "lighthouse"}).json()["tracks"]
    assert [track["id"] for track in found] == ["album/song 007"]
    assert "lighthouse" in found[0]["line"]
    japanese = client.get("/api/search", params={"q": "桜の"}).json()["tracks"][0]
    assert "桜の花" in japanese["line"]


@pytest.mark.parametrize("query", ['"', "*", "a OR b", "NEAR(", "title:x", "x' --", "\0", "😀"])
def test_search_takes_any_text_as_words(client: TestClient, query: str) -> None:
    assert client.get("/api/search", params={"q": query}).status_code == 200


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("/api/track", "id"),
        ("/api/similar?id=x&n=0", "n"),
        ("/api/similar?id=x&n=nan", "n"),
        ("/api/similar?id=x&words=2", "words"),
        ("/api/similar?id=x&map=99", "map"),
        (f"/api/similar?id={SONG}&map=7", "map"),
        ("/api/search?q=x&other=1", "other"),
    ],
)
def test_a_wrong_question_is_told_which_part_is_wrong(
    client: TestClient, address: str, names: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(names)


def test_an_unknown_track_is_not_there(client: TestClient) -> None:
    for name in ("track", "similar", "why", "excerpt"):
        assert client.get(f"/api/{name}", params={"id": "no such"}).status_code == 404


def test_the_interface_describes_every_address_it_answers(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"]
            answer = client.request(method.upper(), path)
            assert answer.status_code in (200, 400, 403, 404), path


def test_reasons_name_what_two_songs_share(client: TestClient) -> None:
    here = client.get("/api/why", params={"id": SONG}).json()
    assert any("by sound" in line and "by words" in line for line in here["lines"])
    nearest = client.get("/api/similar", params={"id": SONG, "n": 10}).json()["tracks"]
    assert list(here["by"]) == [track["id"] for track in nearest]
    assert {"sound", "words"} >= {part for parts in here["by"].values() for part in parts}
    near = client.get("/api/why", params={"id": SONG, "other": "album/song 003"}).json()["lines"]
    far = client.get("/api/why", params={"id": SONG, "other": "album/song 001"}).json()["lines"]

    def share(lines: list[str]) -> int:
        return int(lines[0].partition("by sound than ")[2].partition(" %")[0])

    assert share(near) > 60 > share(far)


def test_two_songs_are_said_to_share_the_words_that_few_others_sing(
    tmp_path: Path, results_of: ModuleType
) -> None:
    folder = results_of.make_results(tmp_path / "x", 60)
    with Library.open(folder.library) as library:
        words = {0: "the harbour and a lantern", 3: "a lantern at the harbour", 6: "the lantern"}
        tracks = [
            replace(track, lyrics=f"{words.get(int(track.id[-3:]), 'the sea')} the and a at")
            for track in library.tracks("analysed")
        ]
        library.update(Collection(library.root, tuple(tracks)))
    client = TestClient(make_app(folder), base_url="http://localhost")
    asked = {"id": "album/song 000", "other": "album/song 003"}
    lines = client.get("/api/why", params=asked).json()["lines"]
    assert lines[-1] == "Both lyrics have words that few others have: harbour, lantern."


def test_laid_out_again_songs_lie_by_what_weighs(client: TestClient) -> None:
    def spread(words: float, of: list[int]) -> float:
        """How far some songs lie from each other, beside all songs."""
        packed = client.get("/api/places", params={"words": words}).json()["places"]["data"]
        places = np.frombuffer(base64.b64decode(packed), "<u2").reshape(-1, 2).astype(float)
        return float(places[of].std(axis=0).sum() / places.std(axis=0).sum())

    one_cloud, winter = list(range(1, 36, 3)), list(range(0, 36, 3))
    assert spread(0, one_cloud) < 0.6  # by sound a cloud of songs lies together
    assert spread(1, winter) < 0.6  # by words those that sing of winter do
    summer = [i for i in range(36) if i % 3]  # two clouds that sing the same words
    assert spread(1, summer) < spread(0, summer)


# -- playlists -------------------------------------------------------------------------------------


def test_a_playlist_of_chosen_songs_keeps_their_order_in_every_format(
    own_client: TestClient, own_folder: ResultsFolder
) -> None:
    ids = [f"album/song {i:03}" for i in (5, 0, 9)]

    def text(kind: str) -> str:
        asked = {"ids": ids, "name": "Ü & <b>", "format": kind}
        answer = own_client.post("/api/playlist", json=asked).json()
        assert answer["filename"].endswith(f".{kind}")
        return str(answer["text"])

    lines = text("m3u8").splitlines()
    files = [Path(unquote(line.removeprefix("file://"))) for line in lines if line[0] != "#"]
    assert files == [wav_of(own_folder, i) for i in (5, 0, 9)]
    tracks = ElementTree.fromstring(text("xspf")).findall(".//{*}track/{*}title")
    titles = [track.text for track in tracks]
    assert titles == ["Straße #7", "ليالي البحر", "Song 9"]
    assert [t["title"] for t in json.loads(text("jspf"))["playlist"]["track"]] == titles


def test_a_playlist_of_a_group_or_a_seed_has_songs_of_one_cloud(own_client: TestClient) -> None:
    for asked in ({"group": "g1"}, {"seed": "album/song 001"}):
        text = own_client.post("/api/playlist", json={**asked, "n": 8}).json()["text"]
        numbers = [int(n) for n in re.findall(r"/song%20(\d+)", text)]
        assert len(numbers) == len(set(numbers)) == 8
        assert {number % 3 for number in numbers} == {1}


def test_no_artist_is_in_a_playlist_more_often_than_asked(
    own_client: TestClient, own_folder: ResultsFolder
) -> None:
    every = [f"album/song {i:03}" for i in range(36)]
    ends = {"from": SONG, "to": "album/song 001", "n": 12}
    for most in (1, 2):
        cap = {"max_per_artist": most}
        for asked in (
            {"ids": every},
            {"group": "g1"},
            {"seed": SONG},
            {"seed": SONG, "words": 0.5},
        ):
            found = own_client.post("/api/playlist", json={**asked, **cap, "format": "jspf"}).json()
            tracks = json.loads(found["text"])["playlist"]["track"]
            assert len(tracks) == found["n_songs"] > 2
            assert max(Counter(track["creator"] for track in tracks).values()) <= most
        path = own_client.get("/api/path", params={**ends, **cap}).json()["tracks"]
        assert max(Counter(track["artist"] for track in path).values()) <= most
        assert (path[0]["id"], path[-1]["id"]) == (ends["from"], ends["to"])
    kept = own_client.post("/api/playlist", json={"ids": every[:3], "max_per_artist": 1}).json()
    assert kept["n_songs"] == 3


@pytest.mark.parametrize("name", ["Mine", "../../../outside", "/etc/passwd", "con", "a\\b:c"])
def test_a_playlist_is_kept_beside_the_results_whatever_its_name(
    own_client: TestClient, own_folder: ResultsFolder, name: str
) -> None:
    asked = {"ids": [SONG], "name": name, "save": True}
    for _ in range(2):  # our own playlist of the same name is replaced
        saved = Path(own_client.post("/api/playlist", json=asked).json()["saved"])
        assert saved.parent == own_folder.root / "playlists"
        assert saved.read_text(encoding="utf-8").startswith("#EXTM3U")


def test_a_playlist_of_nothing_is_refused(own_client: TestClient) -> None:
    assert own_client.post("/api/playlist", json={}).status_code == 400
    assert own_client.post("/api/playlist", json={"ids": ["no such"]}).status_code == 404
    assert own_client.post("/api/playlist", json={"group": "77"}).status_code == 404


# -- names -----------------------------------------------------------------------------------------


def test_another_name_is_kept_and_seen_at_once(
    own_client: TestClient, own_folder: ResultsFolder
) -> None:
    answer = own_client.post("/api/rename", json={"group": "g1", "name": " Sunday \n morning "})
    assert answer.json() == {"group": "g1", "name": "Sunday morning"}
    for client in (own_client, TestClient(make_app(own_folder), base_url="http://localhost")):
        names = [group["name"] for group in client.get("/api/groups").json()[0]["groups"]]
        assert names[1] == "Sunday morning"
    assert own_client.post("/api/rename", json={"group": "g7", "name": "x"}).status_code == 404
    assert own_client.post("/api/rename", json={"group": "g1", "name": "x" * 81}).status_code == 400
    taken = own_client.post("/api/rename", json={"group": "g1", "name": "waltz"})
    assert (taken.status_code, "another group" in taken.json()["error"]) == (400, True)


# -- hostile tags ----------------------------------------------------------------------------------


def test_hostile_tags_go_out_as_json_and_nothing_else(
    tmp_path: Path, results_of: ModuleType
) -> None:
    folder = results_of.make_results(tmp_path / "x", 30, hostile=True)
    client = TestClient(make_app(folder), base_url="http://localhost")
    answer = client.get("/api/map")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["titles"][:10] == list(results_of.HOSTILE)
    assert "hacked" not in client.get("/").text
    for i in range(len(results_of.HOSTILE_FILES)):  # no name of a file becomes a header
        headers = client.get("/api/audio", params={"id": f"album/song {i:03}"}).headers
        assert headers["content-length"] == "96044"
        assert "hacked" not in str(headers)


def test_no_name_of_a_file_adds_a_line_to_a_playlist(
    tmp_path: Path, results_of: ModuleType
) -> None:
    folder = results_of.make_results(tmp_path / "x", 30, hostile=True)
    client = TestClient(make_app(folder), base_url="http://localhost")
    client.headers["X-Songscape-Token"] = client.get("/api/session").json()["token"]
    ids = [f"album/song {i:03}" for i in range(len(results_of.HOSTILE_FILES))]
    asked = {"ids": ids, "name": "x\n/etc/passwd"}
    text = client.post("/api/playlist", json=asked).json()["text"]
    places = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(places) == len(ids)
    assert not {"/etc/passwd", "secret.wav"} & set(places)
    spoken = client.get("/rest/getSonicSimilarTracks", params={"id": ids[0], "count": 20})
    names = ElementTree.fromstring(spoken.text).iter()
    assert {name.tag.rpartition("}")[2] for name in names} == {
        *("subsonic-response", "sonicMatch", "entry")
    }


# -- folders ---------------------------------------------------------------------------------------


def test_a_folder_is_found_by_any_of_its_parts(folder: ResultsFolder, tmp_path: Path) -> None:
    for path in (folder.root, folder.library, folder.tables, folder.tables / "report.html"):
        assert find_folder(path).root == folder.root
    with pytest.raises(SongscapeError, match="songscape run"):
        find_folder(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"levels": 3}', '{"levels": [{}], "tracks": []}'])
def test_a_damaged_file_of_groups_costs_the_groups_alone(
    own_client: TestClient, own_folder: ResultsFolder, text: str
) -> None:
    (own_folder.tables / "groups.json").write_text(text, encoding="utf-8")
    assert own_client.get("/api/groups").json() == []
    assert len(own_client.get("/api/map").json()["ids"]) == 36


def test_a_song_that_is_newer_than_the_groups_is_in_none(
    own_client: TestClient, own_folder: ResultsFolder
) -> None:
    path = own_folder.tables / "groups.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["tracks"][0] = "album/no longer there"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert own_client.get("/api/track", params={"id": SONG}).json()["groups"] == [None, None]


def test_a_collection_that_is_still_analysed_is_shown_without_a_map(
    tmp_path: Path, results_of: ModuleType
) -> None:
    folder = results_of.make_results(tmp_path / "x", 9)
    for name in ("maps", "latents"):
        for path in (folder.tables / name).iterdir():
            path.unlink()
    (folder.tables / "groups.json").unlink()
    client = TestClient(make_app(folder), base_url="http://localhost")
    found = client.get("/api/map").json()
    assert (len(found["ids"]), found["layouts"], found["levels"]) == (9, [], [])
    progress = client.get("/api/progress").json()
    assert (progress["found"], progress["analysed"], progress["has_map"]) == (9, 9, False)
    assert progress["running"] is False
    with folder.locked():
        assert client.get("/api/progress").json()["running"] is True
    asked = client.get("/api/similar", params={"id": SONG})
    assert (asked.status_code, "analysed" in asked.json()["error"]) == (400, True)
    asked = client.get("/rest/getSonicSimilarTracks", params={"id": SONG, "f": "json"})
    assert asked.json()["subsonic-response"]["error"]["code"] == 0


def test_songs_that_are_analysed_meanwhile_are_shown(
    tmp_path: Path, results_of: ModuleType
) -> None:
    folder = results_of.make_results(tmp_path / "x", 9)
    for path in sorted(folder.tables.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with Library.open(folder.library) as library:
        library.forget_outcomes(["album/song 004"])
    client = TestClient(make_app(folder), base_url="http://localhost")
    assert len(client.get("/api/map").json()["ids"]) == 8
    assert client.get("/api/progress").json()["done"] == 8
    with Library.open(folder.library) as library:
        made = Analysis({"timbre": np.zeros(160, np.float32)})
        stamp = FileStamp.of(wav_of(folder, 4))
        library.store("album/song 004", made, stamp=stamp, recipe=RECIPES["timbre"])
    assert len(client.get("/api/map").json()["ids"]) == 9
    assert "album/song 004" in client.get("/api/map").json()["ids"]


def test_songs_that_are_newer_than_the_map_wait_for_the_next_and_the_rest_is_shown(
    own_client: TestClient, own_folder: ResultsFolder
) -> None:
    for file in own_folder.tables.rglob("*.parquet"):
        ids, values = read_latents(file)
        write_latents(file, ids[1:], values[1:], [f"z{i}" for i in range(values.shape[1])], "k")
    found = own_client.get("/api/map").json()
    assert SONG not in found["ids"]
    assert (len(found["ids"]), len(found["layouts"])) == (35, 2)
    near = own_client.get("/api/similar", params={"id": "album/song 003", "words": 0.5})
    assert len(near.json()["tracks"]) == 30
