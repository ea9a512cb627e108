"""Summary and tests -> a verdict per method, and which method to use.

Nothing is merged into one score and nothing is read from a method's own space: a method is
recommended by a Pareto rule over the corrected tests alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from songscape.audit.finding import Check, Finding, Severity
from songscape.benchmark import wording
from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.metric_table import Figures, KOrigin, Setup
from songscape.benchmark.significance import above_chance, partition_flags
from songscape.benchmark.verdicts import (
    Caveat,
    CaveatKind,
    Flag,
    FlagKind,
    Outcome,
    PairedTest,
    Recommendation,
    Verdict,
    Weight,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Assessment", "assess", "caveats_of_partition", "flags_of_partition"]

FEW_GROUPS, MANY_GROUPS = 20, 50
FEW_SEEDS = 5
MIN_FOUND_AMI = 0.05
"""Below this an AMI says as good as nothing, whatever the permutations say."""


@dataclass(frozen=True)
class Assessment:
    """Recommendation, and the verdicts: the baseline first, then candidates, then references."""

    recommendation: Recommendation
    verdicts: tuple[Verdict, ...]
    setup: Setup
    figures: Figures

    @property
    def headline(self) -> str:
        """Which method to use, in a sentence."""
        return wording.recommendation_sentence(self.recommendation, self.setup)

    @property
    def alternatives(self) -> tuple[str, ...]:
        """What to use for another purpose, in sentences."""
        return wording.neutral_sentences(self.recommendation, self.figures, self.setup)

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence per line of a terminal, the recommendation first."""
        trust = wording.trust_sentence(self.recommendation)
        said = tuple(verdict.sentence for verdict in self.verdicts)
        return self.headline, trust, *self.alternatives, *said


def assess(
    summary: pd.DataFrame,
    differences: pd.DataFrame,
    models: pd.DataFrame,
    findings: Sequence[Finding],
    setup: Setup,
) -> Assessment:
    """Verdicts and recommendation.

    A method is recommended if it is no reference, never collapsed, better than the baseline on at
    least one label and worse on none. Of several, the one that is better on most tests; ties are
    all named, but for those that another of them beats. Where none is, the baseline.

    Parameters
    ----------
    summary, differences : DataFrame
        Of `summarise` and `differences_to_baseline`, as computed or read back.
    models : DataFrame
        One row per model and seed: model, kind, status ("ok", "failed", "skipped"), reason,
        collapsed.
    findings : sequence of Finding
        What is odd about the data.
    setup : Setup
    """
    figures = Figures(summary)
    tests: dict[str, list[PairedTest]] = {}
    for row in differences.to_dict(orient="records"):
        tests.setdefault(str(row["model"]), []).append(PairedTest.of(row))
    verdicts = []
    for name, rows in models.groupby("model", sort=False):
        model = str(name)
        verdict = Verdict(
            model,
            str(rows["kind"].iloc[0]),
            tuple(tests.get(model, ())),
            _flags(model, rows, figures, setup),
        )
        verdicts.append(
            replace(verdict, sentence=wording.verdict_sentence(verdict, figures, setup))
        )
    verdicts.sort(key=lambda v: (v.model != setup.baseline, v.kind == "reference"))
    chosen = _recommend(verdicts, figures, findings, setup)
    return Assessment(chosen, tuple(verdicts), setup, figures)


# -- flags -----------------------------------------------------------------------------------


def _flags(model: str, rows: pd.DataFrame, figures: Figures, setup: Setup) -> tuple[Flag, ...]:
    fitted = rows[rows["status"] == "ok"]
    n_failed = len(rows) - len(fitted)
    if not len(fitted):
        reason = str(rows["reason"].iloc[0])
        return (Flag(FlagKind.FAILED, n_seeds=n_failed, of_seeds=n_failed, reason=reason),)
    flags = []
    n_collapsed = int((fitted["collapsed"].astype(str).str.casefold() == "true").sum())
    if n_collapsed:
        flags.append(Flag(FlagKind.COLLAPSED, n_seeds=n_collapsed, of_seeds=len(fitted)))
    if n_failed:
        flags.append(Flag(FlagKind.FAILED, n_seeds=n_failed, of_seeds=len(rows)))
    for partition in figures.partitions(model):
        if partition == setup.headline:
            flags += flags_of_partition(model, partition, figures, setup)
        else:
            kinds = partition_flags(model, partition, figures)
            flags += [Flag(kind, partition=partition) for kind in kinds]
    return tuple(flags)


