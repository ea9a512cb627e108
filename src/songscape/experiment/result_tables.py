"""The tables of `results/`, from trials and from the library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from songscape.results import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.evidence import Evidence
    from songscape.benchmark.keys import PartitionKey
    from songscape.benchmark.measure import Measurements
    from songscape.experiment.request import Name
    from songscape.experiment.trials import Trial
    from songscape.library import Library

DESCRIPTIONS = (
    *("model", "clusterer", "k", "seed", "cluster", "size", "share"),
    *("typical", "words", "labels"),
)


def models_table(summaries: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """`models.csv`: one row per model and seed."""
    import pandas as pd

    from songscape.models.presets import find_preset

    rows = []
    for summary in summaries:
        row = dict(summary) | {"kind": find_preset(str(summary["model"])).kind}
        if row.get("kl_per_dimension") is not None:
            row["kl_per_dimension"] = " ".join(f"{kl:.3g}" for kl in row["kl_per_dimension"])
        rows.append(row)
    return pd.DataFrame(rows, columns=list(TABLES["models"]))


def clusters_table(measured: Mapping[Name, Measurements], track_ids: Sequence[str]) -> pd.DataFrame:
    """`clusters.csv`: one row per partition and track; cluster -1 is noise."""
    import pandas as pd

    frames = [pd.DataFrame(columns=list(TABLES["clusters"])).astype({"k": "Int64"})]
    for (model, seed), found in measured.items():
        for key, labels in found.partitions.items():
            head = {"track_id": track_ids, "model": model, "clusterer": key.clusterer}
            tail = {"k": key.k, "seed": seed, "cluster": labels}
            frames.append(pd.DataFrame({**head, **tail}).astype({"k": "Int64"}))
    return pd.concat(frames[1:] or frames, ignore_index=True)


def descriptions_table(
    trials: Mapping[Name, Trial], shown: Mapping[Name, Iterable[PartitionKey]]
) -> pd.DataFrame:
    """`descriptions.csv`: one row per cluster of every partition of the first seed."""
    import pandas as pd

    rows = [
        {"model": model, "clusterer": key.clusterer, "k": key.k, "seed": seed} | row
        for (model, seed), trial in trials.items()
        for key in shown[model, seed]
        if key in trial.parts
        for row in trial.parts[key].clusters
    ]
    return pd.DataFrame(rows, columns=list(DESCRIPTIONS)).astype({"k": "Int64"})


def metrics_table(table: pd.DataFrame) -> pd.DataFrame:
    """`results/metrics.csv`: what `table.csv` has of partitions, one row for each of them.

    Structure is measured in each model's own space, so it can't rank models. Agreement with a
    column is called COLUMN_MEASURE.
    """
    import pandas as pd

    found: dict[tuple[Any, ...], dict[str, float]] = {}
    shown = table[table["axis"].isin(["own space", "health", "agreement", "leakage"])]
    shown = shown[shown["clusterer"].fillna("") != ""]
    for row in shown.itertuples():
        where = (row.model, row.clusterer, None if pd.isna(row.k) else int(row.k), row.seed)
        of_column = row.axis in ("agreement", "leakage")
        name = f"{row.column}_{row.metric}" if of_column else str(row.metric)
        found.setdefault(where, {})[name] = row.value
    keys = ("model", "clusterer", "k", "seed")
    frame = pd.DataFrame([dict(zip(keys, key)) | values for key, values in found.items()])
    return frame.astype({"k": "Int64"}) if len(frame) else frame


def unmeasured_table(
    measured: Mapping[Name, Measurements], summaries: Iterable[Mapping[str, Any]]
) -> pd.DataFrame:
    """`unmeasured.csv`: what could not be computed, one row per model, seed and thing.

    `what` is "model" (nothing of this seed), "skipped" (the collection has nothing for it),
    "space", "partition" (no clusters, so the other seeds' are not tested either), "measures" (of
    clusters) or "stability".
    """
    import pandas as pd

    rows = [
        {"model": one["model"], "clusterer": "", "seed": one["seed"], "reason": one["reason"]}
        | {"what": "skipped" if one["status"] == "skipped" else "model"}
        for one in summaries
        if one["status"] != "ok"
    ]
    rows += [
        {"clusterer": "", "k": None, **row, "model": model, "seed": seed, "what": row["metric"]}
        for (model, seed), found in measured.items()
        for row in found.rows
        if row["axis"] == "failed"
    ]
    return pd.DataFrame(rows, columns=list(TABLES["unmeasured"])).astype({"k": "Int64"})


def tracks_table(
    evidence: Sequence[Evidence], groups: Any, track_ids: Sequence[str]
) -> pd.DataFrame:
    """`tracks.csv`: per track its group of evidence, and how unsure its place is in each partition.

    "MODEL|border@CLUSTERER|K": how near it is to the border of its cluster, 0 in the centre and 1
    half way to the next one; "MODEL|unsure@CLUSTERER|K": the share of the other tracks of its
    cluster that it loses over subsamples; "MODEL|spread": the spread of its posterior. All are of
    the first seed.
    """
    import pandas as pd

    columns: dict[str, Any] = {"track_id": list(track_ids), "group": groups}
    for one in evidence:
        for sample, values in one.samples.items():
            if sample.metric in ("border", "unsure", "spread"):
                columns[f"{one.model}|{sample}"] = values[0]
    return pd.DataFrame(columns)


def ledger_table(library: Library) -> pd.DataFrame:
    """`ledger.csv`: track_id, stage, status, reason."""
    import pandas as pd

    rows = [(row.track_id, row.stage, row.status, row.reason) for row in library.ledger()]
    return pd.DataFrame(rows, columns=list(TABLES["ledger"]))
