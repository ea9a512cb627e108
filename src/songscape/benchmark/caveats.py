"""Why to trust a recommendation, and why not: the size of the evidence and what it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from songscape.benchmark.claims import DEGENERATE
from songscape.benchmark.metric_table import Measured, Setting
from songscape.benchmark.verdicts import FINDS, partition_flags
from songscape.benchmark.wording import figure, listed, measured_name, plus, span

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reason", "trust_reasons"]

FEW_GROUPS, MANY_GROUPS = 20, 50
FEW_SEEDS = 5
# What each knows, and what is seen of a label where it finds that label.
_REFERENCES = {
    "random": ("nothing", "chance"),
    "language-only": ("nothing but the language", "the language"),
    "has-lyrics-only": ("nothing but whether there are lyrics", "whether there are lyrics"),
}
# What the pipeline says of k where none beats data without clusters.
NO_GROUPS = "don't read them as groups"


@dataclass(frozen=True)
class Reason:
    """Why to trust a recommendation (`weight` 0), or why to be careful (1) or very careful (2)."""

    weight: int
    text: str


def trust_reasons(
    chosen: tuple[str, ...],
    differences: pd.DataFrame,
    warnings: pd.DataFrame,
    measured: Measured,
    setting: Setting,
    references: tuple[str, ...] = (),
) -> tuple[Reason, ...]:
    """Why to trust that `chosen` are the methods to use, and why not, the gravest first.

    Parameters
    ----------
    chosen : tuple of str
        Models.
    differences, warnings : DataFrame
        As in `songscape.benchmark.recommendation.advise`.
    measured : Measured
    setting : Setting
    references : tuple of str
        Models that know next to nothing, and should not be better than `chosen`.
    """
    reasons = [
        *_evidence_size(differences, setting),
        *_structure(setting),
        *(reason for model in chosen for reason in _partition_reasons(model, measured, setting)),
        *_beaten_by_references(chosen, differences, measured, setting, references),
        *_no_better_than_simple(chosen, differences),
        *_confounded(warnings),
    ]
    return tuple(sorted(reasons, key=lambda reason: -reason.weight))


def _evidence_size(differences: pd.DataFrame, setting: Setting) -> list[Reason]:
    groups = f"{setting.n_groups:,} groups"
    if setting.has_artists:
        groups = f"{setting.n_groups:,} groups (songs of one artist count as one)"
    tested = differences
    if len(tested):
        tested = differences[differences["axis"] == "agreement"]
    reach = ""
    if len(tested):
        half = ((tested["high"] - tested["low"]) / 2).groupby(tested["metric"]).median()
        shown = {m: v for m, v in half.items() if math.isfinite(v) and v > 0}
        if shown:
            words = listed([f"{figure(v)} in {measured_name(str(m))}" for m, v in shown.items()])
            reach = f" A difference smaller than about {words} cannot be seen here."
    weight = 2 if setting.n_groups < FEW_GROUPS else int(setting.n_groups < MANY_GROUPS)
    only = "only " if weight else ""
    text = f"The intervals rest on {only}{setting.n_tracks:,} songs in {groups}.{reach}"
    many = setting.n_seeds >= FEW_SEEDS
    seeds = "1 seed" if setting.n_seeds == 1 else f"{setting.n_seeds} seeds"
    luck = (
        f"Every model was trained with {seeds}."
        if many
        else f"{seeds} only: how much of a difference is luck of training is known roughly."
    )
    return [Reason(weight, text), Reason(0 if many else 1, luck)]


def _structure(setting: Setting) -> list[Reason]:
    k = setting.headline[1]
    if k is None:
        return []
    if setting.k_reason == "given":
        return [Reason(1, f"k = {k} was given: nothing here shows that there are {k} groups.")]
    reason = setting.k_reason.rstrip(".")
    return [Reason(int(NO_GROUPS in reason), f"Number of clusters: {reason}.")]


def _partition_reasons(model: str, measured: Measured, setting: Setting) -> list[Reason]:
    where = setting.headline
    flags = partition_flags(model, where, measured, setting)
    labels = {n: measured.value(model, "ami", n, "agreement", where) for n in setting.labels}
    known = {n: r for n, r in labels.items() if r is not None and r["estimate"] == r["estimate"]}
    reasons = []
    best = max(known, key=lambda name: known[name]["estimate"], default=None)
    for flag in flags:
        if flag.startswith(FINDS):
            name = flag.removeprefix(FINDS)
            row = measured.value(model, "ami", name, "leakage", where)
            assert row is not None
            beside = "" if best is None else f" ({best}: {figure(known[best]['estimate'])})"
            reasons.append(
                Reason(
                    2,
                    f"The clusters of {model} follow the {name} (AMI {figure(row['estimate'])}) "
                    f"more than any label{beside}.",
                )
            )
        elif flag in DEGENERATE:
            reasons.append(Reason(2, f"The clusters of {model}: {flag}."))
    above = {n: r for n, r in known.items() if r["estimate"] > r["null_95"]}
    if above:
        words = listed(
            [
                f"{n} (AMI {figure(r['estimate'])}, 95 % of shuffles stay below "
                f"{figure(r['null_95'])})"
                for n, r in above.items()
            ]
        )
        reasons.append(Reason(0, f"The clusters of {model} agree beyond chance with {words}."))
    elif known:
        reasons.append(
            Reason(2, f"The clusters of {model} agree with no label more than shuffled labels do.")
        )
    return reasons


def _beaten_by_references(
    chosen: tuple[str, ...],
    differences: pd.DataFrame,
    measured: Measured,
    setting: Setting,
    references: tuple[str, ...],
) -> list[Reason]:
    """Labels that a reference finds better than a recommended method does.

    Against the baseline that is a corrected test. Against another method there is none, so there
    the reference must be better than the baseline and the two intervals must lie apart.
    """
    if not len(differences):
        return []
    won = differences[differences["model"].isin(references) & (differences["axis"] == "agreement")]
    # Artists are no label: whoever knows their language finds some of their songs.
    won = won[(won["verdict"] == "better than") & won["column"].isin(setting.labels)]
    reasons = []
    for test in won.itertuples():
        metric, column = str(test.metric), str(test.column)
        where = setting.headline if metric == "ami" else ("", None)
        reached = measured.value(str(test.model), metric, column, "agreement", where)
        for model in chosen:
            figures = f"{plus(test.difference)}, {span(test.low, test.high)}"
            if model != setting.baseline:
                own = measured.value(model, metric, column, "agreement", where)
                if own is None or reached is None or not reached["low"] > own["high"]:
                    continue
                figures = f"{figure(reached['estimate'])} against {figure(own['estimate'])}"
            knows, instead = _REFERENCES.get(str(test.model), ("next to nothing of the songs", ""))
            reasons.append(
                Reason(
                    2,
                    f"{test.model}, which knows {knows}, is better at {column} than {model} "
                    f"({measured_name(metric)} {figures})"
                    + (f": what looks like {column} may be {instead}." if instead else "."),
                )
            )
    return reasons


def _no_better_than_simple(chosen: tuple[str, ...], differences: pd.DataFrame) -> list[Reason]:
    """Tests won against the baseline, but not against another method that needs no training.

    Where the whole interval lies below 0, that method is said to be better, not as good.
    """
    if not len(differences) or "best_baseline" not in differences.columns:
        return []
    won = differences[differences["model"].isin(chosen) & (differences["axis"] == "agreement")]
    won = won[(won["verdict"] == "better than") & (won["best_baseline"] != won["baseline"])]
    won = won[won["best_baseline"].notna() & ~(won["low_to_best"] > 0)]
    return [
        Reason(
            1,
            f"On {t.column} ({measured_name(str(t.metric))}), {t.best_baseline}, which needs no "
            f"training, does {'better than' if t.high_to_best < 0 else 'as well as'} {t.model} "
            f"({plus(t.difference_to_best)}, {span(t.low_to_best, t.high_to_best)}).",
        )
        for t in won.itertuples()
    ]


def _confounded(warnings: pd.DataFrame) -> list[Reason]:
    if not len(warnings):
        return []
    said = warnings[(warnings["check"] == "confounded-label") & (warnings["severity"] == "warning")]
    return [Reason(2, str(message)) for message in said["message"]]
