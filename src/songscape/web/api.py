"""The questions that the page asks, as functions of what is shown; and their description."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from songscape.errors import UsageError
from songscape.library import Library
from songscape.neighbours.collection import NamedGroup, with_sound
from songscape.neighbours.index import Index
from songscape.neighbours.mixes import mix_around, mix_of_group
from songscape.neighbours.playlists import Places, Playlist, file_name, place_for
from songscape.neighbours.songs import Song
from songscape.web.atlas import Atlas
from songscape.web.desk import Desk
from songscape.web.excerpt import excerpt
from songscape.web.interface import Endpoint, Field, NotThere
from songscape.web.nearness import NotMeasured
from songscape.web.packing import groups_document, packed_places
from songscape.web.why import why_here, why_together

MOST_LETTERS = 80


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


def _excerpt(desk: Desk, values: dict[str, Any]) -> Any:
    atlas = desk.shown.atlas
    row = _row(atlas, values["id"])
    with Library.open(desk.folder.library, must_exist=True) as library:
        return excerpt(library, atlas.ids[row], atlas.spans[row] if atlas.spans else None)


def _why(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    row, layout = _row(shown.atlas, values["id"]), _layout(shown.atlas, values["map"])
    if values["other"] is None:
        return why_here(shown.atlas, shown.nearness, row, layout)
    other = _row(shown.atlas, values["other"])
    lines = why_together(shown.atlas, shown.nearness, row, other, layout)
    words = shown.search.rare_in_both(row, other)
    if words:
        lines.append(f"Both lyrics have words that few others have: {', '.join(words)}.")
    return {"lines": lines}


def _places(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    layout = _layout(shown.atlas, values["map"])
    places, stay = shown.nearness.places(layout, values["words"])
    return {"places": packed_places(places), "stay": stay}


def _similar(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    row, layout = _row(shown.atlas, values["id"]), _layout(shown.atlas, values["map"])
    index, weights = shown.nearness.asked(row, layout, values["words"])
    also = {name: values[name] for name in ("language", "not_same_artist")}
    found = index.similar(values["id"], values["n"], weights=weights, **also)
    tracks = [
        _named(shown.atlas, shown.atlas.row_of[one.id], one.distance) | {"near": one.how_near}
        for one in found
    ]
    return {"id": values["id"], "tracks": tracks}


def _named(atlas: Atlas, row: int, distance: float | None = None) -> dict[str, Any]:
    named: dict[str, Any] = {"id": atlas.ids[row], "title": atlas.titles[row]}
    named["artist"] = atlas.artists[row]
    return named if distance is None else named | {"distance": round(distance, 6)}


def _path(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    layout = _layout(shown.atlas, values["map"])
    for name in ("to", "from"):
        row = _row(shown.atlas, values[name])
        index, weights = shown.nearness.asked(row, layout, values["words"])
    if values["from"] == values["to"]:
        return {"tracks": [_named(shown.atlas, row)]}
    most = values["max_per_artist"]
    ends = values["from"], values["to"]
    found = index.path(*ends, values["n"], max_per_artist=most, weights=weights)
    return {"tracks": [_named(shown.atlas, shown.atlas.row_of[i]) for i in found.ids]}


def _rename(desk: Desk, values: dict[str, Any]) -> Any:
    name = " ".join(values["name"].split())
    if values["group"] not in desk.shown.atlas.group_of:
        raise NotThere(f"{values['group']}: no such group")
    if not 0 < len(name) <= MOST_LETTERS:
        raise UsageError(f"name: 1 to {MOST_LETTERS} letters")
    return {"group": values["group"], "name": desk.rename(values["group"], name)}


def _playlist(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    layout, most = _layout(shown.atlas, values["map"]), values["max_per_artist"]
    index = shown.nearness.index(layout)
    with Library.open(desk.folder.library, must_exist=True) as library:
        root = library.root
        if values["ids"]:
            for track_id in values["ids"]:
                _row(shown.atlas, track_id)
            found = Playlist("", with_sound(_capped(index, values["ids"], most), library))
        elif values["group"] is not None:
            if values["group"] not in shown.atlas.group_of:
                raise NotThere(f"{values['group']}: no such group")
            ids = tuple(shown.atlas.ids[row] for row in shown.atlas.members(values["group"]))
            group = NamedGroup(values["group"], values["name"], ids)
            n = min(values["n"], len(ids))
            found = mix_of_group(index, group, n, library, max_per_artist=most)
        elif values["seed"] is not None:
            row = _row(shown.atlas, values["seed"])
            index, weights = shown.nearness.asked(row, layout, values["words"])
            options = {"max_per_artist": most, "weights": weights}
            found = mix_around(index, [values["seed"]], values["n"], library, **options)
        else:
            raise UsageError("give ids, group or seed")
    playlist = replace(found, name=" ".join(values["name"].split())[:MOST_LETTERS] or "Songscape")
    suffix = f".{values['format']}"
    if values["save"]:
        file = place_for(playlist, desk.folder.root / "playlists", suffix)
        playlist.save(file, Places(root=root))
        return {"saved": str(file), "n_songs": len(playlist)}
    name = f"{file_name(playlist.name)}{suffix}"
    text = playlist.text(suffix, places=Places(root=root))
    return {"filename": name, "n_songs": len(playlist), "text": text}


def _capped(index: Index, ids: Sequence[str], most: int | None) -> list[Song]:
    """At most this many songs of every artist, the first ones; songs without an artist all stay."""
    found, heard = [], Counter[str]()
    for track_id in ids:
        artist = index.songs.artist_keys[index.row_of[track_id]]
        heard[artist] += 1
        if not artist or most is None or heard[artist] <= most:
            found.append(index.songs[track_id])
    return found


def _search(desk: Desk, values: dict[str, Any]) -> Any:
    shown = desk.shown
    found = shown.search.find(values["q"], values["n"])
    return {"tracks": [_named(shown.atlas, row) | {"line": line} for row, line in found]}


def _progress(desk: Desk, _values: dict[str, Any]) -> Any:
    return desk.progress()


_ID = Field("id", "id of a track", required=True)
_MAP = Field("map", "which map, by its place in the list", "integer", 0, 0, 9)
_WORDS = Field(
    "words", "weight of the words, the rest is sound; default: as learned", "number", None, 0, 1
)
_N = Field("n", "at most this many", "integer", 30, 1, 1000)
_CAP = Field("max_per_artist", "at most this many by one artist", "integer", None, 1, 1000)

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
    Endpoint("/api/excerpt", "where a song begins, ends and is most typical", _excerpt, (_ID,)),
    Endpoint(
        "/api/why",
        "why a song is where it is, or why two are together, in sentences",
        _why,
        (_ID, Field("other", "id of another track"), _MAP),
    ),
    Endpoint(
        "/api/places",
        "the map laid out again with sound and words weighed by hand",
        _places,
        (replace(_WORDS, required=True), _MAP),
    ),
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
            Field("n", "number of songs", "integer", 15, 2, 200),
            *(_CAP, _MAP, _WORDS),
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
            Field("format", "of the file", default="m3u8", choices=("m3u8", "xspf", "jspf")),
            *(_CAP, _MAP, _WORDS),
            Field("save", "write it to `playlists/` of the results instead", "boolean", False),
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
