"""The catalogue and the ledger: which tracks there are, and what happened to each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.library.database import GONE, OUTCOME, Database, as_text, transaction
from songscape.library.facts import Facts, insert_facts
from songscape.library.records import (
    Collection,
    Counts,
    FileStamp,
    LedgerRow,
    Lyrics,
    Span,
    Tags,
    Track,
)

if TYPE_CHECKING:
    import pandas as pd

LYRICS_RECIPE = "4"
"""Raised when the same lyrics give other text or another remark: files are read again then."""
TAGS_RECIPE = f"2.{LYRICS_RECIPE}"
"""Raised when the same audio file gives other tags."""
_READ_OF_FILES: Mapping[str, tuple[type, str]] = {
    "lyrics": (Lyrics, LYRICS_RECIPE),
    "tags": (Tags, TAGS_RECIPE),
}
SPAN = "part of its file"
ROW = "row of the table"
LAST_SCAN = "digest of the last scan"
_UPSERT = """INSERT INTO tracks (id, audio, lyrics, listing) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET audio = excluded.audio, lyrics = excluded.lyrics,
    listing = excluded.listing"""


class Catalogue(Facts):
    """The part of a library that a scan fills."""

    path: Path

    @property
    def root(self) -> Path:
        """The collection's folder as of the last scan."""
        row = self._meta("root")
        return self.path.parent if row is None else Path(row)

    @property
    def excerpt(self) -> str:
        """What is read of long files, see `songscape.features.decode`; "" before any was."""
        return self._meta("excerpt") or ""

    @excerpt.setter
    def excerpt(self, kind: str) -> None:
        if kind != self.excerpt:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('excerpt', ?)", (kind,))

    def update(self, collection: Collection) -> None:
        """Make the catalogue say what the scan found; features stay.

        Tracks that are no longer there are kept as gone, so a folder that was unplugged for a day
        costs nothing. Nothing is written where nothing changed.
        """
        digest = _digest(collection)
        if self._meta(LAST_SCAN) != digest:
            before = self.spans()
            with transaction(self._db) as db:
                _update(db, collection)
                _update_spans(db, collection, before)
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (LAST_SCAN, digest))
        for name, (kind, recipe) in _READ_OF_FILES.items():
            # A file that could not even be looked at is tried again.
            read = {
                stamp: what
                for stamp, what in collection.files.items()
                if isinstance(what, kind) and stamp.ctime_ns is not None
            }
            if read.keys() != self.known_files(name, recipe):
                values = {stamp: asdict(what) for stamp, what in read.items()}
                self.store_file_facts(name, recipe, values)

    def read_before(self) -> dict[FileStamp, Lyrics | Tags]:
        """What was read of lyric and audio files: one in the same state need not be read again."""
        lyrics, tags = (
            self.file_facts(name, recipe) for name, (_, recipe) in _READ_OF_FILES.items()
        )
        found: dict[FileStamp, Lyrics | Tags] = {}
        try:
            for stamp, value in lyrics.items():
                found[stamp] = Lyrics(**value)
            for stamp, value in tags.items():
                words = value.pop("lyrics")
                found[stamp] = Tags(**value, lyrics=words and Lyrics(**words))
        except (AttributeError, KeyError, TypeError) as error:
            raise self._db.damaged() from error
        return found

    def tracks(self, outcome: str | None = None) -> list[Track]:
        """All tracks sorted by id, or those that are analysed, skipped, failed, pending or gone."""
        root, spans = self.root, self.spans()
        labels: dict[str, dict[str, str]] = {}
        query = (
            "SELECT track_id, labels.name, value FROM labels "
            "JOIN label_columns USING (name) ORDER BY position"
        )
        for track_id, name, value in self._db.execute(query):
            labels.setdefault(as_text(track_id), {})[as_text(name)] = as_text(value)
        return [
            Track(
                as_text(track_id),
                audio and root / os.fsdecode(audio),
                lyrics and as_text(lyrics),
                labels.get(as_text(track_id), {}),
                spans.get(as_text(track_id)),
            )
            for track_id, audio, lyrics in self._each("id, audio, lyrics", outcome)
        ]

    def _each(self, columns: str, outcome: str | None) -> Iterator[list[Any]]:
        """Columns of tracks, all or those of one outcome, by id."""
        for *row, its in self._db.execute(f"SELECT {columns}, {OUTCOME} FROM tracks ORDER BY id"):
            if outcome in (None, its):
                yield row

    def spans(self) -> dict[str, Span]:
        """Which part of its file each track is, from and to in seconds, where that is not all."""
        return {i: (span[0], span[1]) for i, (_, span) in self.facts(SPAN).items()}

    def track_ids(self, outcome: str | None = None) -> list[str]:
        """Ids, sorted; all, or those of one outcome, as for `tracks`."""
        return [as_text(track_id) for (track_id,) in self._each("id", outcome)]

    def texts(self) -> dict[str, str | None]:
        """The lyrics of every analysed track, sorted by id; None where it has none."""
        rows = self._each("id, lyrics", "analysed")
        return {as_text(track_id): lyrics and as_text(lyrics) for track_id, lyrics in rows}

    def audio_files(self) -> dict[str, str | None]:
        """Where the audio of every analysed track is, sorted by id."""
        root = str(self.root)
        return {
            as_text(track_id): audio and os.path.join(root, os.fsdecode(audio))
            for track_id, audio in self._each("id, audio", "analysed")
        }

    def column_names(self) -> list[str]:
        """The columns of the collection's table, in its order."""
        rows = self._db.execute("SELECT name FROM label_columns ORDER BY position")
        return [as_text(name) for (name,) in rows]

    def cells(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Of some columns, the value of every track that has one."""
        query = "SELECT track_id, value FROM labels WHERE name = ?"
        return {
            name: {as_text(i): as_text(value) for i, value in self._db.execute(query, (name,))}
            for name in names
        }

    def columns(self) -> pd.DataFrame:
        """The collection's table: its columns in its order and spelling, all tracks, by id.

        A missing value is None.
        """
        import pandas as pd

        rows = {track_id: i for i, track_id in enumerate(self.track_ids())}
        cells: dict[str, list[str | None]] = {
            name: [None] * len(rows) for name in self.column_names()
        }
        for track_id, name, value in self._db.execute("SELECT track_id, name, value FROM labels"):
            cells[as_text(name)][rows[as_text(track_id)]] = as_text(value)
        index = pd.Index(list(rows), name="id", dtype=object)
        series = {name: pd.Series(cells[name], index=index, dtype=object) for name in cells}
        return pd.DataFrame(series, index=index)

    def ledger(self, status: str | None = None) -> list[LedgerRow]:
        """What happened, sorted by track and stage; all rows or those of one status."""
        rows = self._db.execute(
            "SELECT * FROM (SELECT track_id, stage, status, reason FROM ledger UNION ALL "
            "SELECT id, 'scan', 'gone', ?2 FROM tracks WHERE listing = 'gone') "
            "WHERE ?1 IS NULL OR status = ?1 ORDER BY 1, 2, 3, 4",
            (status, GONE),
        )
        return [LedgerRow(*map(as_text, row)) for row in rows]

    def note(self, stage: str, rows: Iterable[LedgerRow]) -> None:
        """Replace the ledger's rows of a stage beyond the scan, the lyrics and the audio."""
        with transaction(self._db) as db:
            db.execute("DELETE FROM ledger WHERE stage = ?", (stage,))
            insert_rows(db, rows)

    def counts(self) -> Counts:
        """How many tracks were found and what became of them."""
        outcomes = f"SELECT {OUTCOME} AS its, count(*) FROM tracks GROUP BY its"
        numbers = dict(self._db.execute(outcomes).fetchall())
        remarks = "SELECT count(*) FROM ledger WHERE status = "
        (warnings,) = self._db.execute(f"{remarks} 'warning'").fetchone()
        (parts,) = self._db.execute(f"{remarks} 'failed' AND stage = 'lyrics'").fetchone()
        gone = numbers.pop("gone", 0)
        return Counts(
            found=sum(numbers.values()),
            **{name: numbers.get(name, 0) for name in ("analysed", "skipped", "failed", "pending")},
            warnings=warnings,
            failed_parts=parts,
            gone=gone,
        )

    def forget(self, track_ids: Iterable[str]) -> None:
        """Delete all that is known of tracks that are gone; others are left alone."""
        gone = set(self.track_ids("gone"))
        rows = [(track_id,) for track_id in track_ids if track_id in gone]
        with transaction(self._db) as db:
            for table, key in (("facts", "track_id"), ("ledger", "track_id"), ("tracks", "id")):
                db.executemany(f"DELETE FROM {table} WHERE {key} = ?", rows)

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else as_text(row[0])


def insert_rows(db: Database, rows: Iterable[LedgerRow]) -> None:
    """Add rows to the ledger; within a transaction of the caller's."""
    db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?)", rows)


