"""A collection to serve, and a client that speaks to it as the page does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import uvicorn
from by_path import load_module
from starlette.testclient import TestClient

from songscape.results import ResultsFolder
from songscape.web.app import make_app

HERE = "http://127.0.0.1:8765"


@pytest.fixture(scope="session")
def results_of() -> ModuleType:
    """The functions of `results_of.py` beside this file."""
    return load_module(Path(__file__).with_name("results_of.py"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, results_of: ModuleType) -> ResultsFolder:
    """A results folder that tests only read, in a path with a space, an umlaut and a hash."""
    return results_of.make_results(tmp_path_factory.mktemp("space ü #"))


@pytest.fixture
def own_folder(tmp_path: Path, results_of: ModuleType) -> ResultsFolder:
    """A results folder that a test may change."""
    return results_of.make_results(tmp_path / "own")


@pytest.fixture
def client(folder: ResultsFolder) -> Iterator[TestClient]:
    with TestClient(make_app(folder), base_url=HERE) as client:
        yield client


@pytest.fixture
def own_client(own_folder: ResultsFolder) -> Iterator[TestClient]:
    """With the token that changes need."""
    with TestClient(make_app(own_folder), base_url=HERE) as client:
        client.headers["X-Songscape-Token"] = client.get("/api/session").json()["token"]
        yield client


@pytest.fixture(scope="session")
def served() -> Iterator[Callable[[ResultsFolder], str]]:
    """Serves folders until the tests are over; gives the address."""
    servers = []

    def serve(folder: ResultsFolder) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(make_app(folder), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        servers.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{listening.getsockname()[1]}/"

    yield serve
    for server, thread in servers:
        server.should_exit = True
        thread.join(10)
