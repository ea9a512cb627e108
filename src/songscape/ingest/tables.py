"""tracks.csv -> tracks: the table that names audio, lyrics and labels."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import regex

from songscape.columns import bare
from songscape.errors import SongscapeError
from songscape.ingest.csv_text import Row, cell_text, read_rows
from songscape.ingest.entries import Entry, entries_of_files, unclaimed_rows
from songscape.ingest.file_kinds import LYRIC_SUFFIXES, is_audio_name
from songscape.ingest.files import Files, display, file_trouble, nfc
from songscape.ingest.moved import followed
from songscape.ingest.sidecars import match_sidecars
from songscape.library.records import LedgerRow, Listed

OWN_COLUMNS = ("id", "audio", "lyrics")
_PATH_COLUMN = regex.compile(
    r"(?:audio|track|song|full|relative|rel|sound)?(?:file|path)(?:name|path)?|location|ur[il]|wav|mp3"
)
_FILE_NAME = regex.compile(
    rf"[^\n]{{1,255}}(?:{'|'.join(map(regex.escape, LYRIC_SUFFIXES))})|\S+[/\\]\S+",
    regex.IGNORECASE,
)
_SHOWN = 60

Found = tuple[list[Entry], list[LedgerRow], tuple[str, ...], dict[str, tuple[str, str]]]


def read_tracks(
    path: Path, files: Files, listed: Mapping[str, Listed] | None = None, *, must: bool = False
) -> Found:
    """Read a table of tracks; rows that can't be used become problems with their reasons.

    A table without an `audio` column, of another program, is used where one of its columns names
    files under its folder: they get its other columns as labels. Else it is not used, unless the
    user named it (`must`). `listed` is what rows meant at the last look, by how they name their
    audio.

    Returns entries, problems, label columns in the table's order, and by track, how the table names
    its audio and a hash of that row. Raises `SongscapeError` if the file is no table, or the user
    named it and it names no audio.
    """
    name = display(path.name)
    try:
        rows, remark = read_rows(path, OWN_COLUMNS)
        if not rows:
            raise SongscapeError(f"{name}: empty; it needs a header row with an audio column")
        table = _Table(name, _header(name, rows[0][1]), _cleaned(rows[1:]), files, listed or {})
    except SongscapeError as error:
        way_out = "" if must else ", or rename it to read the folder without it"
        raise SongscapeError(f"{error}{way_out}") from None
    if "audio" in table.header:
        entries, problems, labels, named = table.tracks()
    elif (column := table.column_of_files()) is not None:
        entries, problems, labels, named = table.labelled_files(column)
    else:
        reason = f"{name}: no audio column, and no column that names the audio files here"
        if must:
            known = ", ".join(table.header[:8])
            raise SongscapeError(f"{reason}; it has {known}; add a column audio")
        (entries, problems), labels, named = entries_of_files(files), (), {}
        problems.append(LedgerRow(name, "scan", "warning", f"{reason}; it is not used"))
    if remark:
        problems.append(LedgerRow(name, "scan", "warning", f"{name}: {remark}"))
    return entries, problems, labels, named


def tracks_of_rows(name: str, rows: Sequence[Mapping[str, str]], files: Files) -> Found:
    """As `read_tracks`, of rows that came from elsewhere: cells by column, `audio` among them."""
    header = list(dict.fromkeys(column for row in rows for column in row))
    numbered = [(i, [row.get(column, "") for column in header]) for i, row in enumerate(rows, 1)]
    return _Table(name, _header(name, header), _cleaned(numbered), files, {}).tracks()


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


def _cleaned(rows: Iterable[Row]) -> list[Row]:
    return [(line, [cell_text(cell) for cell in cells]) for line, cells in rows]


@dataclass(frozen=True)
class _Table:
    """The rows of a table, and the files that it is about."""

    name: str
    header: list[str]
    rows: list[Row]
    files: Files
    listed: Mapping[str, Listed]

    def labels(self, without: Sequence[str]) -> tuple[str, ...]:
        """The other columns, but for nameless ones that are empty or only count the rows."""
        kept = []
        for position, name in enumerate(self.header):
            cells = self._column(position)
            counted = [str(number) for number in range(len(cells))]
            nameless = name == f"column {position + 1}"
            if name not in without and not (nameless and (not any(cells) or cells == counted)):
                kept.append(name)
        return tuple(kept)

    def _column(self, position: int) -> list[str]:
        return [cells[position] if position < len(cells) else "" for _, cells in self.rows]

    def _meant(
        self, written: Sequence[str], places: Sequence[str | None]
    ) -> tuple[list[str | None], dict[int, str], list[tuple[str, str]]]:
        """Which file each row means, and how that is named where its name is another one now."""
        hashes = [
            hashlib.blake2b("\0".join(cells).encode("utf-8", "replace"), digest_size=8).hexdigest()
            for _, cells in self.rows
        ]
        moved = followed(list(zip(written, hashes, places)), self.files, self.listed)
        now = [moved.get(number, place) for number, place in enumerate(places)]
        reason = "{} ({} in {}): renamed, and its row follows it; write the new name in the table"
        remarks = {
            number: reason.format(display(place), display(written[number])[:_SHOWN], self.name)
            for number, place in moved.items()
        }
        return now, remarks, list(zip(written, hashes))

    def tracks(self) -> Found:
        """A table with an `audio` column: every row is a track."""
        labels = self.labels(OWN_COLUMNS)
        problems: list[LedgerRow] = []
        entries: list[Entry] = []
        first_line: dict[str, int] = {}
        table = [dict(zip(self.header, cells)) for _, cells in self.rows]
        written = [values.get("audio", "") for values in table]
        places, remarks, named = self._meant(written, [self._audio(each) for each in written])
        rows: dict[str, tuple[str, str]] = {}
        for number, ((line, cells), values) in enumerate(zip(self.rows, table)):
            audio, place = written[number], places[number]
            track_id = display(values.get("id", "") if "id" in self.header else _stem(audio))
            refused = self._refusal((line, cells), track_id, audio, place, first_line)
            if track_id and len(cells) <= len(self.header):
                first_line.setdefault(track_id, line)
                rows.setdefault(track_id, named[number])
            if refused is not None:
                problems.append(refused)
            elif place is not None:
                given = {name: values[name] for name in labels if values.get(name)}
                entry = Entry(track_id, place, labels=given, is_row=True)
                entry = self._with_lyrics(entry, values.get("lyrics", ""))
                if number in remarks:
                    row = LedgerRow(track_id, "scan", "warning", remarks[number])
                    entry = replace(entry, remarks=(row,))
                entries.append(entry)
        listed = {place for place in places if place}
        problems += self._unlisted(listed, {e.id for e in entries} | {r.track_id for r in problems})
        moved = {places[number] for number in remarks}
        matches = match_sidecars([entry.place for entry in entries], self.files.lyrics)
        for i, entry in enumerate(entries):
            is_told = "lyrics" in self.header and entry.place not in moved
            if not (is_told or entry.sidecar or entry.words):
                sidecar = matches.files.get(entry.place)
                choice = matches.unclear.get(entry.place, ())
                entries[i] = replace(entry, sidecar=sidecar, choice=choice)
        unclaimed = matches.unclaimed
        if "lyrics" in self.header:
            claimed = {entry.sidecar for entry in entries}
            unclaimed = [place for place in self.files.lyrics if place not in claimed]
        return entries, problems + unclaimed_rows(unclaimed), labels, rows

    @cached_property
    def _by_path(self) -> dict[str, str]:
        return {nfc(place).casefold(): place for place in reversed(self.files.audio)}

    def _audio(self, written: str) -> str | None:
        found = _locate(self.files.root, written) if written else None
        return found or self._by_path.get(written.replace("\\", "/").casefold())

    def _refusal(
        self, row: Row, track_id: str, audio: str, place: str | None, first_line: dict[str, int]
    ) -> LedgerRow | None:
        """Why a row is no track."""
        where, n_cells = f"{self.name} line {row[0]}", len(row[1])
        name, status = where, "failed"
        if n_cells > len(self.header):
            reason = f"{where}: {n_cells} cells for {len(self.header)} columns; quote the cell"
        elif not track_id:
            reason = f"{where}: the id is empty; give it one"
        elif track_id in first_line:
            name = f"{track_id} (line {row[0]})"
            reason = f"{where}: id {track_id!r} is taken by line {first_line[track_id]}; rename one"
        elif not audio:
            name, status, reason = track_id, "skipped", f"{where}: names no audio"
        elif place is None:
            name, reason = track_id, self._not_there(audio)
        else:
            return None
        return LedgerRow(name, "scan", status, reason)

    def _not_there(self, written: str) -> str:
        path = os.fspath(self.files.root / written.replace("\0", ""))
        trouble = file_trouble(path) if os.path.lexists(path) else None
        shown = display(written[:_SHOWN])
        return f"{shown}: listed in {self.name} but {trouble or 'not there'}"

    def _with_lyrics(self, entry: Entry, cell: str) -> Entry:
        """An entry with the lyric file that a cell names, or the words that it holds."""
        if not cell:
            return entry
        if "\n" not in cell and "\r" not in cell and len(cell) <= 255:
            found = _locate(self.files.root, cell)
            if found is not None:
                return replace(entry, sidecar=found, named=True)
            if _FILE_NAME.fullmatch(cell):
                row = LedgerRow(entry.id, "lyrics", "failed", self._not_there(cell))
                return replace(entry, remarks=(*entry.remarks, row))
        return replace(entry, words=cell)

    def _unlisted(self, listed: set[str], taken: set[str]) -> list[LedgerRow]:
        """Audio files that the table doesn't name."""
        rows, root = [], self.files.root
        others = {*self.files.audio, *self.files.failed} - listed
        named = {os.path.realpath(root / place) for place in listed if others}
        for place in sorted(others):
            if os.path.realpath(root / place) not in named:
                name = nfc(display(place))
                name = f"{name} (file)" if name in taken else name
                reason = f"{name}: not listed in {self.name}"
                rows.append(LedgerRow(name, "scan", "skipped", reason))
        return rows

    # -- a table of another program ----------------------------------------------------------

    def column_of_files(self) -> str | None:
        """The column that names most audio files: half of them, or in half of its cells."""
        best, most = None, 0
        for position, name in enumerate(self.header):
            cells = [cell for cell in self._column(position) if cell]
            names = sum(map(is_audio_name, cells))
            if _PATH_COLUMN.fullmatch(bare(name)) or names > len(cells) / 2:
                matched = len(set(self._files_named(cells)) - {None})
                if matched > most and 2 * matched >= min(len(cells), len(self.files.audio)):
                    best, most = name, matched
        return best

    def labelled_files(self, column: str) -> Found:
        """The folder's tracks; those that a column names have the labels in its row."""
        labels = self.labels((*OWN_COLUMNS, column))
        cells = self._column(self.header.index(column))
        places, remarks, named = self._meant(cells, self._files_named(cells))
        row_of = {place: n for n, place in reversed(list(enumerate(places))) if place is not None}
        entries, problems = entries_of_files(self.files)
        rows = {e.id: named[row_of[e.place]] for e in entries if e.place in row_of}
        for i, entry in enumerate(entries):
            if (number := row_of.get(entry.place)) is not None:
                values = dict(zip(self.header, self.rows[number][1]))
                given = {label: values[label] for label in labels if values.get(label)}
                entry = replace(entry, labels={**entry.labels, **given})
                if number in remarks:
                    row = LedgerRow(entry.id, "scan", "warning", remarks[number])
                    entry = replace(entry, remarks=(*entry.remarks, row))
                if entry.sidecar is None:
                    entry = self._with_lyrics(entry, values.get("lyrics", ""))
                entries[i] = entry
        lost = len(self.rows) - len(row_of)
        reason = (
            f"{self.name}: of another program; its column {column!r} names {len(row_of)} of "
            f"{len(self.files.audio)} audio files" + (f", {lost} rows name none" if lost else "")
        )
        problems.append(LedgerRow(self.name, "scan", "warning", reason))
        return entries, problems, labels, rows

    def _files_named(self, cells: Sequence[str]) -> list[str | None]:
        """The audio file that each cell names by the end of its path, None where it is not one."""
        found: list[str | None] = []
        for cell in cells:
            places = next((self._by_end[e] for e in _ends(cell) if e in self._by_end), set())
            found.append(next(iter(places)) if len(places) == 1 else None)
        return found

    @cached_property
    def _by_end(self) -> dict[str, set[str]]:
        places: dict[str, set[str]] = defaultdict(set)
        for place in self.files.audio:
            for end in _ends(place):
                places[end].add(place)
        return dict(places)


def _ends(cell: str) -> list[str]:
    """A path or file URL of any system, without more and more of its folders, in one spelling."""
    path = unquote(cell[7:]) if cell.lower().startswith("file://") else cell
    parts = [part for part in nfc(path).casefold().replace("\\", "/").split("/") if part != "."]
    return ["/".join(parts[start:]) for start in range(len(parts))]


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


def _stem(audio: str) -> str:
    try:
        return str(PurePosixPath(audio.replace("\\", "/")).with_suffix(""))
    except ValueError:  # a path without a name
        return audio
