"""Find the pictures of a run, say what each shows, and put them into the page."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from songscape.report.run_read import Results

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Kind", "Picture", "PictureSection", "picture_sections", "png_size"]

# Base64 makes three bytes four; the page should stay light enough to be sent by mail.
BUDGET_BYTES = 10_000_000


@dataclass(frozen=True)
class Kind:
    """A kind of picture: file name prefix, section title, how to read it, and its alt text."""

    prefix: str
    title: str
    caption: str
    alt: str


KINDS = (
    Kind(
        "forest-",
        "Differences to the baseline",
        "Each row is a method. The point is how much better (right) or worse (left) it does than "
        "the baseline, the line is the interval that seeds and songs leave open. A line that "
        "crosses zero means: not distinguishable.",
        "Forest plot of differences to the baseline",
    ),
    Kind(
        "agreement-leakage-",
        "Agreement and leakage",
        "Up is agreement with what should be found, right is leakage of what should not matter. "
        "Methods on the dotted frontier are beaten by nobody on both at once; grey lines are "
        "intervals.",
        "Scatter of agreement against leakage",
    ),
    Kind(
        "map-",
        "Maps",
        "Every point is a song; the panels show the same map, coloured by cluster and by label. "
        "The axes have no unit: only nearness means something, the distances between far groups "
        "and their sizes do not. If the colours of a label form the same patches as the clusters, "
        "the clusters follow that label. Small grey crosses are noise: songs in no cluster.",
        "Two-dimensional map of the songs, coloured by cluster and by label",
    ),
    Kind(
        "heatmap-",
        "Clusters and labels",
        "Each row is a cluster and sums to 100 %: how its songs divide among the labels, with the "
        "number of songs in brackets. The last row is the whole collection. A cluster whose row "
        "looks like the last one says nothing about the label; a dark cell where the last row is "
        "pale is what the cluster gathers.",
        "Heat map of clusters by label",
    ),
    Kind(
        "reconstruction-",
        "Reconstructions",
        "Left what the model was given, right what its decoder made of the latents, in the same "
        "colours. Across: time in seconds; up: the MFCC index, from the rough shape of the "
        "spectrum (low) to its fine detail (high). Red is above the coefficient's mean, blue "
        "below. A paler, smoother right side is normal: a VAE keeps what songs have in common. A "
        "right side that is the same for every song is the sign of a collapsed posterior.",
        "Input of the model beside its reconstruction",
    ),
    Kind(
        "words-",
        "Words in and out",
        "Left the song's heaviest words (TF-IDF), right the words that the decoder gives the "
        "highest weight. Dark bars stand on both sides.",
        "Heaviest words of a song before and after the model",
    ),
    Kind(
        "training-",
        "Training",
        "Across: epochs. The ELBO is what training raises; where the validation curve turns down "
        "while training goes on rising, the model learns songs by heart, and the dotted line marks "
        "the weights that were kept. A KL divergence near zero means that latents hold nothing. "
        "β is the weight of the KL term, raised slowly at the start.",
        "Training curves over epochs",
    ),
    Kind(
        "k-distance-",
        "Choosing DBSCAN's radius",
        "Songs sorted by the distance to their n-th nearest neighbour. DBSCAN's eps is placed at "
        "the bend: songs left of it lie in crowded regions and form clusters, songs right of it "
        "are candidates for noise.",
        "Sorted k-distance curve with the chosen eps",
    ),
    Kind(
        "stability",
        "How many clusters?",
        "Across: the number of clusters k. Up: how alike the partitions of repeated runs are "
        "(1 = the same). A k is believable where the line clears the grey band that data without "
        "structure reaches.",
        "Stability of the partition by number of clusters",
    ),
    Kind("", "More pictures", "", "Picture of the run"),
)


@dataclass(frozen=True)
class Picture:
    """One picture: heading, data URI (empty where the page has no room for it), name, alt, size."""

    heading: str
    source: str
    file: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class PictureSection:
    """All pictures of one kind, with the text that explains them, and what was not shown."""

    anchor: str
    title: str
    caption: str
    pictures: tuple[Picture, ...]
    left_out: str = ""


def picture_sections(results: Results) -> list[PictureSection]:
    """Return the pictures by kind; of several seeds only the first is shown."""
    paths = sorted((results.folder / "pictures").glob("*.png"))
    paths = [path for path in paths if not path.name.startswith(".")]
    stems = _stems(results.models if not results.models.empty else results.metrics)
    order = {stem: place for place, (stem, _, _) in enumerate(stems)}
    room, sections, taken = BUDGET_BYTES, [], set[Path]()
    for kind in KINDS:
        mine = [p for p in paths if p.stem.startswith(kind.prefix) and p not in taken]
        taken.update(mine)
        shown, later = [], 0
        found = [(_subject(p.stem.removeprefix(kind.prefix), stems), p) for p in mine]
        found.sort(key=lambda item: (order.get(item[0][0], len(order)), item[1].name))
        for (_, heading, first), path in found:
            if not first:
                later += 1
                continue
            data = path.read_bytes()
            fits = len(data) <= room
            room -= len(data) if fits else 0
            source = f"data:image/png;base64,{base64.b64encode(data).decode()}" if fits else ""
            name = heading or path.stem
            shown.append(Picture(name, source, path.name, f"{kind.alt}: {name}", *png_size(data)))
        left_out = f"{later} more, for the other seeds, are in pictures/." if later else ""
        if shown:
            anchor = f"pictures-{kind.prefix.strip('-') or 'more'}"
            sections.append(
                PictureSection(anchor, kind.title, kind.caption, tuple(shown), left_out)
            )
    return sections


def png_size(png: bytes) -> tuple[int, int]:
    """Return width and height in pixels, which follow the PNG signature and "IHDR"."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def _stems(models: "pd.DataFrame") -> list[tuple[str, str, bool]]:
    """Return (file stem, heading, is the first seed) of every model and seed."""
    if not {"model", "seed"} <= set(models.columns):
        return []
    pairs = list(dict.fromkeys(zip(models["model"], models["seed"])))
    first = dict(reversed(pairs))
    several = len(set(models["seed"])) > 1
    return [
        (f"{m}-seed{int(s)}", f"{m}, seed {int(s)}" if several else str(m), first[m] == s)
        for m, s in pairs
    ]


def _subject(rest: str, stems: Sequence[tuple[str, str, bool]]) -> tuple[str, str, bool]:
    """Split "genre-pca-seed0" into the stem it ends with, a heading, and whether to show it."""
    for stem, heading, first in sorted(stems, key=lambda item: -len(item[0])):
        if rest == stem:
            return stem, heading, first
        if rest.endswith(f"-{stem}"):
            return stem, f"{heading}: {rest.removesuffix(f'-{stem}')}", first
    return "", rest, True
