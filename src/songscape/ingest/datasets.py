"""Layouts of published data sets -> the rows that a `tracks.csv` would have.

A layout is recognised by its files. Of a data set that is kept in part, what is there is taken.
Nothing is downloaded.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import regex

from songscape.columns import bare
from songscape.data_tables import read_table
from songscape.errors import SongscapeError
from songscape.ingest.files import Files, display
from songscape.ingest.tags import BETWEEN
from songscape.library.records import Collection, Lyrics

Cells = dict[str, str]
_GENRES = frozenset(map(bare, read_table("ingest/data", "datasets")["genres"].split(",")))
_MERGE = regex.compile(r"(?:.*/)?merge_(\w+)_metadata\.csv")
_GTZAN = regex.compile(r"(?:.*/)?(\w+)/\1\.(\d{5})\.\w+")


@dataclass(frozen=True)
class Layout:
    """A layout of data sets: its name, its licence, and the files by which it is recognised.

    `read` goes from the folder to its rows, or None where it is of another layout; it is None for
    tables, which `songscape.ingest.tables` reads.
    """

    name: str
    licence: str
    files: str
    read: Callable[[_Folder], Iterable[Cells] | None] | None = None


@dataclass(frozen=True)
class Found:
    """What a data set's files say: the layout, the rows, and how many name no file that is here."""

    layout: Layout
    rows: list[Cells]
    n_absent: int


