"""What an experiment writes: tables, pictures, `experiment.json` and the page."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.benchmark.keys import PartitionKey
from songscape.errors import SongscapeError
from songscape.experiment import tables
from songscape.experiment.checks import check_promises
from songscape.experiment.fit import digest_of
from songscape.experiment.pictures import draw_pictures
from songscape.experiment.request import Outcome
from songscape.experiment.trial_inputs import TrialInputs
from songscape.experiment.trials import RECIPE, Trial
from songscape.progress import progress_bar, say
from songscape.results import ResultsFolder, write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.evidence import Evidence
    from songscape.library import Counts

__all__ = ["Collected", "ExperimentSummary", "write_results"]

BASELINE = "balanced-pca"
VERSIONS_OF = ("numpy", "scipy", "scikit-learn", "torch", "umap-learn", "soundfile", "soxr")
# What versions without trials wrote, and what would look current today.
OLD_TABLES = ("seeds", "course", "calibration")
OLD_FILES = ("run.json", "compare.json", "differences.tex")
EARLIER_COMPARISON = (
    "A comparison in this folder was of an earlier state of the data or the settings; it is left "
    "out here, and songscape compare makes it again."
)
Name = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Collected:
    """What the library says of the collection: its own file, counts, title and ledger."""

    library: Path
    counts: Counts
    title: str
    ledger: pd.DataFrame


@dataclass(frozen=True, eq=False)
class ExperimentSummary:
    """What an experiment left behind.

    Attributes
    ----------
    report : Path
        The page to open.
    counts : Counts
        found = analysed + skipped + failed, in tracks.
    k : tuple of int
        Numbers of clusters used; `k_reason` says how they were chosen.
    table : DataFrame
        The tidy table: one row per model, clusterer, k, seed and measure.
    summary, differences : DataFrame or None
        Of a comparison: estimates with intervals, and every test against the baseline.
    verdicts, warnings, unmeasured, notes : tuple of str
        A sentence each: what to use and whether to trust that, what is odd about the collection,
        what could not be measured and why, what else to know of the results.
    """

    report: Path
    counts: Counts
    k: tuple[int, ...]
    k_reason: str
    table: pd.DataFrame
    summary: pd.DataFrame | None = None
    differences: pd.DataFrame | None = None
    verdicts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def write_results(
    folder: ResultsFolder,
    collected: Collected,
    inputs: TrialInputs,
    mine: Outcome,
    kept: Outcome | None,
) -> ExperimentSummary:
    """Write everything of `results/`.

    Parameters
    ----------
    folder : ResultsFolder
    collected : Collected
    inputs : TrialInputs
    mine : Outcome
        Of the command that runs.
    kept : Outcome or None
        What the other command (`run`, `compare`) left of the same data.
    """
    from songscape.benchmark.evidence import tidy_table
    from songscape.report.latex import latex_table
    from songscape.report.page import write_page
    from songscape.report.read import read_results
    from songscape.report.unmeasured import unmeasured_lines

    _clear_older_versions(folder)
    outcomes = [one for one in (mine, kept) if one is not None]
    # Whichever command came last: the same tables and the same page.
    outcomes.sort(key=lambda one: not one.request.nulls)
    comparison = outcomes[0] if outcomes[0].request.nulls else None
    choices = [one.request.clusters for one in outcomes]
    shown = _shown(outcomes)
    trials = {name: trial for one in outcomes for name, trial in one.trials.items()}
    summaries = {name: row for one in outcomes for name, row in one.summaries.items()}
    table = tidy_table(_evidence(trials, shown))
    clustered = tables.clusters_table(trials, shown, inputs.track_ids)
    if clustered.empty:
        reasons = dict.fromkeys(table["reason"][table["axis"] == "failed"])
        raise SongscapeError(f"no clustering succeeded: {'; '.join(reasons)}")
    unmeasured = tables.unmeasured_table(trials, shown, summaries.values())
    labels = inputs.dataset.columns[list(inputs.shown)]
    for name, frame in {
        "ledger": collected.ledger,
        "models": tables.models_table(summaries.values()),
        "clusters": clustered,
        "descriptions": tables.descriptions_table(trials, shown),
        "unmeasured": unmeasured,
        "labels": labels.rename_axis("track_id").reset_index(),
        "stability": next((c.curve for c in choices if c.curve is not None), None),
    }.items():
        folder.write_table(name, frame)
    folder.write_table("table", table, parquet=True)
    folder.write_table("metrics", tables.metrics_table(table))
    document = _document(collected, inputs, mine, outcomes)
    before = folder.read_document() or {}
    document["warnings_key"] = _write_warnings(folder, inputs, before.get("warnings_key"))
    if comparison is None:
        for name in ("summary", "differences", "tracks"):
            folder.write_table(name, None)
        (folder.tables / "table.tex").unlink(missing_ok=True)
        if before.get("compare") or before.get("notes"):
            document["notes"] = [EARLIER_COMPARISON]
    else:
        if "run" not in document and "run" in before:
            document["run"] = before["run"]
        document["tested"] = _write_tests(folder, inputs, comparison, before.get("tested"))
    folder.write_document(document)
    results = read_results(folder.tables)
    if comparison is not None:
        latex = latex_table(results)
        path = folder.tables / "table.tex"
        write_atomically(path, lambda p: p.write_text(latex, encoding="utf-8", newline="\n"))
    draw_pictures(folder, results, inputs, outcomes)
    report = write_page(results)
    latents = [folder.latents(*name) for name in trials]
    check_promises([collected.library, report, folder.tables / "table.csv", *latents])
    return ExperimentSummary(
        report=report,
        counts=collected.counts,
        k=mine.request.clusters.ks,
        k_reason=mine.request.clusters.reason or "given",
        table=table,
        summary=results.summary if comparison is not None else None,
        differences=results.differences if comparison is not None else None,
        verdicts=results.assessment.sentences if comparison is not None else (),
        warnings=tuple(results.warnings["message"]),
        unmeasured=() if unmeasured is None else tuple(unmeasured_lines(unmeasured)),
        notes=tuple(document["notes"]),
    )


def _shown(outcomes: Sequence[Outcome]) -> dict[Name, list[PartitionKey]]:
    """The space and partitions that the outcomes have of every trial."""
    found: dict[Name, dict[PartitionKey, None]] = {}
    for one in outcomes:
        for name in one.trials:
            found.setdefault(name, {}).update(dict.fromkeys(one.keys(name)))
    return {name: list(keys) for name, keys in found.items()}


def _evidence(
    trials: Mapping[Name, Trial], shown: Mapping[Name, Sequence[PartitionKey]]
) -> list[Evidence]:
    """The seeds of every model put together."""
    from songscape.benchmark.evidence import Evidence
    from songscape.models.presets import find_preset

    seeds: dict[str, dict[int, Any]] = {}
    for (model, seed), trial in trials.items():
        seeds.setdefault(model, {})[seed] = trial.measurements(shown[model, seed])
    return [Evidence.of(model, find_preset(model).kind, one) for model, one in seeds.items()]


def _write_tests(
    folder: ResultsFolder, inputs: TrialInputs, comparison: Outcome, before: str | None
) -> str:
    """Intervals and tests, unless they are there already; returns the key of what was tested."""
    from songscape.benchmark.benchmark import evaluate

    request = comparison.request
    key = digest_of(
        [
            *(RECIPE, __version__, inputs.context, request.settings.as_dict(), request.clusters.ks),
            *([name, row] for name, row in comparison.summaries.items()),
        ]
    )
    names = ("summary", "differences")
    if key == before and all((folder.tables / f"{name}.csv").exists() for name in names):
        return key
    shown = {name: comparison.keys(name) for name in comparison.trials}
    evidence = _evidence(comparison.trials, shown)
    with progress_bar("putting intervals on every value", "model") as advance:
        found = evaluate(
            evidence,
            inputs.targets,
            baseline=BASELINE,
            headline=request.headline,
            progress=advance,
        )
    folder.write_table("summary", found.summary, parquet=True)
    folder.write_table("differences", found.differences, parquet=True)
    tracks = tables.tracks_table(evidence, inputs.targets.groups, inputs.track_ids)
    folder.write_table("tracks", tracks)
    return key


def _write_warnings(folder: ResultsFolder, inputs: TrialInputs, before: str | None) -> str:
    """What is odd about the collection, unless it is there; returns the key of what was checked."""
    import pandas as pd

    from songscape.audit.checks import check_collection
    from songscape.benchmark.wording import finding_sentence

    key = digest_of([__version__, inputs.context, dict(inputs.digests)])
    if key == before and (folder.tables / "warnings.csv").exists():
        return key
    data = inputs.dataset
    with progress_bar("checking the collection", unit=""):
        findings = check_collection(
            data.views,
            data.columns,
            data.facts,
            lyrics_texts=data.texts,
            nuisances=data.nuisance_columns,
            roles=data.roles,
            copies=data.copies,
        )
    rows = [finding.as_row(finding_sentence(finding)) for finding in findings]
    columns = ["check", "severity", "message", "tracks", "values"]
    folder.write_table("warnings", pd.DataFrame(rows, columns=columns))
    return key


def _document(
    collected: Collected, inputs: TrialInputs, mine: Outcome, outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """`experiment.json`: what the page and whoever repeats the experiment need to know."""
    from songscape.benchmark.benchmark import setup_of

    leading = outcomes[0].request
    setup = setup_of(
        inputs.targets,
        baseline=BASELINE,
        clusterers=leading.settings.clusterers,
        clusters=leading.clusters,
        n_seeds=len(leading.settings.seeds),
    )
    return {
        "title": collected.title,
        "songscape": __version__,
        "commands": [list(one.request.command) for one in outcomes if one.request.command],
        "settings": mine.request.settings.as_dict(),
        "counts": asdict(collected.counts),
        "k": list(dict.fromkeys(k for one in outcomes for k in one.request.clusters.ks)),
        **asdict(setup),
        "input_digest": digest_of([inputs.context, dict(inputs.digests)]),
        **{("compare" if one.request.nulls else "run"): one.request.as_dict() for one in outcomes},
        "notes": [],
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in VERSIONS_OF},
    }


def _clear_older_versions(folder: ResultsFolder) -> None:
    """Remove what older versions wrote under other names, and mention what is left."""
    for name in OLD_TABLES:
        folder.write_table(name, None)
    for name in OLD_FILES:
        (folder.tables / name).unlink(missing_ok=True)
    old = folder.root / "compare"
    if (old / "results" / "compare.json").exists():
        say(f"{old}: a comparison by an older version, which is no longer read; remove it")
