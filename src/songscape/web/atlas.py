"""What the page shows: songs, their places on the map, their groups, and spaces to search in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.clustering.groups import SURE
from songscape.clustering.portraits import Scale, heard
from songscape.columns import Role, display_title, find_roles
from songscape.errors import SongscapeError, UsageError
from songscape.features.descriptors import DESCRIPTORS
from songscape.library import Library
from songscape.library.records import Span
from songscape.models.presets import DEFAULT_FREE, DEFAULT_NEUTRAL
from songscape.results import ResultsFolder, read_json, read_latents

if TYPE_CHECKING:
    import pandas as pd

SHOWN = (
    *("size", "parent", "languages", "decades", "descriptors"),
    *("tags", "words", "stability", "sure"),
)
"""What the page shows of a group besides its name and songs."""

_SWITCH = {
    DEFAULT_NEUTRAL: "The groups ignore the language: by sound and words together, songs would "
    "group by language first. With the switch “ignore the language” off, the map shows how songs "
    "lie when the language counts; the groups stay the same.",
    DEFAULT_FREE: "The language counts in these groups. The switch “ignore the language” lays the "
    "map out without it; the groups stay the same.",
}


class NotThere(UsageError):
    """There is no track or group with that id."""


@dataclass(frozen=True, eq=False)
class Division:
    """One way to divide all songs, coarse or fine.

    `groups` are as `groups.json` has them; `member` (n,) is the row of each song's group, -1 for
    none; `second` (n,) that of the second-best group; `certainty` (n,) from 0 to 1, NaN where it is
    not known.
    """

    name: str
    groups: tuple[Mapping[str, Any], ...]
    member: NDArray[np.int32]
    certainty: NDArray[np.float32]
    second: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Layout:
    """Places on a map (n, 2), and the vectors (n, d) whose neighbourhoods it draws."""

    name: str
    places: NDArray[np.float32]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Atlas:
    """All that the page shows of a collection; rows are songs, sorted by id.

    `columns` can colour the map: one row per song, text or numbers; `roles` name some of them. Of
    the `layouts` the first is what opens; "neutral" ignores the language, "free" lets it count.
    `levels` are from coarse to fine. `spans` are the seconds of the file that are the song, where
    that is not all of it. `sounds`, each (n,), are what a person would hear (tempo, loudness, ...),
    NaN where it is not known. `has_report` says whether there is a page of the evidence, and `note`
    is a sentence about the map as a whole.
    """

    title: str
    ids: tuple[str, ...]
    titles: tuple[str, ...]
    artists: tuple[str, ...]
    audio: tuple[Path | None, ...]
    lyrics: tuple[str | None, ...]
    columns: pd.DataFrame
    roles: Mapping[str, str] = field(default_factory=dict)
    layouts: tuple[Layout, ...] = ()
    levels: tuple[Division, ...] = ()
    spans: tuple[Span | None, ...] = ()
    sounds: Mapping[Scale, NDArray[np.float64]] = field(default_factory=dict)
    has_report: bool = False
    note: str = ""

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        return {track_id: row for row, track_id in enumerate(self.ids)}

    def row(self, track_id: str) -> int:
        if track_id not in self.row_of:
            raise NotThere(f"{track_id}: no such track")
        return self.row_of[track_id]

    def members(self, group_id: str) -> list[str]:
        """Ids of a group's songs."""
        for level in self.levels:
            for number, group in enumerate(level.groups):
                if group["id"] == group_id:
                    return [self.ids[row] for row in np.flatnonzero(level.member == number)]
        raise NotThere(f"{group_id}: no such group")


def state_of(folder: ResultsFolder) -> tuple[int, ...]:
    """Changes when there is something new to show."""
    names = ("experiment.json", "groups.json", "report.html")
    paths = [folder.tables / name for name in names]
    return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)


def load_atlas(folder: ResultsFolder) -> Atlas:
    """What there is to show of a results folder; layouts and groups only where they are made.

    Songs that were analysed after the map was drawn are left out until there is another.
    """
    groups = read_json(folder.tables / "groups.json") or {}
    with Library.open(folder.library, must_exist=True) as library:
        columns = _columns(library, folder)
        tracks = {track.id: track for track in library.tracks("analysed")}
        root = library.root
        ids, layouts = _layouts(folder, sorted(tracks), str(groups.get("model", "")))
        sounds = _sounds(library, ids)
    levels: tuple[Division, ...] = ()  # there are none yet, or their file is damaged
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        levels = _levels(groups, ids)
    columns = columns.reindex(list(ids))
    roles = find_roles(columns.columns)
    titles = _texts(columns, roles.column(Role.TITLE))
    document = folder.read_document() or {}
    return Atlas(
        title=str(document.get("title") or root.name),
        ids=ids,
        titles=tuple(display_title(i, t) for t, i in zip(titles, ids)),
        artists=tuple(_texts(columns, roles.artist)),
        audio=tuple(tracks[i].audio for i in ids),
        lyrics=tuple(tracks[i].lyrics for i in ids),
        spans=tuple(tracks[i].span for i in ids),
        columns=columns,
        roles=roles.as_dict(),
        layouts=layouts,
        levels=levels,
        sounds=sounds,
        note=" ".join(filter(None, (_note(groups, layouts), groups.get("warning")))),
        has_report=(folder.tables / "report.html").exists(),
    )


def _note(groups: Mapping[str, Any], layouts: Sequence[Layout]) -> str:
    """What was done about the language; where there is a switch for it, what that does."""
    note = str(groups.get("note", ""))
    return _SWITCH.get(groups.get("model", ""), note) if note and len(layouts) > 1 else note


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
        if found and model not in kinds:
            continue
        try:
            drawn, places = read_latents(folder.map(model, 0))
            known, vectors = read_latents(folder.latents(model, 0))
        except SongscapeError:
            continue
        rows = {track_id: row for row, track_id in enumerate(known)} if drawn == known else {}
        its = tuple(track_id for track_id in shown if track_id in rows)
        if its and (its == shown or not found):
            shown, order = its, [rows[track_id] for track_id in its]
            places = _spread(places[order])
            found.append(Layout(kinds.get(model, ""), places, vectors[order]))
    return shown, tuple(found)


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


def _levels(document: Mapping[str, Any], ids: Sequence[str]) -> tuple[Division, ...]:
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
        Division(
            str(one["name"]),
            tuple(_group(group, rows) for group in one["groups"]),
            of_songs(one["member"], -1).astype(np.int32),
            of_songs(one.get("certainty"), np.nan).astype(np.float32),
            of_songs(one.get("second"), -1).astype(np.int32),
        )
        for one in document["levels"]
    )


def _group(one: Mapping[str, Any], rows: Mapping[str, int]) -> Mapping[str, Any]:
    """What the page shows of a group, with its songs that are shown."""
    name = one["name"]
    if name == one.get("made_name"):  # a name that a person gave stays as it is
        name = name[:1].upper() + name[1:]
    typical = [track_id for track_id in one["typical"] if track_id in rows]
    between = [track_id for track_id, _ in one["between"] if track_id in rows]
    about = {part: one[part] for part in SHOWN} | {"is_sure": (one["stability"] or 0) >= SURE}
    return {"id": one["id"], "name": name, "typical": typical, "between": between, **about}
