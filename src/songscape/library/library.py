"""Library: what is known of tracks, and what was computed of each: features, facts, an outcome."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from songscape.library.catalogue import ROW, SPAN, Catalogue, insert_rows
from songscape.library.database import OUTCOME, Database, as_text, connect, transaction
from songscape.library.facts import insert_facts
from songscape.library.records import Analysed, Analysis, FileStamp, LedgerRow, Listed

if TYPE_CHECKING:
    import pandas as pd

FACTS = (
    *("duration_s", "sample_rate", "channels", "container", "codec", "bitrate_kbps"),
    *("loudness_dbfs", "peak_dbfs", "size_bytes", "digest"),
)
AUDIO_FILE, _FILE_RECIPE = "audio file", "1"
CALLED_BEFORE = "called before"
_OF_SCAN = {
    "ledger": " AND stage NOT IN ('scan', 'tags', 'lyrics')",
    "facts": f" AND name NOT IN ('{ROW}', '{SPAN}')",
}
"""What the last scan wrote of a track, whatever was known of its file, stays as it is."""


class Library(Catalogue):
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

    def __exit__(self, *_: object) -> None:
        self.close()

    def analysed_files(self) -> dict[str, Analysed]:
        """Per track, the outcome of its extraction and which file that is about."""
        files = self.facts(AUDIO_FILE)
        found = {}
        for track_id, outcome, recipe in self._db.execute("SELECT id, outcome, recipe FROM tracks"):
            *stamp, digest = files.get(as_text(track_id), ("", [None] * 5))[1]
            file = None if stamp[0] is None else FileStamp(*stamp)
            found[as_text(track_id)] = Analysed(outcome, recipe, file, digest)
        return found

    def listed(self) -> dict[str, Listed]:
        """What each row of the collection's table meant, by how it names its audio."""
        files, found = self.facts(AUDIO_FILE), {}
        for track_id, (_, (written, row)) in self.facts(ROW).items():
            if track_id in files:
                *stamp, sound = files[track_id][1]
                found[written] = Listed(row, FileStamp(*stamp), sound or "")
        return found

    def remember_files(self, files: Mapping[str, tuple[FileStamp, str | None]]) -> None:
        """Note that tracks' features are those of these files, with the digests of their bytes."""
        self.store_facts(
            AUDIO_FILE,
            {i: (_FILE_RECIPE, [*stamp, digest]) for i, (stamp, digest) in files.items()},
        )

    def follow(self, moves: Mapping[str, str]) -> None:
        """Give what is known of tracks to those that have their files now: new id -> old id.

        An old one that is gone is deleted; one that is there waits for an analysis of its own.
        """
        if not moves:
            return
        called = self.facts(CALLED_BEFORE)
        with transaction(self._db) as db:
            db.execute("PRAGMA defer_foreign_keys = ON")
            query = "SELECT outcome, recipe FROM tracks WHERE id = ?"
            rows = {new: db.execute(query, (old,)).fetchone() for new, old in moves.items()}
            for table in ("features", "audio_facts", "facts", "ledger"):
                of_audio = _OF_SCAN.get(table, "")
                change = f"UPDATE {table} SET track_id = ? WHERE track_id = ?{of_audio}"
                # By way of names that no track has: two may have changed places.
                db.executemany(change, ((f"\0{new}", old) for new, old in moves.items()))
                drop = f"DELETE FROM {table} WHERE track_id = ?{of_audio}"
                db.executemany(drop, ((new,) for new in moves))
                db.executemany(change, ((new, f"\0{new}") for new in moves))
            for old in set(moves.values()) - moves.keys():
                db.execute("UPDATE tracks SET outcome = NULL WHERE id = ?", (old,))
                db.execute("DELETE FROM tracks WHERE id = ? AND listing = 'gone'", (old,))
            for new, row in rows.items():
                db.execute("UPDATE tracks SET outcome = ?, recipe = ? WHERE id = ?", (*row, new))
            chains = {new: [old, *called.get(old, ("", ()))[1]] for new, old in moves.items()}
            insert_facts(db, CALLED_BEFORE, {new: ("1", its) for new, its in chains.items()})

    def present_ids(self, ids: Iterable[str]) -> list[str]:
        """Ids of an earlier time, with the present ones of tracks whose files were renamed."""
        there = {as_text(row[0]) for row in self._db.execute("SELECT id FROM tracks")}
        called = self.facts(CALLED_BEFORE).items()
        renamed = {old: new for new, (_, its) in called for old in its}
        return [i if i in there else renamed.get(i, i) for i in ids]

    def durations(self) -> dict[str, float]:
        """Seconds of each track that was analysed."""
        rows = self._db.execute("SELECT track_id, duration_s FROM audio_facts")
        return {as_text(track_id): seconds for track_id, seconds in rows}

    def forget_outcomes(self, track_ids: Iterable[str]) -> None:
        """Mark tracks as not extracted; they are pending until `store` is called for them."""
        with transaction(self._db) as db:
            for track_id in track_ids:
                db.execute("UPDATE tracks SET outcome = NULL WHERE id = ?", (track_id,))
                db.execute("DELETE FROM ledger WHERE track_id = ? AND stage = 'audio'", (track_id,))

    def store(
        self,
        track_id: str,
        analysis: Analysis,
        *,
        stamp: FileStamp,
        recipe: str | None,
        recipes: Mapping[str, str] | None = None,
    ) -> None:
        """Write one track's features, facts, ledger rows and outcome in one transaction.

        `recipe` says how the features were made, `recipes` where one was made in another way; of a
        failure, by what means the file was tried, None where it is to be tried again. `stamp` is
        the file's state before it was read.
        """
        outcome = "ok" if analysis.failure is None else "failed"
        rows = [LedgerRow(track_id, "audio", "warning", text) for text in analysis.warnings]
        rows.append(LedgerRow(track_id, "audio", outcome, analysis.failure or ""))
        file = [*stamp, analysis.facts.get("file_digest")]
        with transaction(self._db) as db:
            query = "UPDATE tracks SET outcome = ?, recipe = ? WHERE id = ?"
            db.execute(query, (outcome, recipe, track_id))
            db.execute("DELETE FROM ledger WHERE track_id = ? AND stage = 'audio'", (track_id,))
            insert_rows(db, rows)
            db.execute("DELETE FROM features WHERE track_id = ?", (track_id,))
            db.execute("DELETE FROM audio_facts WHERE track_id = ?", (track_id,))
            insert_facts(db, AUDIO_FILE, {track_id: (_FILE_RECIPE, file)})
            made = dict.fromkeys(analysis.features, recipe or "") | dict(recipes or {})
            self._insert(track_id, analysis.features, made)
            if analysis.facts:
                db.execute(
                    f"INSERT INTO audio_facts VALUES (?{', ?' * len(FACTS)})",
                    (track_id, *(analysis.facts.get(name) for name in FACTS)),
                )

    def add_features(
        self, track_id: str, arrays: Mapping[str, NDArray[Any]], recipes: Mapping[str, str]
    ) -> None:
        """Store further features of a track that was analysed before; the rest stays as it is."""
        with transaction(self._db):
            self._insert(track_id, arrays, recipes)

    def features(self, name: str) -> dict[str, NDArray[Any]]:
        """One feature of every analysed track, by id in sorted order."""
        return dict(self.each_feature(name))

    def duration(self, track_id: str) -> float | None:
        """Seconds of a track; None where they are not known."""
        query = "SELECT duration_s FROM audio_facts WHERE track_id = ?"
        row = self._db.execute(query, (track_id,)).fetchone()
        return None if row is None else row[0]

    def each_feature(
        self, name: str, track_id: str | None = None
    ) -> Iterator[tuple[str, NDArray[Any]]]:
        """As `features`, one by one, so that not all of it need be in memory; or of one track."""
        rows = self._db.execute(
            "SELECT track_id, dtype, shape, data FROM features JOIN tracks ON id = track_id "
            f"WHERE name = ?1 AND track_id = coalesce(?2, track_id) AND {OUTCOME} = 'analysed' "
            "ORDER BY track_id",
            (name, track_id),
        )
        for track_id, dtype, shape, data in rows:
            try:
                lengths = [int(length) for length in shape.split(",") if length]
                array = np.frombuffer(data, np.dtype(dtype)).reshape(lengths)
            except (TypeError, ValueError):
                raise self._db.damaged() from None
            yield as_text(track_id), array

    def feature_recipes(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Per feature, the recipe that every track's stored one was made with."""
        query = "SELECT track_id, recipe FROM features WHERE name = ?"
        return {
            name: {as_text(i): as_text(recipe) for i, recipe in self._db.execute(query, (name,))}
            for name in names
        }

    def feature_digests(self, name: str) -> dict[str, str]:
        """Digests of what `features` gives, in its order, without reading it."""
        known = self.facts(f"digest of {name}")
        query = (
            "SELECT track_id, features.recipe FROM features JOIN tracks ON id = track_id "
            f"WHERE name = ? AND {OUTCOME} = 'analysed' ORDER BY track_id"
        )
        recipes = {as_text(i): as_text(r) for i, r in self._db.execute(query, (name,))}
        lacking = {i: r for i, r in recipes.items() if known.get(i, ("",))[0] != r}
        if lacking:  # stored by a version that kept none
            each = self.each_feature(name)
            found = {i: (lacking[i], _digest(array)) for i, array in each if i in lacking}
            self.store_facts(f"digest of {name}", found)
            known |= found
        return {i: str(known[i][1]) for i in recipes}

    def audio_facts(self) -> pd.DataFrame:
        """What the audio files themselves say, indexed by track id (analysed tracks).

        Columns: duration_s (decoded seconds), sample_rate (Hz), channels, container, codec,
        bitrate_kbps (file size over duration), loudness_dbfs (RMS of the mono mix),
        peak_dbfs, size_bytes, digest (SHA-256 of the decoded mono audio at 22,050 Hz and 16 bit:
        equal digests are equal audio).
        """
        import pandas as pd

        rows = self._db.execute(
            f"SELECT track_id, {', '.join(FACTS)} FROM audio_facts "
            f"JOIN tracks ON id = track_id WHERE {OUTCOME} = 'analysed' ORDER BY id"
        ).fetchall()
        index = pd.Index([as_text(row[0]) for row in rows], name="id", dtype=object)
        return pd.DataFrame([row[1:] for row in rows], columns=list(FACTS), index=index)

    def _insert(
        self, track_id: str, arrays: Mapping[str, NDArray[Any]], recipes: Mapping[str, str]
    ) -> None:
        for name, values in arrays.items():
            little = np.asarray(values, values.dtype.newbyteorder("<"), order="C")
            shape = ",".join(str(length) for length in little.shape)
            self._db.execute(
                "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?, ?)",
                (track_id, name, little.dtype.str, shape, recipes[name], little.tobytes()),
            )
            digest = {track_id: (recipes[name], _digest(little))}
            insert_facts(self._db, f"digest of {name}", digest)


def _digest(values: NDArray[Any]) -> str:
    hasher = hashlib.blake2b(f"{values.dtype.str}{values.shape}".encode(), digest_size=16)
    hasher.update(np.ascontiguousarray(values).tobytes())
    return hasher.hexdigest()
