"""What is known of songs besides their vectors: names, language, file; read without pandas."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.columns import Role, bare, display_title, find_roles
from songscape.language_codes import language_name
from songscape.library.records import Span
from songscape.spellings import known_artists, split_cell

if TYPE_CHECKING:
    import pandas as pd

    from songscape.library import Library
    from songscape.results import ResultsFolder

_TAGS = {
    "recording": ("musicbrainzrecordingid", "musicbrainztrackid", "recordingmbid", "mbid"),
    "tempo_bpm": ("bpm", "tempo", "tempobpm"),
    "key": ("key", "initialkey"),
}
"""Fields of `Song` -> names of columns in their bare form that have no role."""
_GUEST = re.compile(r"[\s(\[]+(?:feat|ft|featuring|with)\b[. ].*$", re.IGNORECASE)
_VERSION = re.compile(
    r"\b(?:live|remaster(?:ed)?|remix|version|edit|mix|mono|stereo|demo|acoustic|unplugged|"
    r"instrumental|karaoke|bonus|explicit|clean|reprise|take|session)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*|\s+[-–—]\s+[^-–—]*$")
_WHEEL = re.compile(r"\s*(0?[1-9]|1[0-2])\s*([ABab])\s*")
_KEY = re.compile(
    r"\s*([A-Ha-h])\s*(#|♯|b|♭|sharp|flat)?\s*(?i:(m|min|minor|moll)|maj\.?|major|dur)?\s*"
)
_NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
_STEPS = {None: 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}


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

    Another, `copies`, may say which are one recording: their values are equal.
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
        return cls([str(i) for i in table.index], _by_field(_columns_by_field(cells), cells))

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
        cells = {name: its[row] for name, its in self._columns.items() if name != "copies"}
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
        found = {}
        for name, values in self._columns.items():
            nothing = getattr(Song, name, None)
            found[name] = [nothing if row is None else values[row] for row in rows]
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
    wanted = _columns_by_field(library.column_names())
    cells = library.cells(wanted.values())
    found = _by_field(wanted, {name: [its.get(i) for i in ids] for name, its in cells.items()})
    if folder is not None and (identified := _identified(folder.tables / "labels.csv")):
        before = found.get("language") or [""] * len(ids)
        found["language"] = [identified.get(i) or cell for i, cell in zip(ids, before)]
    found["file"] = list(files.values())
    for name, known in (("span", library.spans()), ("copies", library.facts("copies"))):
        found[name] = [known.get(i) for i in ids]
    return Songs(ids, found)


def _columns_by_field(names: Iterable[str]) -> dict[str, str]:
    """Fields of `Song` -> the column of a table that fills each; of several the first."""
    roles = find_roles(names)
    columns = {
        "title": roles.column(Role.TITLE),
        "artist": roles.artist,
        "album": roles.column(Role.ALBUM),
        "language": roles.language,
    }
    for field, known in _TAGS.items():
        columns[field] = next((name for name in roles.by_column if bare(name) in known), None)
    return {field: column for field, column in columns.items() if column is not None}


def _by_field(
    columns: Mapping[str, str], cells: Mapping[str, Sequence[Any]]
) -> dict[str, Sequence[Any]]:
    """Columns of a table as columns of `Songs`."""
    found: dict[str, Sequence[Any]] = {}
    for field, column in columns.items():
        texts = ["" if v is None or v != v else str(v) for v in cells[column]]
        if field == "tempo_bpm":
            found[field] = [_number(text) for text in texts]
        elif field == "key":
            keys = [_key(text) or (None, None) for text in texts]
            found["key"], found["minor"] = [key for key, _ in keys], [minor for _, minor in keys]
        else:
            found[field] = texts
    return found


def _identified(path: Path) -> dict[str, str]:
    """Languages that an experiment found out, by id."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        name = find_roles(rows.fieldnames or ()).language
        return {} if name is None else {row["track_id"]: row[name] for row in rows if row[name]}


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if 20 < value < 400 else None


def _key(text: str) -> tuple[int, bool] | None:
    """Tonic and whether minor, of "Am", "F# minor", "Bb", "8A" (Camelot's wheel)."""
    if wheel := _WHEEL.fullmatch(text):
        minor = wheel[2] in "Aa"
        return ((int(wheel[1]) - 8) * 7 + (9 if minor else 0)) % 12, minor
    if key := _KEY.fullmatch(text):
        return (_NOTES[key[1].casefold()] + _STEPS[key[2]]) % 12, key[3] is not None
    return None
