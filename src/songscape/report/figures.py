"""Which pictures the page shows, under which file names, and what each is of."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from songscape.benchmark.keys import PartitionKey
from songscape.report.read import main_label

if TYPE_CHECKING:
    from songscape.report.read import Results

# Base64 makes three bytes four, and the page must stay below 12 MB with its tables.
BUDGET_BYTES = 7_500_000
SECTIONS = (
    *("map", "heatmap", "k", "other-map", "other-heatmap"),
    *("reconstruction", "training", "k-distance"),
)
GROUPS = PartitionKey("groups")
"""In the place of a partition: the groups of `groups.json`, which are one model's."""
_LONGEST_NAME = 80
_MOST_COLUMNS = 5
_INSIDE = {
    "reconstruction": "What {} was given, and what its decoder made of it.",
    "training": "Training of {}.",
    "k-distance": "Distances that DBSCAN's radius was chosen from, in the space of {}.",
}


@dataclass(frozen=True)
class Planned:
    """A picture that the page shows if it lies in `pictures/` under this name.

    Its section is one of `SECTIONS`; "map" and "heatmap" are of the groups that the page describes.
    How to read its kind is said once per section. `parts` is what it is of: the model, and the
    column of a heat map.
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
    """A file name (without ending) for these parts, safe on any file system.

    Names that had to be changed end in a digest of what they were, so no two share a file.
    """
    wanted = "-".join(parts)
    safe = re.sub(r"[^\w.+-]+", "_", wanted).strip("._") or "_"
    if safe == wanted and len(safe.encode()) <= _LONGEST_NAME:
        return safe
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:8]
    cut = safe.encode()[: _LONGEST_NAME - 9].decode(errors="ignore")
    return f"{cut}-{digest}"


def shown_columns(results: Results) -> list[str]:
    """Columns that maps and heat maps show: labels, and the language."""
    language = results.setup.language
    columns = list(results.setup.labels)[: _MOST_COLUMNS - 1]
    return columns if language is None else [*columns, language]


def shown_partitions(results: Results) -> dict[str, PartitionKey]:
    """Models that maps are drawn for, with the partition that they show.

    First the one that the groups are of, if there are any, then the featured one. All, unless
    methods were tested: then the recommended ones, the baseline, and the best trained one: that
    hides the language, else that has most wins, then fewest losses, then the first.
    """
    assessment, chosen = results.assessment, results.assessment.recommendation
    found = [] if results.featured is None else [results.featured.model]
    if results.compared:
        found += [*chosen.models[:2], results.setup.baseline, *chosen.neutral[-1:]]
        trained = [v for v in assessment.verdicts if v.kind in ("vae", "autoencoder") and v.usable]
        if trained and not chosen.neutral:
            found.append(min(trained, key=lambda v: (-len(v.wins), len(v.losses))).model)
    else:
        found += results.kinds
    groups = results.document.get("groups")
    shown = {groups["model"]: GROUPS} if groups else {}
    for model in dict.fromkeys(found):
        if model in shown:
            continue
        keys = results.figures.partitions(model)
        if results.featured is not None and model == results.featured.model:
            shown[model] = results.featured.key
        elif keys:
            shown[model] = results.setup.headline if results.setup.headline in keys else keys[0]
    return shown


def group_numbers(results: Results, track_ids: Sequence[str]) -> list[int]:
    """The group of every track, counted from 1 in the order of the page; -1 for none."""
    groups = results.document["groups"]
    number = dict(zip(groups["tracks"], groups["levels"][0]["member"]))
    return [found + 1 if (found := number.get(i, -1)) >= 0 else -1 for i in track_ids]


def picture_plan(results: Results) -> list[Planned]:
    """Every picture of the page, in its order."""
    setup, plan = results.setup, []
    label, language = main_label(setup.labels), setup.language
    partitions = shown_partitions(results)
    for model, partition in partitions.items():
        first, how = model == next(iter(partitions)), partition.title
        caption = f"Map of the space of {model}, coloured by {how}, then by label."
        if partition == GROUPS:
            regions = results.document["groups"]["levels"][0]["groups"]
            texts = (group["name"] for group in regions)
            names = (f"{i} {text[:1].upper()}{text[1:]}" for i, text in enumerate(texts, start=1))
            caption = f"{caption} The groups: {'; '.join(names)}."
        section, name = "map" if first else "other-map", picture_name("map", model)
        plan.append(Planned(section, name, caption, (model,)))
        for column in shown_columns(results):
            first_column = first and column in (label, language)
            section = "heatmap" if first_column else "other-heatmap"
            name = picture_name("heatmap", column, model)
            caption = f"Clusters of {model} ({how}) by {column}."
            if partition == GROUPS:
                caption = f"The groups by {column}, numbered as on their map."
            plan.append(Planned(section, name, caption, (model, column)))
    if not results.stability.empty:
        caption = f"Stability by k, k-means on balanced PCA; k = {setup.headline.k} was taken."
        plan.append(Planned("k", "stability", caption))
    for section, caption in _INSIDE.items():
        for model in results.kinds:
            name = picture_name(section, model)
            plan.append(Planned(section, name, caption.format(model), (model,)))
    return sorted(plan, key=lambda planned: SECTIONS.index(planned.section))


def number_figures(
    results: Results, plan: Sequence[Planned]
) -> dict[str, tuple[NumberedFigure, ...]]:
    """The pictures that lie in the folder, numbered, by section."""
    room, number = BUDGET_BYTES, 0
    sections: dict[str, tuple[NumberedFigure, ...]] = {}
    if results.folder is None:
        return sections
    for planned in plan:
        path = results.folder / "pictures" / f"{planned.name}.png"
        if not path.exists():
            continue
        number += 1
        data = path.read_bytes()
        fits = len(data) <= room
        room -= len(data) if fits else 0
        source = f"data:image/png;base64,{base64.b64encode(data).decode()}" if fits else ""
        figure = NumberedFigure(number, planned.caption, source, path.name, *png_size(data))
        sections[planned.section] = (*sections.get(planned.section, ()), figure)
    return sections


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels, which follow the PNG signature and "IHDR"."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
