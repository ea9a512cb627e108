"""Tags and the collection's table together: the table wins, tags fill, a disagreement is noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from songscape.columns import ARTIST_RULE, Role, bare, find_roles, role_of
from songscape.ingest.entries import Entry
from songscape.ingest.files import display
from songscape.language_codes import language_name
from songscape.library.records import LedgerRow, Tags
from songscape.spellings import split_cell

_ONE_COLUMN = frozenset(
    {Role.TITLE, Role.ALBUM, Role.ALBUM_ARTIST, Role.ARTIST, Role.COMPOSER}
    | {Role.GENRE, Role.LANGUAGE, Role.YEAR}
)
"""Roles of which the table's own column is filled, however it is called."""
_COMPARED = (Role.TITLE, Role.ARTIST, Role.ALBUM, Role.LANGUAGE, Role.YEAR)
_SHOWN = 60


def with_tags(
    entries: Iterable[Entry], columns: Sequence[str], tags: Mapping[str, Tags]
) -> tuple[list[Entry], tuple[str, ...]]:
    """Entries with what their files' tags say where the table says nothing, and all columns.

    Tags (by the place of the audio file) fill the table's column of the same name, or of the same
    role ("track_title" is a title); those that the table has none for follow it as columns. Where
    the table names an artist under another role, such as the composer, tags don't bring another.
    """
    entries = list(entries)
    columns = columns or tuple(dict.fromkeys(name for entry in entries for name in entry.labels))
    found = [tags.get(entry.place, Tags()) for entry in entries]
    targets = _targets(columns, list(dict.fromkeys(c for its in found for c in its.cells)))
    filled = [_filled(entry, its, columns, targets) for entry, its in zip(entries, found)]
    return filled, (*columns, *(name for name in targets.values() if name not in columns))


def _targets(columns: Sequence[str], tagged: Sequence[str]) -> dict[str, str]:
    """For every column that tags have, the column of the collection that it fills."""
    roles = find_roles(columns)
    by_name = {bare(name): name for name in reversed(columns)}
    taken = roles.by_column[roles.artist] if roles.artist is not None else None
    found = {}
    for name in tagged:
        role = role_of(name)
        own = roles.column(role) if role in _ONE_COLUMN and name != "artists" else None
        target = by_name.get(bare(name)) or own or name
        before = ARTIST_RULE[: ARTIST_RULE.index(taken)] if taken in ARTIST_RULE else ()
        if target in columns or role not in before:
            found[name] = target
    return found


def _filled(entry: Entry, tags: Tags, columns: Sequence[str], targets: Mapping[str, str]) -> Entry:
    labels = {name: entry.labels[name] for name in columns if name in entry.labels}
    differ = []
    for name, value in tags.cells.items():
        target = targets.get(name)
        if target is None:
            continue
        given = labels.setdefault(target, value)
        role = role_of(target)
        if target in entry.labels and role in _COMPARED and not _agree(role, given, value):
            differ.append(f"{target} {_short(given)}, not {_short(value)}")
    remarks = list(entry.remarks)
    if differ:
        reason = f"{display(entry.place)}: the table wins over its tags: {'; '.join(differ)}"
        remarks.append(LedgerRow(entry.id, "tags", "ok", reason))
    if tags.remark:
        remarks.append(LedgerRow(entry.id, "tags", "warning", tags.remark))
    return replace(entry, labels=labels, remarks=tuple(remarks))


def _agree(role: Role, given: str, tagged: str) -> bool:
    """Whether two cells say the same, one perhaps more of it."""
    if role is Role.LANGUAGE:
        one, other = ({language_name(v) for v in split_cell(cell)} for cell in (given, tagged))
        return bool(one & other) or not (one - {None} and other - {None})
    short, long = sorted((bare(given), bare(tagged)), key=len)
    return short in long


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
