"""Write a comparison's report: what to use and whether to trust it first, the evidence below."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from songscape.benchmark.verdicts import MethodVerdict
from songscape.report.comparison_calibration import calibration_table
from songscape.report.comparison_health import (
    clusters_table,
    collapse_sentences,
    cost_table,
    models_table,
    shapes_table,
    stability_table,
    unsure_tracks,
)
from songscape.report.comparison_pictures import number_figures, picture_plan
from songscape.report.comparison_read import ComparisonResults, read_comparison
from songscape.report.comparison_tables import (
    artist_table,
    label_table,
    nuisance_table,
    partition_table,
    reference_spaces,
    structure_table,
)
from songscape.report.run_page import report_environment
from songscape.report.style import number
from songscape.report.unmeasured import unmeasured_lines

__all__ = ["ShortVerdict", "short_verdict", "write_comparison_report"]

TRUST = {
    "good": "Trust it: nothing in the data speaks against it.",
    "limited": "Trust it with care:",
    "low": "Don't rely on it yet:",
}
_METRICS = {"knn": "kNN", "knn_balanced": "kNN", "ami": "AMI", "hit": "hit@10"}


@dataclass(frozen=True)
class ShortVerdict:
    """A line of the first screen: mark and words on labels and language, and what to beware of."""

    model: str
    kind: str
    tone: str
    labels: tuple[tuple[str, str], ...]
    language: str
    flags: tuple[str, ...]


def write_comparison_report(results_dir: Path | str) -> Path:
    """Write ``report.html`` into the results folder of a comparison and return its path.

    The page is a function of the files in the folder (`compare.json`, `table.csv`,
    `differences.csv` and `models.csv` must be there, `warnings.csv`, `stability.csv`,
    `tracks.csv`, `calibration.csv` and `pictures/` may be); equal files give equal bytes.

    Parameters
    ----------
    results_dir : path
        The folder `results` of a comparison.

    Raises
    ------
    SongscapeError
        A file that must be there is missing, or one can't be read.
    """
    results = read_comparison(results_dir)
    setting, document = results.setting, results.document
    figures = number_figures(results, picture_plan(results))
    spaces = reference_spaces(results)
    language = setting.language
    nuisances = [name for name in setting.nuisances if name != language]
    page = (
        report_environment()
        .get_template("comparison.html.j2")
        .render(
            title=f"{document.get('title') or 'Songs'}: which method to use",
            advice=results.advice,
            trust=TRUST[results.advice.recommendation.trust],
            short=[short_verdict(verdict, results) for verdict in results.advice.verdicts],
            setting=setting,
            headline=_headline(results),
            size=_size(results),
            warnings=results.warnings.to_dict(orient="records"),
            labels=[
                (name, label_table(results, name), partition_table(results, name))
                for name in setting.labels
            ],
            artists=artist_table(results) if setting.has_artists else None,
            language=None if language is None else nuisance_table(results, language),
            nuisances=[(name, nuisance_table(results, name)) for name in nuisances],
            structure=[(name, structure_table(results, name)) for name in spaces],
            stability=stability_table(results),
            unmeasured=unmeasured_lines(results.unmeasured),
            clusters=clusters_table(results),
            unsure=unsure_tracks(results),
            calibration=calibration_table(results),
            collapsed=collapse_sentences(results),
            models=models_table(results),
            shapes=shapes_table(results),
            costs=cost_table(results),
            figures=figures,
            pictured=any(figures.values()),
            chance=_chance(results),
            tests=_tests(results),
            facts=_facts(results),
            command=shlex.join(map(str, document.get("command", ()))),
            settings=json.dumps(document.get("settings", {}), indent=2, ensure_ascii=False),
        )
    )
    path = results.folder / "report.html"
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def short_verdict(verdict: MethodVerdict, results: ComparisonResults) -> ShortVerdict:
    """Return a method's verdict in as few words as the first screen has room for."""
    baseline = results.setting.baseline
    said: list[tuple[str, str]] = []
    for tone, mark, tests in (("better", "▲", verdict.better), ("worse", "▼", verdict.worse)):
        names = _by_column(key for key in tests if key[0] == "agreement")
        if names:
            said.append((tone, f"{mark} {tone}: {', '.join(names)}"))
            if tone == "better" and not verdict.wins:
                said.append(("same", "but no better than chance"))
    if verdict.model == baseline:
        said.append(("same", "the yardstick"))
    elif not said and "failed" not in verdict.flags:
        said.append(("same", "= not distinguishable"))
    name, language = results.setting.language, ""
    if name is not None and "failed" not in verdict.flags:
        row = results.measured.value(verdict.model, "knn", name, "leakage")
        language = number(row["estimate"], 2) if row is not None else ""
        marks = {"better": "less", "worse": "more"}
        for tone, tests in (("better", verdict.better), ("worse", verdict.worse)):
            if any((axis, column) == ("leakage", name) for axis, _, column in tests):
                language += f" ({marks[tone]})"
    chosen = verdict.model in results.advice.recommendation.models
    flags = verdict.flags if verdict.kind != "reference" else ()
    return ShortVerdict(
        verdict.model, verdict.kind, "chosen" if chosen else "", tuple(said), language, flags
    )


