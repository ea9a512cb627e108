"""Layouts of published data sets -> the rows that a `tracks.csv` would have.

A layout is recognised by its files. Of a data set that is kept in part, what is there is taken.
Nothing is downloaded.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import regex

from songscape.columns import bare
from songscape.data_tables import Row, read_table
from songscape.errors import SongscapeError
from songscape.ingest.files import Files, display
from songscape.ingest.tags import BETWEEN
from songscape.library.records import Collection, Lyrics

Cells = dict[str, str]
_TABLE = read_table("ingest/data", "datasets")
LAYOUTS: Sequence[Row] = _TABLE["layout"]
"""Those that are known, in the order in which they are tried."""
_GENRES = frozenset(map(bare, _TABLE["genres"].split(",")))
_MERGE = regex.compile(r"(?:.*/)?merge_(\w+)_metadata\.csv")
_GTZAN = regex.compile(r"(?:.*/)?(\w+)/\1\.(\d{5})\.\w+")


class _Folder:
    """A collection's folder and what is in it; files by the first part of their names."""

    def __init__(self, files: Files) -> None:
        self.root, self.audio, self.lyrics = files.root, files.audio, files.lyrics
        self.tables = sorted(files.tables, key=lambda place: (place.count("/"), place))
        self.by_stem = {_stem(place): place for place in reversed(files.audio)}
        self.lyrics_by_stem = {_stem(place): place for place in reversed(files.lyrics)}

    def path(self, *names: str) -> Path | None:
        """The first of these tables that is there, in the folder or below it."""
        for name in names:
            for place in self.tables:
                if place == name or place.endswith(f"/{name}"):
                    return self.root / place
        return None


def _stem(place: str) -> str:
    """What a file is called by: "14/214.low.mp3" is 214."""
    return os.path.basename(place).partition(".")[0]


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """A text file of a data set; what is wrong with it is said in one line."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            yield file
    except (OSError, csv.Error) as error:
        reason = f"{display(path.name)}: cannot be read ({error}); unpack the data set again"
        raise SongscapeError(reason) from None


def _lines(path: Path | None, delimiter: str = ",") -> Iterator[list[str]]:
    """The rows of a table; none where it is not there."""
    if path is not None and path.is_file():
        csv.field_size_limit((1 << 31) - 1)
        with _opened(path) as file:
            yield from csv.reader(file, delimiter=delimiter)


def _table(path: Path | None, delimiter: str = ",") -> Iterator[Cells]:
    """The same by its header."""
    lines = _lines(path, delimiter)
    header = next(lines, [])
    return (dict(zip(header, cells)) for cells in lines)


def find_dataset(files: Files) -> tuple[str, list[Cells], int] | None:
    """The data set in a folder: its layout's name, its rows, and how many have no file here.

    None where it is of no layout that is known.
    """
    folder = _Folder(files)
    for layout in LAYOUTS:
        rows = list(_READERS[layout["read"]](folder)) if "read" in layout else []
        here = [{name: cell for name, cell in row.items() if cell} for row in rows if row["audio"]]
        if here:
            return layout["name"], here, len(rows) - len(here)
    return None


def _first_and_all(values: Iterable[str]) -> Cells:
    genres = [value.strip() for value in values if value.strip()]
    found = {"genre": genres[0]} if genres else {}
    return found | ({"genres_all": BETWEEN.join(genres)} if len(genres) > 1 else {})


def _fma(folder: _Folder) -> Iterator[Cells]:
    lines = _lines(folder.path("fma_metadata/tracks.csv"))
    top, second, _ = next(lines, []), next(lines, []), next(lines, [])
    places = {f"{a}.{b}": place for place, (a, b) in enumerate(zip(top, second))}
    wanted = {column: places[name] for column, name in _TABLE["fma"].items() if name in places}
    for cells in lines:
        if cells and cells[0].isdigit():
            place = folder.by_stem.get(f"{int(cells[0]):06d}", "")
            row = {name: cells[at] for name, at in wanted.items() if at < len(cells)}
            yield {"id": cells[0], "audio": place, **row, "year": row.get("year", "")[:4]}


def _jamendo(folder: _Folder) -> Iterator[Cells]:
    names = ("autotagging.tsv", "autotagging_genre.tsv", "raw_30s.tsv", "raw.tsv")
    lines = _lines(folder.path(*names), "\t")
    if next(lines, [])[:1] != ["TRACK_ID"]:
        return
    known = {row["TRACK_ID"]: row for row in _table(folder.path("raw.meta.tsv"), "\t")}
    for track, artist, album, place, _, *tags in (cells for cells in lines if len(cells) > 4):
        its: dict[str, list[str]] = {}
        for tag in tags:
            kind, _, value = tag.partition("---")
            its.setdefault(kind, []).append(value)
        meta = known.get(track, {})
        yield {
            "id": track,
            "audio": folder.by_stem.get(_stem(place), ""),
            "title": meta.get("TRACK_NAME", ""),
            "artist": meta.get("ARTIST_NAME", artist),
            "album": meta.get("ALBUM_NAME", album),
            "year": meta.get("RELEASEDATE", "")[:4],
            **_first_and_all(its.get("genre", ())),
            "mood": BETWEEN.join(its.get("mood/theme", ())),
            "instrument": BETWEEN.join(its.get("instrument", ())),
        }


def _music4all(folder: _Folder) -> Iterator[Cells]:
    path = folder.path("id_information.csv")
    more: dict[str, Cells] = {}
    for name in ("id_genres.csv", "id_lang.csv", "id_metadata.csv"):
        for row in _table(path and path.with_name(name), "\t"):
            more.setdefault(row.get("id", ""), {}).update(row)
    for row in _table(path, "\t"):
        if song := row.get("id"):
            its = more.get(song, {})
            yield {
                "id": song,
                "audio": folder.by_stem.get(song, ""),
                "lyrics": folder.lyrics_by_stem.get(song, ""),
                "title": row.get("song", ""),
                "artist": row.get("artist", ""),
                "album": row.get("album_name", ""),
                **_first_and_all(its.get("genres", "").split(",")),
                "language": its.get("lang", ""),
                "year": its.get("release", ""),
            }


def _merge(folder: _Folder) -> Iterator[Cells]:
    found = next(filter(None, map(_MERGE.fullmatch, folder.tables)), None)
    if found is None:
        return
    path = folder.root / found[0]
    splits = {}
    for name in ("train", "validate", "test"):
        part = f"tvt_dataframes/tvt_70_15_15/tvt_70_15_15_{name}_{found[1]}.csv"
        for row in _table(path.parent / part):
            splits[row.get("Song") or row.get("Audio_Song", "")] = name
    for row in _table(path):
        if song := row.get("Audio_Song") or row.get("Song", ""):
            yield {
                "id": song,
                "audio": folder.by_stem.get(song, ""),
                "lyrics": folder.lyrics_by_stem.get(row.get("Lyric_Song", ""), ""),
                "title": row.get("Title", ""),
                "artist": row.get("Artist", ""),
                "year": row.get("ActualYear") or row.get("Year", ""),
                "emotion": row.get("Quadrant", ""),
                "split": splits.get(song, ""),
            }


def _gtzan(folder: _Folder) -> Iterator[Cells]:
    found = {place: match for place in folder.audio if (match := _GTZAN.fullmatch(place))}
    if 2 * len(found) <= len(folder.audio):
        return
    splits: dict[str, str] = {}
    for split in ("train", "valid", "test"):
        name = f"{split}_filtered.txt"
        for place in [each for each in folder.lyrics if os.path.basename(each) == name]:
            folder.lyrics.remove(place)
            with _opened(folder.root / place) as file:
                songs = file.read().split()
            splits |= {os.path.splitext(song.rpartition("/")[2])[0]: split for song in songs}
    for place, match in found.items():
        song = f"{match[1]}.{match[2]}"
        if song in splits or not splits:
            yield {"id": song, "audio": place, "genre": match[1], "split": splits.get(song, "")}


def _genre_folders(folder: _Folder) -> Iterator[Cells]:
    above = {place: place.rpartition("/")[0].rpartition("/")[2] for place in folder.audio}
    names = set(above.values())
    if len(names) > 1 and all(bare(name) in _GENRES for name in names):
        yield from ({"audio": place, "genre": genre} for place, genre in above.items())


def _mirdata(folder: _Folder) -> Iterator[Cells]:
    for path in (folder.root / place for place in folder.tables if place.endswith(".json")):
        try:
            index = json.loads(path.read_bytes()) if path.stat().st_size < 1 << 28 else None
        except (OSError, ValueError, RecursionError):
            continue
        tracks = index.get("tracks") if isinstance(index, dict) and "version" in index else None
        if isinstance(tracks, dict):
            yield from _indexed(folder, tracks)
            return


def _indexed(folder: _Folder, tracks: dict[str, Any]) -> Iterator[Cells]:
    """The rows of a mirdata index; its paths may begin with the name of the data set's folder."""
    audio, lyrics = set(folder.audio), set(folder.lyrics)
    for track_id, entry in tracks.items():
        pairs = entry.values() if isinstance(entry, dict) else ()
        places = [str(pair[0]) for pair in pairs if isinstance(pair, list) and pair and pair[0]]
        spelled = [each for place in places for each in (place, place.partition("/")[2])]
        yield {
            "id": str(track_id),
            "audio": next((place for place in spelled if place in audio), ""),
            "lyrics": next((place for place in places if place in lyrics), ""),
        }


