"""Words and figures of the advice: how a test, an interval, a leak is said in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from songscape.benchmark.metric_table import Measured, Setting

__all__ = [
    "METRIC_NAMES",
    "figure",
    "language_words",
    "listed",
    "measured_name",
    "plus",
    "span",
    "tested_words",
    "untested_words",
]

METRIC_NAMES = {
    "knn": "kNN",
    "knn_balanced": "kNN",
    "ami": "AMI",
    "hit": "hit@10",
    "map": "mAP",
}
# Of the way from chance to certainty.
GIVES_AWAY = 0.5


def measured_name(metric: object) -> str:
    """The name of a metric in a sentence."""
    return METRIC_NAMES.get(str(metric), str(metric))


def figure(value: float) -> str:
    """Two decimals and a real minus sign."""
    text = f"{value:.2f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def plus(value: float) -> str:
    """As `figure`, with a sign always."""
    text = figure(value)
    return text if text.startswith("−") else f"+{text}"


def span(low: float, high: float) -> str:
    """A 95 % interval in words."""
    return f"95 % {figure(low)} … {figure(high)}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """Items with commas and a last "and"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def tested_words(test: Any) -> str:
    """A test of `differences` as what a method is better or worse at, with its figures."""
    figures = f"{measured_name(test.metric)} {plus(test.difference)}, "
    figures += span(test.low, test.high)
    what = {
        "ami": f"clusters that follow the {test.column}",
        "hit": f"finding songs of the same {test.column}",
        "map": f"ranking songs of the same {test.column} first",
    }.get(str(test.metric), f"neighbours that share the {test.column}")
    return f"{what} ({figures})"


def untested_words(model: str, measured: Measured, setting: Setting) -> str:
    """What the baseline reaches, since it is not tested against itself."""
    parts = []
    for column in setting.labels:
        row = measured.value(model, "knn_balanced", column, "agreement")
        if row is not None and row["estimate"] == row["estimate"]:
            chance = f", chance {figure(row['chance'])}" if row["chance"] == row["chance"] else ""
            parts.append(f"{column} kNN {figure(row['estimate'])}{chance}")
    row = measured.value(model, "hit", "artist", "agreement")
    if row is not None:
        parts.append(f"artist hit@10 {figure(row['estimate'])}")
    return "; ".join(parts) or "no labels to agree with"


def language_words(model: str, language: str, measured: Measured) -> str:
    """Whether nearest songs give the language away, with the figures; "" if not measured."""
    row = measured.value(model, "knn", language, "leakage")
    if row is None or not row["chance"] < 1 or row["estimate"] != row["estimate"]:
        return ""
    figures = f"(kNN {figure(row['estimate'])}, chance {figure(row['chance'])})"
    if (row["estimate"] - row["chance"]) / (1 - row["chance"]) >= GIVES_AWAY:
        return f"gives the {language} away {figures}"
    if row["low"] > row["chance"]:
        return f"knows something of the {language} {figures}"
    return f"hides the {language} {figures}"