def flags_of_partition(
    model: str, partition: PartitionKey, figures: Figures, setup: Setup
) -> list[Flag]:
    """What is wrong with one partition: degenerate, follows a nuisance, or follows no label.

    A partition follows a nuisance where its AMI with it is beyond 95 % of permutations (where there
    are any) and exceeds the AMI with every label. Artists and albums, which decide most other
    columns, are named only where they are found best of all.
    """
    flags = [Flag(kind) for kind in partition_flags(model, partition, figures)]
    rows = [figures.known(model, "ami", n, "agreement", partition) for n in setup.labels]
    known = [row for row in rows if row is not None]
    best = max((row["estimate"] for row in known), default=0.0)
    nuisances: dict[str, float] = {}
    for name in setup.nuisances:
        row = figures.row(model, "ami", name, "leakage", partition)
        if row is None or not row["estimate"] >= MIN_FOUND_AMI:
            continue
        # Several nuisances are tried, so those other than the language need a clearer case.
        sure = row["low"] > 0 or name == setup.language
        if sure and not row["estimate"] <= row["null_95"] and row["estimate"] > best:
            nuisances[name] = row["estimate"]
    for name, value in nuisances.items():
        # What lies within artists has no neighbours beyond the artist filter.
        alone = figures.row(model, "knn", name, "leakage") is not None
        if alone or value >= max(nuisances.values()):
            flags.append(Flag(FlagKind.FINDS, name))
    if known and all(row["estimate"] <= row["null_95"] for row in known):
        flags.append(Flag(FlagKind.NO_LABEL))
    return flags


# -- recommendation --------------------------------------------------------------------------


def _recommend(
    verdicts: Sequence[Verdict], figures: Figures, findings: Sequence[Finding], setup: Setup
) -> Recommendation:
    if setup.baseline not in {v.model for v in verdicts if not v.failed}:
        return Recommendation(())
    candidates = [v for v in verdicts if v.kind != "reference" and v.model != setup.baseline]
    eligible = [v for v in candidates if v.wins and not v.losses and v.usable]
    most = max((len(v.wins) for v in eligible), default=0)
    best = _unbeaten([v for v in eligible if len(v.wins) == most])
    chosen = tuple(v.model for v in best) or (setup.baseline,)
    return Recommendation(
        models=chosen,
        wins=best[0].wins if best else (),
        mixed=tuple(v.model for v in candidates if v.wins and v.losses),
        caveats=tuple(
            sorted(_caveats(chosen, verdicts, figures, findings, setup), key=lambda c: -c.weight)
        ),
        neutral=_neutral(chosen, verdicts, figures, setup),
    )


def _unbeaten(tied: Sequence[Verdict]) -> list[Verdict]:
    """Leave out a method that another of the tied ones beats on a label, and not the reverse.

    Known of those that need no training: each test has its difference to the best of them, and the
    95 % interval decides. Methods that beat each other on different labels are both named.
    """
    beats = {
        (test.best_baseline, one.model)
        for one in tied
        for test in one.tests
        if test.axis == "agreement" and test.high_to_best < 0
    }
    return [
        one
        for one in tied
        if not any(
            (other.model, one.model) in beats and (one.model, other.model) not in beats
            for other in tied
        )
    ]


def _neutral(
    chosen: tuple[str, ...], verdicts: Sequence[Verdict], figures: Figures, setup: Setup
) -> tuple[str, ...]:
    """Methods that lose on no label, know one beyond chance, and hide the language better."""
    language = setup.language
    if language is None:
        return ()
    gains = {
        v.model: sum((t.axis, t.column) == ("leakage", language) for t in v.having(Outcome.BETTER))
        for v in verdicts
        if v.kind != "reference"
        and not v.losses
        and v.usable
        and Flag(FlagKind.FINDS, language) not in v.flags
        and _knows_a_label(v.model, figures, setup)
        and _hides(v.model, language, figures, setup)
    }
    reached = max((gains.get(model, 0) for model in chosen), default=0)
    most = max(gains.values(), default=0)
    return tuple(m for m, gain in gains.items() if gain == most) if most > reached else ()


def _knows_a_label(model: str, figures: Figures, setup: Setup) -> bool:
    """Whether nearest songs or headline clusters agree with any label beyond chance."""
    asked = [(metric, name) for name in setup.labels for metric in ("knn_balanced", "ami")]
    rows = [
        (metric, figures.row(model, metric, name, "agreement", setup.partition_of(metric)))
        for metric, name in asked
    ]
    return any(
        row is not None and above_chance(row, metric, n_tests=len(asked), n_groups=setup.n_groups)
        for metric, row in rows
    )


def _hides(model: str, language: str, figures: Figures, setup: Setup) -> bool:
    """Whether it gives away at most half of what the baseline does beyond chance.

    A hundredth less may be sure and is still of no use where the language is to be hidden.
    """
    row = figures.row(model, "knn", language, "leakage")
    base = figures.row(setup.baseline, "knn", language, "leakage")
    if row is None or base is None:
        return True
    return row["estimate"] - row["chance"] <= 0.5 * (base["estimate"] - base["chance"])


