"""Views: the named blocks of numbers that describe the tracks of a collection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class View:
    """One named block of numbers, one row per track.

    Attributes
    ----------
    values : ndarray of shape (n_tracks, ...), or csr_array of shape (n_tracks, n_features)
        float32. Rows of absent tracks are stored as zeros and are not data: read `present` first.
    present : ndarray of shape (n_tracks,), bool
        Whether the track has this view.
    mask : ndarray of shape (n_tracks, n_steps), bool, optional
        Valid steps of a sequence view; padded steps are stored as zeros and are not data.
        For `mfcc`, values have shape (n_tracks, n_coefficients, n_frames) and steps are frames;
        for `segments`, (n_tracks, n_segments, n_features) and steps are segments.
    step_axis : int
        The axis of `values` along which `mask` runs (2 for `mfcc`, 1 for `segments`).
    feature_names : tuple of str
        Names of the columns where they have any (the vocabulary of `lyrics`).
    modality : {"audio", "text", ""}
        What it was made from; "" for covariates. Models let all audio views together weigh as much
        as all text views together.
    standardise : bool
        Whether columns are brought to unit variance before anything else. False where rows are
        directions (word weights, sentence and voice vectors): these are centred at most.
    """

    values: Any
    present: NDArray[np.bool_]
    mask: NDArray[np.bool_] | None = None
    step_axis: int = 1
    feature_names: tuple[str, ...] = field(default=(), repr=False)
    modality: str = ""
    standardise: bool = True

    def __post_init__(self) -> None:
        n_tracks = self.values.shape[0]
        if self.present.shape != (n_tracks,):
            raise ValueError(
                f"present has shape {self.present.shape}, not ({n_tracks},): one flag per track"
            )
        if self.mask is not None and self.mask.shape != (
            n_tracks,
            self.values.shape[self.step_axis],
        ):
            raise ValueError(
                f"mask has shape {self.mask.shape}, expected one flag per track and step"
            )

    @property
    def is_text(self) -> bool:
        """Whether it was made from the lyrics; sparse views are words, and always were."""
        return self.modality == "text" or self.is_sparse

    @property
    def is_sparse(self) -> bool:
        return bool(sp.issparse(self.values))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(length) for length in self.values.shape)

    def take(self, rows: ArrayLike) -> View:
        """The view of the given tracks (integer positions), in that order."""
        index = np.asarray(rows)
        return replace(
            self,
            values=self.values[index],
            present=self.present[index],
            mask=None if self.mask is None else self.mask[index],
        )

    def in_columns(self, names: Sequence[str]) -> NDArray[Any]:
        """The columns of these names, (n_tracks, n_names); zeros for a name that it has not."""
        place = {name: i for i, name in enumerate(self.feature_names)}
        found = np.zeros((len(self.values), len(names)), self.values.dtype)
        for i, name in enumerate(names):
            if name in place:
                found[:, i] = self.values[:, place[name]]
        return found

    def pooled(self) -> View:
        """One row per track, (n_tracks, n_features): the mean of its valid steps."""
        if self.mask is None:
            return self
        layout = [len(self.mask), *(1 for _ in self.shape[1:])]
        layout[self.step_axis] = self.mask.shape[1]
        valid = self.mask.reshape(layout)
        total = np.sum(self.values, axis=self.step_axis, where=valid, dtype=np.float64)
        mean = total / np.maximum(valid.sum(axis=self.step_axis), 1)
        return replace(self, values=mean.astype(np.float32), mask=None)


@dataclass(frozen=True, eq=False)
class Views(Mapping[str, View]):
    """All views of the same tracks, by name, in one order of tracks.

    Attributes
    ----------
    track_ids : tuple of str
    blocks : mapping of name to View
    groups : ndarray of shape (n_tracks,), int64, optional
        Tracks of one group (an artist, copies of one recording) are never on both sides of a split
        into training and validation.
    """

    track_ids: tuple[str, ...]
    blocks: Mapping[str, View]
    groups: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.groups is not None and self.groups.shape != (len(self.track_ids),):
            raise ValueError(f"{self.groups.shape} groups for {len(self.track_ids)} tracks")
        # Views that are only read when they are asked for are not asked for here.
        made = self.blocks if isinstance(self.blocks, dict) else {}
        for name, view in made.items():
            if view.shape[0] != len(self.track_ids):
                raise ValueError(
                    f"view {name!r} has {view.shape[0]} rows for {len(self.track_ids)} tracks"
                )

    def __getitem__(self, name: str) -> View:
        try:
            return self.blocks[name]
        except KeyError:
            raise KeyError(f"no view {name!r}; this collection has {', '.join(self)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self.blocks

    def __iter__(self) -> Iterator[str]:
        return iter(self.blocks)

    def __len__(self) -> int:
        return len(self.blocks)

    @property
    def n_tracks(self) -> int:
        return len(self.track_ids)

    def select(self, names: Sequence[str]) -> Views:
        """Only the named views, in the order given."""
        select = getattr(self.blocks, "select", None)
        if select is not None and all(name in self for name in names):
            return Views(self.track_ids, select(names), self.groups)
        return Views(self.track_ids, {name: self[name] for name in names}, self.groups)

    def take(self, rows: ArrayLike) -> Views:
        """Only the given tracks (integer positions), in that order."""
        index = np.asarray(rows)
        return Views(
            tuple(self.track_ids[i] for i in index),
            {name: view.take(index) for name, view in self.blocks.items()},
            None if self.groups is None else self.groups[index],
        )

    def digest(self) -> str:
        """SHA-256 over track ids, groups, names, shapes and bytes: equal digests, equal input."""
        hasher = hashlib.sha256("\0".join(self.track_ids).encode())
        if self.groups is not None:
            hasher.update(np.ascontiguousarray(self.groups).tobytes())
        for name, view in self.blocks.items():
            hasher.update(f"{name}{view.shape}{view.step_axis}".encode())
            hasher.update("\0".join(view.feature_names).encode())
            arrays = [view.present]
            if view.is_sparse:
                matrix = sp.csr_array(view.values)
                arrays += [matrix.data, matrix.indices, matrix.indptr]
            else:
                arrays.append(view.values)
            if view.mask is not None:
                arrays.append(view.mask)
            for array in arrays:
                hasher.update(np.ascontiguousarray(array).tobytes())
        return hasher.hexdigest()
