"""What an experiment writes: tables, pictures, `experiment.json` and the page."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.benchmark.yardstick import BASELINE
from songscape.columns import Role
from songscape.errors import SongscapeError
from songscape.experiment import result_tables
from songscape.experiment.checks import check_written
from songscape.experiment.fit import digest_of
from songscape.experiment.grouping import find_groups
from songscape.experiment.pictures import draw_pictures
from songscape.experiment.request import Name, RequestResult
from songscape.experiment.trial_inputs import TrialInputs
from songscape.experiment.trials import RECIPE
from songscape.progress import progress_bar
from songscape.results import TABLES, ResultsFolder, write_json, write_text

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.evidence import Evidence
    from songscape.benchmark.keys import PartitionKey
    from songscape.benchmark.measure import Measurements
    from songscape.benchmark.metric_table import Setup
    from songscape.clustering.groups import Groups
    from songscape.library import Counts, Library

VERSIONS_OF = ("numpy", "scipy", "scikit-learn", "torch", "umap-learn", "soundfile", "soxr")
EARLIER = (
    "A comparison in this folder was of an earlier state of the data or the settings; it is left "
    "out here, and songscape compare makes it again."
)


@dataclass(frozen=True, eq=False)
class ExperimentSummary:
    """What an experiment left behind.

    `report` is the page to open, `k` the numbers of clusters used and `k_reason` how they were
    chosen; `table` is the tidy table. A comparison has `summary` and `differences` (estimates with
    intervals, and every test against the baseline), a run `groups`. Verdicts, warnings (what is odd
    about the collection), what is unmeasured, models that were left out, and notes are a sentence
    each.
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
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    groups: Groups | None = None


def write_results(
    folder: ResultsFolder,
    library: Library,
    inputs: TrialInputs,
    mine: RequestResult,
    kept: RequestResult | None,
) -> ExperimentSummary:
    """Write everything of `results/`.

    `mine` is of the command that runs, `kept` what the other (`run`, `compare`) left of the same
    data.
    """
    import pandas as pd

    from songscape.benchmark.benchmark import setup_of
    from songscape.benchmark.evidence import tidy_table
    from songscape.report.latex import latex_table
    from songscape.report.page import write_page
    from songscape.report.read import read_results
    from songscape.report.sections import unmeasured_lines

    outcomes = [one for one in (mine, kept) if one is not None]
    # Whichever command came last: the same tables and the same page.
    outcomes.sort(key=lambda one: not one.request.nulls)
    comparison = outcomes[0] if outcomes[0].request.nulls else None
    trials = {name: trial for one in outcomes for name, trial in one.trials.items()}
    summaries = {name: row for one in outcomes for name, row in one.summaries.items()}
    shown = {
        name: dict.fromkeys(k for one in outcomes if name in one.trials for k in one.keys(name))
        for name in trials
    }
    measured = {name: trial.measurements(shown[name]) for name, trial in trials.items()}
    table = tidy_table(_evidence(measured))
    clustered = result_tables.clusters_table(measured, inputs.track_ids)
    if clustered.empty:
        reasons = dict.fromkeys(table["reason"][table["axis"] == "failed"])
        raise SongscapeError(f"no clustering succeeded: {'; '.join(reasons)}")
    unmeasured = result_tables.unmeasured_table(measured, summaries.values())
    left_out = unmeasured["what"] == "skipped"
    curve = next((c for one in outcomes if (c := one.request.clusters.curve)), None)
    for name, frame in {
        "ledger": result_tables.ledger_table(library),
        "models": result_tables.models_table(summaries.values()),
        "clusters": clustered,
        "descriptions": result_tables.descriptions_table(trials, shown),
        "unmeasured": unmeasured if len(unmeasured) else None,
        "labels": inputs.dataset.columns[_named(inputs)].rename_axis("track_id").reset_index(),
        "stability": None if curve is None else pd.DataFrame(curve),
        "metrics": result_tables.metrics_table(table),
    }.items():
        folder.write_table(name, frame)
    folder.write_table("table", table, parquet=True)
    before = folder.read_document() or {}
    leading = outcomes[0].request
    setup = setup_of(
        inputs.targets,
        baseline=BASELINE,
        clusterers=leading.settings.clusterers,
        clusters=leading.clusters,
        n_seeds=len(leading.settings.seeds),
    )
    document = _document(library, inputs, setup, mine, outcomes)
    document["warnings_key"] = _write_warnings(folder, inputs, before.get("warnings_key"))
    if comparison is not None:
        document |= _write_tests(folder, inputs, comparison, setup.headline, before)
        document.setdefault("run", before.get("run"))
    else:
        for name in ("summary", "differences", "tracks"):
            folder.write_table(name, None)
        (folder.tables / "table.tex").unlink(missing_ok=True)
        document["notes"] = [EARLIER] if before.get("compare") or before.get("notes") else []
    write_json(folder.tables / "experiment.json", document)
    groups = find_groups(folder, library, inputs, outcomes[-1])  # of the run, where there is one
    results = read_results(folder.tables, {"clusters": clustered})
    if comparison is not None:
        write_text(folder.tables / "table.tex", latex_table(results))
    draw_pictures(folder, library, results, inputs, outcomes)
    report = write_page(results)
    latents = [folder.latents(*name) for name in trials]
    check_written([library.path, report, folder.tables / "table.csv", *latents])
    clusters = mine.request.clusters
    return ExperimentSummary(
        report=report,
        counts=library.counts(),
        k=clusters.ks,
        k_reason=clusters.reason or "given",
        table=table,
        summary=results.summary if results.compared else None,
        differences=results.differences if results.compared else None,
        verdicts=results.assessment.sentences if results.compared else (),
        warnings=tuple(results.warnings["message"]),
        unmeasured=tuple(unmeasured_lines(unmeasured[~left_out])),
        left_out=tuple(unmeasured_lines(unmeasured[left_out])),
        notes=tuple(document.get("notes", ())),
        groups=None if mine.request.nulls else groups,
    )


