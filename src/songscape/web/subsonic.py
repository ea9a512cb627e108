"""OpenSubsonic's extension `sonicSimilarity`: players and Navidrome's plugins can ask the map.

https://opensubsonic.netlify.app/docs/extensions/sonicsimilarity/ describes it. An id is that of a
track, its MusicBrainz recording id, or the path of its file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from songscape._version import __version__
from songscape.errors import SongscapeError, UsageError
from songscape.web.atlas import Atlas, NotThere
from songscape.web.desk import Desk
from songscape.web.shown import Shown

_FAILED, _MISSING, _NOT_FOUND = 0, 10, 70
MOST = 500
NAMES = ("getSonicSimilarTracks", "findSonicPath", "getOpenSubsonicExtensions", "ping")


def answer_subsonic(desk: Desk, name: str, given: Mapping[str, str]) -> dict[str, Any]:
    """What goes into `subsonic-response` for one of `NAMES`; no wrong question raises."""
    head: dict[str, Any] = {"status": "ok", "version": "1.16.1", "type": "songscape"}
    head |= {"serverVersion": __version__, "openSubsonic": True}
    try:
        return head | _answer(desk, name, given)
    except NotThere as error:
        code, text = _NOT_FOUND, str(error)
    except UsageError as error:
        code, text = _MISSING, str(error)
    except SongscapeError as error:
        code, text = _FAILED, str(error)
    return head | {"status": "failed", "error": {"code": code, "message": text}}


def _answer(desk: Desk, name: str, given: Mapping[str, str]) -> dict[str, Any]:
    if name == "ping":
        return {}
    if name == "getOpenSubsonicExtensions":
        return {"openSubsonicExtensions": [{"name": "sonicSimilarity", "versions": [1]}]}
    shown = desk.shown
    atlas, (index, _) = shown.atlas, shown.asked()
    count = given.get("count", "10")
    if not count.isdecimal() or not 1 <= int(count) <= MOST:
        raise UsageError(f"count: 1 to {MOST}")
    if name == "getSonicSimilarTracks":
        row = _row(shown, given.get("id"))
        rows = [atlas.row_of[one.id] for one in index.similar(atlas.ids[row], int(count))]
    else:
        row, last = (_row(shown, given.get(key)) for key in ("startSongId", "endSongId"))
        path = index.path(atlas.ids[row], atlas.ids[last], max(2, int(count)))
        rows = [atlas.row_of[track_id] for track_id in path.ids]
    far = shown.distances(row)
    usual = float(far.mean()) or 1.0
    return {
        "sonicMatch": [
            {"entry": _entry(atlas, one), "similarity": round(1 / (1 + float(far[one]) / usual), 4)}
            for one in rows
        ]
    }


def _entry(atlas: Atlas, row: int) -> dict[str, Any]:
    entry = {"id": atlas.ids[row], "isDir": False, "title": atlas.titles[row]}
    more = {"artist": atlas.artists[row], "path": str(atlas.audio[row] or "")}
    return entry | {name: value for name, value in more.items() if value}


def _row(shown: Shown, given: str | None) -> int:
    """The song of an id, a MusicBrainz id, or a path."""
    if not given:
        raise UsageError("id: missing")
    return shown.atlas.row(_other_ids(shown).get(given, given))


@lru_cache(maxsize=1)
def _other_ids(shown: Shown) -> dict[str, str]:
    ids = shown.atlas.ids
    recordings = zip(shown.asked()[0].songs.values("recording"), ids)
    found = {str(path): track_id for path, track_id in zip(shown.atlas.audio, ids) if path}
    return found | {name: track_id for name, track_id in recordings if name} | dict(zip(ids, ids))


def as_xml(answer: Mapping[str, Any]) -> bytes:
    """The same as XML, which Subsonic's clients get unless they ask for JSON."""
    top = ElementTree.Element("subsonic-response", xmlns="http://subsonic.org/restapi")
    _fill(top, answer)
    text: bytes = ElementTree.tostring(top, "utf-8", xml_declaration=True)
    return text


def _fill(element: ElementTree.Element, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                _fill(ElementTree.SubElement(element, name), one)
            elif isinstance(value, list):
                ElementTree.SubElement(element, name).text = str(one)
            else:
                text = str(one).lower() if isinstance(one, bool) else str(one)
                element.set(name, "".join(c for c in text if c.isprintable()))