def _update(db: Database, collection: Collection) -> None:
    root, tracks = collection.root, collection.tracks
    db.execute("INSERT OR REPLACE INTO meta VALUES ('root', ?)", (str(root),))
    db.execute("UPDATE tracks SET listing = 'gone'")
    db.execute("DELETE FROM ledger WHERE stage IN ('scan', 'tags', 'lyrics')")
    db.execute("DELETE FROM labels")
    db.execute("DELETE FROM label_columns")
    names = collection.label_columns or dict.fromkeys(n for t in tracks for n in t.labels)
    db.executemany("INSERT INTO label_columns VALUES (?, ?)", enumerate(names))
    rows = ((t.id, _stored_path(t.audio, root), t.lyrics, "present") for t in tracks)
    db.executemany(_UPSERT, rows)
    db.executemany(
        "INSERT INTO labels VALUES (?, ?, ?)",
        ((t.id, name, value) for t in tracks for name, value in t.labels.items()),
    )
    rejected = {
        row.track_id: row.status
        for row in collection.problems
        if row.stage == "scan" and row.status in ("failed", "skipped")
    }
    db.executemany(_UPSERT, ((i, None, None, status) for i, status in rejected.items()))
    insert_rows(db, collection.problems)
    db.execute("DELETE FROM facts WHERE name = ?", (ROW,))
    insert_facts(db, ROW, {track_id: ("1", its) for track_id, its in collection.rows.items()})


