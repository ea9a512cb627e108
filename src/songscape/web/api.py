"""The questions that the page asks, and their answers; /api/openapi.json describes them."""

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
from songscape.web.audio import excerpt
from songscape.web.desk import Desk
from songscape.web.interface import Field, Question, Values
from songscape.web.packing import groups_document, packed_places
from songscape.web.why import why_here, why_together

MOST_LETTERS = 80
ID = Field("id", "id of a track", required=True)
_MAP = Field("map", "which map, by its place in the list", "integer", 0, 0, 9)
_N = Field("n", "at most this many", "integer", 30, 1, 1000)
_CAP = Field("max_per_artist", "at most this many by one artist", "integer", None, 1, 1000)
_WEIGHT = "weight of the words, the rest is sound; default: as learned"
_WORDS = Field("words", _WEIGHT, "number", None, 0, 1)
_WHY = (ID, Field("other", "id of another track"), _MAP)
_WEIGHED = (replace(_WORDS, required=True), _MAP)
_NEAR = (
    *(ID, _N, _MAP, _WORDS),
    Field("language", "only songs in this language"),
    Field("not_same_artist", "leave out the artist's own songs", "boolean", False),
)
_QUERY = Field("q", "words; the last may be unfinished", required=True)
_WAY = (
    Field("from", "id of the first track", required=True),
    Field("to", "id of the last track", required=True),
    Field("n", "number of songs", "integer", 15, 2, 200),
    *(_CAP, _MAP, _WORDS),
)
_PLAYLIST = (
    Field("ids", "ids of tracks, in their order", "array"),
    Field("group", "id of a group"),
    Field("seed", "id of a track"),
    _N,
    Field("name", "name of the playlist", default="Songscape"),
    Field("format", "of the file", default="m3u8", choices=("m3u8", "xspf", "jspf")),
    *(_CAP, _MAP, _WORDS),
    Field("save", "write it to `playlists/` of the results instead", "boolean", False),
)
_NAME = (Field("group", "id of a group", required=True), Field("name", "its name", required=True))


def groups(desk: Desk, _: Values) -> Any:
    return groups_document(desk.shown.atlas)


def track(desk: Desk, asked: Values) -> Any:
    atlas = desk.shown.atlas
    row = atlas.row(asked["id"])
    cells = {name: _cell(atlas.columns[name].iloc[row]) for name in atlas.columns}
    members = [(level, level.member[row]) for level in atlas.levels]
    return {
        **_named(atlas, row),
        "plays": atlas.audio[row] is not None,
        "lyrics": atlas.lyrics[row],
        "columns": {name: value for name, value in cells.items() if value is not None},
        "groups": [None if at < 0 else level.groups[at]["id"] for level, at in members],
    }


def _cell(value: Any) -> Any:
    """A cell of the table as JSON has it."""
    if value is None or value != value or value == "":
        return None
    return value.item() if hasattr(value, "item") else value


def similar(desk: Desk, asked: Values) -> Any:
    shown = desk.shown
    atlas = shown.atlas
    index, weights = shown.asked(asked["map"], asked["words"], atlas.row(asked["id"]))
    only = {name: asked[name] for name in ("language", "not_same_artist")}
    found = index.similar(asked["id"], asked["n"], weights=weights, **only)
    how = [{"distance": round(one.distance, 6), "near": one.how_near} for one in found]
    tracks = [_named(atlas, atlas.row_of[one.id]) | near for one, near in zip(found, how)]
    return {"id": asked["id"], "tracks": tracks}


def _named(atlas: Atlas, row: int) -> dict[str, Any]:
    return {"id": atlas.ids[row], "title": atlas.titles[row], "artist": atlas.artists[row]}


def part(desk: Desk, asked: Values) -> Any:
    atlas = desk.shown.atlas
    row = atlas.row(asked["id"])
    with Library.open(desk.folder.library, must_exist=True) as library:
        return excerpt(library, asked["id"], atlas.spans[row] if atlas.spans else None)


def why(desk: Desk, asked: Values) -> Any:
    shown = desk.shown
    row = shown.atlas.row(asked["id"])
    if asked["other"] is None:
        return why_here(shown, row, asked["map"])
    other = shown.atlas.row(asked["other"])
    lines = why_together(shown, row, other, asked["map"])
    words = shown.search.rare_in_both(row, other)
    lines += [f"Both lyrics have words that few others have: {', '.join(words)}."] if words else []
    return {"lines": lines}


