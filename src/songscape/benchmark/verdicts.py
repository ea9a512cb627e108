"""Tests and tables -> one verdict per method in words, with what disqualifies it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songscape.benchmark.claims import (
    DEGENERATE,
    NO_MORE_THAN_CHANCE,
    above_chance,
    degenerate,
    withhold,
)
from songscape.benchmark.metric_table import Measured, Setting, Where
from songscape.benchmark.wording import (
    language_words,
    listed,
    tested_words,
    untested_words,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FINDS",
    "MethodVerdict",
    "knows_a_label",
    "partition_flags",
    "verdict_sentences",
]

# Below this an AMI says as good as nothing, whatever the permutations say.
MIN_FOUND_AMI = 0.05
FINDS = "finds the "


@dataclass(frozen=True)
class MethodVerdict:
    """What can be said of one method.

    Attributes
    ----------
    model, kind : str
    sentence : str
        Begins with the model's name.
    better, worse, same : tuple of (axis, metric, column)
        Tests against the baseline by their corrected verdict; better on a nuisance is less of it.
        Claims that are withheld (`songscape.benchmark.claims`) count as the same.
    wins : tuple of (axis, metric, column)
        Agreement tests in `better`.
    flags : tuple of str
        What disqualifies or should warn: "collapsed", "finds the language", ...
    """

    model: str
    kind: str
    sentence: str
    better: tuple[tuple[str, str, str], ...] = ()
    worse: tuple[tuple[str, str, str], ...] = ()
    same: tuple[tuple[str, str, str], ...] = ()
    wins: tuple[tuple[str, str, str], ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def loses(self) -> bool:
        """Whether it is worse than the baseline on any label."""
        return any(axis == "agreement" for axis, _, _ in self.worse)


def verdict_sentences(
    table: pd.DataFrame, differences: pd.DataFrame, models: pd.DataFrame, setting: Setting
) -> list[MethodVerdict]:
    """One verdict per model: the baseline first, then candidates, then references."""
    measured = Measured(table)
    references = set(models["model"][models["kind"] == "reference"])
    differences = withhold(differences, measured, setting.headline, references)
    found = []
    for name, rows in models.groupby("model", sort=False):
        model, kind = str(name), str(rows["kind"].iloc[0])
        failed = rows[rows["status"] != "ok"]
        if len(failed) == len(rows):
            why = str(failed["reason"].iloc[0]).rstrip(".")
            text = f"{model}: failed with every seed ({why})"
            found.append(MethodVerdict(model, kind, text, flags=("failed",)))
            continue
        tests: Any = ()
        if len(differences):
            tests = list(differences[differences["model"] == model].itertuples())
        flags = _flags(model, rows, measured, setting)
        found.append(_verdict(model, kind, tests, flags, measured, setting))
    place = {"reference": 2}
    found.sort(key=lambda v: (v.model != setting.baseline, place.get(v.kind, 1)))
    return found


def _verdict(
    model: str,
    kind: str,
    tests: Sequence[Any],
    flags: tuple[str, ...],
    measured: Measured,
    setting: Setting,
) -> MethodVerdict:
    by_word: dict[str, list[Any]] = {"better": [], "worse": [], "not": []}
    for test in tests:
        by_word[str(test.verdict).split()[0]].append(test)

    def keys(word: str) -> tuple[tuple[str, str, str], ...]:
        return tuple((str(t.axis), str(t.metric), str(t.column)) for t in by_word[word])

    def said(word: str, axis: str, columns: Sequence[str] | None = None) -> str:
        return listed(
            [
                tested_words(t)
                for t in by_word[word]
                if t.axis == axis and (columns is None or t.column in columns)
            ]
        )

    wins = tuple(key for key in keys("better") if key[0] == "agreement")
    taken_back = [
        t for t in by_word["not"] if t.axis == "agreement" and t.withheld and t.difference > 0
    ]
    parts = []
    if model == setting.baseline:
        parts.append(
            f"the yardstick, needs no training; {untested_words(model, measured, setting)}"
        )
    elif kind == "reference":
        parts.append("a reference that knows next to nothing of the songs")
    if said("better", "agreement"):
        parts.append(f"better than {setting.baseline} at {said('better', 'agreement')}")
    for why in dict.fromkeys(str(test.withheld) for test in taken_back):
        lead = listed([tested_words(test) for test in taken_back if test.withheld == why])
        but = f"its clusters are not to be counted: {why}"
        if why == NO_MORE_THAN_CHANCE:
            but = f"itself {why} there"
        parts.append(f"ahead of {setting.baseline} at {lead}, but {but}")
    if said("worse", "agreement"):
        parts.append(f"worse than {setting.baseline} at {said('worse', 'agreement')}")
    same = [t for t in by_word["not"] if t.axis == "agreement" and t not in taken_back]
    if same:
        if not (by_word["better"] or by_word["worse"]) or len(same) == len(tests):
            parts.append(f"not distinguishable from {setting.baseline} on any test")
        else:
            names = list(dict.fromkeys(str(t.column) for t in same))
            parts.append(f"not distinguishable on {len(same)} tests ({', '.join(names)})")
    language = setting.language
    if language is not None:
        known = language_words(model, language, measured)
        beside = {"better": "less than", "worse": "more than"}
        compared = [
            f"{beside[word]} {setting.baseline}"
            for word in ("better", "worse")
            if any(t.axis == "leakage" and t.column == language for t in by_word[word])
        ]
        parts += [", ".join([known, *compared])] if known else []
    others = [
        str(t.column) for t in by_word["worse"] if t.axis == "leakage" and t.column != language
    ]
    if others:
        parts.append(f"gives away more of {listed(list(dict.fromkeys(others)))}")
    parts += list(flags)
    return MethodVerdict(
        model,
        kind,
        f"{model}: {'; '.join(parts)}",
        keys("better"),
        keys("worse"),
        keys("not"),
        wins,
        flags,
    )


def knows_a_label(model: str, measured: Measured, setting: Setting) -> bool:
    """Whether nearest songs or headline clusters agree with any label beyond chance."""
    rows = [
        (metric, measured.value(model, metric, name, "agreement", _where(metric, setting)))
        for name in setting.labels
        for metric in ("knn_balanced", "ami")
    ]
    asked = {"n_tests": len(rows), "n_groups": setting.n_groups}
    return any(row is not None and above_chance(row, metric, **asked) for metric, row in rows)


def _where(metric: str, setting: Setting) -> Where:
    return setting.headline if metric == "ami" else ("", None)


def _flags(model: str, rows: pd.DataFrame, measured: Measured, setting: Setting) -> tuple[str, ...]:
    flags = []
    fitted = rows[rows["status"] == "ok"]
    collapsed = fitted["collapsed"].astype(str).str.casefold() == "true"
    if collapsed.any():
        some = "" if collapsed.all() else f" with {int(collapsed.sum())} of {len(collapsed)} seeds"
        flags.append(f"collapsed{some}")
    if len(fitted) < len(rows):
        flags.append(f"failed with {len(rows) - len(fitted)} of {len(rows)} seeds")
    for where in measured.partitions(model):
        found = partition_flags(model, where, measured, setting)
        if where == setting.headline:
            flags += found
        else:
            name = where[0] if where[1] is None else f"{where[0]}, k = {where[1]}"
            flags += [f"{name}: {flag}" for flag in found if flag in DEGENERATE]
    return tuple(dict.fromkeys(flags))


def partition_flags(model: str, where: Where, measured: Measured, setting: Setting) -> list[str]:
    """What is wrong with one model's partition: degenerate, or found a nuisance, or nothing.

    A partition finds a nuisance where its AMI with it is beyond 95 % of permutations and exceeds
    the AMI with every label. Artists and albums, which decide most other columns, are named only
    where they are found best of all.
    """
    flags = degenerate(model, where, measured)
    labels = [measured.value(model, "ami", name, "agreement", where) for name in setting.labels]
    known = [row for row in labels if row is not None and row["estimate"] == row["estimate"]]
    best = max((row["estimate"] for row in known), default=0.0)
    nuisances: dict[str, float] = {}
    for name in setting.nuisances:
        row = measured.value(model, "ami", name, "leakage", where)
        if row is None or not row["estimate"] >= MIN_FOUND_AMI:
            continue
        # Several nuisances are tried, so those other than the language need a clearer case.
        sure = row["low"] > 0 or name == setting.language
        if sure and row["estimate"] > row["null_95"] and row["estimate"] > best:
            nuisances[name] = row["estimate"]
    for name, value in nuisances.items():
        # What lies within artists has no neighbours beyond the artist filter.
        alone = measured.value(model, "knn", name, "leakage") is not None
        if alone or value >= max(nuisances.values()):
            flags.append(f"{FINDS}{name}")
    if known and not any(row["estimate"] > row["null_95"] for row in known):
        flags.append("clusters match no label beyond chance")
    return flags
