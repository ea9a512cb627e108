"""Summary and tests -> a verdict per method, and which method to use.

Nothing is merged into one score and nothing is read from a method's own space: a method is
recommended by a Pareto rule over the corrected tests alone.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from songscape.audit.finding import Check, Finding, Severity
from songscape.benchmark import wording
from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.metric_table import Figures, KOrigin, Setup
from songscape.benchmark.significance import above_chance, partition_flags
from songscape.benchmark.verdicts import (
    Caveat,
    Flag,
    FlagKind,
    Outcome,
    PairedTest,
    Recommendation,
    Rival,
    Verdict,
    Weight,
)

if TYPE_CHECKING:
    import pandas as pd

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
        return self.headline, trust, *self.alternatives, *(v.sentence for v in self.verdicts)


def assess(
    summary: pd.DataFrame,
    differences: pd.DataFrame,
    models: pd.DataFrame,
    findings: Sequence[Finding],
    setup: Setup,
) -> Assessment:
    """Verdicts and recommendation, from the frames of `Evaluation` as computed or read back.

    A method is recommended if it is no reference, never collapsed, better than the baseline on at
    least one label and worse on none. Of several, the one that is better on most tests; ties are
    all named, but for those that another of them beats. Where none is, the baseline. `models` has a
    row per model and seed: model, kind, status ("ok", "failed", "skipped"), reason, collapsed.
    """
    figures = Figures(summary)
    tests = [PairedTest.of(row) for row in differences.to_dict(orient="records")]
    verdicts = []
    for model, rows in models.groupby("model", sort=False):
        against, against_best = (
            tuple(test for test in tests if (test.model, test.rival) == (model, rival))
            for rival in (Rival.YARDSTICK, Rival.BEST)
        )
        flags = tuple(_flags(str(model), rows, figures, setup))
        verdict = Verdict(str(model), str(rows["kind"].iloc[0]), against, against_best, flags)
        sentence = wording.verdict_sentence(verdict, figures, setup)
        verdicts.append(replace(verdict, sentence=sentence))
    verdicts.sort(key=lambda v: (v.model != setup.baseline, v.kind == "reference"))
    chosen = _recommend(verdicts, figures, findings, setup)
    return Assessment(chosen, tuple(verdicts), setup, figures)


# -- flags -----------------------------------------------------------------------------------


def _flags(model: str, rows: pd.DataFrame, figures: Figures, setup: Setup) -> Iterator[Flag]:
    fitted = rows[rows["status"] == "ok"]
    n_failed = len(rows) - len(fitted)
    if not len(fitted):
        reason = str(rows["reason"].iloc[0])
        yield Flag(FlagKind.FAILED, n_seeds=n_failed, of_seeds=n_failed, reason=reason)
        return
    n_collapsed = int((fitted["collapsed"].astype(str).str.casefold() == "true").sum())
    if n_collapsed:
        yield Flag(FlagKind.COLLAPSED, n_seeds=n_collapsed, of_seeds=len(fitted))
    if n_failed:
        yield Flag(FlagKind.FAILED, n_seeds=n_failed, of_seeds=len(rows))
    for partition in figures.partitions(model):
        if partition == setup.headline:
            yield from flags_of_partition(model, partition, figures, setup)
        else:
            for kind in partition_flags(model, partition, figures):
                yield Flag(kind, partition=partition)


def flags_of_partition(
    model: str, partition: PartitionKey, figures: Figures, setup: Setup
) -> list[Flag]:
    """What is wrong with one partition: degenerate, follows a nuisance, or follows no label.

    A partition follows a nuisance where its AMI with it is beyond 95 % of permutations (where there
    are any) and exceeds the AMI with every label. Artists and albums, which decide most other
    columns, are named only where they are found best of all.
    """
    flags = [Flag(kind) for kind in partition_flags(model, partition, figures)]
    known = figures.amis(model, setup.labels, "agreement", partition)
    best = max((row["estimate"] for row in known.values()), default=0.0)
    found = {
        name: row["estimate"]
        for name, row in figures.amis(model, setup.nuisances, "leakage", partition).items()
        if row["estimate"] >= MIN_FOUND_AMI
        and row["estimate"] > best
        and not row["estimate"] <= row["null_95"]
        # Several nuisances are tried, so those other than the language need a clearer case.
        and (row["low"] > 0 or name == setup.language)
    }
    for name, value in found.items():
        # What lies within artists has no neighbours beyond the artist filter.
        alone = figures.known(model, "knn", name, "leakage") is not None
        if alone or value >= max(found.values()):
            flags.append(Flag(FlagKind.FINDS, name))
    if known and all(row["estimate"] <= row["null_95"] for row in known.values()):
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
    caveats = _caveats(chosen, verdicts, figures, findings, setup)
    return Recommendation(
        models=chosen,
        wins=best[0].wins if best else (),
        mixed=tuple(v.model for v in candidates if v.wins and v.losses),
        caveats=tuple(sorted(caveats, key=lambda caveat: -caveat.weight)),
        neutral=_neutral(chosen, verdicts, figures, setup),
    )


def _unbeaten(tied: Sequence[Verdict]) -> list[Verdict]:
    """Leave out a method that another of the tied ones beats on a label, and not the reverse.

    Known of those that need no training, where they are the best of a figure; the 95 % interval
    decides. Methods that beat each other on different labels are both named.
    """
    beats = {(t.baseline, one.model) for one in tied for t in one.against_best if t.high < 0}
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
        v.model: sum(t.column == language for t in v.having(Outcome.BETTER, "leakage"))
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
    options = {"n_tests": len(asked), "n_groups": setup.n_groups}
    return any(
        row is not None and above_chance(row, metric, **options)
        for metric, name in asked
        for row in [figures.known(model, metric, name, "agreement", setup.partition_of(metric))]
    )


def _hides(model: str, language: str, figures: Figures, setup: Setup) -> bool:
    """Whether it gives away at most half of what the baseline does beyond chance.

    A hundredth less may be sure and is still of no use where the language is to be hidden.
    """
    row, base = (figures.known(m, "knn", language, "leakage") for m in (model, setup.baseline))
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
) -> Iterator[Caveat]:
    yield from _size_of_evidence([test for v in verdicts for test in v.tests], setup)
    for model in chosen:
        yield from caveats_of_partition(model, setup.headline, figures, setup)
    yield from _references_better(chosen, verdicts, figures, setup)
    for one in (v for v in verdicts if v.model in chosen):
        for test in one.against_best:
            if not test.low > 0 and test.key in {win.key for win in one.wins}:
                yield Caveat(Weight.CAREFUL, wording.simple_sentence(test))
    for finding in findings:
        if (finding.check, finding.severity) == (Check.CONFOUNDED_LABEL, Severity.WARNING):
            yield Caveat(Weight.GRAVE, wording.finding_sentence(finding))


def _size_of_evidence(tests: Sequence[PairedTest], setup: Setup) -> Iterator[Caveat]:
    reach: dict[str, list[float]] = {}
    for test in tests:
        half = (test.high - test.low) / 2
        if test.axis == "agreement" and math.isfinite(half):
            reach.setdefault(test.metric, []).append(half)
    medians = {metric: statistics.median(values) for metric, values in reach.items()}
    detectable = {metric: value for metric, value in medians.items() if value > 0}
    weight = Weight.SUPPORTS
    if setup.n_groups < MANY_GROUPS:
        weight = Weight.GRAVE if setup.n_groups < FEW_GROUPS else Weight.CAREFUL
    yield Caveat(weight, wording.groups_sentence(setup, detectable, few=bool(weight)))
    few = setup.n_seeds < FEW_SEEDS
    weight = Weight.CAREFUL if few else Weight.SUPPORTS
    yield Caveat(weight, wording.seeds_sentence(setup.n_seeds, few=few))
    if setup.headline.k is not None:
        weight = Weight.SUPPORTS if setup.k_origin is KOrigin.STABLE else Weight.CAREFUL
        yield Caveat(weight, wording.k_sentence(setup))


def caveats_of_partition(
    model: str, partition: PartitionKey, figures: Figures, setup: Setup
) -> Iterator[Caveat]:
    """What the clusters of a partition follow."""
    known = figures.amis(model, setup.labels, "agreement", partition)
    best = max(((n, r["estimate"]) for n, r in known.items()), key=lambda p: p[1], default=None)
    for flag in flags_of_partition(model, partition, figures, setup):
        ami = figures.number(model, "ami", flag.column, "leakage", partition)
        yield Caveat(Weight.GRAVE, wording.flag_sentence(model, flag, ami, best))
    above = {name: row for name, row in known.items() if row["estimate"] > row["null_95"]}
    if above:
        yield Caveat(Weight.SUPPORTS, wording.agreement_sentence(model, above))


def _references_better(
    chosen: tuple[str, ...], verdicts: Sequence[Verdict], figures: Figures, setup: Setup
) -> Iterator[Caveat]:
    """Labels that a reference finds better than a recommended method does.

    Against the baseline that is a corrected test. Against another method there is none, so there
    the reference must be better than the baseline and the two intervals must lie apart.
    """
    for test in (test for v in verdicts if v.kind == "reference" for test in v.wins):
        # Artists are no label: knowing their language finds some of their songs.
        for model in chosen if test.column in setup.labels else ():
            values = math.nan, math.nan
            if model != setup.baseline:
                what = test.metric, test.column, "agreement", setup.partition_of(test.metric)
                reached, own = (figures.known(name, *what) for name in (test.model, model))
                if own is None or reached is None or not reached["low"] > own["high"]:
                    continue
                values = reached["estimate"], own["estimate"]
            yield Caveat(Weight.GRAVE, wording.reference_sentence(test, model, *values))
