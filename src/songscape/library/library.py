"""Library: one SQLite file that holds a collection's tracks, ledger and features."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from songscape.library import catalogue, extraction, ledger
from songscape.library.database import connect
from songscape.library.records import Analysis, Collection, Counts, LedgerRow, Track

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Library"]


class Library:
    """One collection's tracks, ledger and features in one SQLite file (write-ahead log).

    One process writes; any number may read meanwhile. Use `Library.open` and a `with` block.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._db = connection

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, must_exist: bool = False) -> Library:
        """Open a library; create it where there is none, unless `must_exist`.

        Raises
        ------
        SongscapeError
            If the file is missing (`must_exist`), is something else, was written by a newer
            version, or cannot be opened.
        """
        path = Path(path)
        return cls(path, connect(path, must_exist=must_exist))

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- catalogue ---------------------------------------------------------------------------

    @property
    def root(self) -> Path:
        """The collection's folder as of the last scan."""
        return catalogue.root(self._db) or self.path.parent

    def update(self, collection: Collection) -> None:
        """Make the catalogue say what the scan found; features stay.

        Tracks that are no longer there are kept and marked skipped, so a folder that was
        unplugged for a day costs nothing.
        """
        catalogue.update(self._db, collection)

    def tracks(self, outcome: str | None = None) -> list[Track]:
        """All tracks sorted by id, or those of one outcome: analysed, skipped, failed, pending."""
        return catalogue.tracks(self._db, self.root, outcome)

    def track_ids(self, outcome: str | None = None) -> list[str]:
        """Ids, sorted; all, or those of one outcome: analysed, skipped, failed, pending."""
        return catalogue.track_ids(self._db, outcome)

    def ledger(self, status: str | None = None) -> list[LedgerRow]:
        """What happened, sorted by track and stage; all rows or those of one status."""
        return ledger.rows(self._db, status)

    def counts(self) -> Counts:
        """How many tracks were found and what became of them."""
        return ledger.counts(self._db)

    def labels(self) -> pd.DataFrame:
        """Label columns in the table's order, indexed by track id (all tracks); missing is None."""
        return catalogue.labels(self._db, self.tracks())

    def audio_facts(self) -> pd.DataFrame:
        """What the audio files themselves say, indexed by track id (analysed tracks).

        Columns: duration_s (decoded seconds), sample_rate (Hz), channels, container, codec,
        bitrate_kbps (file size over duration), loudness_dbfs (RMS of the mono mix),
        peak_dbfs, size_bytes, digest (SHA-256 of the decoded mono audio at 22,050 Hz and 16 bit:
        equal digests are equal audio).
        """
        return extraction.audio_facts(self._db)

    # -- extraction --------------------------------------------------------------------------

    def fingerprints(self) -> dict[str, tuple[str | None, int | None, int | None, str | None]]:
        """Per track: outcome (ok, failed or None) and size, mtime_ns and recipe it is about."""
        return extraction.fingerprints(self._db)

    def forget_outcomes(self, track_ids: Iterable[str]) -> None:
        """Mark tracks as not extracted; they are pending until `store` is called for them."""
        extraction.forget_outcomes(self._db, track_ids)

    def feature_recipes(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Per feature, the recipe that every track's stored one was made with."""
        return extraction.feature_recipes(self._db, names)

    def add_features(
        self,
        track_id: str,
        features: Mapping[str, NDArray[Any]],
        recipes: Mapping[str, str],
    ) -> None:
        """Store further features of a track that was analysed before; the rest stays as it is."""
        extraction.add_features(self._db, track_id, features, recipes)

    def note(self, stage: str, rows: Iterable[LedgerRow]) -> None:
        """Replace the ledger's rows of a stage beyond the scan, the lyrics and the audio."""
        ledger.replace_stage(self._db, stage, rows)

    def store(
        self,
        track_id: str,
        analysis: Analysis,
        *,
        size: int,
        mtime_ns: int,
        recipe: str,
        recipes: Mapping[str, str] | None = None,
    ) -> None:
        """Write one track's features, facts, ledger rows and outcome in one transaction.

        `recipe` says how the features were made, `recipes` where one was made in another way.
        """
        extraction.store(
            self._db,
            track_id,
            analysis,
            size=size,
            mtime_ns=mtime_ns,
            recipe=recipe,
            recipes=recipes,
        )

    def features(self, name: str) -> dict[str, NDArray[Any]]:
        """One feature of every analysed track, by id in sorted order."""
        return extraction.features(self._db, name)
