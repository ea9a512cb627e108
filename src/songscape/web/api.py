"""The questions that the page asks, as functions of what is shown; and their description."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from songscape._version import __version__
from songscape.errors import UsageError
from songscape.web.atlas import Atlas
from songscape.web.desk import Desk
from songscape.web.nearness import NotMeasured
from songscape.web.packing import groups_document, packed
from songscape.web.why import why_here, why_together

__all__ = ["ENDPOINTS", "Endpoint", "NotThere", "openapi", "read_values"]


MOST_LETTERS = 80


class NotThere(UsageError):
    """No track or group of that id."""


@dataclass(frozen=True)
class Field:
    """One value of a question: `kind` is "string", "integer", "number", "boolean" or "array"."""

    name: str
    text: str
    kind: str = "string"
    default: Any = None
    low: float = 0
    high: float = 0
    required: bool = False
    choices: tuple[str, ...] = ()

    def read(self, given: Any) -> Any:
        """The value, checked.

        Raises
        ------
        UsageError
            It is missing or can't be.
        """
        if given is None or given == "":
            if self.required:
                raise UsageError(f"{self.name}: missing; {self.text}")
            return self.default
        value = self._converted(given)
        if value is None or (self.choices and value not in self.choices):
            wanted = f"one of {', '.join(self.choices)}" if self.choices else f"a {self.kind}"
            raise UsageError(f"{self.name}: not {wanted}")
        if self.high and not self.low <= value <= self.high:
            raise UsageError(f"{self.name}: from {self.low:g} to {self.high:g}")
        return value

    def _converted(self, given: Any) -> Any:
        if self.kind == "array":
            texts = isinstance(given, list) and all(isinstance(one, str) for one in given)
            return given if texts else None
        if self.kind == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}.get(str(given).lower())
        if self.kind == "string":
            return given if isinstance(given, str) and len(given) <= 4_000 else None
        try:
            number = float(str(given))
        except ValueError:
            return None
        if not math.isfinite(number) or (self.kind == "integer" and number != int(number)):
            return None
        return int(number) if self.kind == "integer" else number

    def schema(self) -> dict[str, Any]:
        """As OpenAPI describes it."""
        found: dict[str, Any] = {"type": self.kind, "description": self.text}
        if self.kind == "array":
            found["items"] = {"type": "string"}
        if self.high:
            found |= {"minimum": self.low, "maximum": self.high}
        if self.choices:
            found["enum"] = list(self.choices)
        return found if self.default is None else found | {"default": self.default}


@dataclass(frozen=True)
class Endpoint:
    """A question: its address, what it takes, and the function that answers."""

    path: str
    summary: str
    answer: Callable[[Desk, dict[str, Any]], Any]
    fields: tuple[Field, ...] = ()
    changes: bool = False

    @property
    def method(self) -> str:
        return "POST" if self.changes else "GET"


def read_values(endpoint: Endpoint, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a question by name.

    Raises
    ------
    UsageError
        One is missing, wrong, or unknown.
    """
    unknown = given.keys() - {field.name for field in endpoint.fields}
    if unknown:
        raise UsageError(f"{min(unknown)}: not known here")
    return {field.name: field.read(given.get(field.name)) for field in endpoint.fields}


def _row(atlas: Atlas, track_id: str) -> int:
    if track_id not in atlas.row_of:
        raise NotThere(f"{track_id}: no such track")
    return atlas.row_of[track_id]


def _layout(atlas: Atlas, number: int) -> int:
    if not atlas.layouts:
        raise NotMeasured("the songs are still being analysed; this comes with the map")
    if number >= len(atlas.layouts):
        raise UsageError(f"map: there are {len(atlas.layouts)}, counted from 0")
    return number


def _groups(desk: Desk, _values: dict[str, Any]) -> Any:
    return groups_document(desk.shown.atlas)


def _track(desk: Desk, values: dict[str, Any]) -> Any:
    atlas = desk.shown.atlas
    row = _row(atlas, values["id"])
    cells = {name: _cell(atlas.columns[name].iloc[row]) for name in atlas.columns}
    return {
        "id": atlas.ids[row],
        "title": atlas.titles[row],
        "artist": atlas.artists[row],
        "plays": atlas.audio[row] is not None,
        "lyrics": atlas.lyrics[row],
        "columns": {name: value for name, value in cells.items() if value is not None},
        "groups": [
            None if level.member[row] < 0 else level.groups[level.member[row]].id
            for level in atlas.levels
        ],
    }