# -- caveats ---------------------------------------------------------------------------------


def _caveats(
    chosen: tuple[str, ...],
    verdicts: Sequence[Verdict],
    figures: Figures,
    findings: Sequence[Finding],
    setup: Setup,
) -> list[Caveat]:
    return [
        *_size_of_evidence([t for v in verdicts for t in v.tests], setup),
        *(
            caveat
            for model in chosen
            for caveat in caveats_of_partition(model, setup.headline, figures, setup)
        ),
        *_references_better(chosen, verdicts, figures, setup),
        *(
            Caveat(CaveatKind.SIMPLE_AS_GOOD, Weight.CAREFUL, {"test": test})
            for one in verdicts
            if one.model in chosen
            for test in one.wins
            if test.best_baseline not in (None, test.baseline) and not test.low_to_best > 0
        ),
        *(
            Caveat(CaveatKind.CONFOUNDED, Weight.GRAVE, {"finding": finding})
            for finding in findings
            if finding.check is Check.CONFOUNDED_LABEL and finding.severity is Severity.WARNING
        ),
    ]


def _size_of_evidence(tests: Sequence[PairedTest], setup: Setup) -> list[Caveat]:
    import statistics

    reach: dict[str, list[float]] = {}
    for test in tests:
        if test.axis == "agreement":
            reach.setdefault(test.metric, []).append((test.high - test.low) / 2)
    half = {
        metric: statistics.median(finite)
        for metric, values in reach.items()
        if (finite := [v for v in values if math.isfinite(v)])
    }
    weight = Weight.SUPPORTS
    if setup.n_groups < MANY_GROUPS:
        weight = Weight.GRAVE if setup.n_groups < FEW_GROUPS else Weight.CAREFUL
    detectable = {metric: value for metric, value in half.items() if value > 0}
    seeds = Weight.SUPPORTS if setup.n_seeds >= FEW_SEEDS else Weight.CAREFUL
    shown = {"setup": setup}
    found = [
        Caveat(CaveatKind.GROUPS, weight, shown | {"detectable": detectable}),
        Caveat(CaveatKind.SEEDS, seeds, shown),
    ]
    if setup.headline.k is not None:
        sure = setup.k_origin is KOrigin.STABLE
        found.append(
            Caveat(
                CaveatKind.NUMBER_OF_CLUSTERS, Weight.SUPPORTS if sure else Weight.CAREFUL, shown
            )
        )
    return found


def caveats_of_partition(
    model: str, partition: PartitionKey, figures: Figures, setup: Setup
) -> list[Caveat]:
    """What the clusters of a partition follow."""
    labels = {n: figures.known(model, "ami", n, "agreement", partition) for n in setup.labels}
    known = {name: row for name, row in labels.items() if row is not None}
    best = max(known, key=lambda name: known[name]["estimate"], default=None)
    found = []
    for flag in flags_of_partition(model, partition, figures, setup):
        values = {"model": model, "flag": flag}
        if flag.kind is FlagKind.FINDS:
            values["ami"] = figures.number(model, "ami", flag.column, "leakage", partition)
            values["best_label"] = None if best is None else (best, known[best]["estimate"])
        found.append(Caveat(CaveatKind.FLAG, Weight.GRAVE, values))
    above = {n: r for n, r in known.items() if r["estimate"] > r["null_95"]}
    if above:
        found.append(Caveat(CaveatKind.AGREES, Weight.SUPPORTS, {"model": model, "labels": above}))
    return found


def _references_better(
    chosen: tuple[str, ...], verdicts: Sequence[Verdict], figures: Figures, setup: Setup
) -> list[Caveat]:
    """Labels that a reference finds better than a recommended method does.

    Against the baseline that is a corrected test. Against another method there is none, so there
    the reference must be better than the baseline and the two intervals must lie apart.
    """
    found = []
    for test in (t for v in verdicts if v.kind == "reference" for t in v.wins):
        # Artists are no label: knowing their language finds some of their songs.
        if test.column not in setup.labels:
            continue
        where = setup.partition_of(test.metric)
        reached = figures.row(test.model, test.metric, test.column, "agreement", where)
        for model in chosen:
            values = {"test": test, "model": model, "reached": None, "own": None}
            if model != setup.baseline:
                own = figures.row(model, test.metric, test.column, "agreement", where)
                if own is None or reached is None or not reached["low"] > own["high"]:
                    continue
                values |= {"reached": reached["estimate"], "own": own["estimate"]}
            found.append(Caveat(CaveatKind.REFERENCE_BETTER, Weight.GRAVE, values))
    return found
