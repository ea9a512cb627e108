"""tracks.csv -> tracks: the table that names audio, lyrics and labels."""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from songscape.errors import SongscapeError
from songscape.ingest.lyrics import NotTextError, decode_text
from songscape.ingest.scan import Files, display, lyrics_from, lyrics_of, nfc
from songscape.library.records import Collection, LedgerRow, Track

__all__ = ["parse_table", "read_table"]

OWN_COLUMNS = ("id", "audio", "lyrics")


def read_table(path: Path, files: Files) -> Collection:
    """Read a table of tracks; rows that can't be used become problems with their reasons.

    Parameters
    ----------
    path : Path
        UTF-8 (with or without a byte order mark), separated by comma, semicolon or tab.
    files : Files
        The files under the table's folder, for sidecars and for audio the table does not list.

    Raises
    ------
    SongscapeError
        If the file is no table, or has no `audio` column.
    """
    header, rows, problems = parse_table(path)
    problems += files.problems
    column = {name: header.index(name) for name in OWN_COLUMNS if name in header}
    label_columns = tuple(name for name in header if name not in OWN_COLUMNS)
    tracks: list[Track] = []
    first_line: dict[str, int] = {}
    listed: set[str] = set()

    for line, cells in rows:
        values = dict(zip(header, cells))
        audio = values["audio"]
        place = _locate(files.root, audio) if audio else None
        if place is not None:
            listed.add(_identity(files.root / place))
        track_id = nfc(values["id"] if "id" in column else _stem(audio))
        where = f"{path.name} line {line}"
        nameless = f"{path.name} line {line}"
        reject: tuple[str, str, str] | None = None
        if len(cells) > len(header):
            reason = f"{where}: {len(cells)} cells for {len(header)} columns; quote the cell"
            reject = (nameless, "failed", reason)
        elif not track_id:
            reject = (nameless, "failed", f"{where}: the id is empty; give it one")
        elif track_id in first_line:
            reason = f"{where}: id {track_id!r} is taken by line {first_line[track_id]}; rename one"
            reject = (f"{track_id} (line {line})", "failed", reason)
        elif not audio:
            reject = (track_id, "skipped", f"{where}: names no audio")
        elif place is None:
            reject = (track_id, "failed", f"{audio}: listed in {path.name} but not there")
        if track_id and len(cells) <= len(header):
            first_line.setdefault(track_id, line)
        if reject is not None or place is None:
            name, status, reason = reject or (nameless, "failed", where)
            problems.append(LedgerRow(name, "scan", status, reason))
            continue
        text, remarks = _lyrics(files, place, track_id, values, path.name)
        problems += remarks
        labels = {name: values[name] for name in label_columns if values.get(name)}
        tracks.append(Track(track_id, files.root / place, text, labels))

    taken = {track.id for track in tracks} | {row.track_id for row in problems}
    for place in files.audio:
        if _identity(files.root / place) not in listed:
            name = nfc(display(place))
            name = f"{name} (file)" if name in taken else name
            reason = f"{name}: not listed in {path.name}"
            problems.append(LedgerRow(name, "scan", "skipped", reason))
    tracks.sort(key=lambda track: track.id)
    return Collection(files.root, tuple(tracks), tuple(problems), label_columns)


def parse_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]], list[LedgerRow]]:
    """Header, rows with their line numbers (1-based, padded to the header), and remarks.

    Raises
    ------
    SongscapeError
    """
    remarks: list[LedgerRow] = []
    try:
        text, encoding = decode_text(path.read_bytes())
    except NotTextError as error:
        raise SongscapeError(f"{path.name}: {error}; save it as UTF-8 csv") from None
    except OSError as error:
        raise SongscapeError(f"{path.name}: cannot be read ({error.strerror})") from None
    if encoding == "cp1252":
        reason = f"{path.name}: not UTF-8; read as Windows-1252"
        remarks.append(LedgerRow(path.name, "scan", "warning", reason))
    lines = text.splitlines(keepends=True)
    first = next((line for line in lines if line.strip()), "")
    reader = csv.reader(lines, delimiter=_delimiter(first), strict=True)
    table: list[tuple[int, list[str]]] = []
    try:
        start = 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                table.append((start, [nfc(cell.strip()) for cell in cells]))
            start = reader.line_num + 1
    except csv.Error as error:
        message = f"{path.name} line {reader.line_num}: not a proper csv ({error}); mend the quotes"
        raise SongscapeError(message) from None
    if not table:
        raise SongscapeError(f"{path.name}: empty; it needs a header row with an audio column")
    header = [
        cell.lower() if cell.lower() in OWN_COLUMNS else cell or f"column {position}"
        for position, cell in enumerate(table[0][1], 1)
    ]
    if "audio" not in header:
        raise SongscapeError(f"{path.name}: no audio column; it has {', '.join(header[:8])}")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise SongscapeError(f"{path.name}: column {twice[0]!r} occurs twice; rename one")
    rows = [(line, cells + [""] * (len(header) - len(cells))) for line, cells in table[1:]]
    return header, rows, remarks


def _delimiter(header: str) -> str:
    """The separator under which the header has our column names, else the commonest one."""

    def score(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip().strip('"').lower() for cell in header.split(delimiter)]
        return sum(cell in OWN_COLUMNS for cell in cells), len(cells)

    return max((",", ";", "\t"), key=score)


def _locate(root: Path, written: str) -> str | None:
    """The path as it exists (a table may spell it in another Unicode form or with backslashes)."""
    spellings: Sequence[str] = (written, written.replace("\\", "/"))
    for spelling in spellings:
        for form in ("NFC", "NFD"):
            candidate = unicodedata.normalize(form, spelling)
            try:
                if (root / candidate).is_file():
                    return candidate
            except (OSError, ValueError):  # a name no file system takes
                continue
    return None


def _lyrics(
    files: Files, place: str, track_id: str, values: dict[str, str], table: str
) -> tuple[str | None, list[LedgerRow]]:
    if "lyrics" not in values:
        return lyrics_of(files, place, track_id)
    written = values["lyrics"]
    if not written:
        return None, []
    found = _locate(files.root, written)
    if found is None:
        reason = f"{written}: listed in {table} but not there"
        return None, [LedgerRow(track_id, "lyrics", "failed", reason)]
    return lyrics_from(files.root, found, track_id)


def _identity(path: Path) -> str:
    return os.path.realpath(path)


def _stem(audio: str) -> str:
    return str(PurePosixPath(audio.replace("\\", "/")).with_suffix("")) if audio else ""
