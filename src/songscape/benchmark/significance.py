"""Differences to the baseline: tests, correction by family, and claims that are withheld.

The thresholds of the package stand here: what is a degenerate partition, what is above chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from songscape.benchmark.evidence import Evidence, per_track
from songscape.benchmark.keys import SPACE, PartitionKey
from songscape.benchmark.metric_table import Figure, Figures
from songscape.benchmark.summary import N_HALF_SAMPLES, N_RESAMPLES
from songscape.benchmark.targets import Targets
from songscape.benchmark.verdicts import FlagKind, Outcome, PairedTest, Rival
from songscape.statistics.intervals import half_sample_ami, holm, paired_difference

MAX_NOISE = 0.5
"""Share of noise above which a partition says nothing of the collection."""
MAX_ONE_CLUSTER = 0.9
"""Share of the clustered tracks in one cluster above which it is no grouping."""
ALPHA = 0.05
"""Family-wise error rate of the tests."""
_TAIL = 0.025
# Neighbours of each other share their agreement: see `paired_difference`.
_NEIGHBOR_INFLATION = 2.0


def partition_flags(model: str, partition: PartitionKey, figures: Figures) -> list[FlagKind]:
    """What makes a partition no grouping of the collection; NaN is not held against it."""
    names = ("n_clusters", "noise_share", "largest_cluster_share")
    n, noise, largest = (figures.number(model, name, "", "health", partition) for name in names)
    if n == 0:
        return [FlagKind.ALL_NOISE]
    found = [FlagKind.ONE_CLUSTER] if n <= 1 or largest > MAX_ONE_CLUSTER else []
    return [*found, FlagKind.MOSTLY_NOISE] if noise > MAX_NOISE else found


def above_chance(row: Figure | None, metric: str, *, n_tests: int, n_groups: float) -> bool:
    """Whether a measured value is more than shuffled labels give.

    Its 95 % interval, widened for the number of tests (Bonferroni; Student's t over groups), must
    lie above chance; AMI must also be beyond 95 % of its permutations. True where chance is not
    known.
    """
    from scipy.special import ndtri, stdtrit

    if row is None:
        return True
    if metric == "ami" and row["estimate"] <= row["null_95"]:
        return False
    tails = np.array([1 - _TAIL / n_tests, 1 - _TAIL])
    wider, plain = stdtrit(n_groups - 1, tails) if n_groups >= 2 else ndtri(tails)
    low = row["estimate"] - (row["estimate"] - row["low"]) * wider / plain
    return not bool(low <= row["chance"])


def paired_tests(
    evidence: Sequence[Evidence],
    targets: Targets,
    figures: Figures,
    *,
    baseline: str,
    headline: PartitionKey,
) -> list[PairedTest]:
    """Test every model against the baseline, and on agreement against the best of each figure.

    All agreement tests of all methods are one family, for a claim "better" may rest on any of
    them; each nuisance is one more. References (random, language only) make no claims and are
    corrected among themselves. Claims are then withheld as `withhold` says.

    The best training-free model of a figure is picked on the same tracks, which favours it, so
    "better" is on the safe side. For "worse" the p-value is multiplied by the number of baselines
    to pick from (Bonferroni). References are not tested against it.
    """
    by_name = {one.model: one for one in evidence}
    kinds = {one.model: one.kind for one in evidence}
    tests = []
    for one in evidence if baseline in by_name else ():
        for what in _testable(one, targets) if one.model != baseline else ():
            test = _paired(one, by_name[baseline], *what, targets, headline)
            if test is None:
                continue
            tests.append(test)
            best_first = [] if one.kind == "reference" else _best(test, kinds, figures, headline)
            for name in best_first:
                if name == baseline:
                    break
                beside = _paired(one, by_name[name], *what, targets, headline)
                # A partition that some seeds lack has an estimate and is not tested.
                if beside is not None:
                    n_picked = len(best_first) if beside.difference < 0 else 1
                    p = min(1.0, beside.p_value * n_picked)
                    tests.append(replace(beside, rival=Rival.BEST, p_value=p))
                    break
    return withhold(corrected(tests, kinds), figures, headline, kinds)


def corrected(tests: Sequence[PairedTest], kinds: Mapping[str, str]) -> list[PairedTest]:
    """Holm's correction within families, and what each test then says.

    To be better or worse, the corrected p-value must be at most `ALPHA` and the interval, which
    knows about seeds too, must not hold 0. Less of a nuisance is better.
    """
    found = list(tests)
    for places in _families(found, kinds).values():
        for i, p in zip(places, holm([found[i].p_value for i in places])):
            t, verdict = found[i], Outcome.SAME
            if p <= ALPHA and (t.low > 0 or t.high < 0):
                gain = (t.difference > 0) == (t.axis == "agreement")
                verdict = Outcome.BETTER if gain else Outcome.WORSE
            found[i] = replace(t, adjusted_p=float(p), verdict=verdict)
    return found


def _families(tests: Sequence[PairedTest], kinds: Mapping[str, str]) -> dict[Any, list[int]]:
    """Places of the tests that are corrected together."""
    families: dict[Any, list[int]] = {}
    for i, t in enumerate(tests):
        column = t.column if t.axis == "leakage" else ""
        apart = "reference" if t.rival is Rival.YARDSTICK else "baseline"
        family = t.rival, kinds.get(t.model) == apart, t.axis, column
        families.setdefault(family, []).append(i)
    return families


def _testable(one: Evidence, targets: Targets) -> list[tuple[str, str, str]]:
    found = [("agreement", m, name) for name in targets.labels for m in ("knn_balanced", "ami")]
    found += [("leakage", m, name) for name in targets.nuisances for m in ("knn", "ami")]
    if per_track(one, "hit", "artist", targets) is not None:
        found.append(("agreement", "hit", "artist"))
    return found


def _paired(
    one: Evidence,
    other: Evidence,
    axis: str,
    metric: str,
    column: str,
    targets: Targets,
    headline: PartitionKey,
) -> PairedTest | None:
    """One model against another on one figure, not yet corrected; None where either lacks it."""
    groups, clusterer = targets.groups, ""
    if metric == "ami":
        if headline not in one.partitions or headline not in other.partitions:
            return None
        clusterer, truth = headline.clusterer, targets.columns[column]
        labels, beside = one.partitions[headline], other.partitions[headline]
        found = half_sample_ami(labels, truth, groups, baseline=beside, n_resamples=N_HALF_SAMPLES)
    else:
        ours, theirs = (per_track(each, metric, column, targets) for each in (one, other))
        if ours is None or theirs is None:
            return None
        # Retrieval looks within artists, and so within groups.
        inflation = 1.0 if metric in ("hit", "map") else _NEIGHBOR_INFLATION
        found = paired_difference(
            ours, theirs, groups, n_resamples=N_RESAMPLES, inflation=inflation
        )
    values = found.estimate, found.low, found.high, found.n_groups, found.p_value
    return PairedTest(one.model, axis, metric, column, clusterer, *values, other.model)


def _best(
    test: PairedTest, kinds: Mapping[str, str], figures: Figures, headline: PartitionKey
) -> list[str]:
    """Training-free models other than the tested one, the best of its agreement figure first."""
    where = headline if test.metric == "ami" else SPACE
    reached = {
        name: figures.number(name, test.metric, test.column, "agreement", where)
        for name, kind in kinds.items()
        if kind == "baseline" and name != test.model and test.axis == "agreement"
    }
    known = [name for name in reached if reached[name] == reached[name]]
    if test.metric == "ami":
        # Methods with much noise have inflated AMI; they are no baseline.
        known = [n for n in known if not partition_flags(n, where, figures)] or known
    return sorted(known, key=lambda name: -reached[name])


def withhold(
    tests: Sequence[PairedTest],
    figures: Figures,
    headline: PartitionKey,
    kinds: Mapping[str, str],
) -> list[PairedTest]:
    """Withhold "better" and "worse" where the side that is ahead is at chance or degenerate.

    Below chance any noise is ahead; and where artists share labels by chance, clusters that
    follow artists have an AMI above 0 by chance. So the side that is ahead must be above chance
    (`above_chance`, corrected for the tests of the family).

    On AMI its partition must not be degenerate either. Noise is left out of AMI, so a method that
    names a third of the songs and calls the hard ones noise reaches 1. Noise as a class of its own
    would soften that and still let it win, and would give one partition two values of AMI. So AMI
    stays what it is, is shown with the noise share, and wins nothing with clusters for less than
    half of the songs.
    """
    kept = list(tests)
    for places in _families(kept, kinds).values():
        n_tests = max(1, sum(kept[i].p_value == kept[i].p_value for i in places))
        for i in places:
            why = _not_ahead(kept[i], figures, headline, n_tests)
            if why and kept[i].verdict is not Outcome.SAME:
                kept[i] = replace(kept[i], verdict=Outcome.SAME, withheld=why)
    return kept


def _not_ahead(
    test: PairedTest, figures: Figures, headline: PartitionKey, n_tests: int
) -> FlagKind | None:
    """Why the side that is ahead cannot claim its lead; None where it can."""
    ahead = test.model if test.difference > 0 else test.baseline
    where = headline if test.metric == "ami" else SPACE
    flags = partition_flags(ahead, where, figures) if test.metric == "ami" else []
    if flags:
        return flags[-1]
    row = figures.known(ahead, test.metric, test.column, test.axis, where)
    sure = above_chance(row, test.metric, n_tests=n_tests, n_groups=test.n_groups)
    return None if sure else FlagKind.AT_CHANCE
