"""A folder (or its tracks.csv) -> the tracks in it, and what could not be used."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from songscape.columns import find_roles
from songscape.errors import SongscapeError, UsageError
from songscape.ingest.datasets import find_dataset
from songscape.ingest.entries import Entry, entries_of_files, with_albums
from songscape.ingest.file_kinds import LYRIC_SUFFIXES, SHORT_ID_SUFFIXES
from songscape.ingest.files import Files, display, nfc, walk
from songscape.ingest.lyrics import checked, lyrics_in
from songscape.ingest.reading import Reader, read_files, read_in_workers
from songscape.ingest.sidecars import language_in_name
from songscape.ingest.tables import Found, read_tracks, tracks_of_rows
from songscape.ingest.tags import with_tags
from songscape.language_codes import language_name
from songscape.library.records import Collection, FileStamp, LedgerRow, Listed, Lyrics, Tags, Track

TABLE_NAMES = ("tracks.csv", "tracks.tsv")
EMBEDDED = "embedded"
_SHOWN = 20


def read_collection(
    path: str | os.PathLike[str],
    *,
    known: Mapping[FileStamp, Lyrics | Tags] | None = None,
    listed: Mapping[str, Listed] | None = None,
    read: Reader = read_in_workers,
    lyrics_order: Sequence[str] = (),
) -> Collection:
    """Find the tracks of a collection.

    Parameters
    ----------
    path : path
        A folder of audio files (searched recursively; lyrics as `.txt`, `.lrc` or other text files
        of the same stem beside the audio or in a `lyrics` folder), a folder that holds a
        `tracks.csv`, or a csv/tsv file. Columns `id`, `audio` and `lyrics` (a file, or the words)
        are ours, all others are labels. What the table does not say is taken from tags.
    known, listed : mapping, optional
        `Library.read_before()`: files in the same state are not read again. `Library.listed()`:
        rows of the table go with audio that was renamed or moved since.
    read : callable, optional
        Reads lyrics and tags, by default in worker processes.
    lyrics_order : sequence of str
        Which lyrics count where a track has several: suffixes, and "embedded" for those in tags.
        Those not named follow in the order .ttml .yaml .elrc .lrc .srt .txt, others, embedded. What
        a table names always goes first.

    Raises `UsageError` if `path` is neither a folder nor a table, or `lyrics_order` names something
    unknown; `SongscapeError` if the table cannot be used at all, or there is no audio.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"{display(str(path))}: no such folder or table; check the path")
    is_folder, rank = path.is_dir(), _ranks(lyrics_order)
    if not is_folder and path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        shown = display(str(path))
        raise UsageError(f"{shown}: not a folder and not a csv or tsv table; give one of them")
    files = walk(path.resolve() if is_folder else path.resolve().parent)
    files.lyrics.sort(key=lambda place: (_rank(place, rank), place))
    tables = [files.root / name for name in TABLE_NAMES] if is_folder else [path.resolve()]
    table = next(filter(os.path.lexists, tables), None)
    if table is None or table.is_dir():
        entries, problems, columns, rows = _without_table(files)
    else:
        entries, problems, columns, rows = read_tracks(table, files, listed, must=not is_folder)
    problems = problems_of(files, problems, {entry.id for entry in entries})
    if not entries and not any(row.stage == "scan" for row in problems):
        raise SongscapeError(
            f"{display(str(path))}: no audio files found; looked for "
            f"{' '.join(sorted(SHORT_ID_SUFFIXES))} and others"
        )
    kinds = {entry.place: "tags" for entry in entries}
    kinds |= {entry.sidecar: "lyrics" for entry in entries if entry.sidecar is not None}
    kinds |= {place: "lyrics" for entry in entries for place in entry.choice}
    found = read_files(files.root, kinds, known or {}, read)
    tags = {place: what for place, (_, what) in found.items() if isinstance(what, Tags)}
    words = {place: what for place, (_, what) in found.items() if isinstance(what, Lyrics)}
    entries, columns = with_tags(with_albums(entries, tags), columns, tags)
    language = find_roles(columns).language
    tracks = []
    for entry in sorted(entries, key=lambda entry: entry.id):
        entry = _chosen(entry, entry.labels.get(language or ""))
        lyrics = _lyrics_of(entry, words, tags.get(entry.place, Tags()), rank)
        if language is not None:
            lyrics = checked(
                lyrics, entry.labels.get(language), display(entry.sidecar or entry.place)
            )
        problems += entry.remarks
        if lyrics.reason:
            problems.append(LedgerRow(entry.id, "lyrics", lyrics.status, lyrics.reason))
        path = files.root / entry.place
        tracks.append(Track(entry.id, path, lyrics.text, entry.labels, entry.span))
    # What can't be looked at has no state by which it would be known again.
    stamped = {stamp: what for stamp, what in found.values() if stamp.size >= 0}
    return Collection(files.root, tuple(tracks), tuple(problems), columns, stamped, rows)


