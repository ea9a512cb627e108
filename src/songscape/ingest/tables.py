"""tracks.csv -> tracks: the table that names audio, lyrics and labels."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import regex

from songscape.errors import SongscapeError
from songscape.ingest.csv_text import Row, cell_text, read_rows
from songscape.ingest.entries import Entry, entries_of_files
from songscape.ingest.file_kinds import LYRIC_SUFFIXES, without_suffix
from songscape.ingest.files import Files, display, file_trouble, nfc
from songscape.ingest.sidecars import match_sidecars
from songscape.library.records import LedgerRow

__all__ = ["read_table"]

OWN_COLUMNS = ("id", "audio", "lyrics")
_PATH_COLUMNS = frozenset(
    [
        "file",
        "filename",
        "filepath",
        "path",
        "location",
        "fullpath",
        "audiofile",
        "audiopath",
        "audiofilename",
        "trackpath",
        "trackfile",
        "relativepath",
        "relpath",
        "songfile",
        "songpath",
        "uri",
        "url",
        "wav",
        "mp3",
        "soundfile",
    ]
)
_FILE_NAME = regex.compile(
    rf"[^\n]{{1,255}}(?:{'|'.join(regex.escape(suffix) for suffix in LYRIC_SUFFIXES)})|\S+[/\\]\S+",
    regex.IGNORECASE,
)
_SHOWN = 60

Table = tuple[list[Entry], list[LedgerRow], tuple[str, ...]]


def read_table(path: Path, files: Files, *, must: bool = False) -> Table:
    """Read a table of tracks; rows that can't be used become problems with their reasons.

    A table without an `audio` column, of another program, is used where one of its columns names
    files under its folder: they get its other columns as labels. Else it is left aside.

    Parameters
    ----------
    path : Path
        Separated by comma, semicolon, tab or bar.
    files : Files
        The files under the table's folder, for sidecars and for audio the table does not list.
    must : bool
        Whether the user named the table, so that it can't be left aside.

    Returns
    -------
    entries, problems, label columns in the table's order

    Raises
    ------
    SongscapeError
        If the file is no table, or the user named it and it names no audio.
    """
    name = display(path.name)
    way_out = "" if must else ", or rename it to take the folder without it"
    try:
        rows, remark = read_rows(path, OWN_COLUMNS)
        if not rows:
            raise SongscapeError(f"{name}: empty; it needs a header row with an audio column")
        header = _header(name, rows[0][1])
    except SongscapeError as error:
        raise SongscapeError(f"{error}{way_out}") from None
    problems = []
    if remark:
        problems.append(LedgerRow(name, "scan", "warning", f"{name}: {remark}"))
    rows = [(line, [cell_text(cell) for cell in cells]) for line, cells in rows[1:]]
    if "audio" in header:
        table = _Table(name, header, rows, files)
        entries, more = table.entries()
        return entries, problems + more, table.labels
    column = _column_of_files(header, rows, files)
    if column is None:
        reason = f"{name}: no audio column, and no column that names the audio files here"
        if must:
            raise SongscapeError(f"{reason}; it has {', '.join(header[:8])}; add a column audio")
        problems.append(LedgerRow(name, "scan", "warning", f"{reason}; it is left aside"))
        entries, more = entries_of_files(files)
        return entries, problems + more, ()
    entries, more, labels = _labelled(name, header, rows, column, files)
    return entries, problems + more, labels


def _header(table: str, cells: Sequence[str]) -> list[str]:
    """Names of the columns: ours in lower case, none empty, none twice."""
    names = [" ".join(nfc(cell.strip()).splitlines()) for cell in cells]
    header = [
        name.lower() if name.lower() in OWN_COLUMNS else name or f"column {position}"
        for position, name in enumerate(names, 1)
    ]
    for position, column in enumerate(header):
        if column in header[:position]:
            if "audio" in header:
                raise SongscapeError(f"{table}: column {column!r} occurs twice; rename one")
            header[position] = f"{column} ({position + 1})"
    return header


class _Table:
    """A table with an `audio` column: every row is a track."""

    def __init__(self, name: str, header: list[str], rows: list[Row], files: Files) -> None:
        self.name, self.header, self.rows, self.files = name, header, rows, files
        self.labels = _label_columns(header, rows, OWN_COLUMNS)
        self.by_path = {nfc(place).casefold(): place for place in reversed(files.audio)}

    def entries(self) -> tuple[list[Entry], list[LedgerRow]]:
        """The tracks; rows and files that can't be used."""
        problems: list[LedgerRow] = []
        usable: list[tuple[str, str, dict[str, str]]] = []
        first_line: dict[str, int] = {}
        listed: set[str] = set()
        for line, cells in self.rows:
            values = dict(zip(self.header, cells))
            audio = values.get("audio", "")
            place = self._audio(audio) if audio else None
            if place is not None:
                listed.add(os.path.realpath(self.files.root / place))
            track_id = display(values.get("id", "") if "id" in self.header else _stem(audio))
            refused = self._refusal(line, cells, track_id, audio, place, first_line)
            if track_id and len(cells) <= len(self.header):
                first_line.setdefault(track_id, line)
            if refused is not None:
                problems.append(refused)
            elif place is not None:
                usable.append((track_id, place, values))
        places = [place for _, place, _ in usable] if "lyrics" not in self.header else []
        matches = match_sidecars(places, self.files.lyrics)
        entries, claimed = [], set(matches.files.values())
        for track_id, place, values in usable:
            sidecar, words = matches.files.get(place), None
            remarks: list[LedgerRow] = []
            if values.get("lyrics"):
                sidecar, words, remarks = _lyrics(values["lyrics"], track_id, self.name, self.files)
                claimed.add(sidecar or "")
            labels = {name: values[name] for name in self.labels if values.get(name)}
            entries.append(Entry(track_id, place, sidecar, words, labels, tuple(remarks)))
        return entries, problems + self._unlisted(listed, claimed, entries, problems)

    def _audio(self, written: str) -> str | None:
        found = _locate(self.files.root, written)
        return found or self.by_path.get(written.replace("\\", "/").casefold())

    def _refusal(
        self,
        line: int,
        cells: list[str],
        track_id: str,
        audio: str,
        place: str | None,
        first_line: dict[str, int],
    ) -> LedgerRow | None:
        where = f"{self.name} line {line}"
        shown = display(audio[:_SHOWN])
        if len(cells) > len(self.header):
            name, status = where, "failed"
            reason = f"{where}: {len(cells)} cells for {len(self.header)} columns; quote the cell"
        elif not track_id:
            name, status, reason = where, "failed", f"{where}: the id is empty; give it one"
        elif track_id in first_line:
            name, status = f"{track_id} (line {line})", "failed"
            reason = f"{where}: id {track_id!r} is taken by line {first_line[track_id]}; rename one"
        elif not audio:
            name, status, reason = track_id, "skipped", f"{where}: names no audio"
        elif place is None:
            trouble = _trouble(self.files.root, audio)
            name, status = track_id, "failed"
            reason = f"{shown}: listed in {self.name} but {trouble or 'not there'}"
        else:
            return None
        return LedgerRow(name, "scan", status, reason)

    def _unlisted(
        self,
        listed: set[str],
        claimed: set[str],
        entries: list[Entry],
        problems: list[LedgerRow],
    ) -> list[LedgerRow]:
        """Audio and lyric files that the table doesn't name."""
        taken = {entry.id for entry in entries} | {row.track_id for row in problems}
        rows = []
        for place in sorted([*self.files.audio, *self.files.failed]):
            if os.path.realpath(self.files.root / place) not in listed:
                name = nfc(display(place))
                name = f"{name} (file)" if name in taken else name
                rows.append(
                    LedgerRow(name, "scan", "skipped", f"{name}: not listed in {self.name}")
                )
        if "lyrics" in self.header:
            unclaimed: Iterable[str] = set(self.files.lyrics) - claimed
        else:
            unclaimed = match_sidecars([e.place for e in entries], self.files.lyrics).unclaimed
        for place in sorted(unclaimed):
            reason = f"{display(place)}: the words of no track in {self.name}"
            rows.append(LedgerRow(display(place), "lyrics", "skipped", reason))
        return rows


