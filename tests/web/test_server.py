"""The server answers its page, and nobody else, and nothing but the collection."""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from starlette.testclient import TestClient

from songscape.errors import SongscapeError, UsageError
from songscape.library import Library
from songscape.results import ResultsFolder, find_folder
from songscape.web.app import make_app
from songscape.web.audio import MOST_BYTES, byte_range
from songscape.web.excerpt import excerpt, most_typical
from songscape.web.guard import is_loopback
from songscape.web.serve import serve

SONG = "album/song 000"
TOKEN_NEEDED = {"group": "g0", "name": "Mine"}


def wav_of(folder: ResultsFolder, number: int = 0) -> Path:
    return folder.root.parent / "music" / f"song {number:03} ü#.wav"


# -- questions -----------------------------------------------------------------------------------


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
    for name in ("track", "similar", "near", "why", "excerpt"):
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
    here = client.get("/api/why", params={"id": SONG}).json()["lines"]
    assert any("by sound" in line and "by words" in line for line in here)
    near = client.get("/api/why", params={"id": SONG, "other": "album/song 003"}).json()["lines"]
    far = client.get("/api/why", params={"id": SONG, "other": "album/song 001"}).json()["lines"]

    def share(lines: list[str]) -> int:
        return int(lines[0].partition("by sound than ")[2].partition(" %")[0])

    assert share(near) > 60 > share(far)


# -- playlists -----------------------------------------------------------------------------------


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
    files = [Path(line) for line in lines if not line.startswith("#")]
    assert files == [wav_of(own_folder, i) for i in (5, 0, 9)]
    tracks = ElementTree.fromstring(text("xspf")).findall(".//{*}track/{*}title")
    titles = [track.text for track in tracks]
    assert titles == ["Straße #7", "ليالي البحر", "Song 9"]
    assert [t["title"] for t in json.loads(text("jspf"))["playlist"]["track"]] == titles


def test_a_playlist_of_a_group_or_a_seed_has_songs_of_one_cloud(own_client: TestClient) -> None:
    for asked in ({"group": "g1"}, {"seed": "album/song 001"}):
        text = own_client.post("/api/playlist", json={**asked, "n": 8}).json()["text"]
        numbers = [int(line[-10:-7]) for line in text.splitlines() if line.endswith(".wav")]
        assert len(numbers) == len(set(numbers)) == 8
        assert {number % 3 for number in numbers} == {1}


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


# -- names ---------------------------------------------------------------------------------------


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


# -- who may ask ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8765",
        "192.168.0.7:8765",
        "127.0.0.1:8765@evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1:port",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/map", "/api/audio?id=x", "/static/main.js", "/report"])
