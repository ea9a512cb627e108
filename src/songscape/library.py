"""Library: one SQLite file that holds a collection's tracks, ledger and features."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError

if TYPE_CHECKING:
    import pandas as pd

    from songscape.features.analyse import Analysis
    from songscape.ingest.scan import Collection

__all__ = ["Counts", "LedgerRow", "Library", "Track"]

APPLICATION_ID = 0x536F6E67  # "Song": tells our files from other SQLite databases
SCHEMA_VERSION = 1
GONE = "no longer in the collection"

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
_FACTS = (
    *("duration_s", "sample_rate", "channels", "container", "codec", "bitrate_kbps"),
    *("loudness_dbfs", "peak_dbfs", "size_bytes", "digest"),
)


@dataclass(frozen=True)
class Track:
    """One song: where its audio is, its words, and what the collection's table says of it."""

    id: str
    audio: Path | None
    lyrics: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerRow:
    """What happened to one track at one stage; status is ok, warning, failed or skipped."""

    track_id: str
    stage: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Counts:
    """Outcomes: found = analysed + skipped + failed (+ pending while an extraction is unfinished).

    `warnings` counts ledger rows, and `failed_parts` tracks that were analysed without a part
    that was there but couldn't be read (their lyrics).
    """

    found: int
    analysed: int
    skipped: int
    failed: int
    pending: int
    warnings: int
    failed_parts: int

    @property
    def complete(self) -> bool:
        """Whether nothing failed, neither a track nor a part of one (exit 0 and not 3)."""
        return not (self.failed or self.failed_parts or self.pending)


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
            cls._prepare(path, connection)
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
        return cls(path, connection)

    @staticmethod
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

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # -- catalogue ---------------------------------------------------------------------------

    @property
    def root(self) -> Path:
        """The collection's folder as of the last scan."""
        row = self._db.execute("SELECT value FROM meta WHERE key = 'root'").fetchone()
        return Path(row[0]) if row else self.path.parent

    def update(self, collection: Collection) -> None:
        """Make the catalogue say what the scan found; features stay.

        Tracks that are no longer there are kept and marked skipped, so a folder that was
        unplugged for a day costs nothing.
        """
        rejected = {
            row.track_id: row
            for row in collection.problems
            if row.stage == "scan" and row.status in ("failed", "skipped")
        }
        with self._transaction() as db:
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
            db.executemany(
                "UPDATE tracks SET listing = 'skipped' WHERE id = ?", [(i,) for i in gone]
            )
            rows = [*collection.problems, *(LedgerRow(i, "scan", "skipped", GONE) for i in gone)]
            _insert_ledger(db, rows)

    def tracks(self, outcome: str | None = None) -> list[Track]:
        """All tracks sorted by id, or those of one outcome: analysed, skipped, failed, pending."""
        labels: dict[str, dict[str, str]] = {}
        query = (
            "SELECT track_id, labels.name, value FROM labels "
            "JOIN label_columns USING (name) ORDER BY position"
        )
        for track_id, name, value in self._db.execute(query):
            labels.setdefault(track_id, {})[name] = value
        root = self.root
        return [
            Track(track_id, _loaded_path(audio, root), lyrics, labels.get(track_id, {}))
            for track_id, audio, lyrics, found in self._db.execute(
                f"SELECT id, audio, lyrics, {_OUTCOME} FROM tracks ORDER BY id"
            )
            if outcome in (None, found)
        ]

    def track_ids(self, outcome: str | None = None) -> list[str]:
        """Ids, sorted; all, or those of one outcome: analysed, skipped, failed, pending."""
        query = f"SELECT id, {_OUTCOME} FROM tracks ORDER BY id"
        return [row[0] for row in self._db.execute(query) if outcome in (None, row[1])]

    def ledger(self, status: str | None = None) -> list[LedgerRow]:
        """What happened, sorted by track and stage; all rows or those of one status."""
        rows = self._db.execute(
            "SELECT track_id, stage, status, reason FROM ledger "
            "WHERE ?1 IS NULL OR status = ?1 ORDER BY track_id, stage, status, reason",
            (status,),
        )
        return [LedgerRow(*row) for row in rows]

    def counts(self) -> Counts:
        """How many tracks were found and what became of them."""
        found = dict(
            self._db.execute(f"SELECT {_OUTCOME} AS o, count(*) FROM tracks GROUP BY o").fetchall()
        )
        (warnings,) = self._db.execute(
            "SELECT count(*) FROM ledger WHERE status = 'warning'"
        ).fetchone()
        (parts,) = self._db.execute(
            "SELECT count(*) FROM ledger WHERE status = 'failed' AND stage = 'lyrics'"
        ).fetchone()
        return Counts(
            found=sum(found.values()),
            analysed=found.get("analysed", 0),
            skipped=found.get("skipped", 0),
            failed=found.get("failed", 0),
            pending=found.get("pending", 0),
            warnings=warnings,
            failed_parts=parts,
        )

    def labels(self) -> pd.DataFrame:
        """Label columns in the table's order, indexed by track id (all tracks); missing is None."""
        import pandas as pd

        tracks = self.tracks()
        names = [r[0] for r in self._db.execute("SELECT name FROM label_columns ORDER BY position")]
        index = pd.Index([track.id for track in tracks], name="id", dtype=object)
        columns = {
            name: pd.Series([t.labels.get(name) for t in tracks], index=index, dtype=object)
            for name in names
        }
        return pd.DataFrame(columns, index=index)

    def audio_facts(self) -> pd.DataFrame:
        """What the audio files themselves say, indexed by track id (analysed tracks).

        Columns: duration_s (decoded seconds), sample_rate (Hz), channels, container, codec,
        bitrate_kbps (file size over duration), loudness_dbfs (RMS of the mono mix),
        peak_dbfs, size_bytes, digest (SHA-256 of the decoded mono audio at 22,050 Hz and 16 bit:
        equal digests are equal audio).
        """
        import pandas as pd

        rows = self._db.execute(
            f"SELECT track_id, {', '.join(_FACTS)} FROM audio_facts "
            f"JOIN tracks ON id = track_id WHERE {_OUTCOME} = 'analysed' ORDER BY id"
        ).fetchall()
        frame = pd.DataFrame(rows, columns=["id", *_FACTS])
        return frame.set_index("id")

    # -- extraction --------------------------------------------------------------------------

    def fingerprints(self) -> dict[str, tuple[str | None, int | None, int | None, str | None]]:
        """Per track: outcome (ok, failed or None) and size, mtime_ns and recipe it is about."""
        rows = self._db.execute(
            "SELECT id, outcome, audio_size, audio_mtime_ns, recipe FROM tracks"
        )
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}

    def forget_outcomes(self, track_ids: Iterable[str]) -> None:
        """Mark tracks as not extracted; they are pending until `store` is called for them."""
        with self._transaction() as db:
            for track_id in track_ids:
                db.execute("UPDATE tracks SET outcome = NULL WHERE id = ?", (track_id,))
                db.execute("DELETE FROM ledger WHERE track_id = ? AND stage = 'audio'", (track_id,))

    def feature_recipes(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Per feature, the recipe that every track's stored one was made with."""
        query = "SELECT track_id, recipe FROM features WHERE name = ?"
        return {name: dict(self._db.execute(query, (name,)).fetchall()) for name in names}

    def add_features(
        self,
        track_id: str,
        features: Mapping[str, NDArray[Any]],
        recipes: Mapping[str, str],
    ) -> None:
        """Store further features of a track that was analysed before; the rest stays as it is."""
        with self._transaction() as db:
            _insert_features(db, track_id, features, recipes)

    def note(self, stage: str, rows: Iterable[LedgerRow]) -> None:
        """Replace the ledger's rows of a stage beyond the scan, the lyrics and the audio."""
        with self._transaction() as db:
            db.execute("DELETE FROM ledger WHERE stage = ?", (stage,))
            _insert_ledger(db, rows)

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
        failed = analysis.failure is not None
        rows = [LedgerRow(track_id, "audio", "warning", text) for text in analysis.warnings]
        rows.append(
            LedgerRow(track_id, "audio", "failed" if failed else "ok", analysis.failure or "")
        )
        with self._transaction() as db:
            db.execute(
                "UPDATE tracks SET outcome = ?, audio_size = ?, audio_mtime_ns = ?, recipe = ? "
                "WHERE id = ?",
                ("failed" if failed else "ok", size, mtime_ns, recipe, track_id),
            )
            db.execute("DELETE FROM ledger WHERE track_id = ? AND stage = 'audio'", (track_id,))
            _insert_ledger(db, rows)
            db.execute("DELETE FROM features WHERE track_id = ?", (track_id,))
            db.execute("DELETE FROM audio_facts WHERE track_id = ?", (track_id,))
            made = dict.fromkeys(analysis.features, recipe) | dict(recipes or {})
            _insert_features(db, track_id, analysis.features, made)
            if analysis.facts:
                db.execute(
                    f"INSERT INTO audio_facts VALUES (?{', ?' * len(_FACTS)})",
                    (track_id, *(analysis.facts.get(name) for name in _FACTS)),
                )

    def features(self, name: str) -> dict[str, NDArray[Any]]:
        """One feature of every analysed track, by id in sorted order."""
        rows = self._db.execute(
            "SELECT track_id, dtype, shape, data FROM features JOIN tracks ON id = track_id "
            f"WHERE name = ? AND {_OUTCOME} = 'analysed' ORDER BY track_id",
            (name,),
        )
        return {
            track_id: np.frombuffer(data, np.dtype(dtype)).reshape(
                [int(length) for length in shape.split(",") if length]
            )
            for track_id, dtype, shape, data in rows
        }


_OUTCOME = """CASE WHEN listing != 'present' THEN listing WHEN outcome = 'ok' THEN 'analysed'
    WHEN outcome = 'failed' THEN 'failed' ELSE 'pending' END"""


def _insert_features(
    db: sqlite3.Connection,
    track_id: str,
    features: Mapping[str, NDArray[Any]],
    recipes: Mapping[str, str],
) -> None:
    for name, values in features.items():
        little = np.asarray(values, values.dtype.newbyteorder("<"), order="C")
        shape = ",".join(str(length) for length in little.shape)
        db.execute(
            "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?, ?)",
            (track_id, name, little.dtype.str, shape, recipes[name], little.tobytes()),
        )


def _insert_ledger(db: sqlite3.Connection, rows: Iterable[LedgerRow]) -> None:
    db.executemany(
        "INSERT INTO ledger VALUES (?, ?, ?, ?)",
        [(r.track_id, r.stage, r.status, r.reason) for r in rows],
    )


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
