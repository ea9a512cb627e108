"""Differences to the baseline: tests, correction by family, and claims that are withheld.

The thresholds of the package stand here: what is a degenerate partition, what is above chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from songscape.benchmark.evidence import Evidence, per_track
from songscape.benchmark.keys import SPACE, PartitionKey
from songscape.benchmark.metric_table import Figure, Figures
from songscape.benchmark.summary import N_HALF_SAMPLES, N_RESAMPLES
from songscape.benchmark.targets import Targets
from songscape.benchmark.verdicts import FlagKind, Outcome
from songscape.statistics.intervals import Difference, paired_difference
from songscape.statistics.multiple_tests import holm
from songscape.statistics.subsampling import half_sample_difference

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ALPHA",
    "MAX_NOISE",
    "MAX_ONE_CLUSTER",
    "above_chance",
    "degenerate",
    "differences_to_baseline",
    "partition_flags",
    "withhold",
]

MAX_NOISE = 0.5
"""Share of noise above which a partition says nothing of the collection."""
MAX_ONE_CLUSTER = 0.9
"""Share of the clustered tracks in one cluster above which it is no grouping."""
ALPHA = 0.05
"""Family-wise error rate of the tests."""
_TAIL = 0.025
# Neighbours of each other share their agreement: see `paired_difference`.
_NEIGHBOR_INFLATION = 2.0
_TEST = ("difference", "low", "high", "n_groups", "p_value", "adjusted_p", "verdict")
_TO_BEST = ("difference_to_best", "low_to_best", "high_to_best")
_TO_BEST_TESTED = ("p_value_to_best", "adjusted_p_to_best", "verdict_to_best")
COLUMNS = (
    *("model", "axis", "metric", "column", "clusterer", *_TEST, "baseline", "withheld"),
    *("best_baseline", *_TO_BEST, *_TO_BEST_TESTED),
)

Key = tuple[str, str, str, str]  # model, axis, metric, column


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
    """Whether a measured value is more than labels dealt out at random give.

    Its interval, widened for the number of tests (Bonferroni; Student's t over groups), must lie
    above chance; AMI must also be beyond 95 % of its permutations. True where chance is not known.

    Parameters
    ----------
    row : dict or None
        See `songscape.benchmark.metric_table.Figures.row`, its interval one of 95 %.
    metric : str
    n_tests : int
        How many values are asked this, of which any may be claimed.
    n_groups : float
        Groups that the interval rests on; NaN where unknown.
    """
    from scipy.special import ndtri, stdtrit

    if row is None:
        return True
    if metric == "ami" and row["estimate"] <= row["null_95"]:
        return False
    tails = 1 - _TAIL / n_tests, 1 - _TAIL
    if n_groups >= 2:
        corrected, plain = (float(stdtrit(n_groups - 1, tail)) for tail in tails)
    else:
        corrected, plain = (float(ndtri(tail)) for tail in tails)
    low = row["estimate"] - (row["estimate"] - row["low"]) * corrected / plain
    return not low <= row["chance"]


def differences_to_baseline(
    evidence: Sequence[Evidence],
    targets: Targets,
    summary: pd.DataFrame,
    *,
    baseline: str,
    headline: PartitionKey,
) -> pd.DataFrame:
    """Test every model against the baseline, and against the best training-free model.

    All agreement tests of all methods are one family, for a claim "better" may rest on any of
    them; each nuisance is one more. References (random, language only) make no claims and are
    corrected among themselves. Claims are then withheld as `withhold` says.

    The best training-free model of a figure is picked on the same tracks, which favours it, so
    "better" is on the safe side. For "worse" the p-value is multiplied by the number of baselines
    to pick from (Bonferroni). Baselines and references are not tested against it.

    Returns
    -------
    DataFrame
        One row per test: difference, low, high, p_value, adjusted_p, verdict (an `Outcome`),
        withheld (a `FlagKind` or ""); best_baseline, difference_to_best, ... on agreement.
    """
    import pandas as pd

    by_name = {one.model: one for one in evidence}
    if baseline not in by_name:
        return pd.DataFrame(columns=list(COLUMNS))
    tests: dict[Key, Difference] = {}
    for one in evidence:
        for axis, metric, column in _testable(one, targets) if one.model != baseline else ():
            found = _difference(one, by_name[baseline], targets, metric, column, headline)
            if found is not None:
                tests[one.model, axis, metric, column] = found
    figures = Figures(summary)
    to_best = _to_best(tests, by_name, targets, figures, baseline, headline)
    corrected = {
        key: outcome
        for family in _families(tests, by_name).values()
        for key, outcome in outcomes({key: tests[key] for key in family}).items()
    }
    candidates = {
        key: test
        for key, (_, test) in to_best.items()
        if by_name[key[0]].kind not in ("baseline", "reference")
    }
    corrected_to_best = outcomes(candidates)
    rows = []
    for key, test in tests.items():
        model, axis, metric, column = key
        row: dict[str, Any] = {"model": model, "axis": axis, "metric": metric, "column": column}
        row["clusterer"] = headline.clusterer if metric == "ami" else ""
        ends = (test.estimate, test.low, test.high, test.n_groups, test.p_value)
        row |= dict(zip(_TEST, (*ends, *corrected[key]))) | {"baseline": baseline, "withheld": ""}
        if key in to_best:
            name, best = to_best[key]
            row |= {"best_baseline": name} | dict(
                zip(_TO_BEST, (best.estimate, best.low, best.high))
            )
        if key in corrected_to_best:
            row |= dict(zip(_TO_BEST_TESTED, (candidates[key].p_value, *corrected_to_best[key])))
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = {one.model: one.kind for one in evidence}
    return withhold(frame, figures, headline, kinds)


def outcomes(tests: Mapping[Key, Difference]) -> dict[Key, tuple[float, Outcome]]:
    """Adjusted p-value and outcome of every test; those given are one family (Holm).

    To be better or worse, the corrected p-value must be at most `ALPHA` and the interval, which
    knows about seeds too, must not hold 0. Less of a nuisance is better.
    """
    found = {}
    for (key, test), p_value in zip(tests.items(), holm([t.p_value for t in tests.values()])):
        outcome = Outcome.SAME
        if p_value <= ALPHA and (test.low > 0 or test.high < 0):
            better = (test.estimate > 0) == (key[1] == "agreement")
            outcome = Outcome.BETTER if better else Outcome.WORSE
        found[key] = (float(p_value), outcome)
    return found


def _families(tests: Mapping[Key, Any], by_name: Mapping[str, Evidence]) -> dict[Any, list[Key]]:
    families: dict[Any, list[Key]] = {}
    for key in tests:
        families.setdefault(_family(key, by_name[key[0]].kind), []).append(key)
    return families


def _family(key: Key, kind: str) -> tuple[bool, str, str]:
    """Tests of one family are corrected together."""
    _, axis, _, column = key
    return kind == "reference", axis, column if axis == "leakage" else ""


def _testable(one: Evidence, targets: Targets) -> list[tuple[str, str, str]]:
    found = []
    for axis, columns in (("agreement", targets.labels), ("leakage", targets.nuisances)):
        neighbours = "knn_balanced" if axis == "agreement" else "knn"
        found += [(axis, metric, name) for name in columns for metric in (neighbours, "ami")]
    if per_track(one, "hit", "artist", targets) is not None:
        found.append(("agreement", "hit", "artist"))
    return found


def _difference(
    one: Evidence,
    base: Evidence,
    targets: Targets,
    metric: str,
    column: str,
    headline: PartitionKey,
) -> Difference | None:
    if metric == "ami":
        if headline not in one.partitions or headline not in base.partitions:
            return None
        return half_sample_difference(
            "ami",
            one.partitions[headline],
            base.partitions[headline],
            targets.columns[column],
            targets.groups,
            n_resamples=N_HALF_SAMPLES,
        )
    ours = per_track(one, metric, column, targets)
    theirs = per_track(base, metric, column, targets)
    if ours is None or theirs is None:
        return None
    # Retrieval looks within artists, and so within groups.
    inflation = 1.0 if metric in ("hit", "map") else _NEIGHBOR_INFLATION
    return paired_difference(
        ours, theirs, targets.groups, n_resamples=N_RESAMPLES, inflation=inflation
    )


def _to_best(
    tests: Mapping[Key, Difference],
    by_name: Mapping[str, Evidence],
    targets: Targets,
    figures: Figures,
    baseline: str,
    headline: PartitionKey,
) -> dict[Key, tuple[str, Difference]]:
    """The best training-free model other than the tested one, and the difference to it."""
    free = [one.model for one in by_name.values() if one.kind == "baseline"]
    result = {}
    for key, test in tests.items():
        model, axis, metric, column = key
        if axis != "agreement":
            continue
        where = headline if metric == "ami" else SPACE
        reached = {
            name: figures.number(name, metric, column, axis, where)
            for name in free
            if name != model
        }
        known = [name for name in reached if reached[name] == reached[name]]
        if metric == "ami":
            # Methods with much noise have inflated AMI; they are no baseline.
            known = [n for n in known if not partition_flags(n, where, figures)] or known
        ranked = sorted(known, key=lambda name: -reached[name])
        for name in ranked:
            # A partition that some seeds lack has an estimate and is not tested.
            found = (
                test
                if name == baseline
                else _difference(by_name[model], by_name[name], targets, metric, column, headline)
            )
            if found is not None:
                if found.estimate < 0:
                    found = replace(found, p_value=min(1.0, found.p_value * len(ranked)))
                result[key] = (name, found)
                break
    return result


def withhold(
    differences: pd.DataFrame, figures: Figures, headline: PartitionKey, kinds: Mapping[str, str]
) -> pd.DataFrame:
    """Withhold "better" and "worse" where the side that is ahead is at chance or degenerate.

    Below chance any noise is ahead; and where labels are dealt out among artists, clusters that
    follow artists have an AMI above 0 by chance. So the side that is ahead must be above chance
    (`above_chance`, corrected for the tests of the family).

    On AMI its partition must not be degenerate either. Noise is left out of AMI, so a method that
    names a third of the songs and calls the hard ones noise reaches 1. Noise as a class of its own
    would soften that and still let it win, and would give one partition two values of AMI. So AMI
    stays what it is, beside the noise share, and wins nothing with clusters for less than half of
    the songs.

    Parameters
    ----------
    differences : DataFrame
        See `differences_to_baseline`.
    figures : Figures
        The summary that belongs to them.
    headline : PartitionKey
    kinds : mapping of model to kind
        References are corrected among themselves.

    Returns
    -------
    DataFrame
        The same tests, claims that are withheld turned into "same", with the reason.
    """
    tests = differences.to_dict(orient="records")
    keys = [(t["model"], t["axis"], t["metric"], t["column"]) for t in tests]
    families = [_family(key, kinds.get(key[0], "")) for key in keys]
    sizes = Counter(f for f, t in zip(families, tests) if t["p_value"] == t["p_value"])
    for test, family in zip(tests, families):
        against = {"": (test["difference"], test["baseline"])}
        if test.get("verdict_to_best") in (Outcome.BETTER, Outcome.WORSE):
            against["_to_best"] = (test["difference_to_best"], test["best_baseline"])
        for suffix, (difference, other) in against.items():
            ahead = test["model"] if difference > 0 else other
            why = _not_ahead(ahead, test, figures, headline, max(1, sizes[family]))
            if why and test[f"verdict{suffix}"] != Outcome.SAME:
                test[f"verdict{suffix}"] = Outcome.SAME
                if not suffix:
                    test["withheld"] = why
    import pandas as pd

    return pd.DataFrame(tests, columns=list(differences.columns))


def _not_ahead(
    ahead: str, test: Mapping[str, Any], figures: Figures, headline: PartitionKey, n_tests: int
) -> FlagKind | None:
    """Why a lead of this model is none."""
    metric = str(test["metric"])
    where = headline if metric == "ami" else SPACE
    flags = partition_flags(ahead, where, figures) if metric == "ami" else []
    if flags:
        return flags[-1]
    row = figures.row(ahead, metric, str(test["column"]), str(test["axis"]), where)
    n_groups = float(test.get("n_groups", float("nan")))
    sure = above_chance(row, metric, n_tests=n_tests, n_groups=n_groups)
    return None if sure else FlagKind.AT_CHANCE
