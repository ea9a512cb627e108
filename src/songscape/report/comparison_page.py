"""Write a comparison's report: what to use and whether to trust it first, the evidence below."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from songscape.benchmark.verdicts import Outcome, Verdict
from songscape.benchmark.wording import METRIC_NAMES, TRUST_WORDS, caveat_sentence, flag_words
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

    The page is a function of the files in the folder (`compare.json`, `summary.csv`,
    `differences.csv` and `models.csv` must be there, `warnings.csv`, `stability.csv`,
    `tracks.csv` and `pictures/` may be); equal files give equal bytes.

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
    setup, document = results.setup, results.document
    figures = number_figures(results, picture_plan(results))
    spaces = reference_spaces(results)
    language = setup.language
    nuisances = [name for name in setup.nuisances if name != language]
    page = (
        report_environment()
        .get_template("comparison.html.j2")
        .render(
            title=f"{document.get('title') or 'Songs'}: which method to use",
            assessment=results.assessment,
            trust=TRUST_WORDS[results.assessment.recommendation.trust],
            caveats=[
                (int(caveat.weight), caveat_sentence(caveat))
                for caveat in results.assessment.recommendation.caveats
            ],
            short=[short_verdict(verdict, results) for verdict in results.assessment.verdicts],
            setup=setup,
            headline=_headline(results),
            size=_size(results),
            warnings=results.warnings.to_dict(orient="records"),
            labels=[
                (name, label_table(results, name), partition_table(results, name))
                for name in setup.labels
            ],
            artists=artist_table(results) if setup.has_artists else None,
            language=None if language is None else nuisance_table(results, language),
            nuisances=[(name, nuisance_table(results, name)) for name in nuisances],
            structure=[(name, structure_table(results, name)) for name in spaces],
            stability=stability_table(results),
            unmeasured=unmeasured_lines(results.unmeasured),
            clusters=clusters_table(results),
            unsure=unsure_tracks(results),
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


def short_verdict(verdict: Verdict, results: ComparisonResults) -> ShortVerdict:
    """Return a method's verdict in as few words as the first screen has room for."""
    baseline = results.setup.baseline
    said: list[tuple[str, str]] = []
    for outcome, mark in ((Outcome.BETTER, "▲"), (Outcome.WORSE, "▼")):
        metrics: dict[str, list[str]] = {}
        for test in verdict.having(outcome, "agreement"):
            metrics.setdefault(test.column, []).append(METRIC_NAMES[test.metric])
        names = [f"{column} ({', '.join(found)})" for column, found in metrics.items()]
        if names:
            said.append((outcome.value, f"{mark} {outcome.value}: {', '.join(names)}"))
    if verdict.model == baseline:
        said.append(("same", "the baseline"))
    elif not said and not verdict.failed:
        said.append(("same", "= not distinguishable"))
    name, language = results.setup.language, ""
    if name is not None and not verdict.failed:
        row = results.figures.known(verdict.model, "knn", name, "leakage")
        language = number(row["estimate"], 2) if row is not None else ""
        for outcome, than in ((Outcome.BETTER, "less"), (Outcome.WORSE, "more")):
            if any(test.column == name for test in verdict.having(outcome, "leakage")):
                language += f" ({than})"
    chosen = verdict.model in results.assessment.recommendation.models
    flags = verdict.flags if verdict.kind != "reference" else ()
    return ShortVerdict(
        verdict.model,
        verdict.kind,
        "chosen" if chosen else "",
        tuple(said),
        language,
        tuple(map(flag_words, flags)),
    )


def _chance(results: ComparisonResults) -> str:
    """Return what chance gives of the language among nearest songs; "" without languages."""
    name = results.setup.language
    if name is None:
        return ""
    row = results.figures.row(results.setup.baseline, "knn", name, "leakage")
    return "" if row is None else number(row["chance"], 2)


def _headline(results: ComparisonResults) -> str:
    return results.setup.headline.title


def _size(results: ComparisonResults) -> str:
    """Return how much was compared on how many songs."""
    clusterers = list(dict.fromkeys(c for c in results.table["clusterer"] if c))
    setup = results.setup
    seeds = "1 seed" if setup.n_seeds == 1 else f"{setup.n_seeds} seeds"
    return (
        f"{len(results.kinds)} methods × {len(clusterers)} clusterers × {seeds} on "
        f"{setup.n_tracks:,} songs in {setup.n_groups:,} groups"
        f"{' (songs of one artist are one group)' if setup.has_artists else ''}."
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
        ("k", f"{ks} ({results.setup.k_reason or 'given'})"),
        ("Seeds", ", ".join(map(str, settings.get("seeds", ())))),
        ("Clusterers", ", ".join(map(str, settings.get("clusterers", ())))),
        ("Songs, groups", f"{results.setup.n_tracks:,}, {results.setup.n_groups:,}"),
        ("Digest of the input features (SHA-256)", document.get("input_digest")),
        ("Python", document.get("python")),
        ("Platform", document.get("platform")),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in versions.items())),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]
