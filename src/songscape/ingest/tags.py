"""What an audio file says of itself: its tags as cells of the collection's table, and its words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import regex

from songscape.columns import ARTIST_RULE, Role, bare, find_roles, role_of
from songscape.data_tables import read_table
from songscape.ingest.encodings import NotTextError, decode_text
from songscape.ingest.entries import Entry
from songscape.ingest.files import UnreadableError, display, file_trouble, nfc
from songscape.ingest.languages import language_composition
from songscape.ingest.lyrics import lyrics_in
from songscape.ingest.remote import opened
from songscape.ingest.tag_readers import TagError, raw_tags
from songscape.language_codes import is_mixed, language_name
from songscape.library.records import LedgerRow, Lyrics, Tags
from songscape.spellings import split_cell

BETWEEN = "; "
"""Between the values of a cell that holds several."""
_LONGEST = 1000
_LONGEST_LYRICS = 1_000_000
_LYRICS = ("lyrics", "syncedlyrics")
_FIELD_OF = {
    name: field
    for field, names in read_table("ingest/data", "tags").items()
    for name in names.split()
}
_LANGUAGE_SUFFIX = regex.compile(r"(?<=lyrics)-(\w{3})$", regex.IGNORECASE)
_CONTROL = regex.compile(r"\p{Cc}")
_OTHER_LETTER = regex.compile(r"(?V1)[\p{L}--\p{Latin}]")
_JOINT = "\n|\n"
_WINDOWS_1252 = {code: bytes([code]).decode("cp1252", "replace") for code in range(0x80, 0xA0)}
_TIME = regex.compile(r"\s*\[\d+:\d")
_YEAR = regex.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_NUMBER = regex.compile(r"\d+(?:[.,]\d+)?")
_UUID = regex.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", regex.IGNORECASE)
_GENRES = regex.compile(r"\s*(?:[;|\\]+|,\s)\s*")
_NO_GENRES = frozenset({"", "other", "unknown", "unknowngenre", "undefined", "none", "genre"})
_SILENT_LANGUAGES = frozenset({"zxx", "instrumental"})


def read_tags(path: str | os.PathLike[str], shown: str) -> Tags:
    """The tags of one audio file; what is wrong with them is a remark, with the name as `shown`."""
    try:
        if trouble := file_trouble(os.fspath(path)):
            raise UnreadableError(trouble)
        with opened(path) as file:
            pairs = raw_tags(file)
    except TagError:
        return Tags(remark=f"{shown}: its tags are damaged; write them again")
    except UnreadableError as error:
        return Tags(remark=f"{shown}: its tags cannot be read ({error})")
    except OSError as error:
        return Tags(
            remark=f"{shown}: its tags cannot be read ({error.strerror or error}); check the file"
        )
    found: dict[str, list[str]] = {}
    spoken: dict[str, str] = {}
    for name, value in _mended(pairs):
        field = _FIELD_OF.get(bare(_LANGUAGE_SUFFIX.sub("", name)))
        if field is not None and value.strip():
            values = found.setdefault(field, [])
            if value not in values:
                values.append(value)
            if code := _LANGUAGE_SUFFIX.search(name):
                language = language_name(code[1].lower()) or ""
                spoken.setdefault(value, language if language != code[1].lower() else "")
    words = {text: spoken.get(text, "") for name in _LYRICS for text in found.pop(name, ())}
    sheet = next((s for s in found.pop("cuesheet", ()) if len(s) <= _LONGEST_LYRICS), "")
    return Tags(_cells(found), _words(words, found.get("language", ()), shown), sheet=sheet)


def _mended(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Values that a program wrote in its own encoding and called Latin-1, as they were meant.

    All of a file are judged together: one title is too short. What stays Latin is Windows-1252.
    """
    meant = {value: value.translate(_WINDOWS_1252) for _, value in pairs if _is_latin_1(value)}
    if meant:
        try:
            text, remark = decode_text(_JOINT.join(meant).encode("latin-1"))
        except NotTextError:
            text, remark = "", "not clear"
        if not remark or _OTHER_LETTER.search(text):  # UTF-8, or another script
            meant = dict(zip(meant, text.split(_JOINT)))
    for name, value in pairs:
        yield name, meant.get(value, value)


