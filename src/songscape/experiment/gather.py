"""Cells -> evidence by model, what is missing from it, and the tables beside the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from songscape.benchmark.keys import PartitionKey, SampleKey
from songscape.experiment.trials import Cell

if TYPE_CHECKING:
    import pandas as pd

    from songscape.audit.finding import Finding
    from songscape.benchmark.evidence import Evidence
    from songscape.benchmark.targets import Targets

__all__ = [
    "UNMEASURED",
    "clusters_table",
    "evidence_by_model",
    "tracks_table",
    "unmeasured_table",
    "warnings_table",
]

UNMEASURED = ("model", "clusterer", "k", "seed", "what", "reason")


def evidence_by_model(cells: Sequence[Cell]) -> list[Evidence]:
    """Put the seeds of each model together; models that could not be trained are passed over."""
    from songscape.benchmark.evidence import Evidence
    from songscape.benchmark.measure import Measurements
    from songscape.models.presets import find_preset

    seeds: dict[str, dict[int, Measurements]] = {}
    for cell in cells:
        if cell.ok:
            seeds.setdefault(cell.model, {})[cell.seed] = Measurements(
                cell.rows,
                {SampleKey.parse(name): cell.samples[name].to_numpy() for name in cell.samples},
                {PartitionKey.parse(n): cell.partitions[n].to_numpy() for n in cell.partitions},
            )
    return [Evidence.of(model, find_preset(model).kind, own) for model, own in seeds.items()]


def unmeasured_table(cells: Iterable[Cell], crashed: Mapping[tuple[str, int], str]) -> pd.DataFrame:
    """Everything that could not be computed, one row per model, seed and thing.

    Returns
    -------
    DataFrame
        model, clusterer, k, seed, what and reason. `what` is "model" (nothing of this seed),
        "skipped" (the collection has nothing for it), "space", "partition" (no clusters, so the
        other seeds' are not tested either), "measures" (of clusters) or "stability".
    """
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {"model": model, "seed": seed, "what": "model", "reason": reason}
        for (model, seed), reason in crashed.items()
    ]
    for cell in cells:
        of_cell = {"model": cell.model, "seed": cell.seed}
        if not cell.ok:
            what = "skipped" if cell.summary["status"] == "skipped" else "model"
            rows.append(of_cell | {"what": what, "reason": cell.summary["reason"]})
        rows += [
            of_cell
            | {name: row.get(name) for name in ("clusterer", "k", "reason")}
            | {"what": row["metric"]}
            for row in cell.rows
            if row["axis"] == "failed"
        ]
    frame = pd.DataFrame(rows, columns=list(UNMEASURED))
    frame["clusterer"] = frame["clusterer"].astype(object).fillna("")
    frame["k"] = frame["k"].astype("Int64")
    return frame


def clusters_table(
    evidence: Sequence[Evidence], targets: Targets, headline: PartitionKey
) -> pd.DataFrame:
    """Every cluster of the partitions that are tested, as the first seed has them.

    Returns
    -------
    DataFrame
        model, clusterer, k, cluster (-1 is noise), n_tracks, jaccard (whether the cluster comes
        back from subsamples; NaN for noise), and for every label and the language its commonest
        value and that value's share of the tracks that have one.
    """
    import numpy as np
    import pandas as pd

    from songscape.columns import Role, role_of

    columns = dict(targets.labels)
    columns |= {n: v for n, v in targets.nuisances.items() if role_of(n) is Role.LANGUAGE}
    rows: list[dict[str, Any]] = []
    for one in evidence:
        if headline not in one.partitions:
            continue
        labels = one.partitions[headline][0]
        jaccard = _jaccard(one.rows, headline, one.rows[0]["seed"]) if one.rows else {}
        for cluster in np.unique(labels):
            mine = labels == cluster
            row: dict[str, Any] = {"model": one.model, "clusterer": headline.clusterer}
            row |= {"k": headline.k}
            row |= {"cluster": int(cluster), "n_tracks": int(mine.sum())}
            row["jaccard"] = jaccard.get(int(cluster), float("nan"))
            for name, values in columns.items():
                row |= _commonest(name, pd.Series(np.asarray(values, dtype=object)[mine]))
            rows.append(row)
    frame = pd.DataFrame(rows)
    if len(frame):
        frame["k"] = frame["k"].astype("Int64")
    return frame


def _commonest(name: str, values: pd.Series[Any]) -> dict[str, Any]:
    known = values.dropna().astype(str)
    if known.empty:
        return {f"commonest_{name}": None, f"share_{name}": float("nan")}
    counts = known.value_counts()
    value = min(counts.index, key=lambda value: (-counts[value], value))
    return {f"commonest_{name}": value, f"share_{name}": counts[value] / len(known)}


def _jaccard(rows: Sequence[Mapping[str, Any]], where: PartitionKey, seed: int) -> dict[int, float]:
    return {
        int(row["column"]): row["value"]
        for row in rows
        if row["metric"] == "cluster_jaccard"
        and row["seed"] == seed
        and PartitionKey.of(row["clusterer"], row["k"]) == where
    }


def warnings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """What is odd about the collection: check, severity, message, tracks and values (JSON)."""
    import pandas as pd

    from songscape.benchmark.wording import finding_sentence

    rows = [finding.as_row(finding_sentence(finding)) for finding in findings]
    return pd.DataFrame(rows, columns=["check", "severity", "message", "tracks", "values"])


def tracks_table(
    evidence: Sequence[Evidence], targets: Targets, track_ids: Sequence[str]
) -> pd.DataFrame:
    """Per track: its group of evidence, and how unsure its place is in each model's partitions.

    Columns "MODEL|border@CLUSTERER|K": how near it is to the border of its cluster, 0 in the centre
    and 1 half way to the next one; "MODEL|unsure@CLUSTERER|K": the share of its company that it
    loses over subsamples; "MODEL|spread": that of the posterior, where a model has one. All are of
    the first seed.
    """
    import numpy as np
    import pandas as pd

    columns: dict[str, Any] = {"track_id": list(track_ids), "group": np.asarray(targets.groups)}
    for one in evidence:
        for key, values in one.samples.items():
            if key.metric in ("border", "unsure", "spread"):
                columns[f"{one.model}|{key}"] = values[0]
    return pd.DataFrame(columns)
