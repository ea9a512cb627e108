"""Parses and calls a verb; errors and interrupts become one line and an exit code."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Sequence
from importlib import import_module

from songscape import interrupts
from songscape._version import __version__
from songscape.cli.console import finish, prepare_streams
from songscape.cli.options import EPILOG
from songscape.cli.outcome import FAILED, USAGE
from songscape.errors import SongscapeError, UsageError
from songscape.progress import say

VERBS = (
    *("run", "serve", "export", "similar", "assign", "playlist", "name", "compare", "demo"),
    *("datasets", "impute", "doctor", "status", "ledger", "relocate", "forget", "models", "report"),
)
"""Each is a module of this room."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code.

    Without `argv` it takes the arguments of the process and ends the process: unloading the
    libraries takes seconds, in which a signal would turn a finished run into a killed one.
    """
    prepare_streams()
    interrupts.catch_signals()
    if argv is not None:
        return _run_verb(list(argv))
    try:
        code = _run_verb(sys.argv[1:])
    except SystemExit as wanted:  # raised by the parser, which has printed the reason
        code = int(wanted.code or 0)
    except KeyboardInterrupt:
        code = interrupts.exit_code()
    return finish(code)


def _run_verb(arguments: list[str]) -> int:
    try:
        parsed, unknown = make_parser().parse_known_args(arguments)
        if unknown:  # reported with the usage of the verb
            parsed.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
        code = int(parsed.verb(parsed, arguments))
        sys.stdout.flush()
        interrupts.check()
        return code
    except UsageError as error:
        say(f"songscape: {error}")
        return USAGE
    except SongscapeError as error:
        say(f"songscape: {error}")
    except KeyboardInterrupt:
        say("songscape: interrupted; the same command continues from here")
        return interrupts.exit_code()
    except BrokenPipeError:  # the reader of our output has closed it
        pass
    except (OSError, sqlite3.OperationalError) as error:
        name = getattr(error, "filename", None)
        where = f"{name}: " if name else ""
        reason = getattr(error, "strerror", None) or str(error)
        say(f"songscape: {where}{reason}; check that it exists, is writable and has free space")
    return FAILED


def make_parser() -> argparse.ArgumentParser:
    """The parser of all verbs and options."""
    parser = argparse.ArgumentParser(
        prog="songscape",
        description="Cluster a music collection by sound and lyrics; see how sure it is.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"songscape {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name in VERBS:
        import_module(f"songscape.cli.{name}").add_parser(verbs)
    return parser
