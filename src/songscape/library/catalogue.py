"""The catalogue: tracks, where they lie, and the columns of the collection's table."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from songscape.library.database import OUTCOME, transaction
from songscape.library.ledger import insert_rows
from songscape.library.records import Collection, LedgerRow, Track

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["labels", "root", "track_ids", "tracks", "update"]

GONE = "no longer in the collection"


def root(db: sqlite3.Connection) -> Path | None:
    """The collection's folder as of the last scan, None before there was one."""
    row = db.execute("SELECT value FROM meta WHERE key = 'root'").fetchone()
    return Path(row[0]) if row else None


def update(db: sqlite3.Connection, collection: Collection) -> None:
    """Make the catalogue say what the scan found; see `Library.update`."""
    rejected = {
        row.track_id: row
        for row in collection.problems
        if row.stage == "scan" and row.status in ("failed", "skipped")
    }
    with transaction(db):
        db.execute("INSERT OR REPLACE INTO meta VALUES ('root', ?)", (str(collection.root),))
        known = {row[0] for row in db.execute("SELECT id FROM tracks")}
        db.execute("DELETE FROM ledger WHERE stage IN ('scan', 'lyrics')")
        db.execute("DELETE FROM labels")
        db.execute("DELETE FROM label_columns")
        columns = dict.fromkeys(name for t in collection.tracks for name in t.labels)
        db.executemany(
            "INSERT INTO label_columns VALUES (?, ?)",
            enumerate(collection.label_columns or columns),
        )
        upsert = (
            "INSERT INTO tracks (id, audio, lyrics, listing) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET audio = excluded.audio, "
            "lyrics = excluded.lyrics, listing = excluded.listing"
        )
        for track in collection.tracks:
            stored = _stored_path(track.audio, collection.root)
            db.execute(upsert, (track.id, stored, track.lyrics, "present"))
            db.executemany(
                "INSERT INTO labels VALUES (?, ?, ?)",
                [(track.id, name, value) for name, value in track.labels.items()],
            )
        for track_id, row in rejected.items():
            db.execute(upsert, (track_id, None, None, row.status))
        gone = known - {track.id for track in collection.tracks} - rejected.keys()
        db.executemany("UPDATE tracks SET listing = 'skipped' WHERE id = ?", [(i,) for i in gone])
        rows = [*collection.problems, *(LedgerRow(i, "scan", "skipped", GONE) for i in gone)]
        insert_rows(db, rows)


def tracks(db: sqlite3.Connection, root: Path, outcome: str | None = None) -> list[Track]:
    """All tracks sorted by id, or those of one outcome."""
    told: dict[str, dict[str, str]] = {}
    query = (
        "SELECT track_id, labels.name, value FROM labels "
        "JOIN label_columns USING (name) ORDER BY position"
    )
    for track_id, name, value in db.execute(query):
        told.setdefault(track_id, {})[name] = value
    return [
        Track(track_id, _loaded_path(audio, root), lyrics, told.get(track_id, {}))
        for track_id, audio, lyrics, found in db.execute(
            f"SELECT id, audio, lyrics, {OUTCOME} FROM tracks ORDER BY id"
        )
        if outcome in (None, found)
    ]


def track_ids(db: sqlite3.Connection, outcome: str | None = None) -> list[str]:
    """Ids, sorted; all, or those of one outcome."""
    query = f"SELECT id, {OUTCOME} FROM tracks ORDER BY id"
    return [row[0] for row in db.execute(query) if outcome in (None, row[1])]


def labels(db: sqlite3.Connection, tracks: Sequence[Track]) -> pd.DataFrame:
    """Label columns in the table's order, indexed by track id; missing is None."""
    import pandas as pd

    names = [r[0] for r in db.execute("SELECT name FROM label_columns ORDER BY position")]
    index = pd.Index([track.id for track in tracks], name="id", dtype=object)
    columns = {
        name: pd.Series([t.labels.get(name) for t in tracks], index=index, dtype=object)
        for name in names
    }
    return pd.DataFrame(columns, index=index)


def _stored_path(path: Path | None, root: Path) -> str | bytes | None:
    if path is None:
        return None
    text = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    try:
        text.encode()
    except UnicodeEncodeError:  # a file name that isn't UTF-8
        return os.fsencode(text)
    return text


def _loaded_path(stored: str | bytes | None, root: Path) -> Path | None:
    return None if stored is None else root / os.fsdecode(stored)
