"""Read the folder that a comparison left: its report is a function of these files alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.benchmark.metric_table import Measured, Setting
from songscape.benchmark.recommendation import Advice, advise
from songscape.report.run_read import read_document, read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ComparisonResults", "read_comparison"]

_TABLE = {
    "text": ("model", "clusterer", "axis", "metric", "column", "interval"),
    "figures": ("k", "estimate", "low", "high", "n_seeds", "chance", "null_95", "p_value"),
}
_DIFFERENCES = {
    "text": ("model", "axis", "metric", "column", "clusterer", "verdict", "baseline"),
    "figures": (
        *("difference", "low", "high", "p_value", "adjusted_p"),
        *("difference_to_best", "low_to_best", "high_to_best"),
    ),
}
_CALIBRATION = {
    "text": ("model", "figure", "kind"),
    "figures": (
        *("spearman", "low", "high", "error", "r2"),
        *("expected", "expected_p10", "expected_p90"),
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
    table, differences, models, warnings, stability, tracks, unmeasured, clusters, calibration
        DataFrames as in the CSV files of the same names; text columns hold "" where a cell is
        empty.
    document : mapping
        `compare.json`.
    setting : Setting
    measured : Measured
        `table` by name.
    advice : Advice
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
    calibration: pd.DataFrame
    document: Mapping[str, Any]
    setting: Setting
    measured: Measured
    advice: Advice

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
        found = list(self.advice.recommendation.models[:2])
        found.append(self.setting.baseline)
        found += self.advice.recommendation.neutral[-1:]
        candidates = [
            verdict
            for verdict in self.advice.verdicts
            if verdict.kind in ("vae", "autoencoder")
            and not any(flag.startswith(("collapsed", "failed")) for flag in verdict.flags)
        ]
        if candidates and not self.advice.recommendation.neutral:
            found.append(
                min(
                    candidates,
                    key=lambda v: (-len(v.wins), sum(t[0] == "agreement" for t in v.worse)),
                ).model
            )
        return [name for name in dict.fromkeys(found) if name in self.kinds]


def read_comparison(folder: Path | str) -> ComparisonResults:
    """Read what `songscape compare` left in its folder `results`.

    Raises
    ------
    SongscapeError
        If `table.csv`, `differences.csv`, `models.csv` or `compare.json` is missing or unreadable.
    """
    folder = Path(folder)
    table = _with_columns(read_table(folder, "table", required=True), **_TABLE)
    differences = _with_columns(read_table(folder, "differences", required=True), **_DIFFERENCES)
    # Not text: where there is none they stay missing.
    to_best = ("best_baseline", "verdict_to_best")
    differences = differences.reindex(columns=list(dict.fromkeys([*differences.columns, *to_best])))
    models = read_table(folder, "models", required=True)
    models = models.reindex(columns=list(dict.fromkeys([*_MODELS, *models.columns])))
    models["kind"] = [
        kind if isinstance(kind, str) else _kind(str(name))
        for name, kind in zip(models["model"], models["kind"])
    ]
    warnings = read_table(folder, "warnings", text=True)
    warnings = warnings.reindex(columns=["check", "severity", "message", "tracks"]).fillna("")
    document = read_document(folder, "compare")
    setting = Setting.of(document)
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
        calibration=_with_columns(read_table(folder, "calibration"), **_CALIBRATION),
        document=document,
        setting=setting,
        measured=Measured(table),
        advice=advise(table, differences, models, warnings, setting),
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