def _label_columns(
    header: Sequence[str], rows: Sequence[Row], without: Iterable[str]
) -> tuple[str, ...]:
    """Columns that are not ours, without nameless ones that are empty or only count the rows."""
    kept = []
    for position, name in enumerate(header):
        if name in without:
            continue
        cells = [cells[position] for _, cells in rows if position < len(cells)]
        counted = [str(number) for number in range(len(cells))]
        if name == f"column {position + 1}" and (not any(cells) or cells == counted):
            continue
        kept.append(name)
    return tuple(kept)


def _lyrics(
    cell: str, track_id: str, table: str, files: Files
) -> tuple[str | None, str | None, list[LedgerRow]]:
    """A cell of the column `lyrics`: the lyric file it names, or the words it holds."""
    if "\n" not in cell and "\r" not in cell and len(cell) <= 255:
        found = _locate(files.root, cell)
        if found is not None:
            return found, None, []
        if _FILE_NAME.fullmatch(cell):
            trouble = _trouble(files.root, cell)
            reason = f"{display(cell[:_SHOWN])}: listed in {table} but {trouble or 'not there'}"
            return None, None, [LedgerRow(track_id, "lyrics", "failed", reason)]
    return None, cell, []


def _locate(root: Path, written: str) -> str | None:
    """The path as it exists (a table may spell it in another Unicode form or with backslashes)."""
    for spelling in (written, written.replace("\\", "/")):
        for form in ("NFC", "NFD"):
            candidate = unicodedata.normalize(form, spelling)
            try:
                if (root / candidate).is_file():
                    return candidate
            except (OSError, ValueError):  # a name no file system takes
                continue
    return None