def _named(inputs: TrialInputs) -> list[str]:
    """The columns of labels.csv: what is compared, and the title by which a song is called."""
    title = inputs.dataset.roles.column(Role.TITLE)
    return list(dict.fromkeys([*inputs.shown, *([] if title is None else [title])]))


def _evidence(measured: Mapping[Name, Measurements]) -> list[Evidence]:
    """The seeds of every model put together."""
    from songscape.benchmark.evidence import Evidence
    from songscape.models.presets import find_preset

    seeds: dict[str, dict[int, Measurements]] = {}
    for (model, seed), found in measured.items():
        seeds.setdefault(model, {})[seed] = found
    return [Evidence.of(model, find_preset(model).kind, one) for model, one in seeds.items()]


def _write_tests(
    folder: ResultsFolder,
    inputs: TrialInputs,
    comparison: RequestResult,
    headline: PartitionKey,
    before: Mapping[str, Any],
) -> dict[str, str]:
    """Intervals and tests, unless they are there already; what was tested, and against what."""
    from songscape.benchmark.benchmark import evaluate
    from songscape.benchmark.yardstick import yardstick

    request, targets = comparison.request, inputs.targets
    key = digest_of(
        [
            *(RECIPE, __version__, inputs.context, request.settings.as_dict(), request.clusters.ks),
            *(list(item) for item in comparison.summaries.items()),
        ]
    )
    names = ("summary", "differences")
    done = {name: str(before.get(name)) for name in ("tested", "baseline")}
    if key == done["tested"] and all((folder.tables / f"{name}.csv").exists() for name in names):
        return done
    evidence = _evidence(
        {name: one.measurements(comparison.keys(name)) for name, one in comparison.trials.items()}
    )
    with progress_bar("putting intervals on every value", "model") as advance:
        baseline = yardstick(evidence, targets) or BASELINE
        found = evaluate(evidence, targets, baseline=baseline, headline=headline, progress=advance)
    folder.write_table("summary", found.summary, parquet=True)
    folder.write_table("differences", found.differences, parquet=True)
    tracks = result_tables.tracks_table(evidence, targets.groups, inputs.track_ids)
    folder.write_table("tracks", tracks)
    return {"tested": key, "baseline": baseline}


def _write_warnings(folder: ResultsFolder, inputs: TrialInputs, before: str | None) -> str:
    """What is odd about the collection, unless it is there; returns the key of what was checked."""
    import pandas as pd

    from songscape.audit.checks import check_collection
    from songscape.benchmark.wording import finding_sentence

    data, key = inputs.dataset, digest_of([__version__, inputs.context, dict(inputs.digests)])
    if key == before and (folder.tables / "warnings.csv").exists():
        return key
    # A library of an earlier version may lack a view that models can do without.
    there = [name for name in data.views if name in data.digests or name == "lyrics"]
    with progress_bar("checking the collection", unit=""):
        findings = check_collection(
            data.views.select(there),
            data.columns,
            data.facts,
            lyrics_texts=data.texts,
            nuisances=data.nuisance_columns,
            roles=data.roles,
            copies=data.copies,
        )
    rows = [finding.as_row(finding_sentence(finding)) for finding in findings]
    folder.write_table("warnings", pd.DataFrame(rows, columns=list(TABLES["warnings"])))
    return key


def _document(
    library: Library,
    inputs: TrialInputs,
    setup: Setup,
    mine: RequestResult,
    outcomes: Sequence[RequestResult],
) -> dict[str, Any]:
    """`experiment.json`: what is needed to write the page, and to repeat the experiment."""
    return {
        "title": mine.request.settings.title or library.root.name,
        "songscape": __version__,
        "commands": [list(one.request.command) for one in outcomes if one.request.command],
        "settings": mine.request.settings.as_dict(),
        "counts": asdict(library.counts()),
        "k": list(dict.fromkeys(k for one in outcomes for k in one.request.clusters.ks)),
        **asdict(setup),
        "input_digest": digest_of([inputs.context, dict(inputs.digests)]),
        **{("compare" if one.request.nulls else "run"): one.request.as_dict() for one in outcomes},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in VERSIONS_OF},
    }