def _is_latin_1(value: str) -> bool:
    return not value.isascii() and max(value) <= "\xff" and len(value) <= _LONGEST_LYRICS


def _words(texts: Mapping[str, str], languages: Sequence[str], shown: str) -> Lyrics | None:
    """The words among the embedded texts: in the song's language, else the first that has any.

    `texts` have the language that the tag says they are in, or "". Those without times go first: a
    synchronised tag may hold syllables.
    """
    kept = [text for text in texts if len(text) <= _LONGEST_LYRICS]
    kept.sort(key=lambda text: bool(_TIME.match(text)))
    outcomes = [
        replace(lyrics_in(text, f"lyrics in {shown}"), language=texts[text]) for text in kept
    ]
    if not outcomes and any(name.strip().casefold() in _SILENT_LANGUAGES for name in languages):
        return Lyrics(None, "ok", f"{shown}: its tags say that the song is instrumental")
    sung = [lyrics for lyrics in outcomes if lyrics.text]
    if len(sung) > 1 and (named := _languages(list(languages)).split(BETWEEN)) != [""]:
        shares = [language_composition(lyrics.text) for lyrics in sung]
        told = [one for one, its in zip(sung, shares) if set(its) & set(named)]
        sung = told or [one for one in sung if one.language in named] or sung
    return next(iter((*sung, *outcomes)), None)


def _cells(found: Mapping[str, list[str]]) -> dict[str, str]:
    """Values of fields -> cells of columns, in the order of the table of fields."""
    lines = {
        field: [line for line in map(_line, values) if line] for field, values in found.items()
    }
    cells = {
        field: cell
        for field in dict.fromkeys(_FIELD_OF.values())
        if lines.get(field) and (cell := _READ.get(field, BETWEEN.join)(lines[field]))
    }
    # Where the credit "A feat. B" comes with "A" and "B", tinytag gives all as artists.
    credit, *others = lines.get("artist") or [""]
    if others and all(other in credit for other in others):
        cells |= {"artist": credit, "artists": BETWEEN.join(others)}
    if cells.get("artists") == cells.get("artist"):
        cells.pop("artists", None)
    original, released = cells.pop("originaldate", None), cells.pop("date", None)
    if original or released:
        cells["year"] = str(original or released)
    genres = cells.get("genre", "").split(BETWEEN)
    if len(genres) > 1:
        cells |= {"genre": genres[0], "genres_all": BETWEEN.join(genres)}
    return cells


def _line(value: str) -> str:
    """A value as one composed line; "" for what is too long for a label."""
    line = nfc(" ".join(_CONTROL.sub(" ", value).split()))
    return line if len(line) <= _LONGEST else ""


def _year(values: list[str]) -> str:
    return next((found.group() for found in map(_YEAR.search, values) if found), "")


def _number(values: list[str]) -> str:
    found = next((found.group() for found in map(_NUMBER.match, values) if found), "")
    whole, _, rest = found.replace(",", ".").partition(".")
    number = f"{int(whole or 0)}.{rest}" if rest.strip("0") else str(int(whole or 0))
    return "" if number == "0" else number


def _genres(values: list[str]) -> str:
    parts = [part for value in values for part in _GENRES.split(value)]
    first = {bare(part): part for part in reversed(parts)}
    kept = [part for part in dict.fromkeys(parts) if first.get(bare(part)) == part]
    return BETWEEN.join(part for part in kept if bare(part) not in _NO_GENRES)


def _languages(values: list[str]) -> str:
    names = [name for value in values for part in _GENRES.split(value) for name in _named(part)]
    return BETWEEN.join(dict.fromkeys(names))


@lru_cache(maxsize=1024)
def _named(tag: str) -> tuple[str, ...]:
    """The languages of a tag; ID3 writes the codes of several without anything between them."""
    if is_mixed(tag):
        return (tag,)
    name = language_name(tag)
    codes = [tag[at : at + 3] for at in range(0, len(tag), 3)]
    if name == tag and len(codes) > 1 and len(tag) % 3 == 0 and len(tag) <= 30:
        names = [language_name(code) for code in codes]
        if all(each is not None and each != code for each, code in zip(names, codes)):
            return tuple(map(str, names))
    return () if name is None else (name,)


