"""Reads a results folder: the page is a function of these files, or of the same frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from songscape.audit.finding import Check, Finding
from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.metric_table import Figures, Setup
from songscape.benchmark.recommendation import Assessment, assess
from songscape.benchmark.significance import partition_flags
from songscape.benchmark.verdicts import PairedTest
from songscape.columns import ColumnRoles, Role, find_roles, role_of
from songscape.errors import SongscapeError
from songscape.results import TABLES, read_json

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ("model", "clusterer", "k", "axis", "metric", "column")
_NULLS = ("chance", "null_95", "p_value")
NUMBERS = {
    *("k", "seed", "value", "estimate", "low", "high", *_NULLS, "cluster", "size", "share"),
    *("n_latent", "active_units", "validation_elbo", "seconds", "peak_memory_mib"),
    *("stability", "null", "null_low", "null_high", "difference", "adjusted_p", "n_groups"),
}


class Partition(NamedTuple):
    """One of a model's partitions."""

    model: str
    key: PartitionKey

    @property
    def title(self) -> str:
        """For people: "pca + kmeans, k = 6"."""
        return f"{self.model} + {self.key.title}"


@dataclass(frozen=True, eq=False)
class Results:
    """What an experiment found; every frame is there, empty where there was no file.

    `document` is `experiment.json`, with `groups.json` as its "groups". The frames are the CSV
    files of the same names, text "" and numbers NaN where a cell is empty; `labels` is indexed by
    track id, and of what was not compared, `summary` holds the mean and the range over seeds.
    Pictures lie in `folder`.
    """

    document: Mapping[str, Any]
    table: pd.DataFrame
    summary: pd.DataFrame
    differences: pd.DataFrame
    models: pd.DataFrame
    clusters: pd.DataFrame
    warnings: pd.DataFrame
    unmeasured: pd.DataFrame
    stability: pd.DataFrame
    tracks: pd.DataFrame
    labels: pd.DataFrame
    ledger: pd.DataFrame
    compared: bool = False
    folder: Path | None = None

    @classmethod
    def of(
        cls,
        document: Mapping[str, Any],
        frames: Mapping[str, pd.DataFrame],
        folder: Path | None = None,
    ) -> Results:
        """From frames by name; without `summary` nothing was tested."""
        found = {name: _normal(frames.get(name), name) for name in TABLES}
        compared = "summary" in frames
        found["summary"] = _completed(found["summary"], found["table"])
        found["labels"] = found["labels"].set_index("track_id")
        return cls(document, **found, compared=compared, folder=folder)

    @cached_property
    def setup(self) -> Setup:
        """What was compared with what."""
        return Setup.of(self.document)

    @cached_property
    def figures(self) -> Figures:
        """`summary` by name."""
        return Figures(self.summary)

    @cached_property
    def findings(self) -> list[Finding]:
        """What is odd about the data; another version's file may have checks of its own."""
        rows = self.warnings.to_dict(orient="records")
        return [Finding.of_row(row) for row in rows if row["check"] in set(Check)]

    @cached_property
    def assessment(self) -> Assessment:
        """Verdicts and recommendation."""
        return assess(self.summary, self.differences, self.models, self.findings, self.setup)

    @cached_property
    def tests(self) -> dict[tuple[str, str, str, str], PairedTest]:
        """Tests against the yardstick, by model, axis, metric and column."""
        return {(v.model, *t.key): t for v in self.assessment.verdicts for t in v.tests}

    @cached_property
    def against_best(self) -> dict[tuple[str, str, str, str], PairedTest]:
        """As `tests`, but against the best method of each figure."""
        return {(v.model, *t.key): t for v in self.assessment.verdicts for t in v.against_best}

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of every model, the models in their order."""
        return dict(zip(self.models["model"], self.models["kind"]))

    @property
    def partitions(self) -> list[Partition]:
        """Every partition, the models in their order."""
        return [Partition(m, key) for m in self.kinds for key in self.figures.partitions(m)]

    @cached_property
    def roles(self) -> ColumnRoles:
        """Which column of `labels` is what."""
        return find_roles(self.labels.columns)

    @cached_property
    def featured(self) -> Partition | None:
        """The partition that the page describes song by song.

        Where methods were tested, that of the recommended one. Else, of those that are not
        degenerate and whose method did not collapse, the one that agrees best with the genre or
        the first other label; without labels the first.
        """
        headline = Partition(self.assessment.recommendation.model, self.setup.headline)
        if self.compared and headline in self.partitions:
            return headline
        usable = {v.model for v in self.assessment.verdicts if v.usable and v.kind != "reference"}
        those = (one for one in self.partitions if one.model in usable)
        kept = [one for one in those if not partition_flags(*one, self.figures)]
        label = main_label(self.setup.labels) or ""

        def agreement(one: Partition) -> float:
            row = self.figures.known(one.model, "ami", label, "agreement", one.key)
            return -1.0 if row is None else row["estimate"]

        return max(kept, key=agreement, default=None)


def main_label(labels: Sequence[str]) -> str | None:
    """The label that is a genre, else the first."""
    named = [name for name in labels if role_of(name) is Role.GENRE]
    return next(iter([*named, *labels]), None)


def read_results(folder: Path | str, known: Mapping[str, pd.DataFrame] | None = None) -> Results:
    """Read the folder `results` of an experiment; `known` are tables that need not be read."""
    import pandas as pd

    folder, frames = Path(folder), dict(known or {})
    path = folder / "experiment.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        document["groups"] = read_json(folder / "groups.json")
        for name in TABLES:
            path = folder / f"{name}.csv"
            if name not in frames and (path.exists() or name in ("table", "models")):
                # "NA" may be the name of a song or an artist: only an empty cell is missing.
                frames[name] = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise SongscapeError(f"{path}: cannot be read ({error}); run songscape again") from error
    return Results.of(document, frames, folder)


def _normal(frame: pd.DataFrame | None, name: str) -> pd.DataFrame:
    """A frame with all its columns, text "" and numbers NaN where a cell is empty."""
    import pandas as pd

    frame = pd.DataFrame() if frame is None else frame
    frame = frame.reindex(columns=list(dict.fromkeys([*TABLES[name], *frame.columns])))
    for column in frame.columns:
        if column in NUMBERS and name != "labels":
            frame[column] = pd.to_numeric(frame[column], errors="coerce").astype(float)
        else:
            values = frame[column].astype(object)
            frame[column] = values.where(values.notna(), "")
    return frame


def _completed(summary: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The summary, and mean and range over seeds of what is in the tidy table alone."""
    import pandas as pd

    keys = list(_KEYS)
    grouped = table[table["axis"] != "failed"].groupby(keys, dropna=False, sort=False)
    values = {"estimate": ("value", "mean"), "low": ("value", "min"), "high": ("value", "max")}
    nulls = {name: (name, "mean") for name in _NULLS}
    more = grouped.agg(**values, **nulls).reset_index().assign(interval="range over seeds")
    if summary.empty:
        return more
    known = pd.MultiIndex.from_frame(summary[keys].fillna(-1))
    return pd.concat([summary, more[~pd.MultiIndex.from_frame(more[keys].fillna(-1)).isin(known)]])
