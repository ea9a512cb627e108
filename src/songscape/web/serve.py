"""Listens on a port until it is interrupted."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from songscape.errors import SongscapeError, UsageError
from songscape.progress import say
from songscape.results import find_folder
from songscape.web.guard import is_loopback

PORT = 8765


def serve(
    path: Path | str,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str | None = None,
    opened: Callable[[str], object] | None = None,
) -> None:
    """Show a collection in the browser until the process is interrupted.

    The port is 8765 by default, or the next free one. Visitors must know the token, which is needed
    where others than this machine can reach the address. `opened` is called with the page's
    address.
    """
    import uvicorn
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from songscape.web.app import make_app
    from songscape.web.desk import Desk

    if not is_loopback(host):
        if not token:
            raise UsageError(
                f"--host {host}: others can reach this address; give --token, a password"
            )
        say(
            f"songscape: warning: all who reach {host} and know the token can hear these songs; "
            "the connection is not encrypted"
        )
    desk = Desk(find_folder(Path(path)))
    app = make_app(desk, host=host, token=token)
    listening = _listen(host, port)
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{listening.getsockname()[1]}/"
    address += f"?token={quote(token)}" if token else ""
    say(f"songscape: {address}  (Ctrl+C ends it)")
    Thread(target=desk.warm, daemon=True).start()
    if opened is not None:
        opened(address)
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="off",
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=64 * 1024,
        timeout_graceful_shutdown=1,
    )
    with threadpool_limits(1):  # more are slower on busy cores, and no faster otherwise
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int | None) -> socket.socket:
    """A socket on that port; without one on the first that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in [port] if port is not None else [*range(PORT, PORT + 20), 0]:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, number))
        except (OSError, OverflowError) as error:
            listening.close()
            reason = error
            continue
        return listening
    why = getattr(reason, "strerror", None) or "ports are 0 to 65535"
    raise SongscapeError(f"{host}:{port}: cannot listen there ({why}); choose another --port")
