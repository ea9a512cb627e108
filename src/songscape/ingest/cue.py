"""CUE sheets: albums in one file -> their tracks, with times and titles."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import regex

from songscape.ingest.encodings import NotTextError, decode_text
from songscape.ingest.file_kinds import without_suffix
from songscape.ingest.files import UnreadableError, display, nfc, read_bytes
from songscape.library.records import LedgerRow

_MAX_BYTES, _MAX_TRACKS, _MAX_LINE = 1 << 20, 999, 1000
_FRAMES = 75  # a second, on a compact disc
_FILE = regex.compile(r'\s*FILE\s+(?:"([^"]*)"|(\S.*?))(?:\s+\w+)?\s*', regex.IGNORECASE)
_LINE = regex.compile(r'\s*(?:REM\s+)?(\w+)\s+"?([^"]*)"?\s*', regex.IGNORECASE)
_INDEX = regex.compile(r"\s*INDEX\s+0*1\s+(\d{1,4}):(\d{1,2}):(\d{1,2})\s*", regex.IGNORECASE)
_TRACK = regex.compile(r"\s*TRACK\s+(\d{1,3})\s+AUDIO\b.*", regex.IGNORECASE)
_OTHER_TRACK = regex.compile(r"\s*TRACK\b.*", regex.IGNORECASE)
_CELLS = {"TITLE": "title", "PERFORMER": "artist", "SONGWRITER": "composer"}
_OF_ALBUM = {"TITLE": "album", "PERFORMER": "albumartist", "GENRE": "genre", "DATE": "year"}


@dataclass(frozen=True)
class CueTrack:
    """A track of an album: its number, its beginning and end in seconds, and its cells.

    The last one ends with the file: None.
    """

    number: int
    start: float
    end: float | None = None
    cells: dict[str, str] = field(default_factory=dict)


def albums_in(
    root: Path, sheets: Iterable[str], audio: Iterable[str]
) -> tuple[dict[str, list[CueTrack]], list[LedgerRow]]:
    """The tracks of audio files that a sheet beside them splits, and sheets that cannot be used.

    A sheet names its file; a file of another format under that name, or under the sheet's own, is
    taken where that is the only one. Sheets with a file for every track say nothing that is needed.
    """
    by_name: dict[str, list[str]] = {}
    for place in audio:
        for key in {_key(place), _key(without_suffix(place))}:
            by_name.setdefault(key, []).append(place)
    albums: dict[str, list[CueTrack]] = {}
    problems = []
    for sheet in sorted(sheets):
        try:
            text = _text(read_bytes(root / sheet, _MAX_BYTES))
        except (UnreadableError, NotTextError) as error:
            name = display(sheet)
            reason = f"{name}: {error}; its album is read as one track"
            problems.append(LedgerRow(name, "scan", "warning", reason))
            continue
        for written, tracks in _files_of(text):
            found = _place(sheet, written, by_name)
            if len(tracks) > 1 and found is not None:
                albums.setdefault(found, tracks)
    return albums, problems


def embedded_album(sheet: str) -> list[CueTrack]:
    """The tracks of a sheet within the file that it is about; of several files, none."""
    if not regex.search(r"(?im)^\s*FILE\s", sheet):
        sheet = regex.sub(r"(?im)^(?=\s*TRACK\s)", 'FILE "" WAVE\n', sheet, count=1)
    albums = [tracks for _, tracks in _files_of(sheet)]
    return albums[0] if len(albums) == 1 and len(albums[0]) > 1 else []


def _text(data: bytes) -> str:
    """The text of a sheet; its names are often too few to tell an older encoding by."""
    try:
        return decode_text(data, mend=True)[0]
    except NotTextError:
        if b"\0" in data or not regex.search(rb"(?i)^\s*TRACK\s+\d", data, regex.MULTILINE):
            raise
        return data.decode("cp1252", "replace")


def _place(sheet: str, written: str, by_name: dict[str, list[str]]) -> str | None:
    name = written.replace("\\", "/").rpartition("/")[2]
    inside = os.path.join(os.path.dirname(sheet), name)
    for key in (inside, without_suffix(inside), os.path.splitext(sheet)[0]):
        found = by_name.get(_key(key), [])
        if len(found) == 1:
            return found[0]
    return None


def _key(place: str) -> str:
    return nfc(place).casefold()


def _files_of(text: str) -> list[tuple[str, list[CueTrack]]]:
    """The files that a sheet names, each with its tracks in the order of their times."""
    album: dict[str, str] = {}
    files: list[tuple[str, dict[int, CueTrack]]] = []
    current: CueTrack | None = None
    for line in text.splitlines():
        if len(line) > _MAX_LINE:  # no line of a sheet, and reading it would take very long
            continue
        if index := _INDEX.fullmatch(line):
            minutes, seconds, frames = map(int, index.groups())
            if current is not None and files:
                start = 60 * minutes + seconds + frames / _FRAMES
                files[-1][1].setdefault(current.number, replace(current, start=start))
        elif track := _TRACK.fullmatch(line):
            current = CueTrack(int(track[1]), 0.0)
        elif _OTHER_TRACK.fullmatch(line):
            current = None
        elif file := _FILE.fullmatch(line):
            files.append((file[1] or file[2] or "", {}))
            current = None
        elif found := _LINE.fullmatch(line):
            word, value = found[1].upper(), nfc(" ".join(found[2].split()))
            if value and current is not None and word in _CELLS:
                current.cells[_CELLS[word]] = value
            elif value and not files and word in _OF_ALBUM:
                album.setdefault(_OF_ALBUM[word], value)
    return [(name, _whole(list(tracks.values()), album)) for name, tracks in files]


def _whole(tracks: list[CueTrack], album: dict[str, str]) -> list[CueTrack]:
    """Tracks with their ends and all their cells; those of no length are none."""
    tracks = sorted(tracks, key=lambda track: track.start)[:_MAX_TRACKS]
    whole = []
    for track, after in zip(tracks, [*tracks[1:], None]):
        end = None if after is None else after.start
        if end is None or end > track.start:
            cells = {"title": f"Track {track.number}", "tracknumber": str(track.number)}
            cells |= {"artist": album.get("albumartist", "")} | track.cells | album
            cells = {name: value for name, value in cells.items() if value}
            whole.append(replace(track, end=end, cells=cells))
    return whole
