"""Read a results folder back: the report is a function of these files and of nothing else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.columns import Role, find_roles
from songscape.errors import SongscapeError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AGREEMENT",
    "Results",
    "read_document",
    "read_results",
    "read_table",
]

AGREEMENT = ("ami", "nmi", "ari", "purity", "homogeneity", "completeness")
_METRIC_COLUMNS = (
    "model",
    "clusterer",
    "k",
    "seed",
    "space",
    "reason",
    "n_tracks",
    "n_clusters",
    "noise_share",
    "largest_cluster_share",
    "silhouette",
    "davies_bouldin",
    "calinski_harabasz",
)


@dataclass(frozen=True, eq=False)
class Results:
    """The tables of a run, each empty where the run left no file.

    Attributes
    ----------
    folder : Path
        Where the files lie.
    metrics : DataFrame
        One row per model, clusterer, k and seed.
    methods : DataFrame
        `metrics` averaged over seeds; ``<label>_ami_low`` and ``_high`` are the range over seeds.
    clusters, descriptions, models, labels, ledger, course : DataFrame
        As in the CSV files of the same names; `labels` is indexed by track id.
    run : mapping
        `run.json`.
    """

    folder: Path
    metrics: "pd.DataFrame"
    methods: "pd.DataFrame"
    clusters: "pd.DataFrame"
    descriptions: "pd.DataFrame"
    models: "pd.DataFrame"
    labels: "pd.DataFrame"
    ledger: "pd.DataFrame"
    course: "pd.DataFrame"
    run: Mapping[str, Any]

    @property
    def label_columns(self) -> list[str]:
        """Label columns that were compared with, in the order of the table."""
        return [str(c).removesuffix("_ami") for c in self.metrics.columns if c.endswith("_ami")]

    @property
    def language_column(self) -> str | None:
        """The label column that holds the language, if there is one."""
        return next(iter(self.language_columns), None)

    @property
    def language_columns(self) -> list[str]:
        """All label columns that hold languages, such as "language" and "languages"."""
        return find_roles(self.label_columns).columns(Role.LANGUAGE)


def read_results(folder: Path | str) -> Results:
    """Read the tables below ``folder``.

    Raises
    ------
    SongscapeError
        If `metrics.csv` or `run.json` is missing or cannot be read.
    """
    folder = Path(folder)
    metrics = read_table(folder, "metrics", required=True)
    metrics = metrics.reindex(columns=[*_METRIC_COLUMNS, *_others(metrics.columns)])
    labels = read_table(folder, "labels", text=True)
    if "track_id" in labels.columns:
        labels = labels.set_index("track_id")
    clusters = read_table(folder, "clusters")
    if "track_id" in clusters.columns:
        clusters["track_id"] = clusters["track_id"].astype(str)
    run = read_document(folder, "run")
    return Results(
        folder=folder,
        metrics=metrics,
        methods=_average(metrics),
        clusters=clusters,
        descriptions=read_table(folder, "descriptions"),
        models=read_table(folder, "models"),
        labels=labels,
        ledger=read_table(folder, "ledger", text=True),
        course=read_table(folder, "course"),
        run=run,
    )


def read_document(folder: Path, name: str) -> dict[str, Any]:
    """Read ``<name>.json``.

    Raises
    ------
    SongscapeError
        If it is missing or is no JSON.
    """
    path = folder / f"{name}.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SongscapeError(f"{path}: cannot be read ({error}); run songscape again") from error
    return document


def _others(columns: "Sequence[str] | pd.Index") -> list[str]:
    return [str(column) for column in columns if column not in _METRIC_COLUMNS]


def read_table(
    folder: Path, name: str, *, required: bool = False, text: bool = False
) -> "pd.DataFrame":
    """Read ``<name>.csv``; empty where there is none, an error where it is required."""
    import pandas as pd

    path = folder / f"{name}.csv"
    if not path.exists() and not required:
        return pd.DataFrame()
    try:
        # "NA" or "nan" may be the name of a song or an artist: only an empty cell is missing.
        kinds: Any = str if text else {"track_id": str, "model": str, "clusterer": str}
        return pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=[""])
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except (OSError, ValueError) as error:
        raise SongscapeError(f"{path}: cannot be read ({error}); run songscape again") from error


def _average(metrics: "pd.DataFrame") -> "pd.DataFrame":
    """Mean over seeds per model, clusterer and k, with the range of every AMI."""
    keys = ["model", "clusterer", "k"]
    numeric = [c for c in metrics.columns if c not in {*keys, "seed", "space", "reason"}]
    grouped = metrics.groupby(keys, dropna=False, sort=False)
    means = grouped[numeric].mean()
    means["n_seeds"] = grouped["seed"].nunique()
    means["space"] = grouped["space"].first()
    means["reason"] = grouped["reason"].first()
    for column in [c for c in numeric if c.endswith("_ami")]:
        means[f"{column}_low"] = grouped[column].min()
        means[f"{column}_high"] = grouped[column].max()
    return means.reset_index()
