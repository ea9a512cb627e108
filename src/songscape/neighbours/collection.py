"""Reads a results folder for neighbours: an index of its songs, their sound, its groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from songscape.errors import SongscapeError, UsageError
from songscape.library import Library
from songscape.models.presets import DEFAULT_FREE, DEFAULT_NEUTRAL
from songscape.neighbours.index import Index
from songscape.neighbours.songs import Song, read_songs
from songscape.results import ResultsFolder, read_json, read_latents

LEAST_SURE = 0.1
"""Tempo and key that are less sure than this are not used."""


@dataclass(frozen=True)
class NamedGroup:
    """A group: the id that it keeps over refits, its name, its songs, and the model it is of."""

    id: str
    name: str
    track_ids: tuple[str, ...]
    model: str = ""


def find_space(folder: ResultsFolder, *, neutral: bool = False, model: str = "") -> tuple[str, int]:
    """The model, and its seed, whose vectors a folder has: this `model`, or the default one.

    With `neutral` the default is one that ignores the language. If it is not there, another is
    taken; SongscapeError where there is none yet.
    """
    files = sorted((folder.tables / "latents").glob("*-seed*.parquet"))
    found = [(name, int(seed)) for name, _, seed in (f.stem.rpartition("-seed") for f in files)]
    if not found:
        raise SongscapeError(
            f"{folder.root}: no songs with vectors yet; make them with songscape run"
        )
    wanted = model or (DEFAULT_NEUTRAL if neutral else DEFAULT_FREE)

    def rank(one: tuple[str, int]) -> tuple[Any, ...]:
        return one[0] != wanted, one[0].startswith("neutral-") != neutral, one[1], one[0]

    return min(found, key=rank)


def open_index(folder: ResultsFolder, *, neutral: bool = False, model: str = "") -> Index:
    """The songs of a results folder in the space of a model, or its default; see `find_space`."""
    model, seed = find_space(folder, neutral=neutral, model=model)
    with Library.open(folder.library, must_exist=True) as library:
        songs = read_songs(library, folder)
    ids, vectors = read_latents(folder.latents(model, seed))
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
        known: dict[str, Any] = {"seconds": float(seconds), "loudness_db": float(loudness)}
        heard = measured.get(song.id)
        if heard is not None and len(heard) == 10:
            tempo, tempo_sure, loudness, *_, key, mode, key_sure = map(float, heard)
            known["loudness_db"] = loudness
            known |= {"tempo_bpm": tempo} if tempo_sure >= LEAST_SURE else {}
            known |= {"key": int(key), "minor": mode < 0.5} if key_sure >= LEAST_SURE else {}
        new = {n: v for n, v in known.items() if v == v and getattr(song, n) is None}
        found.append(replace(song, **new))
    return tuple(found)


def read_groups(folder: ResultsFolder, level: str = "") -> tuple[NamedGroup, ...]:
    """The groups of a folder: regions, then neighbourhoods, or those of one `level`."""
    document = read_json(folder.tables / "groups.json")
    if document is None:
        return ()
    tracks, found = document["tracks"], []
    for one in document["levels"]:
        members: list[list[str]] = [[] for _ in one["groups"]]
        for track_id, number in zip(tracks, one["member"]):
            if number >= 0:
                members[number].append(track_id)
        if level in ("", one["name"]):
            found += [
                NamedGroup(group["id"], group["name"], tuple(its), str(document["model"]))
                for group, its in zip(one["groups"], members)
            ]
    return tuple(found)


def find_group(groups: Sequence[NamedGroup], text: str) -> NamedGroup | None:
    """The group of that id, name, or beginning of a name; None if none has it.

    UsageError where several have it.
    """
    wanted = " ".join(text.split()).casefold()
    found = [g for g in groups if wanted in (g.id, g.name.casefold())]
    found = found or [g for g in groups if wanted and g.name.casefold().startswith(wanted)]
    if len(found) > 1:
        names = "; ".join(f"{group.id} {group.name}" for group in found)
        raise UsageError(f"{text}: several groups are called so; name one by its id: {names}")
    return found[0] if found else None