_READ: dict[str, Callable[[list[str]], str]] = {
    "title": lambda values: values[0],
    "album": lambda values: values[0],
    "originaldate": _year,
    "date": _year,
    "tracknumber": _number,
    "discnumber": _number,
    "bpm": _number,
    "genre": _genres,
    "language": _languages,
    **dict.fromkeys(
        ("musicbrainz_recordingid", "musicbrainz_workid", "musicbrainz_artistid"),
        lambda values: BETWEEN.join(v.lower() for v in values if _UUID.fullmatch(v)),
    ),
}
"""How the values of a field become a cell, where they aren't just put side by side."""


# -- beside the collection's table: it wins, tags fill, a disagreement is noted --------------------

_ONE_COLUMN = frozenset(
    {Role.TITLE, Role.ALBUM, Role.ALBUM_ARTIST, Role.ARTIST, Role.COMPOSER}
    | {Role.GENRE, Role.LANGUAGE, Role.YEAR}
)
"""Roles of which the table's own column is filled, however it is called."""
_COMPARED = (Role.TITLE, Role.ARTIST, Role.ALBUM, Role.LANGUAGE, Role.YEAR)
_SHOWN = 60


def with_tags(
    entries: Iterable[Entry], columns: Sequence[str], tags: Mapping[str, Tags]
) -> tuple[list[Entry], tuple[str, ...]]:
    """Entries with what their files' tags say where the table says nothing, and all columns.

    Tags (by the place of the audio file) fill the table's column of the same name, or of the same
    role ("track_title" is a title); those that the table has none for follow it as columns. Where
    the table names an artist under another role, such as the composer, tags don't bring another.
    """
    entries = list(entries)
    columns = columns or tuple(dict.fromkeys(name for entry in entries for name in entry.labels))
    found = [tags.get(entry.place, Tags()) for entry in entries]
    targets = _targets(columns, list(dict.fromkeys(c for its in found for c in its.cells)))
    filled = [_filled(entry, its, columns, targets) for entry, its in zip(entries, found)]
    return filled, (*columns, *(name for name in targets.values() if name not in columns))


def _targets(columns: Sequence[str], tagged: Sequence[str]) -> dict[str, str]:
    """For every column that tags have, the column of the collection that it fills."""
    roles = find_roles(columns)
    by_name = {bare(name): name for name in reversed(columns)}
    taken = roles.by_column[roles.artist] if roles.artist is not None else None
    found = {}
    for name in tagged:
        role = role_of(name)
        own = roles.column(role) if role in _ONE_COLUMN and name != "artists" else None
        target = by_name.get(bare(name)) or own or name
        before = ARTIST_RULE[: ARTIST_RULE.index(taken)] if taken in ARTIST_RULE else ()
        if target in columns or role not in before:
            found[name] = target
    return found


def _filled(entry: Entry, tags: Tags, columns: Sequence[str], targets: Mapping[str, str]) -> Entry:
    labels = {name: entry.labels[name] for name in columns if name in entry.labels}
    differ = []
    for name, value in tags.cells.items():
        target = targets.get(name)
        if target is None:
            continue
        given = labels.setdefault(target, value)
        role = role_of(target)
        if target in entry.labels and role in _COMPARED and not _agree(role, given, value):
            differ.append(f"{target} {_short(given)}, not {_short(value)}")
    remarks = list(entry.remarks)
    if differ:
        reason = f"{display(entry.place)}: the table wins over its tags: {'; '.join(differ)}"
        remarks.append(LedgerRow(entry.id, "tags", "ok", reason))
    if tags.remark:
        remarks.append(LedgerRow(entry.id, "tags", "warning", tags.remark))
    return replace(entry, labels=labels, remarks=tuple(remarks))


def _agree(role: Role, given: str, tagged: str) -> bool:
    """Whether two cells say the same, one perhaps more of it."""
    if role is Role.LANGUAGE:
        one, other = ({language_name(v) for v in split_cell(cell)} for cell in (given, tagged))
        return bool(one & other) or not (one - {None} and other - {None})
    short, long = sorted((bare(given), bare(tagged)), key=len)
    return short in long


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