def _by_column(tests: Any) -> list[str]:
    """Return "genre (kNN, AMI)" per column."""
    metrics: dict[str, list[str]] = {}
    for _, metric, column in tests:
        metrics.setdefault(column, []).append(_METRICS.get(metric, metric))
    return [f"{column} ({', '.join(names)})" for column, names in metrics.items()]


def _chance(results: ComparisonResults) -> str:
    """Return what chance gives of the language among nearest songs; "" without languages."""
    name = results.setting.language
    if name is None:
        return ""
    row = results.measured.value(results.setting.baseline, "knn", name, "leakage")
    return "" if row is None else number(row["chance"], 2)


def _headline(results: ComparisonResults) -> str:
    clusterer, k = results.setting.headline
    return clusterer if k is None else f"{clusterer} with k = {k}"


def _size(results: ComparisonResults) -> str:
    """Return how much was compared on how many songs."""
    clusterers = list(dict.fromkeys(c for c in results.table["clusterer"] if c))
    setting = results.setting
    seeds = "1 seed" if setting.n_seeds == 1 else f"{setting.n_seeds} seeds"
    return (
        f"{len(results.kinds)} methods × {len(clusterers)} clusterers × {seeds} on "
        f"{setting.n_tracks:,} songs in {setting.n_groups:,} groups"
        f"{' (songs of one artist are one group)' if setting.has_artists else ''}."
    )


def _tests(results: ComparisonResults) -> dict[str, int]:
    """Return how many tests were corrected together, by family."""
    references = [model for model, kind in results.kinds.items() if kind == "reference"]
    mine = results.differences
    mine = mine[~mine["model"].isin(references)]
    return {
        "agreement": int((mine["axis"] == "agreement").sum()),
        "leakage": int((mine["axis"] == "leakage").sum()),
    }


def _facts(results: ComparisonResults) -> list[tuple[str, str]]:
    """Return name and value of everything that somebody needs to repeat the comparison."""
    document = results.document
    settings = document.get("settings", {})
    versions = document.get("versions", {})
    ks = ", ".join(map(str, document.get("k", ())))
    rows = [
        ("Songscape", document.get("songscape")),
        ("k", f"{ks} ({document.get('k_reason', 'given')})"),
        ("Seeds", ", ".join(map(str, settings.get("seeds", ())))),
        ("Clusterers", ", ".join(map(str, settings.get("clusterers", ())))),
        ("Songs, groups", f"{results.setting.n_tracks:,}, {results.setting.n_groups:,}"),
        ("Digest of the input features (SHA-256)", document.get("input_digest")),
        ("Python", document.get("python")),
        ("Platform", document.get("platform")),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in versions.items())),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]
