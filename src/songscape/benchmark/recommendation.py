"""Tables of a comparison -> a verdict per method in words, and which method to use.

Nothing is merged into one score and nothing is read from a method's own space: a method is
recommended by a Pareto rule over the corrected tests alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from songscape.benchmark.caveats import Reason, trust_reasons
from songscape.benchmark.claims import withhold
from songscape.benchmark.metric_table import Measured, Setting
from songscape.benchmark.verdicts import (
    FINDS,
    MethodVerdict,
    knows_a_label,
    verdict_sentences,
)
from songscape.benchmark.wording import figure, listed, tested_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Advice",
    "MethodVerdict",
    "Reason",
    "Recommendation",
    "Setting",
    "advise",
    "recommend",
    "verdict_sentences",
]


@dataclass(frozen=True)
class Recommendation:
    """Which method to use, and how far to trust that.

    Attributes
    ----------
    models : tuple of str
        One, or several that tie; empty where nothing could be tested.
    headline : str
    reasons : tuple of Reason
        Those against first.
    alternatives : tuple of str
        What to use for another purpose.
    neutral : tuple of str
        The models that `alternatives` names where the language must not decide.
    """

    models: tuple[str, ...]
    headline: str
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """The first of `models`, "" where there is none."""
        return self.models[0] if self.models else ""

    @property
    def trust(self) -> str:
        """ "good", "limited" or "low": as the gravest reason has it."""
        return ("good", "limited", "low")[max((r.weight for r in self.reasons), default=2)]


@dataclass(frozen=True)
class Advice:
    """Recommendation and verdicts, in the order of the models."""

    recommendation: Recommendation
    verdicts: tuple[MethodVerdict, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence per line of a terminal, the recommendation first."""
        chosen = self.recommendation
        against = [reason.text for reason in chosen.reasons if reason.weight]
        trust = f"trust: {chosen.trust}" + (f" ({' '.join(against)})" if against else "")
        return (
            chosen.headline,
            trust,
            *chosen.alternatives,
            *(verdict.sentence for verdict in self.verdicts),
        )


def advise(
    table: pd.DataFrame,
    differences: pd.DataFrame,
    models: pd.DataFrame,
    warnings: pd.DataFrame,
    setting: Setting,
) -> Advice:
    """Verdicts and recommendation from the tables of `songscape compare`.

    Parameters
    ----------
    table, differences : DataFrame
        See `songscape.benchmark.summary.Comparison`; as computed, or read back from CSV.
    models : DataFrame
        One row per model and seed: model, kind, status, reason, collapsed.
    warnings : DataFrame
        check, severity, message.
    setting : Setting
    """
    references = set(models["model"][models["kind"] == "reference"])
    differences = withhold(differences, Measured(table), setting.headline, references)
    verdicts = verdict_sentences(table, differences, models, setting)
    chosen = recommend(verdicts, table, differences, warnings, setting)
    return Advice(chosen, tuple(verdicts))


def recommend(
    verdicts: Sequence[MethodVerdict],
    table: pd.DataFrame,
    differences: pd.DataFrame,
    warnings: pd.DataFrame,
    setting: Setting,
) -> Recommendation:
    """Choose by a Pareto rule over the corrected tests on labels.

    A method is eligible if it is no reference, never collapsed, better than the baseline on at
    least one label (and above chance there) and worse on none. Of several, the one that is better
    on most tests; ties are all named, but for those that another of them beats. Where none is, the
    baseline.
    """
    names = {verdict.model for verdict in verdicts if "failed" not in verdict.flags}
    if setting.baseline not in names:
        headline = f"No recommendation: {setting.baseline} is missing, so nothing could be tested."
        return Recommendation((), headline)
    eligible = [
        v
        for v in verdicts
        if v.kind != "reference"
        and v.model != setting.baseline
        and v.wins
        and not v.loses
        and not _unusable(v)
    ]
    most = max((len(v.wins) for v in eligible), default=0)
    best = _unbeaten([v for v in eligible if len(v.wins) == most], differences)
    if best:
        chosen = tuple(v.model for v in best)
        headline = _winner(best, differences, setting)
    else:
        chosen = (setting.baseline,)
        mixed = [v.model for v in verdicts if v.wins and v.loses and v.kind != "reference"]
        headline = (
            f"Use {setting.baseline}: nothing is distinguishably better on one label without being "
            "worse on another, and it needs no training."
            if mixed
            else f"Use {setting.baseline}: no trained model is distinguishably better, and it "
            "needs no training."
        )
    measured = Measured(table)
    references = tuple(v.model for v in verdicts if v.kind == "reference")
    reasons = trust_reasons(chosen, differences, warnings, measured, setting, references)
    neutral = _neutral(chosen, verdicts, measured, setting)
    others = _neutral_words(neutral, measured, setting)
    return Recommendation(chosen, headline, reasons, others, neutral)


