"""New songs among the groups of a results folder: where they belong, how surely, what is near."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.clustering.assign import assign, far_limit
from songscape.clustering.earlier import stored_levels
from songscape.clustering.groups import SURE
from songscape.clustering.levels import take
from songscape.errors import SongscapeError
from songscape.ingest import read_collection
from songscape.neighbours.collection import find_space, open_index
from songscape.neighbours.index import Neighbour
from songscape.neighbours.placing import Placer
from songscape.neighbours.songs import Song
from songscape.neighbours.space import ALL
from songscape.results import ResultsFolder, read_json

UNKNOWN = "unknown"
_RUN = "run songscape run again"


@dataclass(frozen=True)
class Assigned:
    """Where a song belongs.

    `group` is the name of its group, or "unknown", and `group_id` its id, or ""; `sure` says in
    words how sure that is, or why no group is known; `near` are the nearest songs.
    """

    song: Song
    group: str
    group_id: str
    sure: str
    near: tuple[Neighbour, ...]


Placed = tuple[list[Assigned], list[str], list[str]]
"""Songs, and lines for files that can't be read and for those that are no songs."""


def assign_songs(folder: ResultsFolder, paths: Sequence[Path], n: int = 3) -> Iterator[Placed]:
    """Say in which groups songs belong; nothing is trained or grouped again, and nothing kept.

    Yields for each path its songs, sorted by id; a line for each that can't be read; and one for
    each file that is left out because it is no song. Songs that are grouped already are not read
    again.
    """
    groups = _KnownGroups(folder, n)
    for path in paths:
        try:
            yield groups.of_folder(path) if path.is_dir() else groups.of_file(path)
        except SongscapeError as error:
            yield [], [str(error)], []
        except OSError as error:
            yield [], [f"{path}: {error.strerror or error}; check that it can be read"], []


class _KnownGroups:
    """The groups of a folder, the space that they were found in, and its model."""

    def __init__(self, folder: ResultsFolder, n: int) -> None:
        path = folder.tables / "groups.json"
        document: Mapping[str, Any] | None = read_json(path)
        if document is None:
            raise SongscapeError(f"{path}: no groups here; make them with songscape run")
        levels = stored_levels(document, document.get("tracks", ()))
        if levels is None:
            raise SongscapeError(f"{path}: the groups can't be read; {_RUN}")
        model, seed = find_space(folder, model=str(document.get("model", "")))
        self._index = open_index(folder, model=model)
        self._placer, self._n = Placer(folder, model, seed), n
        self._groups: Sequence[Mapping[str, Any]] = document["levels"][0]["groups"]
        row_of = {track_id: row for row, track_id in enumerate(document["tracks"])}
        grouped = [i for i in self._index.ids if i in row_of]
        if not grouped:
            raise SongscapeError(f"{path}: the groups are of other songs; {_RUN}")
        self._levels = take(levels, [row_of[i] for i in grouped])
        rows = [self._index.row_of[i] for i in grouped]
        self._known = self._index.space.blocks[ALL].values[rows]
        self._region = dict(zip(grouped, self._levels.regions))
        self._ids_of: dict[str, list[str]] = {}
        for track_id, file in zip(self._index.ids, self._index.songs.values("file", None)):
            if file and track_id in self._region:
                self._ids_of.setdefault(os.path.realpath(file), []).append(track_id)

    @cached_property
    def _far(self) -> float:
        return far_limit(self._known)

    def of_file(self, file: Path) -> Placed:
        if its := self._ids_of.get(os.path.realpath(file)):
            return [self._member(track_id) for track_id in its], [], []
        song, vector = self._placer.file(file)
        return self._placed([song], vector[None]), [], []

    def of_folder(self, path: Path) -> Placed:
        found = read_collection(path)
        member, new = dict[str, None](), []
        for track in found.tracks:
            its = self._ids_of.get(os.path.realpath(track.audio)) if track.audio else None
            member |= dict.fromkeys(its or ())
            new += [] if its else [track]
        songs, vectors, problems = self._placer.collection(replace(found, tracks=tuple(new)))
        assigned = self._placed([songs[i] for i in songs.ids], vectors)
        assigned += [self._member(track_id) for track_id in member]
        files = {t.id: path / t.audio.relative_to(found.root) for t in new if t.audio}
        failed: list[str] = []
        skipped: list[str] = []
        for row in problems:
            reason = row.reason.removeprefix(f"{row.track_id}: ")
            line = f"{files.get(row.track_id, path / row.track_id)}: {reason}"
            (failed if row.status == "failed" else skipped).append(line)
        return sorted(assigned, key=lambda one: one.song.id), failed, skipped

    def _member(self, track_id: str) -> Assigned:
        """A song that is grouped already."""
        near = self._index.similar(track_id, self._n)
        song, group = self._index.songs[track_id], int(self._region[track_id])
        return self._in(song, group, "already in the collection", near)

    def _placed(self, songs: Sequence[Song], vectors: NDArray[np.float32]) -> list[Assigned]:
        if not songs:
            return []
        placed = assign(vectors, self._known, self._levels, self._far)
        assigned = []
        for song, vector, number, confidence in zip(
            songs, vectors, placed.regions.tolist(), placed.confidence.tolist()
        ):
            near = self._index.similar(vector, self._n)
            if number < 0:
                reason = "between groups" if confidence > 0 else "unlike all known songs"
                assigned.append(Assigned(song, UNKNOWN, "", reason, tuple(near)))
            else:
                words = "sure" if confidence >= SURE else "fairly sure"
                assigned.append(self._in(song, number, words, near))
        return assigned

    def _in(self, song: Song, number: int, sure: str, near: Sequence[Neighbour]) -> Assigned:
        group = self._groups[number]
        if group.get("sure") == "not stable":
            sure += ", but the group is not stable"
        return Assigned(song, str(group["name"]), str(group["id"]), sure, tuple(near))