class _Folder:
    """A collection's folder and what is in it, by the last parts of paths."""

    def __init__(self, files: Files) -> None:
        self.root, self.audio, self.lyrics = files.root, files.audio, files.lyrics
        self.tables = sorted(files.tables, key=lambda place: (place.count("/"), place))

    @cached_property
    def by_stem(self) -> dict[str, str]:
        """Audio files by the first part of their names: "214.low.mp3" is 214."""
        return {os.path.basename(place).partition(".")[0]: place for place in self.audio[::-1]}

    @cached_property
    def lyrics_by_stem(self) -> dict[str, str]:
        return {os.path.basename(place).partition(".")[0]: place for place in self.lyrics[::-1]}

    def path(self, *names: str) -> Path | None:
        """The first of these tables that is there, in the folder or below it."""
        for name in names:
            for place in self.tables:
                if place == name or place.endswith(f"/{name}"):
                    return self.root / place
        return None

    def lines(self, path: Path, delimiter: str = ",") -> Iterator[list[str]]:
        csv.field_size_limit((1 << 31) - 1)
        with _opened(path) as file:
            yield from csv.reader(file, delimiter=delimiter)

    def table(self, path: Path, delimiter: str = ",") -> list[Cells]:
        """The rows of a table by its header; "" where a row is short."""
        lines = self.lines(path, delimiter)
        header = next(lines, [])
        return [dict(zip(header, cells)) for cells in lines]


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """A text file of a data set; what is wrong with it is said in one line."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            yield file
    except (OSError, csv.Error) as error:
        reason = f"{display(path.name)}: cannot be read ({error}); unpack the data set again"
        raise SongscapeError(reason) from None


def find_dataset(files: Files) -> Found | None:
    """The data set whose files are in a folder, None where it is of no layout that is known."""
    folder = _Folder(files)
    for layout in LAYOUTS:
        rows = None if layout.read is None else layout.read(folder)
        if rows is not None:
            every = list(rows)
            here = [_written(row) for row in every if row.get("audio")]
            if here:
                return Found(layout, here, len(every) - len(here))
    return None


def _written(row: Mapping[str, Any]) -> Cells:
    return {name: str(value) for name, value in row.items() if value not in (None, "")}


def _first_and_all(values: Iterable[str]) -> Cells:
    genres = [value.strip() for value in values if value.strip()]
    found = {"genre": genres[0]} if genres else {}
    return found | ({"genres_all": BETWEEN.join(genres)} if len(genres) > 1 else {})


def _fma(folder: _Folder) -> Iterator[Cells] | None:
    path = folder.path("fma_metadata/tracks.csv")
    return None if path is None else _fma_rows(folder, path)


def _fma_rows(folder: _Folder, path: Path) -> Iterator[Cells]:
    names = read_table("ingest/data", "datasets")["fma"]
    lines = folder.lines(path)
    top, second, _ = next(lines, []), next(lines, []), next(lines, [])
    places = {f"{a}.{b}": place for place, (a, b) in enumerate(zip(top, second))}
    wanted = {column: places[name] for column, name in names.items() if name in places}
    for cells in lines:
        if cells and cells[0].isdigit():
            place = folder.by_stem.get(f"{int(cells[0]):06d}", "")
            row = {name: cells[at] for name, at in wanted.items() if at < len(cells)}
            yield {"id": cells[0], "audio": place, **row, "year": row.get("year", "")[:4]}


def _jamendo(folder: _Folder) -> Iterator[Cells] | None:
    names = ("autotagging.tsv", "autotagging_genre.tsv", "raw_30s.tsv", "raw.tsv")
    path = folder.path(*names)
    if path is None or next(folder.lines(path, "\t"), [])[:1] != ["TRACK_ID"]:
        return None
    titles = folder.path("raw.meta.tsv")
    known = {row["TRACK_ID"]: row for row in folder.table(titles, "\t")} if titles else {}
    return _jamendo_rows(folder, path, known)


def _jamendo_rows(folder: _Folder, path: Path, known: Mapping[str, Cells]) -> Iterator[Cells]:
    lines = folder.lines(path, "\t")
    next(lines, None)
    for track, artist, album, place, _, *tags in (cells for cells in lines if len(cells) > 4):
        its: dict[str, list[str]] = {}
        for tag in tags:
            kind, _, value = tag.partition("---")
            its.setdefault(kind, []).append(value)
        meta = known.get(track, {})
        others = {
            name: BETWEEN.join(its.get(kind, ()))
            for name, kind in (("mood", "mood/theme"), ("instrument", "instrument"))
        }
        yield {
            "id": track,
            "audio": folder.by_stem.get(os.path.basename(place).partition(".")[0], ""),
            "title": meta.get("TRACK_NAME", ""),
            "artist": meta.get("ARTIST_NAME", artist),
            "album": meta.get("ALBUM_NAME", album),
            "year": meta.get("RELEASEDATE", "")[:4],
            **_first_and_all(its.get("genre", ())),
            **others,
        }


def _music4all(folder: _Folder) -> Iterator[Cells] | None:
    path = folder.path("id_information.csv")
    if path is None:
        return None
    more: dict[str, Cells] = {}
    for name in ("id_genres.csv", "id_lang.csv", "id_metadata.csv"):
        other = path.with_name(name)
        for row in folder.table(other, "\t") if other.is_file() else ():
            more.setdefault(row.get("id", ""), {}).update(row)
    return (
        {
            "id": row["id"],
            "audio": folder.by_stem.get(row["id"], ""),
            "lyrics": folder.lyrics_by_stem.get(row["id"], ""),
            "title": row.get("song", ""),
            "artist": row.get("artist", ""),
            "album": row.get("album_name", ""),
            **_first_and_all(more.get(row["id"], {}).get("genres", "").split(",")),
            "language": more.get(row["id"], {}).get("lang", ""),
            "year": more.get(row["id"], {}).get("release", ""),
        }
        for row in folder.table(path, "\t")
        if row.get("id")
    )


def _merge(folder: _Folder) -> Iterator[Cells] | None:
    found = next(filter(None, map(_MERGE.fullmatch, folder.tables)), None)
    if found is None:
        return None
    path, kind = folder.root / found[0], found[1]
    splits = {}
    for name in ("train", "validate", "test"):
        part = path.parent / "tvt_dataframes" / "tvt_70_15_15" / f"tvt_70_15_15_{name}_{kind}.csv"
        for row in folder.table(part) if part.is_file() else ():
            splits[row.get("Song") or row.get("Audio_Song", "")] = name
    return (
        {
            "id": song,
            "audio": folder.by_stem.get(song, ""),
            "lyrics": folder.lyrics_by_stem.get(row.get("Lyric_Song", ""), ""),
            "title": row.get("Title", ""),
            "artist": row.get("Artist", ""),
            "year": row.get("ActualYear") or row.get("Year", ""),
            "emotion": row.get("Quadrant", ""),
            "split": splits.get(song, ""),
        }
        for row in folder.table(path)
        if (song := row.get("Audio_Song") or row.get("Song", ""))
    )


def _gtzan(folder: _Folder) -> Iterator[Cells] | None:
    found = {place: _GTZAN.fullmatch(place) for place in folder.audio}
    if 2 * sum(map(bool, found.values())) <= len(found) or not found:
        return None
    splits: dict[str, str] = {}
    for split in ("train", "valid", "test"):
        name = f"{split}_filtered.txt"
        for place in [each for each in folder.lyrics if os.path.basename(each) == name]:
            folder.lyrics.remove(place)
            with _opened(folder.root / place) as file:
                songs = file.read().split()
            splits |= {os.path.splitext(song.rpartition("/")[2])[0]: split for song in songs}
    rows = []
    for place, match in found.items():
        song = f"{match[1]}.{match[2]}" if match else ""
        if match and (song in splits or not splits):
            row = {"id": song, "audio": place, "genre": match[1], "split": splits.get(song, "")}
            rows.append(row)
    return iter(rows)


def _genre_folders(folder: _Folder) -> Iterator[Cells] | None:
    above = {place: place.rpartition("/")[0].rpartition("/")[2] for place in folder.audio}
    names = set(above.values())
    if len(names) < 2 or not all(bare(name) in _GENRES for name in names):
        return None
    return ({"audio": place, "genre": genre} for place, genre in above.items())


def _mirdata(folder: _Folder) -> Iterator[Cells] | None:
    for path in (folder.root / place for place in folder.tables if place.endswith(".json")):
        try:
            index = json.loads(path.read_bytes()) if path.stat().st_size < 1 << 28 else None
        except (OSError, ValueError, RecursionError):
            continue
        tracks = index.get("tracks") if isinstance(index, dict) and "version" in index else None
        if isinstance(tracks, dict):
            return _mirdata_rows(folder, tracks)
    return None


def _mirdata_rows(folder: _Folder, tracks: Mapping[str, Any]) -> Iterator[Cells]:
    audio, lyrics = set(folder.audio), set(folder.lyrics)
    for track_id, entry in tracks.items():
        pairs = entry.values() if isinstance(entry, dict) else ()
        places = [pair[0] for pair in pairs if isinstance(pair, list) and pair and pair[0]]
        named = [next((here for here in (p, _below(p)) if here in audio), "") for p in places]
        words = next((p for p in places if p in lyrics), "")
        yield {"id": str(track_id), "audio": next(filter(None, named), ""), "lyrics": words}


def _below(place: str) -> str:
    return str(place).partition("/")[2]


def _jsonl(folder: _Folder) -> Iterator[Cells] | None:
    path = folder.root / "tracks.jsonl"
    return _jsonl_rows(path) if "tracks.jsonl" in folder.tables else None


def _jsonl_rows(path: Path) -> Iterator[Cells]:
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise SongscapeError(f"{path.name} line {number}: not a JSON object; correct it")
            yield {str(name): _cell(value) for name, value in row.items()}


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return BETWEEN.join(str(each) for each in value if isinstance(each, str | int | float))
    return "" if value is None or isinstance(value, dict) else str(value)


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


_READERS = {
    "jsonl": _jsonl,
    "mirdata": _mirdata,
    "fma": _fma,
    "jamendo": _jamendo,
    "music4all": _music4all,
    "merge": _merge,
    "gtzan": _gtzan,
    "genre_folders": _genre_folders,
}
LAYOUTS = tuple(
    Layout(row["name"], row["licence"], row["files"], _READERS.get(row.get("read", "")))
    for row in read_table("ingest/data", "datasets")["layout"]
)
"""Those that are known, in the order in which they are tried."""