def _without_table(files: Files) -> Found:
    """The tracks of a data set of a known layout, or of the files as they are."""
    found = find_dataset(files)
    if found is None:
        return *entries_of_files(files), (), {}
    name, rows, n_absent = found
    entries, problems, columns, _ = tracks_of_rows(name, rows, files)
    if n_absent:
        reason = f"{name}: {n_absent} of its tracks have no file here"
        problems.append(LedgerRow("data set", "scan", "warning", reason))
    return entries, problems, columns, {}


def _ranks(order: Sequence[str]) -> dict[str, int]:
    """Suffixes of lyric files and "embedded" -> their place in the order."""
    known = (*LYRIC_SUFFIXES, EMBEDDED)
    for name in order:
        if name not in known:
            raise UsageError(f"lyrics_order: {name!r} is not known; there are {' '.join(known)}")
    return {name: place for place, name in enumerate(dict.fromkeys((*order, *known)))}


def _rank(place: str, rank: Mapping[str, int]) -> int:
    return rank.get(os.path.splitext(place)[1].lower(), len(rank))


def _chosen(entry: Entry, language: str | None) -> Entry:
    """An entry with that of several lyric files whose name ends with the song's language."""
    if not entry.choice:
        return entry
    wanted = language_name(language)
    fits = [p for p in entry.choice if wanted is not None and language_in_name(p) == wanted]
    if fits:
        return replace(entry, sidecar=fits[0])
    names = ", ".join(map(display, entry.choice))
    reason = f"{names}: which of them has the lyrics? Give one the name of the audio file"
    row = LedgerRow(entry.id, "lyrics", "skipped", reason)
    return replace(entry, remarks=(*entry.remarks, row))


def _lyrics_of(
    entry: Entry, files: Mapping[str, Lyrics], tags: Tags, rank: Mapping[str, int]
) -> Lyrics:
    """The words of a track: those of its file or of the table, else those in its tags."""
    embedded = (tags.lyrics if entry.span is None else None) or Lyrics(None)
    if entry.sidecar is not None:
        lyrics = files[entry.sidecar]
        if embedded.text and not entry.named and rank[EMBEDDED] < _rank(entry.sidecar, rank):
            return embedded
    elif entry.words is not None:
        lyrics = lyrics_in(entry.words, "lyrics in the table")
    else:
        return embedded
    if lyrics.status == "ok" or lyrics.text or not embedded.text:
        return lyrics
    return Lyrics(embedded.text, "warning", f"{lyrics.reason}; the lyrics in the tags are taken")


def problems_of(
    files: Files, problems: Iterable[LedgerRow], track_ids: set[str]
) -> list[LedgerRow]:
    """All that could not be used, each under a name of its own."""
    rows = list(problems)
    taken = track_ids | {row.track_id for row in rows}
    refused = [(f"{place}/", "failed", reason) for place, reason in files.unlisted.items()]
    refused += [(place, "skipped", reason) for place, reason in files.skipped.items()]
    for place, status, reason in sorted(refused):
        name = nfc(display(place))
        unique = name if name not in taken else f"{name} (file)"
        taken.add(unique)
        rows.append(LedgerRow(unique, "scan", status, f"{name}: {reason}"))
    for row, counts, what in (
        ("left out", files.bins, "bins and folders of systems"),
        ("ignored", files.ignored, "by .ndignore or .notmusic"),
    ):
        if counts:
            shown = sorted(map(display, counts))
            names = ", ".join(shown[:_SHOWN]) + (", ..." if len(shown) > _SHOWN else "")
            reason = f"{names}: {what}; audio files left out: {sum(counts.values())}"
            rows.append(LedgerRow(row, "scan", "warning", reason))
    return rows
