"""Cells -> evidence by model, what is missing from it, and the tables beside the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from songscape.experiment.measure import partition_name
from songscape.experiment.trials import Cell

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.measure import Subject
    from songscape.benchmark.summary import ModelEvidence
    from songscape.experiment.calibrations import Calibrations

__all__ = [
    "UNMEASURED",
    "clusters_table",
    "evidence_by_model",
    "tracks_table",
    "unmeasured_table",
    "warnings_table",
]

UNMEASURED = ("model", "clusterer", "k", "seed", "what", "reason")


def evidence_by_model(cells: Sequence[Cell]) -> list[ModelEvidence]:
    """Put the seeds of each model together.

    A partition that some seeds lack is left out of what is tested, or only the seeds that went
    well would speak for it; its rows stay, with the number of seeds that they are of.

    Parameters
    ----------
    cells : sequence of Cell
        Those of models that could not be trained are passed over.
    """
    import numpy as np

    from songscape.benchmark.summary import ModelEvidence
    from songscape.models.presets import find_preset

    evidence = []
    fitted = [cell for cell in cells if cell.ok]
    for model in dict.fromkeys(cell.model for cell in fitted):
        own = [cell for cell in fitted if cell.model == model]
        samples = {
            name: np.stack([cell.samples[name].to_numpy() for cell in own if name in cell.samples])
            for name in dict.fromkeys(name for cell in own for name in cell.samples.columns)
        }
        partitions = {
            _where(name): np.stack([cell.partitions[name].to_numpy() for cell in own])
            for name in own[0].partitions.columns
            if all(name in cell.partitions for cell in own)
        }
        rows = [row | {"seed": cell.seed} for cell in own for row in cell.rows]
        kind = find_preset(model).kind
        evidence.append(ModelEvidence(model, kind, rows, samples, partitions))
    return evidence


def _where(column: str) -> tuple[str, int | None]:
    clusterer, _, k = column.partition("|")
    return clusterer, int(k) if k else None


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
    evidence: Sequence[ModelEvidence], subject: Subject, headline: tuple[str, int | None]
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

    columns = dict(subject.labels)
    columns |= {n: v for n, v in subject.nuisances.items() if role_of(n) is Role.LANGUAGE}
    rows: list[dict[str, Any]] = []
    for one in evidence:
        if headline not in one.partitions:
            continue
        labels = one.partitions[headline][0]
        jaccard = _jaccard(one.rows, headline, one.rows[0]["seed"]) if one.rows else {}
        for cluster in np.unique(labels):
            mine = labels == cluster
            row: dict[str, Any] = {"model": one.model, "clusterer": headline[0], "k": headline[1]}
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


def _jaccard(
    rows: Sequence[Mapping[str, Any]], where: tuple[str, int | None], seed: int
) -> dict[int, float]:
    return {
        int(row["column"]): row["value"]
        for row in rows
        if row["metric"] == "cluster_jaccard"
        and row["seed"] == seed
        and (row["clusterer"], row["k"]) == where
    }


def warnings_table(findings: Sequence[Any]) -> pd.DataFrame:
    """What is odd about the collection: check, severity, message and tracks."""
    import pandas as pd

    rows = [
        {k: "; ".join(v) if k == "tracks" else v for k, v in asdict(finding).items()}
        for finding in findings
    ]
    return pd.DataFrame(rows, columns=["check", "severity", "message", "tracks"])


def tracks_table(
    evidence: Sequence[ModelEvidence],
    subject: Subject,
    track_ids: Sequence[str],
    found: Calibrations,
    headline: tuple[str, int | None],
) -> pd.DataFrame:
    """Per track: its group of evidence, and how unsure its place is in each model's partition.

    "border": how near it is to the border of its cluster in the headline partition, 0 in the centre
    and 1 half way to the next one; "expected": the share of their company that songs so near to it
    lose over subsamples (see `calibrations`). "spread": that of the posterior, where a model has
    one. All are of the first seed.
    """
    import numpy as np
    import pandas as pd

    where = partition_name(*headline)
    columns: dict[str, Any] = {"track_id": list(track_ids), "group": np.asarray(subject.groups)}
    for one in evidence:
        for name, values in one.samples.items():
            if name.startswith("unsure:"):
                columns[f"{one.model}|{name.removeprefix('unsure:')}"] = values[0]
        if "spread" in one.samples:
            columns[f"{one.model}|spread"] = one.samples["spread"][0]
        calibration = found.get((one.model, "border", "subsamples"))
        if calibration is not None:
            columns[f"{one.model}|{where}|border"] = one.samples[f"border:{where}"][0]
            columns[f"{one.model}|{where}|expected"] = calibration.expected
    return pd.DataFrame(columns)
