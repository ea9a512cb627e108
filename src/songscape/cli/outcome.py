"""How a verb ends: exit codes, and what it prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.progress import at_terminal, say

if TYPE_CHECKING:
    from songscape.library import Counts

DONE, FAILED, USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def greet(what: str) -> None:
    """A first line at once for a person at a terminal: importing torch takes seconds."""
    if at_terminal():
        say(f"songscape: {what}")


def exit_code(counts: Counts, out: Path) -> int:
    """DONE, or SOME_FAILED once it is told where the reasons are."""
    if counts.complete:
        return DONE
    say(f"some files could not be read: `songscape ledger {out}` names each with its reason")
    return SOME_FAILED


def print_json(value: Any) -> None:
    """The outcome for another program, on stdout."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # JSON has escapes of its own for what the console cannot show
        text = json.dumps(value, indent=2, default=str)
    print(text)