def places(desk: Desk, asked: Values) -> Any:
    found, stay = desk.shown.places(asked["map"], asked["words"])
    return {"places": packed_places(found), "stay": stay}


def search(desk: Desk, asked: Values) -> Any:
    shown = desk.shown
    found = shown.search.find(asked["q"], asked["n"])
    return {"tracks": [_named(shown.atlas, row) | {"line": line} for row, line in found]}


def path(desk: Desk, asked: Values) -> Any:
    shown = desk.shown
    atlas = shown.atlas
    rows = [atlas.row(asked["from"]), atlas.row(asked["to"])]
    index, weights = shown.asked(asked["map"], asked["words"], *rows)
    if asked["from"] != asked["to"]:
        most = asked["max_per_artist"]
        found = index.path(
            asked["from"], asked["to"], asked["n"], max_per_artist=most, weights=weights
        )
        rows = [atlas.row_of[track_id] for track_id in found.ids]
    return {"tracks": [_named(atlas, row) for row in dict.fromkeys(rows)]}


def playlist(desk: Desk, asked: Values) -> Any:
    shown = desk.shown
    atlas = shown.atlas
    most = asked["max_per_artist"]
    index, _ = shown.asked(asked["map"])
    with Library.open(desk.folder.library, must_exist=True) as library:
        root = library.root
        each: dict[str, Any] = {"max_per_artist": most, "library": library}
        if asked["ids"]:
            for track_id in asked["ids"]:
                atlas.row(track_id)
            found = Playlist("", with_sound(_capped(index, asked["ids"], most), library))
        elif asked["group"] is not None:
            ids = tuple(atlas.members(asked["group"]))
            group = NamedGroup(asked["group"], asked["name"], ids)
            found = mix_of_group(index, group, min(asked["n"], len(ids)), **each)
        elif asked["seed"] is not None:
            row = atlas.row(asked["seed"])
            index, weights = shown.asked(asked["map"], asked["words"], row)
            found = mix_around(index, [asked["seed"]], asked["n"], weights=weights, **each)
        else:
            raise UsageError("give ids, group or seed")
    found = replace(found, name=" ".join(asked["name"].split())[:MOST_LETTERS] or "Songscape")
    suffix = f".{asked['format']}"
    if asked["save"]:
        file = place_for(found, desk.folder.root / "playlists", suffix)
        found.save(file, Places(root=root))
        return {"saved": str(file), "n_songs": len(found)}
    text = found.text(suffix, places=Places(root=root))
    return {"filename": f"{file_name(found.name)}{suffix}", "n_songs": len(found), "text": text}


def _capped(index: Index, ids: Sequence[str], most: int | None) -> list[Song]:
    """At most this many songs of every artist, the first ones; songs without an artist all stay."""
    found, heard = [], Counter[str]()
    for track_id in ids:
        artist = index.songs.artist_keys[index.row_of[track_id]]
        heard[artist] += 1
        if not artist or most is None or heard[artist] <= most:
            found.append(index.songs[track_id])
    return found


def rename(desk: Desk, asked: Values) -> Any:
    name = " ".join(asked["name"].split())
    desk.shown.atlas.members(asked["group"])
    if not 0 < len(name) <= MOST_LETTERS:
        raise UsageError(f"name: 1 to {MOST_LETTERS} letters")
    return {"group": asked["group"], "name": desk.rename(asked["group"], name)}


def progress(desk: Desk, _: Values) -> Any:
    return desk.progress()


QUESTIONS = (
    Question("/api/groups", "the groups of every level, from coarse to fine", groups),
    Question("/api/track", "one song: its columns, words and groups", track, (ID,)),
    Question("/api/similar", "the nearest songs of a song, nearest first", similar, _NEAR),
    Question("/api/excerpt", "where a song begins, ends and is most typical", part, (ID,)),
    Question("/api/why", "why a song is where it is, or why two are together", why, _WHY),
    Question("/api/places", "the map laid out again, sound and words weighed", places, _WEIGHED),
    Question(
        "/api/search", "songs with all words in title, artist or lyrics", search, (_QUERY, _N)
    ),
    Question("/api/path", "songs that lead from one to another", path, _WAY),
    Question(
        "/api/playlist",
        "a playlist of these songs, of a group, or of the songs near one",
        playlist,
        _PLAYLIST,
        changes=True,
    ),
    Question("/api/rename", "give a group another name", rename, _NAME, changes=True),
    Question("/api/progress", "how far the analysis is", progress),
)
