"""The SQLite file of a library: its tables, opened, checked, and written all or nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from songscape.errors import SongscapeError

__all__ = ["OUTCOME", "connect", "transaction"]

APPLICATION_ID = 0x536F6E67  # "Song": tells our files from other SQLite databases
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE tracks (
    id TEXT PRIMARY KEY,
    audio,                     -- path relative to the root, or absolute; bytes if not UTF-8
    lyrics TEXT,
    listing TEXT NOT NULL,     -- what the scan said: present, skipped or failed
    outcome TEXT,              -- what the extraction said: ok or failed; NULL while missing
    audio_size INTEGER,        -- of the file that the outcome is about
    audio_mtime_ns INTEGER,
    recipe TEXT
) WITHOUT ROWID;
CREATE TABLE label_columns (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE labels (
    track_id TEXT NOT NULL REFERENCES tracks(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (track_id, name)
) WITHOUT ROWID;
CREATE TABLE ledger (
    track_id TEXT NOT NULL,    -- a track's id, or the name of a file that belongs to none
    stage TEXT NOT NULL,       -- scan, lyrics or audio
    status TEXT NOT NULL CHECK (status IN ('ok', 'warning', 'failed', 'skipped')),
    reason TEXT NOT NULL
);
CREATE INDEX ledger_by_track ON ledger (track_id, stage);
CREATE TABLE features (
    track_id TEXT NOT NULL REFERENCES tracks(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    dtype TEXT NOT NULL,       -- numpy's name for it, little-endian
    shape TEXT NOT NULL,       -- "40,300"
    recipe TEXT NOT NULL,
    data BLOB NOT NULL,        -- C order
    PRIMARY KEY (track_id, name)
);
CREATE TABLE audio_facts (
    track_id TEXT PRIMARY KEY REFERENCES tracks(id) ON DELETE CASCADE,
    duration_s REAL, sample_rate INTEGER, channels INTEGER,
    container TEXT, codec TEXT, bitrate_kbps REAL,
    loudness_dbfs REAL, peak_dbfs REAL, size_bytes INTEGER, digest TEXT
) WITHOUT ROWID;
"""
OUTCOME = """CASE WHEN listing != 'present' THEN listing WHEN outcome = 'ok' THEN 'analysed'
    WHEN outcome = 'failed' THEN 'failed' ELSE 'pending' END"""
"""SQL: what became of a track, from what the scan and the extraction said of it."""


def connect(path: Path, *, must_exist: bool = False) -> sqlite3.Connection:
    """Open a library's file, or create it, as `Library.open` says."""
    if path.is_dir():
        raise SongscapeError(f"{path}: is a folder; give the path of a library (songscape.db)")
    if not path.exists():
        if must_exist:
            raise SongscapeError(f"{path}: no library here; make one with songscape run")
        if not path.parent.is_dir():
            raise SongscapeError(f"{path}: the folder {path.parent} does not exist; make it")
    # Even readers of a write-ahead log write beside it, unless they are told of no writer.
    frozen = must_exist and not os.access(path.parent, os.W_OK)
    place = f"{path.resolve().as_uri()}?mode=ro&immutable=1" if frozen else path
    try:
        connection = sqlite3.connect(place, timeout=30.0, isolation_level=None, uri=frozen)
    except sqlite3.Error as error:
        raise SongscapeError(f"{path}: cannot be opened ({error})") from None
    try:
        _prepare(path, connection)
    except sqlite3.DatabaseError as error:
        connection.close()
        if "not a database" in str(error) or "malformed" in str(error):
            raise SongscapeError(
                f"{path}: not a Songscape library (not a SQLite file); choose another path"
            ) from None
        raise SongscapeError(f"{path}: cannot be opened ({error})") from None
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    n_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if n_tables and application != APPLICATION_ID:
        raise SongscapeError(
            f"{path}: not a Songscape library (another program's database); choose another path"
        )
    if version > SCHEMA_VERSION:
        raise SongscapeError(
            f"{path}: written by a newer Songscape (schema {version}, this one knows "
            f"{SCHEMA_VERSION}); upgrade with pip install -U songscape"
        )
    connection.execute("PRAGMA foreign_keys = ON")
    if n_tables == 0:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(
            f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA_VERSION}; {_SCHEMA} COMMIT;"
        )
    # With a write-ahead log NORMAL can lose the newest commits in a power cut, never order.
    connection.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All of a block is written, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
