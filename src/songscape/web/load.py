"""Reads a results folder and its library into an `Atlas`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.clustering.portraits import Scale, heard
from songscape.columns import Role, display_title, find_roles
from songscape.errors import SongscapeError
from songscape.features.descriptors import DESCRIPTORS
from songscape.models.presets import DEFAULT_FREE, DEFAULT_NEUTRAL
from songscape.results import ResultsFolder, read_json, read_latents
from songscape.web.atlas import ABOUT, Atlas, Group, Layout, Level

if TYPE_CHECKING:
    import pandas as pd

    from songscape.library import Library


def state_of(folder: ResultsFolder) -> tuple[int, ...]:
    """Changes when there is something new to show."""
    names = ("experiment.json", "groups.json", "report.html")
    paths = [folder.tables / name for name in names]
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def load_atlas(folder: ResultsFolder) -> Atlas:
    """What there is to show of a results folder; layouts and groups only where they are made.

    Songs that were analysed after the map was drawn are left out until there is another.
    """
    from songscape.library import Library

    with Library.open(folder.library, must_exist=True) as library:
        columns = _columns(library, folder)
        tracks = {track.id: track for track in library.tracks("analysed")}
        root = library.root
        groups = read_json(folder.tables / "groups.json") or {}
        ids, layouts = _layouts(folder, sorted(tracks), str(groups.get("model", "")))
        sounds = _sounds(library, ids)
    columns = columns.reindex(list(ids))
    roles = find_roles(columns.columns)
    titles = _texts(columns, roles.column(Role.TITLE))
    document = folder.read_document() or {}
    report = folder.tables / "report.html"
    named = roles.as_dict()
    return Atlas(
        title=str(document.get("title") or root.name),
        ids=ids,
        titles=tuple(display_title(i, t) for t, i in zip(titles, ids)),
        artists=tuple(_texts(columns, roles.artist)),
        audio=tuple(tracks[i].audio for i in ids),
        lyrics=tuple(tracks[i].lyrics for i in ids),
        spans=tuple(tracks[i].span for i in ids),
        columns=columns,
        roles=named,
        layouts=layouts,
        levels=_levels(groups, ids),
        sounds=sounds,
        note=" ".join(filter(None, (groups.get("note"), groups.get("warning")))),
        report=report if report.exists() else None,
    )


def _columns(library: Library, folder: ResultsFolder) -> pd.DataFrame:
    """The collection's own columns, and those that the experiment found out."""
    import pandas as pd

    columns = library.columns()
    found = folder.tables / "labels.csv"
    if found.exists():
        labels = pd.read_csv(found, dtype=str, keep_default_na=False).set_index("track_id")
        for name in labels.columns.difference(columns.columns, sort=False):
            columns[name] = labels[name].reindex(columns.index).replace("", None)
    return columns


def _texts(columns: pd.DataFrame, name: str | None) -> list[str]:
    """A column as text, "" where there is nothing."""
    if name is None:
        return [""] * len(columns)
    return ["" if value is None or value != value else str(value) for value in columns[name]]


def _layouts(
    folder: ResultsFolder, ids: Sequence[str], grouped: str
) -> tuple[tuple[str, ...], tuple[Layout, ...]]:
    """Those of `ids` that are drawn; the groups' layout and the other default one, else the first.

    Where nothing is drawn yet these are all `ids`, and no layout.
    """
    kinds = {DEFAULT_NEUTRAL: "neutral", DEFAULT_FREE: "free"}
    files = sorted((folder.tables / "maps").glob("*-seed0.parquet"))
    others = [path.stem.removesuffix("-seed0") for path in files]
    shown, found = tuple(ids), list[Layout]()
    for model in dict.fromkeys([grouped, *kinds, *others]):
        drawn = None if found and model not in kinds else _drawn(folder, model)
        if drawn is None:
            continue
        rows, places, vectors = drawn
        its = tuple(track_id for track_id in (shown if found else ids) if track_id in rows)
        if its and (its == shown or not found):
            shown, order = its, [rows[track_id] for track_id in its]
            places = _spread(places[order])
            found.append(Layout(kinds.get(model, ""), model, places, vectors[order]))
    return shown, tuple(found)


def _drawn(
    folder: ResultsFolder, model: str
) -> tuple[Mapping[str, int], NDArray[np.float32], NDArray[np.float32]] | None:
    """Rows by id, places and vectors of a model's map; None where there is none."""
    try:
        drawn, places = read_latents(folder.map(model, 0))
        known, vectors = read_latents(folder.latents(model, 0))
    except SongscapeError:
        return None
    rows = {track_id: row for row, track_id in enumerate(known)}
    return (rows, places, vectors) if drawn == known else None


def _sounds(library: Library, ids: Sequence[str]) -> Mapping[Scale, NDArray[np.float64]]:
    """What a person would hear of the songs."""
    rows = {track_id: row for row, track_id in enumerate(ids)}
    table = np.full((len(ids), len(DESCRIPTORS)), np.nan)
    for track_id, values in library.each_feature("descriptors"):
        if track_id in rows and len(values) == len(DESCRIPTORS):
            table[rows[track_id]] = values
    return heard(table, ~np.isnan(table[:, 0]))


def _spread(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Moved and scaled to -1 to 1, the shape kept."""
    low, high = places.min(axis=0), places.max(axis=0)
    size = float((high - low).max()) or 1.0
    return np.asarray((places - (low + high) / 2) * (1.96 / size), dtype=np.float32)


def _levels(document: Mapping[str, Any], ids: Sequence[str]) -> tuple[Level, ...]:
    """Regions and neighbourhoods; none where there are none yet, or their file is damaged."""
    try:
        return _read_levels(document, ids)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def _read_levels(document: Mapping[str, Any], ids: Sequence[str]) -> tuple[Level, ...]:
    """The levels of `groups.json`; songs that are newer than the groups are in none."""
    rows = {track_id: row for row, track_id in enumerate(ids)}
    before = [rows.get(track_id, -1) for track_id in document["tracks"]]

    def of_songs(values: Sequence[float] | None, missing: float) -> NDArray[np.float64]:
        found = np.full(len(ids), missing)
        for row, value in zip(before, values or ()):
            if row >= 0:
                found[row] = value
        return found

    return tuple(
        Level(
            str(one["name"]),
            tuple(_group(group, rows) for group in one["groups"]),
            of_songs(one["member"], -1).astype(np.int32),
            of_songs(one.get("certainty"), np.nan).astype(np.float32),
            of_songs(one.get("second"), -1).astype(np.int32),
        )
        for one in document["levels"]
    )


def _group(one: Mapping[str, Any], rows: Mapping[str, int]) -> Group:
    typical = tuple(rows[track_id] for track_id in one["typical"] if track_id in rows)
    between = tuple(rows[track_id] for track_id, _ in one["between"] if track_id in rows)
    name = str(one["name"])
    if name == one.get("made_name"):  # a name that a person gave stays as it is
        name = name[:1].upper() + name[1:]
    about = {part: one[part] for part in ABOUT}
    return Group(str(one["id"]), name, int(one["size"]), one["parent"], typical, between, about)
