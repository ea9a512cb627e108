"""What extraction leaves of each track: features, what the file says of itself, an outcome."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.library.database import OUTCOME, transaction
from songscape.library.ledger import insert_rows
from songscape.library.records import Analysis, LedgerRow

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "add_features",
    "audio_facts",
    "feature_recipes",
    "features",
    "fingerprints",
    "forget_outcomes",
    "store",
]

FACTS = (
    *("duration_s", "sample_rate", "channels", "container", "codec", "bitrate_kbps"),
    *("loudness_dbfs", "peak_dbfs", "size_bytes", "digest"),
)


def fingerprints(
    db: sqlite3.Connection,
) -> dict[str, tuple[str | None, int | None, int | None, str | None]]:
    """Per track: outcome (ok, failed or None) and size, mtime_ns and recipe it is about."""
    rows = db.execute("SELECT id, outcome, audio_size, audio_mtime_ns, recipe FROM tracks")
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def forget_outcomes(db: sqlite3.Connection, track_ids: Iterable[str]) -> None:
    """Mark tracks as not extracted."""
    with transaction(db):
        for track_id in track_ids:
            db.execute("UPDATE tracks SET outcome = NULL WHERE id = ?", (track_id,))
            db.execute("DELETE FROM ledger WHERE track_id = ? AND stage = 'audio'", (track_id,))


def feature_recipes(db: sqlite3.Connection, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Per feature, the recipe that every track's stored one was made with."""
    query = "SELECT track_id, recipe FROM features WHERE name = ?"
    return {name: dict(db.execute(query, (name,)).fetchall()) for name in names}


def add_features(
    db: sqlite3.Connection,
    track_id: str,
    features: Mapping[str, NDArray[Any]],
    recipes: Mapping[str, str],
) -> None:
    """Store further features of a track; the rest stays as it is."""
    with transaction(db):
        _insert_features(db, track_id, features, recipes)


def store(
    db: sqlite3.Connection,
    track_id: str,
    analysis: Analysis,
    *,
    size: int,
    mtime_ns: int,
    recipe: str,
    recipes: Mapping[str, str] | None = None,
) -> None:
    """Write one track's features, facts, ledger rows and outcome in one transaction."""
    failed = analysis.failure is not None
    rows = [LedgerRow(track_id, "audio", "warning", text) for text in analysis.warnings]
    rows.append(LedgerRow(track_id, "audio", "failed" if failed else "ok", analysis.failure or ""))
    with transaction(db):
        db.execute(
            "UPDATE tracks SET outcome = ?, audio_size = ?, audio_mtime_ns = ?, recipe = ? "
            "WHERE id = ?",
            ("failed" if failed else "ok", size, mtime_ns, recipe, track_id),
        )
        db.execute("DELETE FROM ledger WHERE track_id = ? AND stage = 'audio'", (track_id,))
        insert_rows(db, rows)
        db.execute("DELETE FROM features WHERE track_id = ?", (track_id,))
        db.execute("DELETE FROM audio_facts WHERE track_id = ?", (track_id,))
        made = dict.fromkeys(analysis.features, recipe) | dict(recipes or {})
        _insert_features(db, track_id, analysis.features, made)
        if analysis.facts:
            db.execute(
                f"INSERT INTO audio_facts VALUES (?{', ?' * len(FACTS)})",
                (track_id, *(analysis.facts.get(name) for name in FACTS)),
            )


def features(db: sqlite3.Connection, name: str) -> dict[str, NDArray[Any]]:
    """One feature of every analysed track, by id in sorted order."""
    rows = db.execute(
        "SELECT track_id, dtype, shape, data FROM features JOIN tracks ON id = track_id "
        f"WHERE name = ? AND {OUTCOME} = 'analysed' ORDER BY track_id",
        (name,),
    )
    return {
        track_id: np.frombuffer(data, np.dtype(dtype)).reshape(
            [int(length) for length in shape.split(",") if length]
        )
        for track_id, dtype, shape, data in rows
    }


def audio_facts(db: sqlite3.Connection) -> pd.DataFrame:
    """What the audio files themselves say; see `Library.audio_facts`."""
    import pandas as pd

    rows = db.execute(
        f"SELECT track_id, {', '.join(FACTS)} FROM audio_facts "
        f"JOIN tracks ON id = track_id WHERE {OUTCOME} = 'analysed' ORDER BY id"
    ).fetchall()
    frame = pd.DataFrame(rows, columns=["id", *FACTS])
    return frame.set_index("id")


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