def _update_spans(db: Database, collection: Collection, before: Mapping[str, Span]) -> None:
    """Note the part of its file that each track is; those whose part changed are pending."""
    for track in collection.tracks:
        if track.span != before.get(track.id):
            db.execute("UPDATE tracks SET outcome = NULL WHERE id = ?", (track.id,))
            db.execute("DELETE FROM facts WHERE name = ? AND track_id = ?", (SPAN, track.id))
    spans = {t.id: ("1", t.span) for t in collection.tracks if t.span is not None}
    insert_facts(db, SPAN, spans)


def _digest(collection: Collection) -> str:
    hasher = hashlib.blake2b(digest_size=16)
    for part in (
        (str(collection.root), collection.label_columns),
        *((t.id, str(t.audio), t.lyrics, list(t.labels.items())) for t in collection.tracks),
        *((t.id, t.span) for t in collection.tracks if t.span is not None),
        *collection.problems,
        *sorted(collection.rows.items()),
    ):
        hasher.update(ascii(part).encode())
    return hasher.hexdigest()


def _stored_path(path: Path | None, root: Path) -> str | bytes | None:
    if path is None:
        return None
    text = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    try:
        text.encode()
    except UnicodeEncodeError:  # a file name that isn't UTF-8
        return os.fsencode(text)
    return text
