"""How a verb ends: exit codes, and what it prints."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from songscape.cli.groups_text import described
from songscape.progress import at_terminal, say

if TYPE_CHECKING:
    from songscape.experiment.outputs import ExperimentSummary
    from songscape.library import Counts

MOST_WARNINGS = 2
DONE, FAILED, USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def greet(what: str) -> None:
    """A first line at once for a person at a terminal: importing torch takes seconds."""
    if at_terminal():
        say(f"songscape: {what}")


def print_outcome(done: ExperimentSummary, *, as_json: bool, fine: bool = False) -> None:
    """Print what an experiment found, as text or JSON, and on stderr what it could not measure."""
    counts = done.counts
    if as_json:
        print_json(
            {
                "report": str(done.report),
                "table": str(done.report.with_name("table.csv")),
                "counts": asdict(counts),
                "groups": None
                if done.groups is None
                else str(done.report.with_name("groups.json")),
                "k": done.k,
                "k_reason": done.k_reason,
                "verdicts": done.verdicts,
                "warnings": done.warnings,
                "unmeasured": done.unmeasured + done.left_out,
            }
        )
    else:
        print(in_one_line(counts))
        if done.groups is not None:
            for line in described(done.groups, fine=fine):
                print(line)
        for sentence in done.verdicts:
            print(sentence)
        shown = MOST_WARNINGS if done.groups is not None else len(done.warnings)
        for warning in done.warnings[:shown]:
            print(f"warning: {warning}")
        if len(done.warnings) > shown:
            print(f"{len(done.warnings) - shown} more warnings about the data are on the page.")
        print(f"The page: {done.report.resolve().as_uri()}")
        print(f"Look and listen: songscape serve {quote(str(done.report.parents[1]))} --open")
    # A run for groups asked for no model by name; the page lists those that were left out.
    for line in (*done.unmeasured, *(done.left_out if done.groups is None else ())):
        say(f"not measured: {line}")


def in_one_line(counts: Counts) -> str:
    """One line: found = analysed + skipped + failed."""
    text = (
        f"{counts.found:,} found = {counts.analysed:,} analysed + {counts.skipped:,} skipped + "
        f"{counts.failed:,} failed"
    )
    text += f" + {counts.pending:,} not read yet" if counts.pending else ""
    return text + (f"; {counts.gone:,} missing" if counts.gone else "")


def exit_code(counts: Counts, out: Path) -> int:
    """DONE, or SOME_FAILED once it is said where the reasons are."""
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
