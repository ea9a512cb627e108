"""Read the folder that a comparison left: its report is a function of these files alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.audit.finding import Finding
from songscape.benchmark.metric_table import Figures, Setup
from songscape.benchmark.recommendation import Assessment, assess
from songscape.benchmark.verdicts import Outcome
from songscape.report.run_read import read_document, read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ComparisonResults", "read_comparison"]

_TABLE = {
    "text": ("model", "clusterer", "axis", "metric", "column", "interval", "reason"),
    "figures": ("k", "estimate", "low", "high", "n_seeds", "chance", "null_95", "p_value"),
}
_DIFFERENCES = {
    "text": ("model", "axis", "metric", "column", "clusterer", "verdict", "baseline", "withheld"),
    "figures": (
        *("difference", "low", "high", "n_groups", "p_value", "adjusted_p"),
        *("difference_to_best", "low_to_best", "high_to_best"),
    ),
}
_MODELS = (
    *("model", "kind", "seed", "status", "reason", "n_latent", "active_units", "collapsed"),
    *("validation_elbo", "kl_per_dimension", "warnings", "seconds", "peak_memory_mib", "summary"),
)


@dataclass(frozen=True, eq=False)
class ComparisonResults:
    """The tables of a comparison, each empty where there is no file, and what they say.

    Attributes
    ----------
    folder : Path
        Where the files lie.
    table, differences, models, warnings, stability, tracks, unmeasured, clusters
        DataFrames; `table` is `summary.csv`, the others the CSV files of the same names; text
        columns hold "" where a cell is empty.
    document : mapping
        `compare.json`.
    setup : Setup
    figures : Figures
        `table` by name.
    assessment : Assessment
    """

    folder: Path
    table: pd.DataFrame
    differences: pd.DataFrame
    models: pd.DataFrame
    warnings: pd.DataFrame
    stability: pd.DataFrame
    tracks: pd.DataFrame
    unmeasured: pd.DataFrame
    clusters: pd.DataFrame
    document: Mapping[str, Any]
    setup: Setup
    figures: Figures
    assessment: Assessment

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of every model, the models in their order."""
        return dict(zip(self.models["model"], self.models["kind"]))

    @property
    def pictured(self) -> list[str]:
        """Models that maps and heat maps are drawn for: recommended, baseline, best candidate.

        The best candidate is for looking at: one that hides the language, else the one with most
        wins, then fewest losses, then the first.
        """
        recommended = self.assessment.recommendation
        found = list(recommended.models[:2])
        found.append(self.setup.baseline)
        found += recommended.neutral[-1:]
        candidates = [
            verdict
            for verdict in self.assessment.verdicts
            if verdict.kind in ("vae", "autoencoder") and verdict.usable
        ]
        if candidates and not recommended.neutral:
            found.append(min(candidates, key=lambda v: (-len(v.wins), len(v.losses))).model)
        return [name for name in dict.fromkeys(found) if name in self.kinds]


def read_comparison(folder: Path | str) -> ComparisonResults:
    """Read what `songscape compare` left in its folder `results`.

    Raises
    ------
    SongscapeError
        If `summary.csv`, `differences.csv`, `models.csv` or `compare.json` is missing or
        unreadable.
    """
    folder = Path(folder)
    table = _with_columns(read_table(folder, "summary", required=True), **_TABLE)
    differences = _with_columns(read_table(folder, "differences", required=True), **_DIFFERENCES)
    # Not text: where there is none they stay missing.
    to_best = ("best_baseline", "verdict_to_best")
    differences = differences.reindex(columns=list(dict.fromkeys([*differences.columns, *to_best])))
    differences["verdict"] = [Outcome(word) for word in differences["verdict"]]
    models = read_table(folder, "models", required=True)
    models = models.reindex(columns=list(dict.fromkeys([*_MODELS, *models.columns])))
    models["kind"] = [
        kind if isinstance(kind, str) else _kind(str(name))
        for name, kind in zip(models["model"], models["kind"])
    ]
    warnings = read_table(folder, "warnings", text=True)
    warnings = warnings.reindex(
        columns=["check", "severity", "message", "tracks", "values"]
    ).fillna("")
    document = read_document(folder, "compare")
    setup = Setup.of(document)
    findings = [Finding.of_row(row) for row in warnings.to_dict(orient="records")]
    return ComparisonResults(
        folder=folder,
        table=table,
        differences=differences,
        models=models,
        warnings=warnings,
        stability=read_table(folder, "stability"),
        tracks=read_table(folder, "tracks"),
        unmeasured=read_table(folder, "unmeasured"),
        clusters=read_table(folder, "clusters", text=True),
        document=document,
        setup=setup,
        figures=Figures(table),
        assessment=assess(table, differences, models, findings, setup),
    )


def _with_columns(
    frame: pd.DataFrame, text: tuple[str, ...], figures: tuple[str, ...]
) -> pd.DataFrame:
    frame = frame.reindex(columns=list(dict.fromkeys([*text, *figures, *frame.columns])))
    for name in text:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "").map(str)
    for name in figures:
        frame[name] = frame[name].astype(float)
    return frame


def _kind(model: str) -> str:
    """Of folders written before `models.csv` had the column."""
    from songscape.errors import UsageError
    from songscape.models.presets import find_preset

    try:
        return find_preset(model).kind
    except UsageError:
        return "vae"
