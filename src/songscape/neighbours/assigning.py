"""New songs among the groups of a results folder: where they belong, how surely, what is near."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.clustering.groups import SURE
from songscape.clustering.levels import COMES_BACK
from songscape.clustering.smoothed import nearest, neighbourhood_size
from songscape.errors import SongscapeError
from songscape.ingest import read_collection
from songscape.neighbours.collection import find_space, open_index
from songscape.neighbours.index import Neighbour
from songscape.neighbours.placing import Placer
from songscape.neighbours.songs import Song
from songscape.neighbours.space import ALL
from songscape.results import ResultsFolder, read_json

UNKNOWN = "unknown"
FAR = 0.99
"""A song is unlike all known ones if it is farther from its nearest songs than this share of the
known songs are from theirs."""
_LEAST_SURE = 0.5
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


def assign(
    new: ArrayLike,
    known: ArrayLike,
    regions: NDArray[np.int64],
    certainty: NDArray[np.float64],
    limit: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Place songs by their nearest songs whose groups are known; nothing is grouped again.

    `new`, (n_new, n_dimensions), and `known`, (n_tracks, n_dimensions), are of the same fitted
    model; `regions` and `certainty`, (n_tracks,), say where the known songs belong and how surely;
    `limit` is their `far_limit`.

    Returns the regions of the new songs, (n_new,), -1 where one is like none or lies between
    several; and the mean over the nearest known songs of how surely each belongs there, 0 for those
    in other regions.
    """
    points, among = np.asarray(new, np.float32), np.asarray(known, np.float32)
    rows = nearest(points, among, neighbourhood_size(len(among)))
    votes = np.zeros((len(points), int(regions.max()) + 1))
    for column in rows.T:
        votes[np.arange(len(points)), regions[column]] += certainty[column] / rows.shape[1]
    found, confidence = votes.argmax(axis=1), votes.max(axis=1)
    far = _distance(points, among, rows) > limit
    return np.where(far | (confidence < _LEAST_SURE), -1, found), np.where(far, 0.0, confidence)


def far_limit(known: ArrayLike) -> float:
    """How far from its nearest songs a song is like none: as only one known song in a hundred."""
    among = np.asarray(known, np.float32)
    rows = nearest(among, among, neighbourhood_size(len(among)) + 1)[:, 1:]
    return float(np.quantile(_distance(among, among, rows), FAR))


def _distance(
    points: NDArray[np.float32], among: NDArray[np.float32], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean distance to the given rows."""
    total = np.zeros(len(points))
    for column in rows.T:
        total += np.linalg.norm(points - among[column], axis=1)
    return np.asarray(total / rows.shape[1])


class _KnownGroups:
    """The groups of a folder, the space that they were found in, and its model."""

    def __init__(self, folder: ResultsFolder, n: int) -> None:
        path = folder.tables / "groups.json"
        document = read_json(path)
        if document is None:
            raise SongscapeError(f"{path}: no groups here; make them with songscape run")
        try:
            level = document["levels"][0]
            self._groups: Sequence[Mapping[str, Any]] = level["groups"]
            groups = zip(level["member"], level["certainty"], strict=True)
            region_of = dict(zip(document["tracks"], groups, strict=True))
        except (LookupError, TypeError, ValueError):
            raise SongscapeError(f"{path}: the groups can't be read; {_RUN}") from None
        model, seed = find_space(folder, model=str(document.get("model", "")))
        self._index = open_index(folder, model=model)
        self._placer, self._n = Placer(folder, model, seed), n
        self._region = {i: region_of[i] for i in self._index.ids if i in region_of}
        if not self._region:
            raise SongscapeError(f"{path}: the groups are of other songs; {_RUN}")
        self._regions, self._certainty = map(np.array, zip(*self._region.values()))
        rows = [self._index.row_of[i] for i in self._region]
        self._known = self._index.space.blocks[ALL].values[rows]
        self._ids_of: dict[str, list[str]] = {}
        for track_id, file in zip(self._index.ids, self._index.songs.values("file", None)):
            if file and track_id in self._region:
                self._ids_of.setdefault(os.path.realpath(file), []).append(track_id)

    @cached_property
    def _far(self) -> float:
        return far_limit(self._known)

    def of_file(self, file: Path) -> Placed:
        if there := self._members(file):
            return there, [], []
        song, vector = self._placer.file(file)
        return self._placed([song], vector[None]), [], []

    def of_folder(self, path: Path) -> Placed:
        found = read_collection(path)
        assigned: dict[str, Assigned] = {}
        new = []
        for track in found.tracks:
            there = self._members(track.audio) if track.audio else []
            assigned |= {one.song.id: one for one in there}
            new += [] if there else [track]
        songs, vectors, problems = self._placer.collection(replace(found, tracks=tuple(new)))
        every = self._placed([songs[i] for i in songs.ids], vectors) + list(assigned.values())
        files = {t.id: path / t.audio.relative_to(found.root) for t in new if t.audio}
        lines: dict[str, list[str]] = {"failed": [], "skipped": []}
        for row in problems:
            reason = row.reason.removeprefix(f"{row.track_id}: ")
            lines[row.status].append(f"{files.get(row.track_id, path / row.track_id)}: {reason}")
        return sorted(every, key=lambda one: one.song.id), lines["failed"], lines["skipped"]

    def _members(self, file: Path) -> list[Assigned]:
        """The songs of a file, where they are grouped already."""
        return [
            self._in(self._index.songs[i], i, self._region[i][0], "already in the collection")
            for i in self._ids_of.get(os.path.realpath(file), ())
        ]

    def _placed(self, songs: Sequence[Song], vectors: NDArray[np.float32]) -> list[Assigned]:
        if not songs:
            return []
        placed = assign(vectors, self._known, self._regions, self._certainty, self._far)
        return [
            self._in(song, vector, number, _how_sure(number, confidence))
            for song, vector, number, confidence in zip(songs, vectors, *placed)
        ]

    def _in(self, song: Song, what: Any, number: int, sure: str) -> Assigned:
        near = tuple(self._index.similar(what, self._n))
        if number < 0:
            return Assigned(song, UNKNOWN, "", sure, near)
        group = self._groups[number]
        if (stability := group.get("stability")) is not None and stability < COMES_BACK:
            sure += ", but the group is not stable"
        return Assigned(song, str(group["name"]), str(group["id"]), sure, near)


def _how_sure(number: int, confidence: float) -> str:
    if number < 0:
        return "between groups" if confidence > 0 else "unlike all known songs"
    return "sure" if confidence >= SURE else "fairly sure"
