"""Read a results folder and its library into an `Atlas`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.columns import Role, display_title, find_roles
from songscape.errors import SongscapeError
from songscape.models.presets import DEFAULT_FREE, DEFAULT_NEUTRAL
from songscape.results import ResultsFolder, read_json, read_latents
from songscape.web.atlas import Atlas, Group, Layout, Level

if TYPE_CHECKING:
    import pandas as pd

    from songscape.library import Library

__all__ = ["find_folder", "load_atlas", "state_of"]

MOST_TYPICAL = 5


def find_folder(path: Path) -> ResultsFolder:
    """The results folder that a person names: itself, what is in it, the one beside it or in it.

    Raises
    ------
    SongscapeError
        There is no library, or more than one.
    """
    places = [path, path.parent, path.parent.parent]
    for place in places:
        if (place / "songscape.db").is_file():
            return ResultsFolder(place)
    beside = [Path(f"{path.resolve().name}-songscape"), *sorted(path.glob("*-songscape"))]
    found = dict.fromkeys(one for one in beside if (one / "songscape.db").is_file())
    if len(found) == 1:
        return ResultsFolder(next(iter(found)))
    if found:
        raise SongscapeError(
            f"{path}: several results here; name one: {', '.join(map(str, found))}"
        )
    raise SongscapeError(f"{path}: no library (songscape.db) here; make one with songscape run")


def state_of(folder: ResultsFolder) -> tuple[int, ...]:
    """Changes when there is something new to show."""
    names = ("experiment.json", "groups.json", "names.json", "report.html")
    paths = [folder.tables / name for name in names]
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def load_atlas(folder: ResultsFolder) -> Atlas:
    """What there is to show of a results folder; layouts and groups only where they are made."""
    from songscape.library import Library

    with Library.open(folder.library, must_exist=True) as library:
        columns = _columns(library, folder)
        tracks = {track.id: track for track in library.tracks("analysed")}
        root = library.root
    ids = tuple(sorted(tracks))
    columns = columns.reindex(list(ids))
    roles = find_roles(columns.columns)
    layouts = _layouts(folder, ids)
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
        levels=_levels(folder, ids, layouts, columns, named),
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


def _layouts(folder: ResultsFolder, ids: Sequence[str]) -> tuple[Layout, ...]:
    """The two default representations, else the first that there is."""
    found = []
    kinds = {DEFAULT_NEUTRAL: "without the language", DEFAULT_FREE: "with the language"}
    for model, name in kinds.items():
        layout = _layout(folder, ids, model, name)
        if layout is not None:
            found.append(layout)
    if not found:
        for path in sorted((folder.tables / "maps").glob("*-seed0.parquet")):
            layout = _layout(folder, ids, path.stem.removesuffix("-seed0"), "")
            if layout is not None:
                return (layout,)
    return tuple(found)


def _layout(folder: ResultsFolder, ids: Sequence[str], model: str, name: str) -> Layout | None:
    try:
        drawn, places = read_latents(folder.map(model, 0))
        known, vectors = read_latents(folder.latents(model, 0))
    except (OSError, ValueError):
        return None
    rows = {track_id: row for row, track_id in enumerate(known)}
    if drawn != known or not set(ids) <= rows.keys():
        return None
    order = [rows[track_id] for track_id in ids]
    return Layout(name, model, _spread(places[order]), vectors[order])


def _spread(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Moved and scaled to -1 to 1, the shape kept."""
    low, high = places.min(axis=0), places.max(axis=0)
    size = float((high - low).max()) or 1.0
    return np.asarray((places - (low + high) / 2) * (1.96 / size), dtype=np.float32)


def _levels(
    folder: ResultsFolder,
    ids: Sequence[str],
    layouts: Sequence[Layout],
    columns: pd.DataFrame,
    roles: Mapping[str, str],
) -> tuple[Level, ...]:
    """The clusters of the model whose map opens."""
    import pandas as pd

    path = folder.tables / "clusters.csv"
    if not path.exists() or not layouts:
        return ()
    table = pd.read_csv(path, dtype={"track_id": str}, keep_default_na=False)
    table = table[(table["model"] == layouts[0].model) & (table["seed"] == table["seed"].min())]
    table = table[table["clusterer"] == next(iter(table["clusterer"]), "")]
    table = table[table["k"] == next(iter(table["k"]), "")]
    number = dict(zip(table["track_id"], table["cluster"].astype(int)))
    member = np.array([number.get(track_id, -1) for track_id in ids], dtype=np.int32)
    chosen = (read_json(folder.tables / "names.json") or {}).get("names", {})
    vectors = layouts[0].vectors
    groups = []
    for cluster in range(int(member.max(initial=-1)) + 1):
        rows = np.flatnonzero(member == cluster)
        if len(rows):
            mean = vectors[rows].mean(axis=0)
            typical = rows[np.argsort(np.linalg.norm(vectors[rows] - mean, axis=1))]
            tags = _tags(columns, roles.get("genre"), rows)
            name = ", ".join(tag for tag, _ in tags[:2]) or f"group {cluster + 1}"
            groups.append(
                Group(
                    str(cluster),
                    str(chosen.get(str(cluster), name[:1].upper() + name[1:])),
                    len(rows),
                    typical=tuple(typical[:MOST_TYPICAL].tolist()),
                    languages=_mix(columns, roles.get("language"), rows),
                    tags=tags,
                )
            )
    certainty = np.full(len(ids), np.nan, dtype=np.float32)
    return (Level("group", tuple(groups), member, certainty),) if groups else ()


def _mix(
    columns: pd.DataFrame, name: str | None, rows: Any
) -> tuple[tuple[str, float, float], ...]:
    """Values of a column in some rows: share there, and share in the collection."""
    if name is None:
        return ()
    inside = columns[name].iloc[rows].value_counts(normalize=True)
    usual = columns[name].value_counts(normalize=True)
    return tuple((str(v), float(s), float(usual[v])) for v, s in inside.items())


def _tags(columns: pd.DataFrame, name: str | None, rows: Any) -> tuple[tuple[str, float], ...]:
    """Values that are more common there than in the collection, and how many times so."""
    mix = [(value, share / usual, share) for value, share, usual in _mix(columns, name, rows)]
    return tuple((value, lift) for value, lift, share in mix if lift > 1.5 and share > 0.1)[:4]
