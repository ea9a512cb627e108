"""The ledger: what happened to each track at each stage, and how many came to what end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from songscape.library.database import OUTCOME, transaction
from songscape.library.records import Counts, LedgerRow

__all__ = ["counts", "insert_rows", "replace_stage", "rows"]


def rows(db: sqlite3.Connection, status: str | None = None) -> list[LedgerRow]:
    """What happened, sorted by track and stage; all rows or those of one status."""
    found = db.execute(
        "SELECT track_id, stage, status, reason FROM ledger "
        "WHERE ?1 IS NULL OR status = ?1 ORDER BY track_id, stage, status, reason",
        (status,),
    )
    return [LedgerRow(*row) for row in found]


def counts(db: sqlite3.Connection) -> Counts:
    """How many tracks were found and what became of them."""
    found = dict(db.execute(f"SELECT {OUTCOME} AS o, count(*) FROM tracks GROUP BY o").fetchall())
    (warnings,) = db.execute("SELECT count(*) FROM ledger WHERE status = 'warning'").fetchone()
    (parts,) = db.execute(
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


def replace_stage(db: sqlite3.Connection, stage: str, rows: Iterable[LedgerRow]) -> None:
    """Replace the rows of a stage."""
    with transaction(db):
        db.execute("DELETE FROM ledger WHERE stage = ?", (stage,))
        insert_rows(db, rows)


def insert_rows(db: sqlite3.Connection, rows: Iterable[LedgerRow]) -> None:
    """Add rows; within a transaction of the caller's."""
    db.executemany(
        "INSERT INTO ledger VALUES (?, ?, ?, ?)",
        [(r.track_id, r.stage, r.status, r.reason) for r in rows],
    )
