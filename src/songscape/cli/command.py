"""One verb: parsed, called, and its error or interrupt told in a line and an exit code."""

from __future__ import annotations

import argparse
import atexit
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from typing import NoReturn

from songscape._version import __version__
from songscape.cli import compare, demo, impute, ledger, models, report, run
from songscape.cli.options import EPILOG
from songscape.cli.outcome import FAILED, INTERRUPTED, USAGE
from songscape.errors import SongscapeError, UsageError
from songscape.progress import say

__all__ = ["main", "make_parser"]

VERBS = (run, compare, demo, impute, ledger, models, report)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parsed = make_parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # a shell's background job has it so
        signal.signal(signal.SIGINT, _interrupt)
    try:
        return int(parsed.verb(parsed, arguments))
    except UsageError as error:
        say(f"songscape: {error}")
        return USAGE
    except SongscapeError as error:
        say(f"songscape: {error}")
        return FAILED
    except KeyboardInterrupt:
        say("songscape: interrupted; the same command goes on from here")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except (OSError, sqlite3.OperationalError) as error:
        name = getattr(error, "filename", None)
        where = f"{name}: " if name else ""
        reason = getattr(error, "strerror", None) or str(error)
        say(f"songscape: {where}{reason}; check that the place exists, is writable and has room")
        return FAILED


def _interrupt(_signum: int, _frame: object) -> NoReturn:
    """End in good order; whoever asks a second time does not want to wait for that."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    # The interpreter gives up its handlers before it is gone; then 130 would turn into a signal.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _leave(_signum: int, _frame: object) -> NoReturn:
    say("songscape: stopped at once; the same command goes on from here")
    os._exit(INTERRUPTED)


def make_parser() -> argparse.ArgumentParser:
    """Every verb and option there is."""
    parser = argparse.ArgumentParser(
        prog="songscape",
        description="Cluster a music collection by sound and lyrics, and see what to believe.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"songscape {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in VERBS:
        verb.add_parser(verbs)
    return parser
