"""Library: one SQLite file that holds every fact about a collection's tracks."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from songscape.library.catalogue import Catalogue
from songscape.library.database import Database
from songscape.library.features import Features
from songscape.library.schema import connect


class Library(Catalogue, Features):
    """A collection's tracks, ledger, features and facts in one SQLite file (write-ahead log).

    One process writes; any number may read meanwhile. Use `Library.open` and a `with` block.
    """

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self._db = database

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, must_exist: bool = False) -> Self:
        """Open a library; create it where there is none, unless `must_exist`.

        Raises `SongscapeError` if the file is missing (`must_exist`), is damaged or something else,
        was written by a newer version, or cannot be opened. One of an older version is brought to
        this one.
        """
        path = Path(path)
        return cls(path, connect(path, must_exist=must_exist))

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
