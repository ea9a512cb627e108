"""An existing Dask cluster as an executor: what is sent to it may run on any machine.

Functions and arguments are sent; files are not. A caller either names files by a URL that
every worker can open, or sends what is in them (`Cluster.share`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from songscape._version import __version__
from songscape.errors import SongscapeError, first_line

CONNECT_S = 30
RETRIES = 3
"""Times that a task is run again after it raised; one whose worker was lost always is."""


class Cluster(Executor):
    """The executor of a cluster, on which `workers` tasks run at the same time."""

    def __init__(self, client: Any, workers: int) -> None:
        self.workers = workers
        self._client = client
        self._executor = client.get_executor(retries=RETRIES, pure=False)

    def submit(  # type: ignore[override]
        self, function: Callable[..., Any], /, *arguments: Any
    ) -> Future[Any]:
        """Queue a call; the function must be importable on the workers."""
        future: Future[Any] = self._executor.submit(function, *arguments)
        return future

    def share(self, data: bytes) -> Any:
        """Bytes that stay on the cluster; the result is an argument of tasks in their place."""
        return self._client.scatter(data, hash=False)


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """The cluster whose scheduler listens at `address`, such as tcp://10.0.0.5:8786."""
    try:
        import distributed
    except ImportError:
        raise SongscapeError(
            f'{address}: a cluster needs Dask; pip install "songscape[dask]"'
        ) from None
    start: Any = distributed.Client
    try:
        client = start(address, timeout=CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise SongscapeError(
            f"{address}: no Dask scheduler answers ({first_line(error)}); check the address, and "
            "that its version of Dask is the one here"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_S)
            versions = set(client.run(_version).values())
        except TimeoutError:
            raise SongscapeError(f"{address}: the cluster has no workers; start some") from None
        except Exception as error:
            raise SongscapeError(
                f"{address}: a worker cannot run Songscape ({first_line(error)}); install "
                f"songscape {__version__} there"
            ) from None
        if versions != {__version__}:
            raise SongscapeError(
                f"{address}: workers have songscape {', '.join(sorted(versions))}, this is "
                f"{__version__}; install the same everywhere"
            )
        yield Cluster(client, max(1, sum(client.nthreads().values())))


def _version() -> str:
    return __version__
