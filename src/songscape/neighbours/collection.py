"""A results folder as neighbours need it: an index of its songs, what they sound like, groups."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from songscape.errors import SongscapeError, UsageError
from songscape.library import Library
from songscape.models.presets import DEFAULT_FREE, DEFAULT_NEUTRAL
from songscape.neighbours.index import Index
from songscape.neighbours.songs import Song, read_songs
from songscape.results import ResultsFolder, read_json, read_latents

__all__ = ["NamedGroup", "find_group", "find_space", "open_index", "read_groups", "with_sound"]

LEAST_SURE = 0.1
"""Tempo and key that are less sure than this are not used."""


@dataclass(frozen=True)
class NamedGroup:
    """A group: the id that it keeps over refits, its name, and its songs."""

    id: str
    name: str
    track_ids: tuple[str, ...]


def find_space(folder: ResultsFolder, *, neutral: bool = False) -> tuple[str, int]:
    """The model, and its seed, whose vectors a folder has: the default one if it is there.

    Parameters
    ----------
    folder : ResultsFolder
    neutral : bool
        The one that puts songs of different languages beside each other.

    Raises
    ------
    SongscapeError
        There is none yet.
    """
    files = sorted((folder.tables / "latents").glob("*-seed*.parquet"))
    found = [(name, int(seed)) for name, _, seed in (f.stem.rpartition("-seed") for f in files)]
    found.sort(key=lambda one: (one[1], one[0]))
    wanted = DEFAULT_NEUTRAL if neutral else DEFAULT_FREE
    kind = [one for one in found if one[0].startswith("neutral-") == neutral]
    for one in (*(one for one in found if one[0] == wanted), *kind, *found):
        return one
    raise SongscapeError(f"{folder.root}: no songs with vectors yet; make them with songscape run")


def open_index(folder: ResultsFolder, *, neutral: bool = False) -> Index:
    """The songs of a results folder in its default space; see `find_space`."""
    model, seed = find_space(folder, neutral=neutral)
    with Library.open(folder.library, must_exist=True) as library:
        songs = read_songs(library, folder)
    try:
        ids, vectors = read_latents(folder.latents(model, seed))
    except (OSError, ValueError):
        raise SongscapeError(
            f"{folder.latents(model, seed)}: can't be read; delete it and run again"
        ) from None
    rows = [row for row, track_id in enumerate(ids) if track_id in songs]
    if len(rows) < len(ids):
        ids, vectors = tuple(ids[row] for row in rows), vectors[rows]
    return Index(ids, vectors, songs)


def with_sound(songs: Sequence[Song], library: Library) -> tuple[Song, ...]:
    """The songs with duration, loudness, tempo and key, as far as the library knows them."""
    facts = library.audio_facts().reindex([song.id for song in songs])
    measured = library.features("descriptors")
    found = []
    for song, seconds, loudness in zip(songs, facts["duration_s"], facts["loudness_dbfs"]):
        known = {"seconds": seconds, "loudness_db": loudness}
        known = {name: float(value) for name, value in known.items() if value == value}
        song = replace(song, **{n: v for n, v in known.items() if getattr(song, n) is None})
        heard = measured.get(song.id)
        if heard is not None and len(heard) == 10:
            tempo, tempo_sure, loudness, *_, key, mode, key_sure = (float(v) for v in heard)
            song = replace(song, loudness_db=loudness)
            if song.tempo_bpm is None and tempo_sure >= LEAST_SURE:
                song = replace(song, tempo_bpm=tempo)
            if song.key is None and key_sure >= LEAST_SURE:
                song = replace(song, key=int(key), minor=mode < 0.5)
        found.append(song)
    return tuple(found)


def read_groups(folder: ResultsFolder) -> tuple[NamedGroup, ...]:
    """The groups of a folder, coarse ones first; none where it has none.

    They are the clusters of the default space, under the names that people gave them.
    """
    path = folder.tables / "clusters.csv"
    if not path.exists():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    model = find_space(folder, neutral=True)[0]
    rows = [row for row in rows if row["model"] == model] or rows
    kept = [row for row in rows if _kind(row) == _kind(rows[0])]
    names = (read_json(folder.tables / "names.json") or {}).get("names", {})
    members: dict[str, list[str]] = {}
    for row in kept:
        members.setdefault(row["cluster"], []).append(row["track_id"])
    numbers = sorted((number for number in members if int(number) >= 0), key=int)
    named = {number: str(names.get(number, f"Group {int(number) + 1}")) for number in numbers}
    return tuple(NamedGroup(i, name, tuple(members[i])) for i, name in named.items())


def _kind(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("model", "clusterer", "k", "seed"))


def find_group(groups: Sequence[NamedGroup], text: str) -> NamedGroup | None:
    """The group of that name or id, whatever the case of its letters; None where there is none.

    Raises
    ------
    UsageError
        Several have it.
    """
    wanted = " ".join(text.split()).casefold()
    found = [g for g in groups if g.id == text] or [
        g for g in groups if " ".join(g.name.split()).casefold() == wanted
    ]
    if len(found) > 1:
        ids = ", ".join(group.id for group in found)
        raise UsageError(f"{text}: {len(found)} groups have this name; name one by its id: {ids}")
    return found[0] if found else None
