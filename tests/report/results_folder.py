"""Results folders with known figures, as an experiment leaves them."""

import json
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from songscape.audit.finding import Check, Finding, Severity
from songscape.report.style import png_bytes

__all__ = ["NASTY", "N_SONGS", "save_picture", "write_folder", "write_songs"]

N_SONGS = 24
NASTY = "<script>alert('x')</script> 🎵 গান"
LANGUAGES = ("English", "Bangla", "Hindi")
TO_TABLE = ["model", "clusterer", "k", "seed", "axis", "metric", "column", "value"]


def save_picture(figure: Any, path: Path, dpi: int = 40) -> None:
    """Draw a figure into a file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_bytes(figure, dpi=dpi))


def write_folder(
    folder: Path,
    made: ModuleType,
    rows: list[dict[str, Any]],
    tests: list[dict[str, Any]] | None = None,
    **more: Any,
) -> Path:
    """Write tables from rows as `comparison_tables` makes them; `more` overrides the document.

    Without tests it is the folder of a run: one seed, no intervals, no nulls.
    """
    folder.mkdir(parents=True, exist_ok=True)
    summary, differences, models = made.tables(rows, tests or [], **more.pop("collapsed", {}))
    table = summary.rename(columns={"estimate": "value"}).assign(seed=0, reason=None)
    if tests is None:
        table[["null_95", "p_value"]] = None
        models = models[models["seed"] == 0]
    else:
        summary.to_csv(folder / "summary.csv", index=False)
        differences.to_csv(folder / "differences.csv", index=False)
    table = table[[*TO_TABLE, "chance", "null_95", "p_value", "reason"]]
    table.to_csv(folder / "table.csv", index=False)
    models.to_csv(folder / "models.csv", index=False)
    document = {
        **asdict(made.SETUP),
        "title": NASTY,
        "songscape": "0.1.0",
        "commands": [["songscape", "run", "my songs"]],
        "settings": {"models": ["pca"], "title": NASTY},
        "k": [4],
        "counts": {"found": N_SONGS + 1, "analysed": N_SONGS, "skipped": 0, "failed": 1},
        "input_digest": "abc123",
        "versions": {"numpy": "2.4"},
    } | more
    (folder / "experiment.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def write_songs(folder: Path, made: ModuleType, models: tuple[str, ...]) -> None:
    """Write songs, clusters and what is said of them: cluster = language, the last song is noise.

    Songs are called "Song 00" to "Song 23" by two artists; the first has a hostile title, the
    second none. Genre goes by halves, and has nothing to do with clusters.
    """
    ids = [f"album/{i:02d}" for i in range(N_SONGS)]
    titles = [NASTY, None, *(f"Song {i:02d}" for i in range(2, N_SONGS))]
    clusters = np.arange(N_SONGS) % len(LANGUAGES)
    labels = pd.DataFrame({"track_id": ids, "title": titles})
    labels["artist"] = ["Ann" if i % 4 < 2 else "Ben" for i in range(N_SONGS)]
    labels["language"] = [LANGUAGES[i] for i in clusters]
    labels["genre"] = ["<b>rock</b> & roll" if i < N_SONGS // 2 else "folk" for i in range(N_SONGS)]
    labels.loc[3, "genre"] = None
    labels.to_csv(folder / "labels.csv", index=False)
    clusters[-1] = -1
    where = {"clusterer": "kmeans", "k": 4, "seed": 0}
    each = [
        pd.DataFrame({"track_id": ids, "model": m, **where, "cluster": clusters}) for m in models
    ]
    pd.concat(each).to_csv(folder / "clusters.csv", index=False)
    ledger = [
        (ids[0], "audio", "ok", ""),
        (NASTY, "lyrics", "warning", "Latin-1 text"),
        ("NA", "audio", "failed", "empty.mp3: empty file; remove it"),
    ]
    columns = ["track_id", "stage", "status", "reason"]
    pd.DataFrame(ledger, columns=columns).to_csv(folder / "ledger.csv", index=False)
    odd = Finding(Check.DUPLICATE_AUDIO, Severity.WARNING, (NASTY,), {"groups": [[NASTY]]})
    made.warning_table(odd).to_csv(folder / "warnings.csv", index=False)
    unsure = {"track_id": ids[:3], "song-vae|unsure@kmeans|4": [0.9, 0.0, 0.3]}
    pd.DataFrame(unsure).to_csv(folder / "tracks.csv", index=False)
