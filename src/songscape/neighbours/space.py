"""Exact distances between songs, by one matrix of vectors or by several with a weight each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import UsageError

Floats = NDArray[np.float32]
Weights = Mapping[str, float] | None
ALL = "all"


class Point(dict[str, Floats]):
    """A place in the space, block by block, as the space scales them."""


class _Block:
    """Vectors with half their squared norms; distances to a point cost one product."""

    def __init__(self, values: ArrayLike, scaled: bool) -> None:
        found = np.ascontiguousarray(values, np.float32)
        if found.ndim != 2:
            raise UsageError(f"vectors have shape {found.shape}, not (n_tracks, n_dimensions)")
        self.present: NDArray[np.bool_] = np.asarray(~np.isnan(found).any(axis=1))
        rows = found[self.present]
        if not np.isfinite(rows).all():
            raise UsageError("vectors: numbers that are infinite; leave those tracks out")
        centre, self.usual = np.zeros(found.shape[1]), 0.0
        if len(rows):
            centre = rows.mean(axis=0, dtype=np.float64)
            spread = sum(float(np.square(rows[:, i] - c).mean()) for i, c in enumerate(centre))
            self.usual = float(np.sqrt(2 * spread))
        self.centre = centre.astype(np.float32) if scaled else np.float32(0)
        self.scale = max(self.usual, 1e-12) if scaled else 1.0
        if scaled:
            found = np.ascontiguousarray((found - self.centre) / self.scale, np.float32)
            self.usual = 1.0
        if not self.present.all():
            found = np.where(self.present[:, None], found, np.float32(0))
        self.values: Floats = found
        self.half_norms: Floats = np.einsum("ij,ij->i", found, found) / np.float32(2)
        self._middle = np.float32(0) if scaled else centre.astype(np.float32)
        self.reaches: Floats = np.where(self.present, self.reach(found), np.float32(1))
        self._longest = float(np.sqrt(2 * self.half_norms.max(initial=0.0)))

    def reach(self, points: Floats) -> Any:
        """Mean squared distance of all songs from points, (n,) or one."""
        gaps = points - self._middle
        return np.einsum("...i,...i->...", gaps, gaps) + np.float32(self.usual**2 / 2)

    def squared(self, point: Floats) -> Floats:
        """Squared distances, (n,), as good as float32 has them."""
        found: Floats = self.values @ -point
        found += self.half_norms
        found += np.float32(point @ point / 2)
        found *= 2
        return found

    def slack(self, point: Floats) -> float:
        """More than `squared` can be wrong by."""
        longest = self._longest + float(np.linalg.norm(point))
        return float((len(point) + 8) * 2.0**-24 * longest**2)


class Space:
    """Vectors of songs, as `Index` takes them.

    With `correct_hubs` a distance is divided by how far the two songs usually are from others (the
    root of the product of both root mean squares), and multiplied by how far songs usually are:
    what is near to everything is moved away, and what is far from everything comes nearer. This is
    NICDM (Schnitzer, Flexer, Schedl & Widmer 2012) with all songs in place of the nearest.
    """

    def __init__(
        self, vectors: ArrayLike | Mapping[str, ArrayLike], correct_hubs: bool = False
    ) -> None:
        self._correct = correct_hubs
        self._kept: tuple[Any, Floats] = None, np.zeros(0, np.float32)
        several = isinstance(vectors, Mapping)
        given = vectors if isinstance(vectors, Mapping) else {ALL: vectors}
        self.blocks = {str(name): _Block(values, several) for name, values in given.items()}
        sizes = {len(block.values) for block in self.blocks.values()}
        if len(sizes) != 1:
            raise UsageError("vectors: blocks of the same tracks have as many rows each")
        if not several and not self.blocks[ALL].present.all():
            raise UsageError("vectors: some are NaN; leave those tracks out, or name blocks")
        self.n_rows = sizes.pop()

    def approximate(self, point: Any, weights: Weights = None) -> Floats:
        """Squared distances of every song to a point, a row or a vector; float32."""
        total: Floats | None = None
        for block, vector, share in self._parts(point, weights):
            if vector is None:
                found = np.ones(self.n_rows, np.float32)
            else:
                found = block.squared(vector)
                if not block.present.all():
                    found[~block.present] = 1.0
            if share != 1.0:
                found *= np.float32(share)
            total = found if total is None else total + found
        assert total is not None
        if self._correct:
            total *= self._pulls(weights)
            total *= np.float32(self._pull(point, weights))
        return total

    def exact(self, point: Any, rows: NDArray[np.intp], weights: Weights = None) -> Any:
        """Distances of some songs, computed in double precision."""
        total = np.zeros(len(rows))
        for block, vector, share in self._parts(point, weights):
            if vector is None:
                total += share
                continue
            steps = block.values[rows].astype(np.float64) - vector.astype(np.float64)
            total += share * np.where(block.present[rows], np.square(steps).sum(axis=1), 1.0)
        if self._correct:
            total *= self._pull(point, weights) * self._pulls(weights)[rows].astype(np.float64)
        return np.sqrt(total)

    def _pull(self, point: Any, weights: Weights) -> float:
        """What squared distances from a point are multiplied by, besides `_pulls`; 2 at most."""
        parts = self._parts(point, weights)
        reach = sum(s * (1.0 if v is None else float(b.reach(v))) for b, v, s in parts)
        return float(self.usual(weights) ** 2 / np.sqrt(max(reach, 1e-24)))

    def _pulls(self, weights: Weights) -> Floats:
        """For every song, one by the root of its mean squared distance from all songs."""
        key = weights and tuple(sorted(weights.items()))
        kept = self._kept  # another thread may ask with other weights meanwhile
        if not len(kept[1]) or kept[0] != key:
            reaches = sum(share * block.reaches for block, _, share in self._parts(0, weights))
            kept = key, np.asarray(1 / np.sqrt(np.maximum(reaches, 1e-24)), np.float32)
            self._kept = kept
        return kept[1]

    def usual(self, weights: Weights = None) -> float:
        """Root mean square of the distance between two songs."""
        squares = [share * block.usual**2 for block, _, share in self._parts(0, weights)]
        return max(float(np.sqrt(sum(squares))), 1e-12)

    def slack(self, point: Any) -> float:
        """How far `approximate` can be off, twice."""
        largest = 4 if self._correct else 2
        return sum(largest * b.slack(v) for b, v, _ in self._parts(point, None) if v is not None)

    def complete(self, weights: Weights = None) -> NDArray[np.bool_]:
        """Songs that have every block that counts."""
        parts = self._parts(0, weights)
        return np.asarray(np.all([block.present for block, _, _ in parts], axis=0))

    def between(self, first: int, last: int, share: float) -> Point:
        """A point on the line between two songs, `share` of the way."""
        ends = {name: (b.values[first], b.values[last]) for name, b in self.blocks.items()}
        near, far = np.float32(1 - share), np.float32(share)
        return Point({name: near * one + far * other for name, (one, other) in ends.items()})

    def centre(self, rows: Sequence[int]) -> Point:
        """The mean of some songs."""
        means = {
            name: block.values[rows][block.present[rows]].mean(axis=0, dtype=np.float64)
            for name, block in self.blocks.items()
            if block.present[rows].any()
        }
        return Point({name: np.asarray(mean, np.float32) for name, mean in means.items()})

    def along(self, first: int, last: int, row: int, weights: Weights = None) -> float:
        """How far along that line a song lies, 0 at the first and 1 at the last."""
        ahead = length = 0.0
        for block, _, share in self._parts(first, weights):
            line = (block.values[last] - block.values[first]).astype(np.float64)
            ahead += share * float(line @ (block.values[row] - block.values[first]))
            length += share * float(line @ line)
        return ahead / length if length else 0.0

    def _parts(self, point: Any, weights: Weights) -> list[tuple[_Block, Floats | None, float]]:
        """The blocks that count, the point's vector in each (None where it has none), shares."""
        unknown = set(weights or ()) - set(self.blocks)
        if unknown or (weights is not None and not any(w > 0 for w in weights.values())):
            raise UsageError(f"weights: above 0, of {', '.join(self.blocks)}")
        shares = dict.fromkeys(self.blocks, 1.0) if weights is None else dict(weights)
        if any(share < 0 for share in shares.values()):
            raise UsageError("weights: none below 0")
        total = sum(shares.values())
        return [
            (block, self._vector(name, block, point), shares[name] / total)
            for name, block in self.blocks.items()
            if shares.get(name, 0) > 0
        ]

    def _vector(self, name: str, block: _Block, point: Any) -> Floats | None:
        if isinstance(point, (int, np.integer)):
            return block.values[point] if block.present[point] else None
        given = point.get(name) if isinstance(point, Mapping) else point
        if given is None:
            return None
        vector = np.asarray(given, np.float32)
        if vector.shape != (block.values.shape[1],) or not np.isfinite(vector).all():
            raise UsageError(
                f"a vector of shape {vector.shape}; this index takes ({block.values.shape[1]},), "
                "all numbers finite"
            )
        if isinstance(point, Point):
            return vector
        return np.asarray((vector - block.centre) / block.scale, np.float32)
