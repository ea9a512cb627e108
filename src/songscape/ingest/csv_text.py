"""A csv or tsv file -> its rows, with any text in a cell and any line ends."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import regex

from songscape.errors import SongscapeError
from songscape.ingest.encodings import NotTextError, decode_text
from songscape.ingest.files import UnreadableError, display, nfc, read_bytes

MAX_BYTES = 1 << 28
_LONGEST_CELL = (1 << 31) - 1
_SEPARATORS = (",", ";", "\t", "|")
_TOLD_SEPARATOR = regex.compile(r'"?sep=(.)"?\s*\n')
_MISSING = frozenset(
    {
        *("nan", "NaN", "<NA>", "NaT", "None", "NA", "N/A", "n/a", "#N/A", "NULL", "null"),
        *("-nan", "-NaN"),
    }
)
"""What pandas, R and spreadsheets write for a value that is not there."""

Row = tuple[int, list[str]]
"""Number of the first line (from 1) and the cells."""


def cell_text(cell: str) -> str:
    """A cell trimmed and composed; "" for what pandas and others write for missing values."""
    cell = nfc(cell.strip())
    return "" if cell in _MISSING else cell


def read_rows(path: Path, wanted: tuple[str, ...]) -> tuple[list[Row], str]:
    """The rows of a table that are not empty, the header first, and a remark on the encoding.

    Comma, semicolon, tab and bar separate cells: the one under which most of the names in `wanted`
    are in the header, else the one that makes most cells. Line ends may be of any system; only they
    end a row, not the other line separators of Unicode.
    """
    name = display(path.name)
    try:
        text, remark = decode_text(read_bytes(path, MAX_BYTES))
    except NotTextError as error:
        raise SongscapeError(f"{name}: {error}; save it as UTF-8 csv") from None
    except UnreadableError as error:
        raise SongscapeError(f"{name}: {error}") from None
    text, carriage_return = _with_line_feeds(text)
    told = _TOLD_SEPARATOR.match(text)
    skipped = 1 if told else 0
    text = text[told.end() :] if told else text
    csv.field_size_limit(_LONGEST_CELL)
    separator = told[1] if told else max(_SEPARATORS, key=lambda each: _score(text, each, wanted))
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, strict=True)
    rows: list[Row] = []
    start = skipped + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((start, [cell.replace(carriage_return, "\r") for cell in cells]))
            start = skipped + reader.line_num + 1
    except csv.Error as error:
        line = skipped + reader.line_num
        raise SongscapeError(
            f"{name} line {line}: not a proper csv ({error}); correct the quotes"
        ) from None
    return rows, remark


def _with_line_feeds(text: str) -> tuple[str, str]:
    """Text whose rows end with line feeds; other carriage returns are a character that it lacks."""
    end = text.find("\n")
    if text[max(end - 2, 0) : end + 1] == "\r\r\n":
        text = text.replace("\r\r\n", "\n")
    if "\r" not in text:
        return text, "\r"
    unused = next(c for c in map(chr, range(0xE000, 0xF900)) if c not in text)
    first = text.find("\r")
    if end < 0 or (first < end - 1 and '"' not in text[:first]):  # a file of an old Mac
        return text.replace("\r\n", "\n").replace("\r", "\n"), unused
    return regex.sub("\r(?!\n)", unused, text), unused


def _score(text: str, separator: str, wanted: tuple[str, ...]) -> tuple[int, int]:
    lines = io.StringIO(text.lstrip("\r\n\t "), newline="\n")
    try:
        cells = next(csv.reader(lines, delimiter=separator, strict=True), [])
    except csv.Error:
        return 0, 0
    return sum(cell.strip().lower() in wanted for cell in cells), len(cells)
