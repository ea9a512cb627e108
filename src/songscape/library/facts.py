"""Facts about tracks, files and the whole collection: found once, each with its recipe."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.library.database import Database, as_text, transaction
from songscape.library.records import FileStamp

_OF_RECIPE = "name = ? AND recipe = ?"


class Facts:
    """The part of a library that keeps what was found out, so that it is found out once.

    The recipe says how something was found and from what, so that a stale value is not taken.
    Storing has no effect in a library that can't be written.
    """

    _db: Database

    def facts(self, name: str) -> dict[str, tuple[str, Any]]:
        """Per track, what is known by that name: the recipe it was found by, and the value."""
        query = "SELECT track_id, recipe, value FROM facts WHERE name = ?"
        with _well_formed(self._db):
            rows = self._db.execute(query, (name,)).fetchall()
            values = json.loads(f"[{','.join(as_text(value) for *_, value in rows)}]")
            return {
                as_text(track_id): (as_text(recipe), value)
                for (track_id, recipe, _), value in zip(rows, values, strict=True)
            }

    def store_facts(self, name: str, found: Mapping[str, tuple[str, Any]]) -> None:
        """Keep recipe and value (JSON types) per track."""
        if self._is_kept():
            with transaction(self._db) as db:
                insert_facts(db, name, found)

    def file_facts(self, name: str, recipe: str) -> dict[FileStamp, Any]:
        """Of each file, in the state it had then, what this recipe gave."""
        query = "SELECT path, size, mtime_ns, ctime_ns, value FROM file_facts WHERE "
        with _well_formed(self._db):
            return {
                FileStamp(as_text(path), *state): json.loads(as_text(value))
                for path, *state, value in self._db.execute(query + _OF_RECIPE, (name, recipe))
            }

    def known_files(self, name: str, recipe: str) -> set[FileStamp]:
        """The files that `file_facts` knows of, in the state they had then."""
        query = "SELECT path, size, mtime_ns, ctime_ns FROM file_facts WHERE "
        rows = self._db.execute(query + _OF_RECIPE, (name, recipe))
        return {FileStamp(as_text(path), *state) for path, *state in rows}

    def store_file_facts(self, name: str, recipe: str, found: Mapping[FileStamp, Any]) -> None:
        """Replace what is known by that name; files that are not among `found` are forgotten."""
        rows = [
            (name, *stamp, recipe, json.dumps(value, ensure_ascii=False))
            for stamp, value in found.items()
        ]
        if self._is_kept():
            with transaction(self._db) as db:
                db.execute("DELETE FROM file_facts WHERE name = ?", (name,))
                db.executemany("INSERT INTO file_facts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def arrays(self, name: str, recipe: str) -> dict[str, NDArray[Any]] | None:
        """Arrays of the whole collection that this recipe gave, None where there are none."""
        query = f"SELECT data FROM collection_facts WHERE {_OF_RECIPE}"
        row = self._db.execute(query, (name, recipe)).fetchone()
        if row is None:
            return None
        with _well_formed(self._db), np.load(io.BytesIO(row[0]), allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    def store_arrays(self, name: str, recipe: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep arrays of the whole collection instead of those of another recipe."""
        if any(array.dtype.hasobject for array in arrays.values()):
            raise TypeError(f"{name}: arrays of Python objects are not stored; nothing is pickled")
        file = io.BytesIO()
        named: Mapping[str, Any] = arrays  # NumPy before 2.2 has no allow_pickle here
        np.savez(file, **named)
        if self._is_kept():
            row = (name, recipe, file.getvalue())
            self._db.execute("INSERT OR REPLACE INTO collection_facts VALUES (?, ?, ?)", row)

    def _is_kept(self) -> bool:
        """Whether these tables can be written, in the file or beside it in memory."""
        beside = "SELECT 1 FROM temp.sqlite_master"
        return self._db.writable or self._db.execute(beside).fetchone() is not None


def insert_facts(db: Database, name: str, found: Mapping[str, tuple[str, Any]]) -> None:
    """As `Facts.store_facts`, within a transaction of the caller's."""
    rows = [
        (name, track_id, recipe, json.dumps(value, ensure_ascii=False))
        for track_id, (recipe, value) in found.items()
    ]
    db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", rows)


@contextmanager
def _well_formed(db: Database) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as error:  # no JSON, no UTF-8, no array
        raise db.damaged() from error
