"""The file of a library: its tables, and a connection that takes any value and explains itself.

Tables are made, checked, and brought from an older version to this one; all of a transaction is
written, or nothing.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from songscape.errors import SongscapeError

_MAGIC = b"SQLite format 3\0"
_LARGEST = 2**63 - 1
# What a caller did wrong, not the file.
_OUR_MISTAKES = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
APPLICATION_ID = 0x536F6E67  # "Song": tells our files from other SQLite databases
VERSION = 2
GONE = "no longer in the collection"

_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE tracks (
    id TEXT PRIMARY KEY,
    audio,                     -- path relative to the root, or absolute; bytes if not UTF-8
    lyrics TEXT,
    listing TEXT NOT NULL,     -- what the scan said: present, skipped, failed or gone
    outcome TEXT,              -- what the extraction said: ok or failed; NULL while missing
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
# Only new tables, so that a file that can't be written can have them beside it, in memory.
_SECOND = """
CREATE {temporary} TABLE facts (
    name TEXT NOT NULL,        -- what is known of a track: language, copies, audio file, ...
    track_id TEXT NOT NULL,
    recipe TEXT NOT NULL,      -- how it was found, and from what
    value TEXT NOT NULL,       -- JSON
    PRIMARY KEY (name, track_id)
) WITHOUT ROWID;
CREATE {temporary} TABLE file_facts (
    name TEXT NOT NULL,        -- what is known of a file: lyrics, ...
    path TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    recipe TEXT NOT NULL,
    value TEXT NOT NULL,       -- JSON
    PRIMARY KEY (name, path)
) WITHOUT ROWID;
CREATE {temporary} TABLE collection_facts (
    name TEXT PRIMARY KEY,     -- what is known of all tracks together: lyrics-counts, ...
    recipe TEXT NOT NULL,
    data BLOB NOT NULL         -- arrays, as numpy's npz without pickles
)
"""
_INDEX = "CREATE INDEX features_by_name ON features (name, track_id, recipe)"
OUTCOME = """CASE WHEN listing != 'present' THEN listing WHEN outcome = 'ok' THEN 'analysed'
    WHEN outcome = 'failed' THEN 'failed' ELSE 'pending' END"""
"""SQL: what became of a track, from what the scan and the extraction said of it."""


def connect(path: Path, *, must_exist: bool = False) -> Database:
    """Open a library's file, or create it, as `Library.open` says."""
    if path.is_dir():
        raise SongscapeError(f"{path}: is a folder; give the path of a library (songscape.db)")
    if not path.exists():
        if must_exist:
            raise SongscapeError(f"{path}: no library here; make one with songscape run")
        if not path.parent.is_dir():
            raise SongscapeError(f"{path}: the folder {path.parent} does not exist; make it")
    # Even readers create files beside a write-ahead log, unless opened as immutable.
    frozen = must_exist and not os.access(path.parent, os.W_OK)
    place = f"{path.resolve().as_uri()}?mode=ro&immutable=1" if frozen else path
    try:
        db = sqlite3.connect(
            place, timeout=30.0, isolation_level=None, factory=Database, uri=frozen
        )
    except sqlite3.Error as error:
        raise SongscapeError(f"{path}: cannot be opened ({error})") from None
    db.path = path
    db.writable = not frozen and (os.access(path, os.W_OK) or not path.exists())
    try:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        n_tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if n_tables and application != APPLICATION_ID:
            raise SongscapeError(
                f"{path}: not a Songscape library (another program's database); choose another path"
            )
        if version > VERSION:
            raise SongscapeError(
                f"{path}: written by a newer Songscape (schema {version}, this one knows "
                f"{VERSION}); upgrade with pip install -U songscape"
            )
        if must_exist and not n_tables:
            raise db.damaged()
        db.execute("PRAGMA foreign_keys = ON")
        if n_tables:
            _migrate(db, version)
        else:
            _create(db)
        # With a write-ahead log NORMAL can lose the newest commits in a power cut, never order.
        db.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        db.close()
        raise
    return db


def _create(db: Database) -> None:
    """Make the tables in an empty file."""
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(
        f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID};"
        f"PRAGMA user_version = {VERSION}; {_FIRST} {_SECOND.format(temporary='')};"
        f"{_INDEX}; COMMIT;"
    )