def test_a_name_that_is_not_this_machines_is_refused(
    client: TestClient, host: str, path: str
) -> None:
    assert client.get(path, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8765", "[::1]:8765"])
def test_this_machines_own_names_are_good(client: TestClient, host: str) -> None:
    assert client.get("/api/progress", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_gets_nothing(
    own_client: TestClient, headers: dict[str, str]
) -> None:
    assert own_client.get("/api/map", headers=headers).status_code == 403
    assert own_client.get("/api/session", headers=headers).status_code == 403
    assert own_client.post("/api/rename", json=TOKEN_NEEDED, headers=headers).status_code == 403


def test_a_change_needs_the_token_of_a_page_from_here(own_client: TestClient) -> None:
    good = dict(own_client.headers)
    for token in ("", "wrong", good["x-songscape-token"][:-1], "é"):
        headers = {"X-Songscape-Token": token.encode()}
        answer = own_client.post("/api/rename", json=TOKEN_NEEDED, headers=headers)
        assert answer.status_code == 403
    assert own_client.get("/api/rename", params=TOKEN_NEEDED).status_code == 405
    text = {"Content-Type": "text/plain"}
    assert own_client.post("/api/rename", content="{}", headers=text).status_code == 415
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert own_client.request(method, "/api/rename").status_code == 405


@pytest.mark.parametrize("body", ["", "[]", "{", "[" * 100_000, '"x"', "\xff", "{}"])
def test_a_body_that_is_no_question_is_told_so(own_client: TestClient, body: str) -> None:
    kind = {"Content-Type": "application/json"}
    answer = own_client.post("/api/rename", content=body.encode("latin-1"), headers=kind)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_body_that_is_too_long_is_not_read(own_client: TestClient) -> None:
    assert own_client.post("/api/rename", json={"name": "x" * 3_000_000}).status_code == 413


def test_with_a_token_nobody_gets_in_without_it(folder: ResultsFolder) -> None:
    app = make_app(folder, host="0.0.0.0", token="secret word")
    client = TestClient(app, base_url="http://192.168.0.7:8765", follow_redirects=False)
    for path in ("/", "/api/map", f"/api/audio?id={SONG}", "/static/main.js", "/report"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/api/map?token=wrong").status_code == 401
    assert client.get("/api/map", headers={"Authorization": "Bearer secret word"}).is_success
    answer = client.get("/?token=secret+word")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    client.cookies.set("songscape", answer.cookies["songscape"])
    assert client.get("/api/map").is_success
    assert client.get("/api/map", headers={"Host": "evil.example"}).status_code == 421


def test_other_addresses_than_loopback_need_a_token(folder: ResultsFolder) -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("localhost.evil.example")
    with pytest.raises(UsageError, match="--token"):
        serve(folder.root, host="0.0.0.0")


def test_a_port_that_is_taken_or_none_is_told_in_words(folder: ResultsFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for number, why in ((port, "Address already in use"), (99_999, "ports are 0 to 65535")):
            with pytest.raises(SongscapeError, match=rf":{number}: .*\({why}\); choose"):
                serve(folder.root, port=number)


def test_every_answer_forbids_inline_scripts_and_foreign_content(client: TestClient) -> None:
    for path in ("/", "/static/main.js", "/api/map", "/nothing", "/report", "/api/audio?id=x"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        script = policy.partition("script-src ")[2].partition(";")[0]
        assert "unsafe" not in script
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/....//app.py",
        "/static/..\\app.py",
        "/static/main.js%00.html",
        "/static/",
        "/songscape.db",
        "/../songscape.db",
        "/report/../songscape.db",
    ],
)
def test_nothing_else_on_the_disk_can_be_asked_for(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


# -- audio ---------------------------------------------------------------------------------------


def audio(client: TestClient, track_id: str = SONG, **headers: str) -> Any:
    return client.get("/api/audio", params={"id": track_id}, headers=headers)


def test_a_song_is_given_by_its_id_and_in_parts(client: TestClient, folder: ResultsFolder) -> None:
    whole = wav_of(folder).read_bytes()
    assert audio(client).content == whole
    assert audio(client).headers["content-type"] == "audio/wav"
    part = audio(client, Range="bytes=100-199")
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert audio(client, Range="bytes=-50").content == whole[-50:]
    assert audio(client, Range=f"bytes=90000-{10**17}").content == whole[90000:]
    head = client.head("/api/audio", params={"id": SONG})
    assert (head.headers["content-length"], head.content) == (str(len(whole)), b"")


@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-1,2-3",
        "bytes=0-,0-,0-,0-,0-",
        "bytes=5-4",
        "bytes=99999999999-",
        f"bytes={'9' * 400}-",
        "bytes=-0",
        "bytes=-",
        "bytes=a-b",
        "bytes=0x10-",
        "bytes",
    ],
)
def test_ranges_that_cannot_be_given_are_refused_in_a_few_bytes(
    client: TestClient, header: str
) -> None:
    answer = audio(client, Range=header)
    assert answer.status_code == 416
    assert len(answer.content) < 100


def test_no_answer_to_a_range_is_larger_than_the_limit() -> None:
    assert byte_range("bytes=0-", 10**12) == (0, MOST_BYTES)
    assert byte_range(f"bytes=0-{10**11}", 10**12) == (0, MOST_BYTES)
    assert byte_range(f"bytes=-{10**11}", 10**12) == (9 * 10**11, 9 * 10**11 + MOST_BYTES)


@pytest.mark.parametrize(
    "track_id",
    ["", "/etc/passwd", "../../etc/passwd", "song 000 ü#.wav", "../music/song 000 ü#.wav", "\0"],
)
def test_audio_is_never_given_by_path(client: TestClient, track_id: str) -> None:
    assert audio(client, track_id).status_code == 404


def test_a_song_that_is_gone_or_no_file_is_not_there(
    own_client: TestClient, own_folder: ResultsFolder
) -> None:
    assert audio(own_client).status_code == 200
    wav_of(own_folder).unlink()
    assert audio(own_client, Range="bytes=0-10").status_code == 404
    os.mkfifo(wav_of(own_folder))  # opening it would wait for ever
    assert audio(own_client).status_code == 404


class Listener:
    """An ASGI client that hears the answer a piece at a time, as slowly as it likes."""

    def __init__(self, app: Any, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.app, self.status, self.n_bytes = app, 0, 0
        query = f"id={SONG}".encode()
        given = [(b"host", b"127.0.0.1"), *(headers or [])]
        self.scope = {"type": "http", "method": "GET", "path": "/api/audio", "headers": given}
        self.scope |= {"query_string": query, "http_version": "1.1", "raw_path": b"/api/audio"}

    async def listen(self, on_piece: Any = None) -> None:
        async def receive() -> dict[str, Any]:
            await asyncio.sleep(3600)
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            self.n_bytes += len(message.get("body", b""))
            if on_piece is not None and message.get("body"):
                await on_piece()

        await self.app(self.scope, receive, send)


@pytest.fixture
def long_song(own_folder: ResultsFolder) -> Path:
    path = wav_of(own_folder)
    path.write_bytes(path.read_bytes() + bytes(3_000_000))
    return path


@pytest.mark.parametrize("change", ["delete", "replace"])
def test_a_file_that_goes_while_it_plays_ends_the_answer(
    own_folder: ResultsFolder, long_song: Path, change: str
) -> None:
    listener, size = Listener(make_app(own_folder)), long_song.stat().st_size

    async def go() -> None:
        if change == "delete":
            long_song.unlink(missing_ok=True)
        else:
            long_song.with_suffix(".new").write_bytes(b"other" * 1_000_000)
            os.replace(long_song.with_suffix(".new"), long_song)

    with pytest.raises(ConnectionResetError):
        asyncio.run(listener.listen(go))
    assert 0 < listener.n_bytes < size


def test_a_thousand_listeners_and_slow_ones_are_all_served(
    own_folder: ResultsFolder, long_song: Path
) -> None:
    app = make_app(own_folder)
    open_files = Path("/proc/self/fd")
    most_open = 0

    async def slow() -> None:
        nonlocal most_open
        if open_files.exists():
            most_open = max(most_open, len(list(open_files.iterdir())))
        await asyncio.sleep(0.01)

    async def all_of_them() -> list[Listener]:
        part = [(b"range", b"bytes=0-99999")]
        many = [Listener(app, part) for _ in range(1000)]
        few = [Listener(app) for _ in range(5)]
        await asyncio.gather(*(one.listen() for one in many), *(one.listen(slow) for one in few))
        return many + few

    found = asyncio.run(all_of_them())
    assert {one.status for one in found} == {200, 206}
    assert {one.n_bytes for one in found[:1000]} == {100_000}
    assert {one.n_bytes for one in found[1000:]} == {long_song.stat().st_size}
    assert most_open < 300


def test_the_most_typical_half_minute_is_the_one_most_like_the_whole_song() -> None:
    rng = np.random.default_rng(0)
    segments = rng.normal(size=(10, 5)).astype(np.float32)
    segments[:4] += 5  # a long introduction of another kind
    found = most_typical(segments, 100.0)
    windows = [segments[i : i + 3].mean(axis=0) for i in range(8)]
    far = [np.linalg.norm((w - segments.mean(axis=0)) / segments.std(axis=0)) for w in windows]
    assert found == 10.0 * int(np.argmin(far))
    assert most_typical(segments, 29.0) == 0


def test_a_song_that_is_a_part_of_its_file_begins_and_ends_there(tmp_path: Path) -> None:
    with Library.open(tmp_path / "songscape.db") as library:
        assert excerpt(library, "x", (61.5, 90.0)) == {"start": 61.5, "end": 90.0, "typical": 61.5}
        assert excerpt(library, "x", None) == {"start": 0.0, "end": None, "typical": 0.0}


# -- hostile tags ----------------------------------------------------------------------------------


def test_hostile_tags_go_out_as_json_and_nothing_else(
    tmp_path: Path, results_of: ModuleType
) -> None:
    folder = results_of.make_results(tmp_path / "x", 12, titles=results_of.HOSTILE)
    client = TestClient(make_app(folder), base_url="http://localhost")
    answer = client.get("/api/map")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["titles"][:10] == list(results_of.HOSTILE)
    assert "hacked" not in client.get("/").text


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
    asked = client.get("/api/similar", params={"id": SONG})
    assert (asked.status_code, "analysed" in asked.json()["error"]) == (400, True)


# -- formats ---------------------------------------------------------------------------------------


def test_a_format_that_no_browser_plays_is_given_as_flac(
    own_client: TestClient, own_folder: ResultsFolder
) -> None:
    import soundfile

    path, other = wav_of(own_folder), wav_of(own_folder, 1)
    samples, rate = soundfile.read(path)
    soundfile.write(path.with_suffix(".aiff"), samples, rate)
    os.replace(path.with_suffix(".aiff"), path)
    other.write_bytes(b"no audio at all" * 100)
    asked = {"id": SONG, "as": "flac"}
    answer = own_client.get("/api/audio", params=asked, headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, b"fLaC")
    whole = own_client.get("/api/audio", params=asked)
    assert whole.headers["content-type"] == "audio/flac"
    decoded, its_rate = soundfile.read(io.BytesIO(whole.content))
    assert its_rate == rate
    assert np.abs(decoded - samples).max() < 1e-4
    refused = own_client.get("/api/audio", params={"id": "album/song 001", "as": "flac"})
    assert (refused.status_code, "not audio" in refused.text) == (415, True)