def _trouble(root: Path, written: str) -> str | None:
    """Why a path that is there is no file."""
    path = os.fspath(root / written.replace("\0", ""))
    return file_trouble(path) if os.path.lexists(path) else None


def _stem(audio: str) -> str:
    try:
        return str(PurePosixPath(audio.replace("\\", "/")).with_suffix(""))
    except ValueError:  # a path without a name
        return audio


# -- tables of other programs --------------------------------------------------------------------


def _parts(cell: str) -> list[str]:
    """The folders and the name in a path or file URL of any system, in one spelling."""
    path = unquote(cell[7:]) if cell.lower().startswith("file://") else cell
    return [part for part in nfc(path).casefold().replace("\\", "/").split("/") if part != "."]


def _matches(cells: Sequence[str], files: Files) -> list[str | None]:
    """The audio file that each cell names by the end of its path, None where it is not one."""
    by_end: dict[str, set[str]] = defaultdict(set)
    for place in files.audio:
        parts = _parts(place)
        for start in range(len(parts)):
            by_end["/".join(parts[start:])].add(place)
    found: list[str | None] = []
    for cell in cells:
        parts = _parts(cell)
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        places = next((by_end[end] for end in ends if end in by_end), set())
        found.append(next(iter(places)) if len(places) == 1 else None)
    return found


def _column_of_files(header: Sequence[str], rows: Sequence[Row], files: Files) -> int | None:
    """The column that names most audio files: half of them, or in half of its cells."""
    best, most = None, 0
    for position, name in enumerate(header):
        cells = [cells[position] for _, cells in rows if position < len(cells)]
        given = [cell for cell in cells if cell]
        bare = "".join(c for c in name.casefold() if c.isalnum())
        likely = (
            bare in _PATH_COLUMNS or sum(without_suffix(c) != c for c in given) > len(given) / 2
        )
        matched = len({m for m in _matches(given, files) if m}) if likely else 0
        if matched > most and 2 * matched >= min(len(given), len(files.audio)):
            best, most = position, matched
    return best


def _labelled(name: str, header: list[str], rows: list[Row], column: int, files: Files) -> Table:
    """The folder's tracks with the labels of a table that names them in one of its columns."""
    labels = _label_columns(header, rows, (*OWN_COLUMNS, header[column]))
    cells = [cells[column] if column < len(cells) else "" for _, cells in rows]
    values: dict[str, dict[str, str]] = {}
    for (_, row), place in zip(rows, _matches(cells, files)):
        if place is not None:
            values.setdefault(place, dict(zip(header, row)))
    entries, problems = entries_of_files(files)
    found = []
    for entry in entries:
        given = values.get(entry.place, {})
        sidecar, words, remarks = entry.sidecar, entry.words, list(entry.remarks)
        if given.get("lyrics") and sidecar is None:
            sidecar, words, remarks = _lyrics(given["lyrics"], entry.id, name, files)
        kept = {label: given[label] for label in labels if given.get(label)}
        found.append(Entry(entry.id, entry.place, sidecar, words, kept, tuple(remarks)))
    lost = len(rows) - len(values)
    reason = f"{name}: another program's; its column {header[column]!r} names {len(values)} of "
    reason += f"{len(files.audio)} audio files" + (f", {lost} rows name none" if lost else "")
    return found, [*problems, LedgerRow(name, "scan", "warning", reason)], labels
