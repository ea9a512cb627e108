"""Nobody but this machine and its page gets an answer, and nothing but the collection."""

from __future__ import annotations

import socket

import pytest
from starlette.testclient import TestClient

from songscape.errors import SongscapeError, UsageError
from songscape.results import ResultsFolder
from songscape.web.app import make_app
from songscape.web.guard import is_loopback
from songscape.web.serve import serve

SONG = "album/song 000"
TOKEN_NEEDED = {"group": "g0", "name": "Mine"}


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


def test_two_names_at_once_are_refused(client: TestClient) -> None:
    hosts = [("Host", "127.0.0.1:8765"), ("Host", "evil.example")]
    for headers in (hosts, hosts[::-1]):
        assert client.get("/api/map", headers=headers).status_code == 421


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
