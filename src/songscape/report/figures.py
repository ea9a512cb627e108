"""Which pictures the page shows, under which file names, and what each is of."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from songscape.benchmark.keys import PartitionKey
from songscape.report.read import main_label

if TYPE_CHECKING:
    from songscape.report.read import Results

# Base64 makes three bytes four, and the page must stay below 12 MB with its tables.
BUDGET_BYTES = 7_500_000
SECTIONS = {
    **dict.fromkeys(("map", "heatmap"), "maps"),
    "k": "stability",
    **dict.fromkeys(("other-map", "other-heatmap"), "pictures"),
    **dict.fromkeys(("reconstruction", "training", "k-distance"), "pictures"),
}
"""Kind of picture -> its section, in the order of the page."""
GROUPS = PartitionKey("groups")
"""In the place of a partition: the groups of `groups.json`, which are one model's."""
_LONGEST_NAME = 80
_MOST_COLUMNS = 5
_INSIDE = {
    "reconstruction": "What {} was given, and what its decoder made of it.",
    "training": "Training of {}.",
    "k-distance": "Distances that DBSCAN's radius was chosen from, in the space of {}.",
}


class Planned(NamedTuple):
    """A picture that the page shows if it lies in `pictures/` under this name.

    Its section is one of `SECTIONS`; "map" and "heatmap" are of the groups that the page describes.
    `parts` is what it is of: the model, and the column of a heat map.
    """

    section: str
    name: str
    caption: str
    parts: tuple[str, ...] = ()


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
    columns = (*results.setup.labels[: _MOST_COLUMNS - 1], results.setup.language)
    return [name for name in columns if name is not None]


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
    for at, (model, partition) in enumerate(shown_partitions(results).items()):
        how, other = partition.title, "other-" if at else ""
        caption = f"Map of the space of {model}, coloured by {how}, then by label."
        if partition == GROUPS:
            regions = results.document["groups"]["levels"][0]["groups"]
            texts = (group["name"] for group in regions)
            names = (f"{i} {text[:1].upper()}{text[1:]}" for i, text in enumerate(texts, start=1))
            caption = f"{caption} The groups: {'; '.join(names)}."
        plan.append(Planned(f"{other}map", picture_name("map", model), caption, (model,)))
        for column in shown_columns(results):
            first = not at and column in (label, language)
            caption = f"Clusters of {model} ({how}) by {column}."
            if partition == GROUPS:
                caption = f"The groups by {column}, numbered as on their map."
            kind = "heatmap" if first else "other-heatmap"
            name = picture_name("heatmap", column, model)
            plan.append(Planned(kind, name, caption, (model, column)))
    if not results.stability.empty:
        caption = f"Stability by k, k-means on balanced PCA; k = {setup.headline.k} was taken."
        plan.append(Planned("k", "stability", caption))
    plan += [
        Planned(kind, picture_name(kind, model), caption.format(model), (model,))
        for kind, caption in _INSIDE.items()
        for model in results.kinds
    ]
    return sorted(plan, key=lambda planned: list(SECTIONS).index(planned.section))


def number_figures(results: Results) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The pictures that lie in the folder, numbered, by section and kind.

    Of each the number, caption, data URI ("" where there is no room), file, width and height.
    """
    from PIL import Image

    room, number = BUDGET_BYTES, 0
    sections: dict[str, dict[str, list[dict[str, Any]]]] = {}
    if results.folder is None:
        return sections
    for planned in picture_plan(results):
        path = results.folder / "pictures" / f"{planned.name}.png"
        if not path.exists():
            continue
        number += 1
        data = path.read_bytes()
        fits = len(data) <= room
        room -= len(data) if fits else 0
        source = f"data:image/png;base64,{base64.b64encode(data).decode()}" if fits else ""
        figure = {"figure": number, "caption": planned.caption, "source": source, "file": path.name}
        figure["width"], figure["height"] = Image.open(BytesIO(data)).size
        section = sections.setdefault(SECTIONS[planned.section], {})
        section.setdefault(planned.section, []).append(figure)
    return sections
