"""The SQLite file of a library: opened and checked, safe for any value, all or nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from songscape.errors import SongscapeError

__all__ = ["Database", "as_text", "connect", "transaction"]

_MAGIC = b"SQLite format 3\0"
_LARGEST = 2**63 - 1
# What a caller did wrong, not the file.
_OUR_MISTAKES = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)


class Database(sqlite3.Connection):
    """A connection whose errors are one line for the user, and that takes any text and number."""

    path: Path
    writable: bool

    def cursor(self, *_: Any) -> _Cursor:  # type: ignore[override]
        """As every statement gets it."""
        return super().cursor(_Cursor)

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
            return SongscapeError(f"{self.path}: another program writes to it; wait, and run again")
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

    def __next__(self) -> Any:
        with self.connection.plainly():
            return super().__next__()

    def fetchone(self) -> Any:
        return next(self, None)

    def fetchall(self) -> list[Any]:
        return list(self)


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
    return stored.decode("utf-8", "surrogatepass") if isinstance(stored, bytes) else str(stored)


def connect(path: Path, *, must_exist: bool = False) -> Database:
    """Open a library's file, or create it, as `Library.open` says."""
    from songscape.library.schema import APPLICATION_ID, VERSION, create, migrate

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
        db = sqlite3.connect(place, 30.0, isolation_level=None, factory=Database, uri=frozen)
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
            migrate(db, version)
        else:
            create(db)
        # With a write-ahead log NORMAL can lose the newest commits in a power cut, never order.
        db.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        db.close()
        raise
    return db


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
