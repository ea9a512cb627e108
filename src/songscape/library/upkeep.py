"""Upkeep of a library: its status by reason, music that moved, tracks that are gone."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from songscape.columns import Role, display_title, find_roles
from songscape.errors import UsageError
from songscape.library.catalogue import LAST_SCAN
from songscape.library.database import Database, as_text, transaction
from songscape.library.library import AUDIO_FILE, Library
from songscape.library.records import FileStamp, LedgerRow
from songscape.results import ResultsFolder

_CLOCK_STEP_NS = 2_000_000_000
"""File systems of cameras and sticks keep times to two seconds."""
_NUMBERS = re.compile(r"\d+([.,]\d+)*")


@contextmanager
def opened_alone(path: Path) -> Iterator[Library]:
    """A library that is there, and that no other songscape writes to meanwhile."""
    if not path.exists():
        Library.open(path, must_exist=True)  # says so
    with ResultsFolder(path.parent).locked(), Library.open(path, must_exist=True) as library:
        yield library


@dataclass(frozen=True)
class ReasonGroup:
    """Ledger rows of one kind: the reason of the first, and the ids of the tracks."""

    status: str
    stage: str
    reason: str
    track_ids: tuple[str, ...]


def group_by_reason(rows: Iterable[LedgerRow]) -> list[ReasonGroup]:
    """Rows whose reasons differ only in numbers and names stand together; the largest first."""
    found: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for row in rows:
        about, reason = told(row)
        key = row.status, row.stage, _NUMBERS.sub("0", reason)
        found.setdefault(key, []).append((about, reason))
    groups = [
        ReasonGroup(status, stage, its[0][1], tuple(about for about, _ in its))
        for (status, stage, _), its in found.items()
    ]
    return sorted(groups, key=lambda g: (-len(g.track_ids), g.stage, g.status, g.reason))


def told(row: LedgerRow) -> tuple[str, str]:
    """What a row is about, and its reason without the file name that it begins with.

    What a scan refused or remarked on is called as there; all else by the track's id.
    """
    name, colon, rest = row.reason.partition(": ")
    if colon and row.stage == "scan":
        return name, rest
    is_file = colon and ("/" in name or re.search(r"\.\w{2,5}$", name))
    return row.track_id, rest if is_file else row.reason


def files_of(library: Library) -> dict[str, str]:
    """The file of each track, from the folder of the collection; its id where it has none."""
    rows = library._db.execute("SELECT id, audio FROM tracks").fetchall()
    return {as_text(i): as_text(i) if audio is None else os.fsdecode(audio) for i, audio in rows}


def names_of(library: Library) -> dict[str, str]:
    """What to call each track: title and artist where the table has a title, else its file.

    A part of a file without a title is called by its id.
    """
    table, spans, names = library.columns(), library.spans(), files_of(library)
    names |= {track_id: track_id for track_id in spans}
    roles = find_roles(table.columns)
    title = roles.column(Role.TITLE)
    if title is None:
        return names
    artists = table[roles.artist] if roles.artist else [None] * len(table)
    titled = zip(table.index, table[title], artists)
    return names | {i: display_title(i, name, artist) for i, name, artist in titled if name}


@dataclass
class Moved:
    """What a change of place finds, by paths at the new place; `root` is the folder then.

    Files of the size and date that are known are the `same`; of `other` ones the next run looks at
    what is in them.
    """

    root: Path
    same: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def relocate(library: Library, old: Path, new: Path, *, dry_run: bool = False) -> Moved:
    """Tell a library that everything under `old` (absolute) is under `new` now; no audio is read.

    `old` need not exist any more; a `dry_run` only looks. Raises `UsageError` where nothing in the
    library is under `old`, or nothing of it is found under `new`.
    """
    root = _moved(library.root, old, new) or library.root
    found = Moved(root)
    facts: list[tuple[str, str]] = []
    for track_id, (_, value) in library.facts(AUDIO_FILE).items():
        place = _moved(Path(value[0]), old, new)
        if place is not None:
            stamp = _now(FileStamp(*value[:4]), place, found)
            facts.append((json.dumps([*stamp, value[4]]), track_id))
    if not facts and root == library.root:
        raise UsageError(f"{old}: no track of {library.path} is there, but in {library.root}")
    if facts and not found.same and not found.other:
        raise UsageError(
            f"{new}: none of the {len(facts):,} files is there; nothing was changed; check the path"
        )
    if dry_run:
        return found
    db = library._db
    with transaction(db):
        db.execute("UPDATE meta SET value = ? WHERE key = 'root'", (str(root),))
        db.execute("DELETE FROM meta WHERE key = ?", (LAST_SCAN,))
        moved = ((value, AUDIO_FILE, track_id) for value, track_id in facts)
        db.executemany("UPDATE facts SET value = ? WHERE name = ? AND track_id = ?", moved)
        rows = list(_moved_files(db, old, new))
        query = "UPDATE file_facts SET path = ?, ctime_ns = ? WHERE name = ? AND path = ?"
        db.executemany(query, rows)
    return found


def _moved(path: Path, old: Path, new: Path) -> Path | None:
    """Where a path is now, None if it was not under `old`."""
    return new / path.relative_to(old) if path.is_relative_to(old) else None


def _now(known: FileStamp, place: Path, found: Moved) -> FileStamp:
    """The known state of a file at its new place; as it is there, if it is the same."""
    now, path = FileStamp.of(place), os.fspath(place)
    is_same = known.size == now.size >= 0 and abs(known.mtime_ns - now.mtime_ns) <= _CLOCK_STEP_NS
    kept = found.same if is_same else found.missing if now.size < 0 else found.other
    kept.append(path)
    return now if is_same else FileStamp(path, known.size, known.mtime_ns, known.ctime_ns)


def _moved_files(db: Database, old: Path, new: Path) -> Iterator[tuple[str, int, str, str]]:
    """Lyric files that are the same at their new place; the others are read again."""
    for name, path, size, mtime_ns in db.execute(
        "SELECT name, path, size, mtime_ns FROM file_facts"
    ):
        place = _moved(Path(as_text(path)), old, new)
        now = None if place is None else FileStamp.of(place)
        if now is not None and (now.size, now.mtime_ns) == (size, mtime_ns):
            yield now.path, now.ctime_ns or 0, as_text(name), as_text(path)