def _unbeaten(tied: Sequence[MethodVerdict], differences: pd.DataFrame) -> list[MethodVerdict]:
    """Leave out a method that another of the tied ones beats on a label, and not the reverse.

    Known of those that need no training: each test has its difference to the best of them, and the
    95 % interval decides. Who beats each other on different labels are both named.
    """
    if len(tied) < 2 or "best_baseline" not in differences.columns:
        return list(tied)
    tests = differences[(differences["axis"] == "agreement") & (differences["high_to_best"] < 0)]
    beats = set(zip(tests["best_baseline"], tests["model"]))
    names = [verdict.model for verdict in tied]
    return [
        verdict
        for verdict in tied
        if not any(
            (other, verdict.model) in beats and (verdict.model, other) not in beats
            for other in names
        )
    ]


def _unusable(verdict: MethodVerdict) -> bool:
    return any(flag.startswith(("collapsed", "failed")) for flag in verdict.flags)


def _winner(best: Sequence[MethodVerdict], differences: pd.DataFrame, setting: Setting) -> str:
    if len(best) > 1:
        return (
            f"Use {' or '.join(v.model for v in best)}: each is better than {setting.baseline} on "
            f"{len(best[0].wins)} of the tests on labels and worse on none."
        )
    one = best[0]
    tests = differences[differences["model"] == one.model]
    won = [tested_words(t) for t in tests.itertuples() if (t.axis, t.metric, t.column) in one.wins]
    return f"Use {one.model}: better than {setting.baseline} at {listed(won)}, worse on no label."


def _neutral(
    chosen: tuple[str, ...],
    verdicts: Sequence[MethodVerdict],
    measured: Measured,
    setting: Setting,
) -> tuple[str, ...]:
    """Methods that lose on no label, know one beyond chance, and hide the language better."""
    language = setting.language
    if language is None:
        return ()
    gains = {
        v.model: sum((axis, column) == ("leakage", language) for axis, _, column in v.better)
        for v in verdicts
        if v.kind != "reference"
        and not v.loses
        and not _unusable(v)
        and f"{FINDS}{language}" not in v.flags
        and knows_a_label(v.model, measured, setting)
        and _hides(v.model, language, measured, setting)
    }
    reached = max((gains.get(model, 0) for model in chosen), default=0)
    most = max(gains.values(), default=0)
    if most <= reached:
        return ()
    return tuple(model for model, gain in gains.items() if gain == most)


def _hides(model: str, language: str, measured: Measured, setting: Setting) -> bool:
    """Whether it gives away at most half of what the baseline does beyond chance.

    A hundredth less may be sure and is still of no use to whoever wants the language hidden.
    """
    own = measured.value(model, "knn", language, "leakage")
    base = measured.value(setting.baseline, "knn", language, "leakage")
    if own is None or base is None:
        return True
    return own["estimate"] - own["chance"] <= 0.5 * (base["estimate"] - base["chance"])


def _neutral_words(
    models: tuple[str, ...], measured: Measured, setting: Setting
) -> tuple[str, ...]:
    language = setting.language
    if not models or language is None:
        return ()
    rows = {m: measured.value(m, "knn", language, "leakage") for m in (*models, setting.baseline)}
    figures = {m: "" if r is None else f" ({figure(r['estimate'])})" for m, r in rows.items()}
    base = rows[setting.baseline]
    chance = "" if base is None else f"; chance {figure(base['chance'])}"
    named = listed([f"{model}{figures[model]}" for model in models], "or")
    return (
        f"Where the {language} must not decide, use {named}: worse than {setting.baseline}"
        f"{figures[setting.baseline]} on no label (in brackets: share of nearest songs in the "
        f"same {language}{chance}).",
    )
