"""Differences to the baseline and to the best one, tested and corrected family by family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from songscape.benchmark.claims import degenerate
from songscape.benchmark.evidence import ModelEvidence, per_track
from songscape.benchmark.measure import Subject
from songscape.benchmark.metric_table import Measured
from songscape.statistics.intervals import Difference, paired_difference
from songscape.statistics.multiple_tests import verdicts
from songscape.statistics.subsampling import half_sample_difference

__all__ = ["N_HALF_SAMPLES", "N_RESAMPLES", "beside_best_baseline", "tested"]

N_RESAMPLES = 1_000
N_HALF_SAMPLES = 60
# Neighbours of each other share their agreement: see `paired_difference`.
NEIGHBOR_INFLATION = 2.0
TO_BEST = [
    *("best_baseline", "difference_to_best", "low_to_best", "high_to_best"),
    *("p_value_to_best", "adjusted_p_to_best", "verdict_to_best"),
]


def tested(
    evidence: Sequence[ModelEvidence],
    base: ModelEvidence,
    subject: Subject,
    headline: tuple[str, int | None],
) -> pd.DataFrame:
    """Differences to the baseline, corrected family by family.

    All agreement tests of all methods are one family, for a claim "better" may rest on any of
    them; each nuisance is one more. References (random, language only) make no claims and are
    corrected among themselves.
    """
    rows: list[dict[str, Any]] = []
    for is_reference in (False, True):
        methods = [
            one
            for one in evidence
            if one.model != base.model and (one.kind == "reference") == is_reference
        ]
        families = [("agreement", list(subject.labels))]
        families += [("leakage", [name]) for name in subject.nuisances]
        for axis, columns in families:
            rows += _family(axis, columns, methods, base, subject, headline)
    return pd.DataFrame(rows)


def _family(
    axis: str,
    columns: Sequence[str],
    methods: Sequence[ModelEvidence],
    base: ModelEvidence,
    subject: Subject,
    headline: tuple[str, int | None],
) -> list[dict[str, Any]]:
    tests: dict[tuple[str, str, str], Difference] = {}
    for one in methods:
        for metric, column in _testable(axis, columns, one):
            found = _difference(one, base, subject, metric, column, headline)
            if found is not None:
                tests[one.model, metric, column] = found
    named = {"|".join(key): value for key, value in tests.items()}
    words = verdicts(named, base.model, higher_is_better=axis == "agreement")
    return [
        {
            "model": model,
            "axis": axis,
            "metric": metric,
            "column": column,
            "clusterer": headline[0] if metric == "ami" else "",
            "difference": test.estimate,
            "low": test.low,
            "high": test.high,
            "n_groups": test.n_groups,
            "p_value": test.p_value,
            "adjusted_p": words["|".join((model, metric, column))].adjusted_p,
            "verdict": words["|".join((model, metric, column))].word,
            "baseline": base.model,
        }
        for (model, metric, column), test in tests.items()
    ]


def _testable(axis: str, columns: Sequence[str], one: ModelEvidence) -> list[tuple[str, str]]:
    neighbours = "knn_balanced" if axis == "agreement" else "knn"
    found = [(metric, column) for column in columns for metric in (neighbours, "ami")]
    if axis == "agreement" and "hit:artist" in one.samples:
        found.append(("hit", "artist"))
    return found


def _difference(
    one: ModelEvidence,
    base: ModelEvidence,
    subject: Subject,
    metric: str,
    column: str,
    headline: tuple[str, int | None],
) -> Difference | None:
    if metric == "ami":
        if headline not in one.partitions or headline not in base.partitions:
            return None
        truth = {**subject.labels, **subject.nuisances}[column]
        return half_sample_difference(
            "ami",
            one.partitions[headline],
            base.partitions[headline],
            truth,
            subject.groups,
            n_resamples=N_HALF_SAMPLES,
        )
    ours = per_track(one, metric, column, subject)
    theirs = per_track(base, metric, column, subject)
    if ours is None or theirs is None:
        return None
    return paired_difference(
        ours,
        theirs,
        subject.groups,
        n_resamples=N_RESAMPLES,
        # Retrieval looks within artists, and so within groups.
        inflation=1.0 if metric in ("hit", "map") else NEIGHBOR_INFLATION,
    )


def beside_best_baseline(
    differences: pd.DataFrame,
    evidence: Sequence[ModelEvidence],
    table: pd.DataFrame,
    subject: Subject,
    headline: tuple[str, int | None],
) -> pd.DataFrame:
    """Add the difference to whichever training-free baseline is best in each agreement test.

    Candidates are tested against it as well, all together one family as in `tested`. The best is
    picked on the same tracks, so by luck it looks better than it is: the candidate's difference
    is, if anything, too small. "better than" is therefore on the safe side. For "worse than" the
    p-value of a candidate that is behind is multiplied by the number of baselines that were there
    to pick from (Bonferroni).
    """
    by_name = {one.model: one for one in evidence}
    free = [one.model for one in evidence if one.kind == "baseline"]
    measured = Measured(table)
    tests: dict[int, Difference] = {}
    best: dict[int, str] = {}
    for place, row in enumerate(differences.itertuples()):
        if row.axis != "agreement":
            continue
        where = headline if row.metric == "ami" else ("", None)
        reached = {
            name: measured.number(name, str(row.metric), str(row.column), "agreement", where)
            for name in free
            if name != row.model
        }
        known = [name for name in reached if reached[name] == reached[name]]
        if row.metric == "ami":
            # Who refuses the hard songs has the highest AMI, and is no yardstick.
            whole = [name for name in known if not degenerate(name, where, measured)]
            known = whole or known
        ranked = sorted(known, key=lambda name: -reached[name])
        # A partition that some seeds lack has estimates, and is not tested.
        for name in ranked:
            found: Difference | None
            if name == row.baseline:
                found = Difference(row.difference, row.low, row.high, row.p_value, row.n_groups)
            else:
                ours, theirs = by_name[str(row.model)], by_name[name]
                found = _difference(
                    ours, theirs, subject, str(row.metric), str(row.column), headline
                )
            if found is not None:
                if found.estimate < 0:
                    found = replace(found, p_value=min(1.0, found.p_value * len(ranked)))
                best[place], tests[place] = name, found
                break
    claimed = {
        str(place): test
        for place, test in tests.items()
        if by_name[str(differences["model"].iloc[place])].kind not in ("baseline", "reference")
    }
    words = verdicts(claimed, "")
    added: list[dict[str, Any]] = [{} for _ in range(len(differences))]
    for place, test in tests.items():
        added[place] = {
            "best_baseline": best[place],
            "difference_to_best": test.estimate,
            "low_to_best": test.low,
            "high_to_best": test.high,
        }
        if str(place) in words:
            added[place] |= {
                "p_value_to_best": test.p_value,
                "adjusted_p_to_best": words[str(place)].adjusted_p,
                "verdict_to_best": words[str(place)].word,
            }
    frame = pd.DataFrame(added, index=differences.index, columns=TO_BEST)
    return pd.concat([differences, frame], axis=1)
