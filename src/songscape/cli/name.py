"""`songscape name`: give a group a name that stays."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import add_results, add_verb
from songscape.cli.outcome import DONE


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "name",
        _name,
        "give a group a name that stays",
        "Later runs keep it as long as most of the group's songs stay together.",
    )
    parser.add_argument("group", help="the group: its id (g1) or the beginning of its name")
    parser.add_argument("name", help="the new name; an empty one brings back the automatic name")
    add_results(parser, "--in", "--results")


def _name(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.experiment.grouping import name_group
    from songscape.results import find_folder

    folder = find_folder(parsed.results)
    with folder.locked():
        before, after = name_group(folder, parsed.group, parsed.name)
    print(f"“{before}” is now called “{after}”")
    return DONE