def _migrate(db: Database, version: int) -> None:
    """Bring a library of an older version to this one; features stay as they are.

    A file that can't be written gets what it lacks in memory, for as long as it is open.
    """
    if version == VERSION:
        return
    if not db.writable:
        db.executescript(_SECOND.format(temporary="TEMP"))
        return
    with transaction(db):
        # Another process may have done it meanwhile.
        if db.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return
        for statement in (*_SECOND.format(temporary="").split(";"), _INDEX):
            db.execute(statement)
        found = "SELECT track_id FROM ledger WHERE stage = 'scan' AND reason = ?"
        db.execute(f"UPDATE tracks SET listing = 'gone' WHERE id IN ({found})", (GONE,))
        db.execute("DELETE FROM ledger WHERE stage = 'scan' AND reason = ?", (GONE,))
        _remember_files(db)
        db.execute(f"PRAGMA user_version = {VERSION}")


def _remember_files(db: Database) -> None:
    """Which file each track's features are of: version 1 knew that by the root of the last scan."""
    root = db.execute("SELECT value FROM meta WHERE key = 'root'").fetchone()
    if root is None:
        return
    query = "SELECT id, audio, audio_size, audio_mtime_ns FROM tracks WHERE outcome = 'ok'"
    stamps = [
        (track_id, json.dumps([os.path.join(root[0], os.fsdecode(audio)), size, mtime, None, None]))
        for track_id, audio, size, mtime in db.execute(query)
        if audio is not None
    ]
    db.executemany("INSERT INTO facts VALUES ('audio file', ?, '1', ?)", stamps)


class Database(sqlite3.Connection):
    """A connection whose errors are one line for the user, and that takes any text and number."""

    path: Path
    writable: bool

    def cursor(self, *_: Any) -> _Cursor:  # type: ignore[override]
        """One that says what is wrong in one line, and takes any value."""
        return super().cursor(_Cursor)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> _Cursor:  # type: ignore[override]
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> _Cursor:  # type: ignore[override]
        return self.cursor().executemany(sql, rows)

    def executescript(self, sql: str) -> sqlite3.Cursor:
        with self.plainly():
            return super().executescript(sql)

    def damaged(self) -> SongscapeError:
        """What to raise where the file holds what no library holds."""
        return SongscapeError(
            f"{self.path}: is damaged; restore it from a backup, or move it away and run again: "
            "the collection will be read anew"
        )

    @contextmanager
    def plainly(self) -> Iterator[None]:
        """Say in one line what is wrong with the file."""
        try:
            yield
        except _OUR_MISTAKES:
            raise
        except sqlite3.Error as error:
            raise self._explained(str(error)) from None

    def _explained(self, reason: str) -> SongscapeError:
        if "locked" in reason:
            return SongscapeError(f"{self.path}: another program writes to it; wait, run again")
        if any(word in reason for word in ("readonly", "full", "disk I/O", "unable to open")):
            return SongscapeError(f"{self.path}: cannot be used ({reason}); check disk and rights")
        if "not a database" in reason and self.path.suffix != ".db" and not _is_sqlite(self.path):
            return SongscapeError(
                f"{self.path}: not a Songscape library (not a SQLite file); choose another path"
            )
        return self.damaged()


class _Cursor(sqlite3.Cursor):
    connection: Database

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> _Cursor:  # type: ignore[override]
        with self.connection.plainly():
            return super().execute(sql, tuple(map(_storable, parameters)))

    def executemany(  # type: ignore[override]
        self, sql: str, rows: Iterable[Sequence[Any]]
    ) -> _Cursor:
        with self.connection.plainly():
            return super().executemany(sql, (tuple(map(_storable, row)) for row in rows))

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        with self.connection.plainly():  # once, not for every row
            yield from iter(super().fetchone, None)

    def fetchone(self) -> Any:
        with self.connection.plainly():
            return super().fetchone()

    def fetchall(self) -> list[Any]:
        with self.connection.plainly():
            return super().fetchall()


def _storable(value: Any) -> Any:
    """Text with lone surrogates as bytes (see `as_text`), numbers within 64 bits."""
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")
    elif isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        return _LARGEST if value > 0 else -_LARGEST
    return value


def as_text(stored: Any) -> str:
    """Text as it was given to be stored."""
    if isinstance(stored, str):
        return stored
    return stored.decode("utf-8", "surrogatepass") if isinstance(stored, bytes) else str(stored)


@contextmanager
def transaction(db: Database) -> Iterator[Database]:
    """All of a block is written, or nothing."""
    db.execute("BEGIN IMMEDIATE" if db.writable else "BEGIN")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
