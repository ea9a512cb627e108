"""Audio and lyric files -> tracks with their ids, before anything is read of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from songscape.ingest.cue import CueTrack, albums_in, embedded_album
from songscape.ingest.file_kinds import SELDOM_LYRICS, SHORT_ID_SUFFIXES, without_suffix
from songscape.ingest.files import Files, display, nfc
from songscape.ingest.sidecars import match_sidecars
from songscape.library.records import LedgerRow, Span, Tags

_ABOUT_FOLDERS = frozenset(
    {
        *("readme", "license", "licence", "copying", "notice"),
        *("changelog", "info", "tracklist", "tracks"),
    }
)


@dataclass(frozen=True)
class Entry:
    """A track before its lyrics are read.

    `place` is the audio file, relative to the root (or absolute), `sidecar` the lyric file, which a
    table may have `named`, `words` the lyrics that a table holds, not yet cleaned. `choice` are
    lyric files that all fit, such as those of several languages. `span` is the part of the file
    that the track is, in seconds; None for all of it. `is_row` says that a row of a table is this
    track.
    """

    id: str
    place: str
    sidecar: str | None = None
    words: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[LedgerRow, ...] = ()
    named: bool = False
    choice: tuple[str, ...] = ()
    span: Span | None = None
    is_row: bool = False


def entries_of_files(files: Files) -> tuple[list[Entry], list[LedgerRow]]:
    """Every audio file is a track, whose id is its path without the suffix, or an album.

    Tracks of an album in one file, which a CUE sheet tells apart, have its id and their number.
    """
    ids = ids_of([*files.audio, *files.failed])
    matches = match_sidecars([*files.audio, *files.failed], files.lyrics)
    albums, problems = albums_in(files.root, files.sheets, files.audio)
    problems += [
        LedgerRow(ids[place], "scan", "failed", f"{display(place)}: {reason}")
        for place, reason in files.failed.items()
    ]
    entries = []
    for place in files.audio:
        remarks = []
        if place in albums:
            entries += _divided(Entry(ids[place], place), albums[place])
            continue
        if place in matches.nearly:
            reason = f"{display(matches.files[place])}: taken for the lyrics of {ids[place]}"
            remarks.append(LedgerRow(ids[place], "lyrics", "ok", reason))
        sidecar, choice = matches.files.get(place), matches.unclear.get(place, ())
        entries.append(Entry(ids[place], place, sidecar, remarks=tuple(remarks), choice=choice))
    return entries, problems + unclaimed_rows(matches.unclaimed)


def with_albums(entries: Iterable[Entry], tags: Mapping[str, Tags]) -> list[Entry]:
    """Entries, but for albums in one file their tracks, which a CUE sheet in the tags tells apart.

    A file that another sheet divides, or that is a row of a table, is left as it is.
    """
    found: list[Entry] = []
    for entry in entries:
        sheet = "" if entry.span or entry.is_row else tags.get(entry.place, Tags()).sheet
        tracks = embedded_album(sheet) if sheet else []
        found += _divided(entry, tracks) if tracks else [entry]
    return found


def _divided(entry: Entry, tracks: Iterable[CueTrack]) -> list[Entry]:
    return [
        replace(
            entry,
            id=f"{entry.id}#{track.number:02d}",
            sidecar=None,
            choice=(),
            words=None,
            labels={**entry.labels, **track.cells},
            span=(track.start, track.end),
        )
        for track in tracks
    ]


def unclaimed_rows(places: Iterable[str]) -> list[LedgerRow]:
    """Lyric files that belong to no track, but for those that are about a folder."""
    rows = []
    for place in sorted(places):
        name = display(place)
        stem, suffix = os.path.splitext(os.path.basename(place).casefold())
        if stem not in _ABOUT_FOLDERS and suffix not in SELDOM_LYRICS:
            reason = f"{name}: lyrics of no track; give the file the name of its song, or leave it"
            rows.append(LedgerRow(name, "lyrics", "skipped", reason))
    return rows


def ids_of(places: Iterable[str]) -> dict[str, str]:
    """Track ids for root-relative paths: NFC, without suffix unless two would be the same."""
    places = sorted(places)
    short = {place: nfc(display(without_suffix(place))) for place in places}
    known = {p for p in places if os.path.splitext(p)[1].lower() in SHORT_ID_SUFFIXES}
    uses, others = Counter(short[place] for place in known), Counter(short.values())
    ids: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for place in places:
        n_alike = (uses if place in known else others)[short[place]]
        track_id = short[place] if n_alike == 1 else nfc(display(place))
        taken[track_id] += 1
        # Two spellings of one name (NFC and NFD files side by side).
        ids[place] = track_id if taken[track_id] == 1 else f"{track_id} ({taken[track_id]})"
    return ids
