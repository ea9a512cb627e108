"""Differences to the baseline: tests, correction by family, and claims that are withheld.

The thresholds of the package stand here: what is a degenerate partition, what is above chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from songscape.benchmark.evidence import Evidence, per_track
from songscape.benchmark.keys import SPACE, PartitionKey
from songscape.benchmark.metric_table import Figure, Figures
from songscape.benchmark.summary import N_HALF_SAMPLES, N_RESAMPLES
from songscape.benchmark.targets import Targets
from songscape.benchmark.verdicts import FlagKind, Outcome, PairedTest
from songscape.statistics.intervals import Interval, half_sample_ami, holm, paired_difference

MAX_NOISE = 0.5
"""Share of noise above which a partition says nothing of the collection."""
MAX_ONE_CLUSTER = 0.9
"""Share of the clustered tracks in one cluster above which it is no grouping."""
ALPHA = 0.05
"""Family-wise error rate of the tests."""
_TAIL = 0.025
# Neighbours of each other share their agreement: see `paired_difference`.
_NEIGHBOR_INFLATION = 2.0


def degenerate(
    n_clusters: float, noise_share: float, largest_cluster_share: float
) -> list[FlagKind]:
    """What makes a partition no grouping of the collection; NaN is not held against it."""
    if n_clusters == 0:
        return [FlagKind.ALL_NOISE]
    found = []
    if n_clusters <= 1 or largest_cluster_share > MAX_ONE_CLUSTER:
        found.append(FlagKind.ONE_CLUSTER)
    if noise_share > MAX_NOISE:
        found.append(FlagKind.MOSTLY_NOISE)
    return found


def partition_flags(model: str, partition: PartitionKey, figures: Figures) -> list[FlagKind]:
    """`degenerate` of a partition in the summary."""
    names = ("n_clusters", "noise_share", "largest_cluster_share")
    return degenerate(*(figures.number(model, n, "", "health", partition) for n in names))


def above_chance(
    row: Figure | None, metric: str, *, n_tests: int = 1, n_groups: float = float("nan")
) -> bool:
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
    tails = 1 - _TAIL / n_tests, 1 - _TAIL
    if n_groups >= 2:
        wider, plain = (float(stdtrit(n_groups - 1, tail)) for tail in tails)
    else:
        wider, plain = (float(ndtri(tail)) for tail in tails)
    low = row["estimate"] - (row["estimate"] - row["low"]) * wider / plain
    return not low <= row["chance"]


def paired_tests(
    evidence: Sequence[Evidence],
    targets: Targets,
    figures: Figures,
    *,
    baseline: str,
    headline: PartitionKey,
) -> list[PairedTest]:
    """Test every model against the baseline, and against the best training-free model.

    All agreement tests of all methods are one family, for a claim "better" may rest on any of
    them; each nuisance is one more. References (random, language only) make no claims and are
    corrected among themselves. Claims are then withheld as `withhold` says.

    The best training-free model of a figure is picked on the same tracks, which favours it, so
    "better" is on the safe side. For "worse" the p-value is multiplied by the number of baselines
    to pick from (Bonferroni). Baselines and references are not tested against it.
    """
    by_name = {one.model: one for one in evidence}
    kinds = {one.model: one.kind for one in evidence}
    if baseline not in by_name:
        return []
    tests = []
    for one in evidence:
        for axis, metric, column in _testable(one, targets) if one.model != baseline else ():
            found = _difference(one, by_name[baseline], metric, column, targets, headline)
            if found is None:
                continue
            test = PairedTest(
                model=one.model,
                axis=axis,
                metric=metric,
                column=column,
                clusterer=headline.clusterer if metric == "ami" else "",
                difference=found.estimate,
                low=found.low,
                high=found.high,
                n_groups=found.n_groups,
                p_value=found.p_value,
                baseline=baseline,
            )
            tests.append(_beside_best(test, found, by_name, targets, figures, headline))
    return withhold(corrected(tests, kinds), figures, headline, kinds)


def corrected(tests: Sequence[PairedTest], kinds: Mapping[str, str]) -> list[PairedTest]:
    """Holm's correction within families, and what each test then says.

    To be better or worse, the corrected p-value must be at most `ALPHA` and the interval, which
    knows about seeds too, must not hold 0. Less of a nuisance is better.
    """
    found = list(tests)
    for places in _families(found, kinds).values():
        for i, p in zip(places, holm([found[i].p_value for i in places])):
            t = found[i]
            verdict = _outcome(t.axis, t.difference, t.low, t.high, p)
            found[i] = replace(t, adjusted_p=float(p), verdict=verdict)
    places = [
        i
        for i, t in enumerate(found)
        if t.best_baseline and kinds[t.model] not in ("baseline", "reference")
    ]
    for i, p in zip(places, holm([found[i].p_value_to_best for i in places])):
        t = found[i]
        verdict = _outcome(t.axis, t.difference_to_best, t.low_to_best, t.high_to_best, p)
        found[i] = replace(t, adjusted_p_to_best=float(p), verdict_to_best=verdict)
    return [t if t.verdict_to_best else replace(t, p_value_to_best=float("nan")) for t in found]


def _outcome(axis: str, difference: float, low: float, high: float, p: float) -> Outcome:
    if p <= ALPHA and (low > 0 or high < 0):
        return Outcome.BETTER if (difference > 0) == (axis == "agreement") else Outcome.WORSE
    return Outcome.SAME


def _families(tests: Sequence[PairedTest], kinds: Mapping[str, str]) -> dict[Any, list[int]]:
    """Places of the tests that are corrected together."""
    families: dict[Any, list[int]] = {}
    for i, t in enumerate(tests):
        column = t.column if t.axis == "leakage" else ""
        is_reference = kinds.get(t.model) == "reference"
        families.setdefault((is_reference, t.axis, column), []).append(i)
    return families


def _testable(one: Evidence, targets: Targets) -> list[tuple[str, str, str]]:
    found = [("agreement", m, name) for name in targets.labels for m in ("knn_balanced", "ami")]
    found += [("leakage", m, name) for name in targets.nuisances for m in ("knn", "ami")]
    if per_track(one, "hit", "artist", targets) is not None:
        found.append(("agreement", "hit", "artist"))
    return found


def _difference(
    one: Evidence,
    other: Evidence,
    metric: str,
    column: str,
    targets: Targets,
    headline: PartitionKey,
) -> Interval | None:
    if metric == "ami":
        if headline not in one.partitions or headline not in other.partitions:
            return None
        return half_sample_ami(
            one.partitions[headline],
            targets.columns[column],
            targets.groups,
            baseline=other.partitions[headline],
            n_resamples=N_HALF_SAMPLES,
        )
    ours, theirs = (per_track(each, metric, column, targets) for each in (one, other))
    if ours is None or theirs is None:
        return None
    # Retrieval looks within artists, and so within groups.
    inflation = 1.0 if metric in ("hit", "map") else _NEIGHBOR_INFLATION
    return paired_difference(
        ours, theirs, targets.groups, n_resamples=N_RESAMPLES, inflation=inflation
    )


def _beside_best(
    test: PairedTest,
    found: Interval | None,
    by_name: Mapping[str, Evidence],
    targets: Targets,
    figures: Figures,
    headline: PartitionKey,
) -> PairedTest:
    """The test with its difference to the best training-free model other than the tested one."""
    where = headline if test.metric == "ami" else SPACE
    reached = {
        name: figures.number(name, test.metric, test.column, "agreement", where)
        for name, one in by_name.items()
        if one.kind == "baseline" and name != test.model and test.axis == "agreement"
    }
    known = [name for name in reached if reached[name] == reached[name]]
    if test.metric == "ami":
        # Methods with much noise have inflated AMI; they are no baseline.
        known = [n for n in known if not partition_flags(n, where, figures)] or known
    for name in sorted(known, key=lambda name: -reached[name]):
        if name != test.baseline:
            pair = by_name[test.model], by_name[name]
            found = _difference(*pair, test.metric, test.column, targets, headline)
        # A partition that some seeds lack has an estimate and is not tested.
        if found is not None:
            n_picked = len(known) if found.estimate < 0 else 1
            return replace(
                test,
                best_baseline=name,
                difference_to_best=found.estimate,
                low_to_best=found.low,
                high_to_best=found.high,
                p_value_to_best=min(1.0, found.p_value * n_picked),
            )
    return test


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
            t = kept[i]
            against = (t.difference, t.baseline), (t.difference_to_best, t.best_baseline)
            why, why_to_best = (
                _not_ahead(t, t.model if gap > 0 else str(other), figures, headline, n_tests)
                for gap, other in against
            )
            if why and t.verdict is not Outcome.SAME:
                t = replace(t, verdict=Outcome.SAME, withheld=why)
            if why_to_best and t.verdict_to_best:
                t = replace(t, verdict_to_best=Outcome.SAME)
            kept[i] = t
    return kept


def _not_ahead(
    test: PairedTest, ahead: str, figures: Figures, headline: PartitionKey, n_tests: int
) -> FlagKind | None:
    """Why a lead of this model is none."""
    where = headline if test.metric == "ami" else SPACE
    flags = partition_flags(ahead, where, figures) if test.metric == "ami" else []
    if flags:
        return flags[-1]
    row = figures.row(ahead, test.metric, test.column, test.axis, where)
    sure = above_chance(row, test.metric, n_tests=n_tests, n_groups=test.n_groups)
    return None if sure else FlagKind.AT_CHANCE
