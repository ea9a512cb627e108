"""Rows of a table whose audio was renamed or moved since: found again by the sound."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter

from songscape.ingest.files import Files
from songscape.ingest.sound_digest import sound_digest
from songscape.library.records import FileStamp, Listed

Named = tuple[str, str, str | None]
"""How a row names its audio, a hash of its cells, the file of that name (None: there is none)."""


def followed(rows: Sequence[Named], files: Files, listed: Mapping[str, Listed]) -> dict[int, str]:
    """Where the audio of rows is now, by the number of the row, where that is another file.

    A row is asked about if there is no file of its name; or if that has the size and date that
    another row's had, and the row is as it was: then files may have changed names. A row that was
    edited means what it says. `listed` is what rows meant at the last look, by how they name audio.
    """
    state = attrgetter("size", "mtime_ns")
    there, named = set(files.audio), {place for _, _, place in rows}
    states = {state(before.stamp) for before in listed.values()}
    found: dict[int, str] = {}
    asked: dict[int, Listed] = {}
    for number, (written, row, place) in enumerate(rows):
        before = listed.get(written)
        if before is None or (place is not None and row != before.row):
            continue
        if place is not None:
            now = FileStamp.of(files.root / place)
            is_last = before.stamp.path == now.path
            if is_last and (state(now) == state(before.stamp) or state(now) not in states):
                continue
        last = os.path.relpath(before.stamp.path, files.root).replace(os.sep, "/")
        if last in there and before.stamp.is_state_of(FileStamp.of(before.stamp.path)):
            found[number] = last
        elif before.sound:
            asked[number] = before
    free = ({rows[number][2] for number in asked} | (there - named)) - {*found.values(), None}
    likely = {state(before.stamp) for before in asked.values()}
    first = {p for p in free if p is not None and state(FileStamp.of(files.root / p)) in likely}
    for places in (first, free - first):
        sounds = _sounds(places, files) if asked else {}
        # Those that still have their file go first.
        for number in sorted(asked, key=lambda n: sounds.get(rows[n][2] or "") != asked[n].sound):
            alike = sorted(place for place in sounds if sounds[place] == asked[number].sound)
            if alike:
                own = rows[number][2]
                kept = own if own is not None and own in alike else alike[0]
                del sounds[kept], asked[number]
                found[number] = kept
    return {number: place for number, place in found.items() if place != rows[number][2]}


def _sounds(places: Iterable[str | None], files: Files) -> dict[str, str | None]:
    some = sorted(place for place in places if place is not None)
    with ThreadPoolExecutor() as pool:
        return dict(zip(some, pool.map(sound_digest, (files.root / place for place in some))))
