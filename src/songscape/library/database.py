"""A connection to SQLite: takes any text and number, writes all or nothing, explains errors."""

from __future__ import annotations

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
