"""Which pictures a comparison's page shows, under which file names, and how they are read."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from songscape.columns import Role, role_of
from songscape.report.pictures import png_size

if TYPE_CHECKING:
    from songscape.report.comparison_read import ComparisonResults

__all__ = [
    "NumberedFigure",
    "Planned",
    "genre_like",
    "number_figures",
    "picture_name",
    "picture_plan",
    "shown_columns",
]

# Base64 makes three bytes four, and the page must stay below 12 MB with its tables.
BUDGET_BYTES = 7_500_000
SECTIONS = ("forest", "more-forest", "scatter", "k", "map", "heatmap")
_LONGEST_NAME = 80
_MOST_COLUMNS = 5


@dataclass(frozen=True)
class Planned:
    """A picture that a comparison draws.

    Attributes
    ----------
    section : str
        One of `SECTIONS`.
    name : str
        File name without ".png".
    caption : str
        What it shows; how to read its kind is said once per section.
    parts : tuple of str
        What it is of: axis, metric and column of a forest, metric of a scatter, model, column.
    """

    section: str
    name: str
    caption: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class NumberedFigure:
    """A picture on the page: its number, caption, data URI ("" where there is no room), size."""

    figure: int
    caption: str
    source: str
    file: str
    width: int
    height: int


def picture_name(*parts: str) -> str:
    """Return a file name (without ending) for these parts, safe on any file system.

    Names that had to be changed end in a digest of what they were, so no two share a file.
    """
    wanted = "-".join(parts)
    safe = re.sub(r"[^\w.+-]+", "_", wanted).strip("._") or "_"
    if safe == wanted and len(safe.encode()) <= _LONGEST_NAME:
        return safe
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:8]
    cut = safe.encode()[: _LONGEST_NAME - 9].decode(errors="ignore")
    return f"{cut}-{digest}"


def genre_like(labels: Sequence[str]) -> str | None:
    """Return the label that is a genre by its name, else the first."""
    named = [name for name in labels if role_of(name) is Role.GENRE]
    return next(iter([*named, *labels]), None)


def shown_columns(results: ComparisonResults) -> list[str]:
    """Return the columns that maps and heat maps show: labels, and the language."""
    language = results.setup.language
    columns = list(results.setup.labels)[: _MOST_COLUMNS - 1]
    return columns if language is None else [*columns, language]


def picture_plan(results: ComparisonResults) -> list[Planned]:
    """Return every picture of a comparison, in the order of the page."""
    setup, plan = results.setup, []
    tests = results.differences[["axis", "metric", "column"]].drop_duplicates()
    for axis, metric, column in tests.itertuples(index=False):
        what = "agreement with" if axis == "agreement" else "leakage of"
        caption = f"Difference to {setup.baseline} in {what} {column}, by {_titles(metric)}."
        if axis == "leakage":
            caption += " Left of zero leaks less, which is better."
        first = axis == "agreement" or column == setup.language
        section = "forest" if first else "more-forest"
        name = picture_name("forest", axis, metric, column)
        plan.append(Planned(section, name, caption, (axis, metric, column)))
    label, language = genre_like(setup.labels), setup.language
    if label is not None and language is not None:
        for metric in ("knn", "ami"):
            caption = f"Agreement with {label} against leakage of {language}, by {_titles(metric)}."
            name = picture_name("agreement-leakage", metric, label, language)
            plan.append(Planned("scatter", name, caption, (metric, label, language)))
    if not results.stability.empty:
        caption = f"Stability by k, k-means on balanced PCA; k = {setup.headline.k} was taken."
        plan.append(Planned("k", "stability", caption))
    how = setup.headline.title
    for model in results.pictured:
        caption = f"Map of the space of {model}, coloured by {how}, then by label."
        plan.append(Planned("map", picture_name("map", model), caption, (model,)))
    for model in results.pictured:
        for column in shown_columns(results):
            caption = f"Clusters of {model} ({how}) by {column}."
            name = picture_name("heatmap", column, model)
            plan.append(Planned("heatmap", name, caption, (model, column)))
    return sorted(plan, key=lambda planned: SECTIONS.index(planned.section))


def number_figures(
    results: ComparisonResults, plan: Sequence[Planned]
) -> dict[str, list[NumberedFigure]]:
    """Return the pictures that are there, numbered, under every section."""
    room, figure = BUDGET_BYTES, 0
    sections: dict[str, list[NumberedFigure]] = {name: [] for name in SECTIONS}
    for planned in plan:
        path = results.folder / "pictures" / f"{planned.name}.png"
        if not path.exists():
            continue
        data = path.read_bytes()
        fits = len(data) <= room
        room -= len(data) if fits else 0
        figure += 1
        source = f"data:image/png;base64,{base64.b64encode(data).decode()}" if fits else ""
        sections[planned.section].append(
            NumberedFigure(figure, planned.caption, source, path.name, *png_size(data))
        )
    return sections


def _titles(metric: str) -> str:
    return {
        "knn": "the share of nearest songs that have the same (kNN)",
        "knn_balanced": "the share of nearest songs that have the same, classes balanced (kNN)",
        "ami": "the clusters (AMI)",
        "hit": "whether a song of the same artist is among the 10 nearest (hit@10)",
    }.get(metric, metric)