def _cell(value: Any) -> Any:
    """A cell of the table as JSON has it."""
    if value is None or value != value or value == "":
        return None
    return (
        value.item() if hasattr(value, "item") else value if isinstance(value, int) else str(value)
    )


def _why(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    row, layout = _row(shown.atlas, values["id"]), _layout(shown.atlas, values["map"])
    if values["other"] is None:
        return {"lines": why_here(shown.atlas, shown.nearness, row, layout)}
    other = _row(shown.atlas, values["other"])
    return {"lines": why_together(shown.atlas, shown.nearness, row, other, layout)}


def _near(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    row = _row(shown.atlas, values["id"])
    layout = _layout(shown.atlas, values["map"])
    found = shown.nearness.distances(row, layout, values["words"])
    rank = np.argsort(np.argsort(found, kind="stable"), kind="stable")
    return {
        "id": values["id"],
        "nearness": packed(255 - 255 * rank / max(1, len(rank) - 1), "uint8"),
    }


def _similar(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    atlas = shown.atlas
    row = _row(atlas, values["id"])
    found = shown.nearness.distances(row, _layout(atlas, values["map"]), values["words"])
    fits = np.ones(len(atlas.ids), bool)
    fits[row] = False
    if values["not_same_artist"] and atlas.artists[row]:
        fits &= np.array(atlas.artists, dtype=object) != atlas.artists[row]
    if values["language"]:
        fits &= np.array(atlas.values("language"), dtype=object) == values["language"]
    rows = np.flatnonzero(fits)
    rows = rows[np.argsort(found[rows], kind="stable")][: values["n"]]
    return {"id": values["id"], "tracks": [_named(atlas, int(i), float(found[i])) for i in rows]}


def _named(atlas: Atlas, row: int, distance: float | None = None) -> dict[str, Any]:
    named: dict[str, Any] = {"id": atlas.ids[row], "title": atlas.titles[row]}
    named["artist"] = atlas.artists[row]
    return named if distance is None else named | {"distance": round(distance, 6)}


def _path(desk: Desk, values: dict[str, Any]) -> Any:
    """Songs near the straight line between two songs, each taken once."""
    shown = desk.shown
    atlas = shown.atlas
    first, last = _row(atlas, values["from"]), _row(atlas, values["to"])
    vectors = atlas.layouts[_layout(atlas, values["map"])].vectors
    steps = [first]
    for share in np.linspace(0, 1, max(values["n"], 2))[1:-1]:
        point = (1 - share) * vectors[first] + share * vectors[last]
        far = np.square(vectors - point).sum(axis=1)
        far[[*steps, last]] = np.inf
        steps.append(int(far.argmin()))
    rows = [*steps, last] if first != last else steps
    return {"tracks": [_named(atlas, row) for row in rows]}


def _rename(desk: Desk, values: dict[str, Any]) -> Any:
    name = " ".join(values["name"].split())
    if values["group"] not in desk.shown.atlas.group_of:
        raise NotThere(f"{values['group']}: no such group")
    if not 0 < len(name) <= MOST_LETTERS:
        raise UsageError(f"name: 1 to {MOST_LETTERS} letters")
    desk.rename(values["group"], name)
    return {"group": values["group"], "name": name}


def _playlist(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    atlas = shown.atlas
    if values["ids"] is not None:
        rows = [_row(atlas, track_id) for track_id in values["ids"]]
    elif values["group"] is not None:
        if values["group"] not in atlas.group_of:
            raise NotThere(f"{values['group']}: no such group")
        rows = atlas.members(values["group"])[: values["n"]]
    elif values["seed"] is not None:
        row = _row(atlas, values["seed"])
        rows = np.argsort(shown.nearness.distances(row), kind="stable")[: values["n"]].tolist()
    else:
        raise UsageError("give ids, group or seed")
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(values['name'])}"]
    for row in rows:
        path = atlas.audio[row]
        if path is not None:
            artist = f"{atlas.artists[row]} - " if atlas.artists[row] else ""
            lines += [f"#EXTINF:-1,{_line(artist + atlas.titles[row])}", str(path)]
    name = "".join(c if c.isalnum() or c in " -_" else "_" for c in _line(values["name"]))
    text = "\n".join([*lines, ""])
    return {
        "filename": f"{name.strip() or 'playlist'}.m3u8",
        "type": "audio/x-mpegurl",
        "text": text,
    }


def _line(text: str) -> str:
    return " ".join(text.split())


def _search(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    found = shown.search.find(values["q"], values["n"])
    return {"tracks": [_named(shown.atlas, row) | {"line": line} for row, line in found]}


def _progress(desk: Desk, _values: dict[str, Any]) -> Any:
    return desk.progress()


_ID = Field("id", "id of a track", required=True)
_MAP = Field("map", "which map, by its place in the list", "integer", 0, 0, 9)
_WORDS = Field(
    "words", "share of the words against sound; left out: as learned", "number", None, 0, 1
)
_N = Field("n", "at most so many", "integer", 30, 1, 1000)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/api/groups", "the groups of every level, from coarse to fine", _groups),
    Endpoint("/api/track", "one song: its columns, words and groups", _track, (_ID,)),
    Endpoint(
        "/api/similar",
        "the nearest songs of a song, nearest first",
        _similar,
        (
            *(_ID, _N, _MAP, _WORDS),
            Field("language", "only songs in this language"),
            Field("not_same_artist", "leave out the artist's own songs", "boolean", False),
        ),
    ),
    Endpoint(
        "/api/why",
        "why a song is where it is, or why two are together, in sentences",
        _why,
        (_ID, Field("other", "id of another track"), _MAP),
    ),
    Endpoint("/api/near", "how near every song of the map is to one", _near, (_ID, _MAP, _WORDS)),
    Endpoint(
        "/api/search",
        "songs with all these words in title, artist or lyrics",
        _search,
        (Field("q", "words; the last may be unfinished", required=True), _N),
    ),
    Endpoint(
        "/api/path",
        "songs that lead from one to another",
        _path,
        (
            Field("from", "id of the first track", required=True),
            Field("to", "id of the last track", required=True),
            Field("n", "so many songs", "integer", 15, 2, 200),
            _MAP,
        ),
    ),
    Endpoint(
        "/api/playlist",
        "a playlist of these songs, of a group, or of the songs near one",
        _playlist,
        (
            Field("ids", "ids of tracks, in their order", "array"),
            Field("group", "id of a group"),
            Field("seed", "id of a track"),
            _N,
            Field("name", "name of the playlist", default="Songscape"),
            Field("format", "of the file", default="m3u8", choices=("m3u8",)),
        ),
        changes=True,
    ),
    Endpoint(
        "/api/rename",
        "give a group another name",
        _rename,
        (Field("group", "id of a group", required=True), Field("name", "its name", required=True)),
        changes=True,
    ),
    Endpoint("/api/progress", "how far the analysis is", _progress),
)
OTHERS = {
    "/api/map": ("all songs, their places, groups and columns", ()),
    "/api/audio": (
        "the audio of a song; ranges of bytes are answered",
        (_ID, Field("as", "converted, where a browser can't play it", choices=("flac",))),
    ),
    "/api/session": ("the token that changes need, in the header X-Songscape-Token", ()),
}


def openapi() -> dict[str, Any]:
    """This interface as an OpenAPI 3.1 document."""
    paths: dict[str, Any] = {}
    for path, (summary, fields) in OTHERS.items():
        paths[path] = {"get": _operation(summary, fields)}
    for one in ENDPOINTS:
        operation = _operation(one.summary, () if one.changes else one.fields)
        if one.changes:
            schema = {
                "type": "object",
                "properties": {field.name: field.schema() for field in one.fields},
                "required": [field.name for field in one.fields if field.required],
            }
            operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
        paths[one.path] = {one.method.lower(): operation}
    info = {"title": "Songscape", "version": __version__}
    return {"openapi": "3.1.0", "info": info, "paths": paths}


def _operation(summary: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    parameters = [
        {"name": f.name, "in": "query", "required": f.required, "schema": f.schema()}
        for f in fields
    ]
    return {
        "summary": summary,
        "parameters": parameters,
        "responses": {"200": {"description": "the answer"}, "400": {"description": "why not"}},
    }
