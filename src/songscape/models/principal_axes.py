"""Principal axes of many rows that need not fit into memory at once, with a fixed sign."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from songscape.models.standardisation import chunks

Floats = NDArray[np.float64]
ReadRows = Callable[[NDArray[np.intp]], NDArray[Any]]

# Up to this many rows or columns an exact eigendecomposition takes seconds.
EXACT_LIMIT = 4096
OVERSAMPLING, POWER_ITERATIONS = 10, 4


@dataclass(frozen=True, eq=False)
class Axes:
    """Orthonormal directions (n_axes, n_columns) of largest variance, the largest first.

    The entry of largest magnitude in each is positive. `mean` was subtracted before (zero if the
    rows were not centred), `squares` are the sums of squared coordinates along each.
    """

    mean: Floats
    directions: Floats
    squares: Floats

    def project(self, rows: NDArray[Any]) -> Floats:
        """Coordinates of `rows` along the directions, shape (n_rows, n_axes)."""
        # A fixed summation per row, whatever other rows are in the batch.
        return np.asarray((rows.astype(np.float64) - self.mean) @ self.directions.T)


def principal_axes(
    read: ReadRows, n_rows: int, n_columns: int, n_axes: int, *, seed: int = 0, centre: bool = True
) -> Axes:
    """The `n_axes` principal axes of the rows that `read` returns for row numbers.

    Exact through the smaller of the two Gram matrices where that has at most `EXACT_LIMIT` rows,
    otherwise by a seeded randomised range finder with power iterations (Halko et al. 2011, 4.4).
    Rows are read in chunks; memory stays below one chunk plus (n_columns x n_axes). Axes without
    variance are dropped, so fewer than `n_axes` may come back. Without `centre` it is the truncated
    singular value decomposition.
    """
    mean = np.zeros(n_columns)
    if centre:
        mean = sum((read(rows).astype(np.float64).sum(axis=0) for rows in chunks(n_rows)), mean)
        mean = mean / n_rows

    def blocks() -> Iterator[Floats]:
        for rows in chunks(n_rows):
            yield read(rows).astype(np.float64) - mean

    if n_rows <= min(EXACT_LIMIT, n_columns):
        matrix = np.concatenate(list(blocks()))
        squares, vectors = _largest(matrix @ matrix.T, n_axes)
        directions = (vectors.T @ matrix) / np.sqrt(np.maximum(squares, 1e-300))[:, None]
    elif n_columns <= EXACT_LIMIT:
        gram = sum((block.T @ block for block in blocks()), np.zeros((n_columns, n_columns)))
        squares, vectors = _largest(gram, n_axes)
        directions = vectors.T
    else:
        width = min(n_columns, n_axes + OVERSAMPLING)
        basis = np.random.default_rng(seed).standard_normal((n_columns, width))
        for _ in range(POWER_ITERATIONS):
            basis = np.linalg.qr(basis)[0]
            products = (block.T @ (block @ basis) for block in blocks())
            basis = sum(products, np.zeros_like(basis))
        basis = np.linalg.qr(basis)[0]
        projections = (block @ basis for block in blocks())
        gram = sum((part.T @ part for part in projections), np.zeros((width, width)))
        squares, vectors = _largest(gram, n_axes)
        directions = (basis @ vectors).T
    used = squares > max(float(squares.max(initial=0.0)) * 1e-10, 1e-300)
    return Axes(mean, _fix_signs(directions[used]), squares[used])


def _largest(gram: Floats, n: int) -> tuple[Floats, Floats]:
    """The n largest eigenvalues of a symmetric matrix and their vectors, largest first."""
    size = len(gram)
    values, vectors = scipy.linalg.eigh(gram, subset_by_index=(max(0, size - n), size - 1))
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]


def _fix_signs(directions: Floats) -> Floats:
    """Turn every direction so that its entry of largest magnitude is positive."""
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return np.asarray(directions * np.where(signs == 0, 1.0, signs)[:, None])
