"""Labels and groups of tracks as integer codes; a missing label is −1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.int64]
_N_BINS = 5


def encode_labels(values: ArrayLike) -> tuple[Integers, tuple[Any, ...]]:
    """Integer codes of a label column, −1 where it is missing, and its classes in sorted order.

    None, NaN, NaT, "" and negative integers are missing. Labels that are not all numbers compare as
    text.
    """
    import pandas as pd

    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"labels have shape {array.shape}, expected one label per track")
    if array.dtype.kind in "iu":
        present = array >= 0
    else:
        array = np.asarray(values, dtype=object)
        present = ~np.asarray(pd.isna(array), dtype=bool)
        present &= np.array([not (isinstance(v, str) and not v.strip()) for v in array], bool)
        if not all(isinstance(v, int | float | np.number) for v in array[present]):
            array = np.array([str(v) for v in array], dtype=object)
    codes = np.full(len(array), -1, dtype=np.int64)
    classes, inverse = np.unique(array[present], return_inverse=True)
    codes[present] = inverse
    return codes, tuple(classes.tolist())


def group_codes(groups: ArrayLike | None, n: int) -> Integers:
    """Group codes without gaps; a track without a group is a group of its own."""
    if groups is None:
        return np.arange(n, dtype=np.int64)
    codes = encode_labels(groups)[0].copy()
    missing = codes < 0
    codes[missing] = codes.max(initial=-1) + 1 + np.arange(int(missing.sum()))
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def bin_nuisance(values: ArrayLike) -> Integers:
    """Classes of a nuisance, −1 where missing: quantile bins of a continuous one, else its codes.

    Numbers with more than 10 different values are continuous (loudness, length).
    """
    codes, classes = encode_labels(values)
    numeric = all(isinstance(c, int | float) and not isinstance(c, bool) for c in classes)
    if not numeric or len(classes) <= 2 * _N_BINS:
        return codes
    used = codes >= 0
    numbers = np.array(classes, dtype=np.float64)[codes[used]]
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _N_BINS + 1)[1:-1]))
    binned = codes.copy()
    binned[used] = np.unique(np.searchsorted(edges, numbers, side="left"), return_inverse=True)[1]
    return binned
