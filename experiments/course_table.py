"""Prints a course task's table, with what was published beside what a run measured.

    songscape run FOLDER --config experiments/medium.toml --out OUT
    python experiments/course_table.py OUT

Every figure was measured in its method's own space, so the rows can't be ranked.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

PUBLISHED = Path(__file__).parent / "published" / "course.toml"
MEASURED = {
    "Silhouette": ("own space", "silhouette"),
    "Davies-Bouldin": ("own space", "davies_bouldin"),
    "Noise share": ("health", "noise_share"),
}


def course_table(table: pd.DataFrame, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One line per published row and k: means over seeds, beside the published figures.

    Parameters
    ----------
    table : DataFrame
        `results/table.csv` of a run.
    rows : sequence of mapping
        method, model and clusterer; silhouette and davies_bouldin where they were published.
    """
    lines = []
    for row in rows:
        same = (table["model"] == row["model"]) & (table["clusterer"] == row["clusterer"])
        claimed = {
            "Claimed silhouette": row.get("silhouette"),
            "Claimed Davies-Bouldin": row.get("davies_bouldin"),
        }
        groups = [one for _, one in table[same].groupby("k", dropna=False)]
        for one in groups or [table[same]]:
            means = one.groupby(["axis", "metric"])["value"].mean()
            k = one["k"].dropna().max()
            line = {"Method": row["method"]}
            line["k"] = means.get(("health", "n_clusters")) if pd.isna(k) else k
            line |= {name: means.get(measure) for name, measure in MEASURED.items()}
            lines.append(line | claimed)
    frame = pd.DataFrame(lines).astype({"k": float})
    return frame.assign(k=frame["k"].round().astype("Int64"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of the task that a results folder is of."""
    published = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="folder that songscape run --out was given")
    parser.add_argument("--task", choices=list(published), help="default: the one it fits")
    options = parser.parse_args(arguments)
    path = options.results / "results" / "table.csv"
    if not path.exists():
        parser.error(f"{path}: no such table; songscape run writes it")
    table = pd.read_csv(
        path, dtype={"model": str, "clusterer": str}, keep_default_na=False, na_values=[""]
    )
    there = set(zip(table["model"], table["clusterer"]))
    fits = {
        task: sum((row["model"], row["clusterer"]) in there for row in rows) / len(rows)
        for task, rows in published.items()
    }
    task = options.task or max(fits, key=lambda name: fits[name])
    found = course_table(table, published[task])
    print(found.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.4f}"))
    print("Each row is measured in its own space: the rows can't be ranked.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
