"""Writes docs/reference.md from the help texts and docstrings: python docs/make_reference.py"""

from __future__ import annotations

import argparse
import inspect
from pathlib import Path

import songscape
from songscape.cli.command import make_parser

PAGE = Path(__file__).resolve().with_name("reference.md")


def verbs() -> dict[str, argparse.ArgumentParser]:
    """The parser of every verb."""
    (action,) = (a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def summary(name: str) -> str:
    """First line of the docstring of a public name."""
    return (inspect.getdoc(getattr(songscape, name)) or "").partition("\n")[0]


def reference() -> str:
    """The page: every verb with its options, every public name with its summary."""
    lines = [
        "# Reference",
        "",
        "Written by `python docs/make_reference.py`.",
        "",
        "## Commands",
        "",
    ]
    for name, parser in verbs().items():
        lines += [
            f"### songscape {name}",
            "",
            " ".join(str(parser.description).split()),
            "",
            "| | |",
            "|---|---|",
        ]
        for action in parser._actions:
            if action.dest == "help":
                continue
            lines.append(row(usage(action), str(action.help)))
        lines.append("")
    lines += ["## Python", "", "| | |", "|---|---|"]
    lines += [
        row(f"songscape.{name}", summary(name)) for name in songscape.__all__ if name[0] != "_"
    ]
    return "\n".join(lines) + "\n"


def usage(action: argparse.Action) -> str:
    """An option and its value, or a positional argument."""
    value = "/".join(map(str, action.choices or ())) or str(action.metavar or action.dest).upper()
    return " ".join([*action.option_strings, *([] if action.nargs == 0 else [value])])


def row(name: str, text: str) -> str:
    """One row of a table."""
    return f"| `{name}` | {text} |"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
