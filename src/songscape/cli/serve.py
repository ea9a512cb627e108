"""`songscape serve`: the map in the browser, live, with the collection's own audio."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import add_results, add_verb
from songscape.cli.outcome import DONE


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "serve",
        _serve,
        "show the map of a collection in the browser, and play its songs",
        "Only this machine can reach it, unless --host says otherwise; nothing is sent elsewhere.",
    )
    add_results(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument("--port", type=int, help="default: 8765, or the next free one")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument("--token", help="a password that visitors need; required with --host")


def _serve(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    import webbrowser

    from songscape.web.serve import serve

    serve(
        parsed.results,
        host=parsed.host,
        port=parsed.port,
        token=parsed.token,
        opened=webbrowser.open if parsed.open else None,
    )
    return DONE