def _jsonl(folder: _Folder) -> Iterator[Cells]:
    if "tracks.jsonl" not in folder.tables:
        return
    with _opened(folder.root / "tracks.jsonl") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise SongscapeError(f"tracks.jsonl line {number}: not a JSON object; correct it")
            yield {"audio": ""} | {str(name): _cell(value) for name, value in row.items()}


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return BETWEEN.join(str(each) for each in value if isinstance(each, str | int | float))
    return "" if value is None or isinstance(value, dict) else str(value)


_READERS: dict[str, Callable[[_Folder], Iterator[Cells]]] = {
    "jsonl": _jsonl,
    "mirdata": _mirdata,
    "fma": _fma,
    "jamendo": _jamendo,
    "music4all": _music4all,
    "merge": _merge,
    "gtzan": _gtzan,
    "genre_folders": _genre_folders,
}
"""Each goes from a folder to its rows; none where it is of another layout."""


def mirdata_index(collection: Collection) -> dict[str, Any]:
    """An index as mirdata has it: the audio and lyric file of each track, and their MD5 sums.

    Paths are relative to the collection's folder; what is not there has None.
    """
    lyrics = {
        Path(stamp.path).stem: Path(stamp.path)
        for stamp, what in collection.files.items()
        if isinstance(what, Lyrics)
    }
    tracks = {}
    for track in collection.tracks:
        words = lyrics.get(track.audio.stem) if track.audio is not None else None
        tracks[track.id] = {
            name: [None, None] if path is None else _named(path, collection.root)
            for name, path in (("audio", track.audio), ("lyrics", words))
        }
    return {"version": "1.0", "tracks": tracks}


def _named(path: Path, root: Path) -> list[str]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    return [inside.as_posix(), digest.hexdigest()]
