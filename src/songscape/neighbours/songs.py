"""What is known of songs besides their vectors: names, language, file; read without pandas."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.columns import ARTIST_RULE, Role, bare, display_title, find_roles
from songscape.language_codes import language_name
from songscape.library.records import Span
from songscape.spellings import known_artists, split_cell

if TYPE_CHECKING:
    import pandas as pd

    from songscape.library import Library
    from songscape.results import ResultsFolder

_RECORDING = ("musicbrainzrecordingid", "musicbrainztrackid", "recordingmbid", "mbid")
_GUEST = re.compile(r"[\s(\[]+(?:feat|ft|featuring|with)\b[. ].*$", re.IGNORECASE)
_VERSION = re.compile(
    r"\b(?:live|remaster(?:ed)?|remix|version|edit|mix|mono|stereo|demo|acoustic|unplugged|"
    r"instrumental|karaoke|bonus|explicit|clean|reprise|take|session)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*|\s+[-–—]\s+[^-–—]*$")
_MINOR = re.compile(r"^\s*([A-Ga-gHh])\s*(#|♯|b|♭|sharp|flat)?\s*(.*)$")
_NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}


@dataclass(frozen=True)
class Song:
    """One song as lists and playlists show it.

    Texts are "" where they are not known; a song without a title is called like its file. `span` is
    the part of the file that it is, from and to in seconds, where that is not all of it;
    `recording` its MusicBrainz recording id; `key` the semitones of the tonic above C, in a `minor`
    key or not.
    """

    id: str
    title: str = ""
    artist: str = ""
    language: str = ""
    album: str = ""
    file: Path | None = None
    span: Span | None = None
    seconds: float | None = None
    recording: str = ""
    tempo_bpm: float | None = None
    loudness_db: float | None = None
    key: int | None = None
    minor: bool | None = None

    @property
    def name(self) -> str:
        """ "Artist – Title"."""
        return display_title(self.id, self.title, self.artist)


class Songs:
    """What is known of many songs: for each field of `Song` a column of values.

    `copies` (int) may say which are one recording.
    """

    def __init__(self, ids: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> None:
        self.ids = tuple(ids)
        self._columns = dict(columns)
        if any(len(values) != len(self.ids) for values in self._columns.values()):
            raise ValueError("songs: every column has one value per id")

    @classmethod
    def of_table(cls, table: pd.DataFrame) -> Songs:
        """Of a table such as `Library.columns()`: one row per song, its id in the index."""
        cells = {str(name): list(table[name]) for name in table.columns}
        return cls([str(i) for i in table.index], _by_role(cells))

    @classmethod
    def of_ids(cls, ids: Sequence[str]) -> Songs:
        """Where nothing else is known: the artist is the first folder of "Artist/Album/song"."""
        return cls(ids, {"artist": [i.partition("/")[0] if "/" in i else "" for i in ids]})

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, track_id: object) -> bool:
        return track_id in self.row_of

    def __getitem__(self, track_id: str) -> Song:
        row = self.row_of[track_id]
        known = {f.name for f in fields(Song)}
        cells = {name: values[row] for name, values in self._columns.items() if name in known}
        cells["file"] = Path(cells["file"]) if cells.get("file") else None
        cells["title"] = display_title(track_id, cells.get("title") or None)
        return Song(track_id, **cells)

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        return {track_id: row for row, track_id in enumerate(self.ids)}

    def values(self, name: str, default: Any = "") -> Sequence[Any]:
        """A column; `default` for every song where nothing is known."""
        if name not in self._columns:
            self._columns[name] = [default] * len(self.ids)
        return self._columns[name]

    def take(self, ids: Sequence[str]) -> Songs:
        """Only these songs, in this order; nothing is known of those that are not there."""
        if tuple(ids) == self.ids:
            return self
        rows = [self.row_of.get(track_id) for track_id in ids]
        empty = {f.name: f.default for f in fields(Song)}
        found = {
            name: [empty.get(name) if row is None else values[row] for row in rows]
            for name, values in self._columns.items()
        }
        return Songs(ids, found)

    @cached_property
    def artist_keys(self) -> Sequence[str]:
        """One text per artist, guests left out; "" where nobody is known."""
        names = dict.fromkeys(self.values("artist"))
        known = dict(zip(names, known_artists(names)))
        keys = {name: bare(_GUEST.sub("", who)) if who else "" for name, who in known.items()}
        return [keys[name] for name in self.values("artist")]

    @cached_property
    def languages(self) -> Sequence[frozenset[str]]:
        """English names of the languages of every song."""
        different = {
            cell: frozenset(language_name(part) or part for part in split_cell(cell or None))
            for cell in dict.fromkeys(self.values("language"))
        }
        return [different[cell] for cell in self.values("language")]

    def version_key(self, row: int) -> str | None:
        """What versions of one song have in common: artist and title, without "(live)" and such."""
        title, artist = str(self.values("title")[row] or ""), self.artist_keys[row]
        if not title or not artist:
            return None
        plain = _ASIDE.sub(lambda m: " " if _VERSION.search(m.group()) else m.group(), title)
        return f"{artist}\n{bare(_GUEST.sub('', plain)) or bare(title)}"


def read_songs(library: Library, folder: ResultsFolder | None = None) -> Songs:
    """The analysed songs of a library, sorted by id; fast, as it needs no pandas.

    `labels.csv` of the folder knows languages that were identified.
    """
    files = library.audio_files()
    ids = list(files)
    names = library.column_names()
    wanted = {name for name in names if _field_of(name)}
    cells = library.cells(wanted)
    by_name = {name: [cells[name].get(i) for i in ids] for name in names if name in wanted}
    found = _by_role(by_name)
    identified = {} if folder is None else _identified(folder.tables / "labels.csv")
    if identified:
        before = found.get("language") or [""] * len(ids)
        found["language"] = [identified.get(i) or cell for i, cell in zip(ids, before)]
    spans, copies = library.spans(), library.facts("copies")
    found |= {"file": list(files.values()), "span": [spans.get(i) for i in ids]}
    different: dict[str, int] = {}
    found["copies"] = [
        different.setdefault(str(copies[i]) if i in copies else f"alone {i}", n)
        for n, i in enumerate(ids)
    ]
    return Songs(ids, found)


def _field_of(column: str) -> str | None:
    """The field of `Song` that a column fills."""
    name = bare(column)
    if name in _RECORDING:
        return "recording"
    if name in ("bpm", "tempo", "tempobpm"):
        return "tempo_bpm"
    if name in ("key", "initialkey"):
        return "key"
    role = find_roles([column]).by_column[column]
    shown = {Role.TITLE: "title", Role.ALBUM: "album", Role.LANGUAGE: "language"}
    return shown.get(role, "artist" if role in ARTIST_RULE else "") or None if role else None


def _by_role(cells: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Columns of a table as columns of `Songs`; of several for one field the first counts."""
    roles = find_roles(cells)
    columns = {
        "title": roles.column(Role.TITLE),
        "artist": roles.artist,
        "album": roles.column(Role.ALBUM),
        "language": roles.language,
    }
    for name in ("recording", "tempo_bpm", "key"):
        columns[name] = next((c for c in cells if _field_of(c) == name), None)
    found: dict[str, Sequence[Any]] = {}
    for name, column in columns.items():
        if column is None:
            continue
        texts = ["" if v is None or v != v else str(v) for v in cells[column]]
        if name == "tempo_bpm":
            found[name] = [_number(text) for text in texts]
        elif name == "key":
            keys = [_key(text) for text in texts]
            found["key"], found["minor"] = [k and k[0] for k in keys], [k and k[1] for k in keys]
        else:
            found[name] = texts
    return found


def _identified(path: Path) -> dict[str, str]:
    """Languages that an experiment found out, by id."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        language = find_roles(header).language
        if language is None or header[0] != "track_id":
            return {}
        at = header.index(language)
        return {row[0]: row[at] for row in rows if len(row) > at and row[at]}


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if 20 < value < 400 else None


def _key(text: str) -> tuple[int, bool] | None:
    """Tonic and whether minor, of "Am", "F# minor", "Bb", "8A" (Camelot's wheel)."""
    wheel = re.fullmatch(r"\s*(\d{1,2})\s*([ABab])\s*", text)
    if wheel and 1 <= int(wheel[1]) <= 12:
        minor = wheel[2] in "Aa"
        return ((int(wheel[1]) - 8) * 7 + (9 if minor else 0)) % 12, minor
    found = _MINOR.match(text)
    if not found:
        return None
    mode = found[3].strip().casefold()
    if mode not in ("", "m", "min", "minor", "moll", "maj", "major", "dur", "maj."):
        return None
    step = {"#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}.get(found[2] or "", 0)
    return (_NOTES[found[1].casefold()] + step) % 12, mode in ("m", "min", "minor", "moll")
