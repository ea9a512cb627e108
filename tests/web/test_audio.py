"""Songs are played by their ids, whole or in parts, in any format."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from starlette.testclient import TestClient

from songscape.library import Library
from songscape.results import ResultsFolder
from songscape.web.app import make_app
from songscape.web.audio import MOST_BYTES, byte_range, excerpt, most_typical

SONG = "album/song 000"


def wav_of(folder: ResultsFolder, number: int = 0) -> Path:
    return folder.root.parent / "music" / f"song {number:03} ü#.wav"


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


@pytest.mark.parametrize(
    "content", [b"root:x:0:0:root\n", b"SQLite format 3\0...", b"PK\3\4x", b""]
)
@pytest.mark.parametrize("by_link", [True, False])
def test_what_took_a_songs_place_and_is_no_audio_is_not_given(
    own_client: TestClient, own_folder: ResultsFolder, content: bytes, by_link: bool
) -> None:
    secret = own_folder.root.parent / "secret"
    secret.write_bytes(content)
    wav_of(own_folder).unlink()
    if by_link:
        wav_of(own_folder).symlink_to(secret)
    else:
        secret.rename(wav_of(own_folder))
    for headers in ({}, {"Range": "bytes=0-10"}):
        assert audio(own_client, **headers).status_code == 404
    converted = own_client.get("/api/audio", params={"id": SONG, "as": "flac"})
    assert (converted.status_code, b"root" in converted.content) == (415, False)


def test_a_link_to_audio_elsewhere_plays(own_client: TestClient, own_folder: ResultsFolder) -> None:
    data = wav_of(own_folder).read_bytes()
    elsewhere = wav_of(own_folder).rename(own_folder.root.parent / "another disk.wav")
    wav_of(own_folder).symlink_to(elsewhere)
    assert audio(own_client).content == data


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


def test_a_thousand_connections_slow_and_half_open_ones_hinder_nobody(
    served: Callable[[ResultsFolder], str], own_folder: ResultsFolder, long_song: Path
) -> None:
    resource = pytest.importorskip("resource", reason="open files can't be counted here")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= hard < 3000:
        pytest.skip(f"a process may open only {hard} files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3000), hard))
    address = served(own_folder).removeprefix("http://").rstrip("/")
    host, port = address.split(":")

    async def ask(path: str, pause: float = 0.0) -> tuple[bytes, int]:
        reader, writer = await asyncio.open_connection(host, int(port))
        end = "Range: bytes=0-99999\r\nConnection: close\r\n\r\n"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n{end}".encode())
        head, n_bytes = await reader.readuntil(b"\r\n\r\n"), 0
        while data := await reader.read(8192 if pause else 65536):
            n_bytes += len(data)
            await asyncio.sleep(pause)
        writer.close()
        return head.split()[1], n_bytes

    async def all_of_them() -> tuple[list[tuple[bytes, int]], tuple[bytes, int]]:
        half_open = [(await asyncio.open_connection(host, int(port)))[1] for _ in range(50)]
        for writer in half_open:
            writer.write(b"GET / HTTP/1.1\r\nHost: 12")
        song = f"/api/audio?id={quote(SONG)}"
        many = [asyncio.create_task(ask(song, 0.02 * (i < 20))) for i in range(1000)]
        other = await ask("/api/progress")
        found = await asyncio.gather(*many)
        for writer in half_open:
            writer.close()
        return found, other

    found, other = asyncio.run(all_of_them())
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert set(found) == {(b"206", 100_000)}
    assert other[0] == b"200"


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
