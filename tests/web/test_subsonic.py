"""Players ask for similar songs as OpenSubsonic describes it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from songscape.results import ResultsFolder
from songscape.web.app import make_app

SONG, OTHER = "album/song 000", "album/song 001"


def ask(client: TestClient, name: str, **given: Any) -> dict[str, Any]:
    answer = client.get(f"/rest/{name}", params={"f": "json", "c": "test", **given})
    found: dict[str, Any] = answer.json()["subsonic-response"]
    return found


def test_the_extension_is_announced(client: TestClient) -> None:
    found = ask(client, "getOpenSubsonicExtensions")
    assert found["openSubsonicExtensions"] == [{"name": "sonicSimilarity", "versions": [1]}]
    assert (found["status"], found["openSubsonic"]) == ("ok", True)


def test_similar_tracks_are_the_nearest_with_falling_similarity(client: TestClient) -> None:
    found = ask(client, "getSonicSimilarTracks", id=SONG, count=6)["sonicMatch"]
    nearest = client.get("/api/similar", params={"id": SONG, "n": 6}).json()["tracks"]
    assert [match["entry"]["id"] for match in found] == [track["id"] for track in nearest]
    similarity = [match["similarity"] for match in found]
    assert similarity == sorted(similarity, reverse=True)
    assert all(0 < value < 1 for value in similarity)
    assert found[0]["entry"]["title"]


def test_a_path_leads_from_one_song_to_the_other(client: TestClient) -> None:
    found = ask(client, "findSonicPath.view", startSongId=SONG, endSongId=OTHER, count=7)
    ids = [match["entry"]["id"] for match in found["sonicMatch"]]
    assert (ids[0], ids[-1], len(ids)) == (SONG, OTHER, 7)
    assert found["sonicMatch"][0]["similarity"] == 1


def test_a_song_is_known_by_its_path_too(client: TestClient, folder: ResultsFolder) -> None:
    path = folder.root.parent / "music" / "song 000 ü#.wav"
    one, other = (ask(client, "getSonicSimilarTracks", id=i) for i in (SONG, str(path)))
    assert one == other


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"id": "no such"}, 70),
        ({"id": "/etc/passwd"}, 70),
        ({}, 10),
        ({"id": SONG, "count": 0}, 10),
    ],
)
def test_what_cannot_be_answered_is_a_subsonic_error(
    client: TestClient, given: dict[str, Any], code: int
) -> None:
    found = ask(client, "getSonicSimilarTracks", **given)
    assert (found["status"], found["error"]["code"]) == ("failed", code)


def test_without_a_wish_the_answer_is_xml(client: TestClient) -> None:
    text = client.get("/rest/getSonicSimilarTracks", params={"id": SONG, "count": 2}).text
    top = ElementTree.fromstring(text)
    space = "{http://subsonic.org/restapi}"
    assert top.attrib["status"] == "ok"
    assert len(top.findall(f"{space}sonicMatch/{space}entry")) == 2


def test_the_token_may_be_the_api_key(folder: ResultsFolder) -> None:
    app = make_app(folder, host="0.0.0.0", token="word")
    client = TestClient(app, base_url="http://192.168.0.7:8765")
    assert client.get("/rest/ping", params={"apiKey": "word"}).status_code == 200
    assert client.get("/rest/ping", params={"apiKey": "other"}).status_code == 401
    assert client.get("/api/map", params={"apiKey": "word"}).status_code == 401
