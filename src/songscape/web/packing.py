"""What the page is sent: numbers as base64, texts in columns; the same live and in a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from songscape.clustering.portraits import Scale
from songscape.columns import Role, role_of
from songscape.web.atlas import Atlas, Division

MOST_VALUES = 24
"""This many of the commonest values of a column get a colour each; the rest is "other"."""
NOT_SHOWN = frozenset({Role.TITLE, Role.ID, Role.LICENCE})
QUANTILES = 65
STEPS = 65_535
"""Places are sent as 16-bit numbers: a step is a hundredth of a pixel on a large screen."""


def as_json(value: Any) -> bytes:
    """Compact JSON in UTF-8; half a surrogate pair, from a bad file name, is a question mark."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def packed(values: Any, dtype: str) -> dict[str, str]:
    """Numbers as base64 of little-endian bytes; `dtype` is numpy's name without the order."""
    data = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<"))
    return {"dtype": dtype, "data": base64.b64encode(data.tobytes()).decode("ascii")}


def packed_places(places: Any) -> dict[str, str]:
    """Places from -1 to 1, (n, 2)."""
    return packed(np.rint((places + 1) / 2 * STEPS), "uint16")


def map_document(atlas: Atlas) -> dict[str, Any]:
    """Everything that the map needs at once: rows are songs."""
    return {
        "title": atlas.title,
        "note": atlas.note,
        "ids": list(atlas.ids),
        "titles": list(atlas.titles),
        "artists": _coded(atlas.artists),
        "plays": packed([path is not None for path in atlas.audio], "uint8"),
        "columns": list(_columns(atlas)),
        "roles": dict(atlas.roles),
        "layouts": [
            {"name": one.name, "places": packed_places(one.places)} for one in atlas.layouts
        ],
        "levels": [_level(level) for level in atlas.levels],
        "sounds": [_sound(*one) for one in atlas.sounds.items() if len(np.unique(one[1])) > 2],
        "report": atlas.has_report,
    }


def groups_document(atlas: Atlas) -> list[dict[str, Any]]:
    """The groups of every level, as the panel shows them."""
    return [{"level": level.name, "groups": list(level.groups)} for level in atlas.levels]


def _level(level: Division) -> dict[str, Any]:
    certainty = np.where(np.isnan(level.certainty), 255, np.rint(level.certainty * 100))
    return {
        "name": level.name,
        "member": packed(level.member, "int32"),
        "second": packed(level.second, "int32"),
        "certainty": packed(certainty, "uint8"),  # per cent, 255 where it is not known
    }


def _sound(scale: Scale, values: Any) -> dict[str, Any]:
    """A descriptor: each song's rank among all, 0 to 254 (255 is not known), and values by rank."""
    known = np.isfinite(values)
    ranks = np.full(len(values), 255)
    ranks[known] = np.rint(254 * (rankdata(values[known]) - 0.5) / known.sum())
    quantiles = np.quantile(values[known], np.linspace(0, 1, QUANTILES))
    numbers = [float(f"{value:.4g}") for value in quantiles]
    return asdict(scale) | {"ranks": packed(ranks, "uint8"), "quantiles": numbers}


def _coded(values: Sequence[str | None]) -> dict[str, Any]:
    """Texts as numbers of a list of the different ones; -1 where there is none."""
    codes, different = pd.factorize(pd.Series(values, dtype=object).replace("", None))
    return {"values": [str(value) for value in different], "codes": packed(codes, "int32")}


def _columns(atlas: Atlas) -> Iterable[dict[str, Any]]:
    """Columns that can colour the map: numbers as they are, texts by their commonest values."""
    for name in atlas.columns.columns:
        role = role_of(str(name))
        column = atlas.columns[name].replace("", None)
        known = column.dropna()
        if role in NOT_SHOWN or known.nunique() < 2:
            continue
        numbers = pd.to_numeric(column, errors="coerce")
        if role is Role.YEAR:
            numbers = pd.to_numeric(column.astype("string").str.extract(r"(\d{4})")[0])
            numbers = numbers.astype("Float64")
        if numbers.notna().sum() >= 0.9 * len(known) and numbers.nunique() > 8:
            values = numbers.to_numpy(dtype="float32", na_value=np.nan)
            kind = "decade" if role is Role.YEAR else "number"
            yield {"name": str(name), "kind": kind, "numbers": packed(values, "float32")}
        elif known.nunique() < max(0.5 * len(known), 3):
            counts = known.astype(str).value_counts()
            ranked = sorted(counts.index, key=lambda value: (-counts[value], value))
            shown = ranked[:MOST_VALUES]
            code = {value: min(i, len(shown)) for i, value in enumerate(ranked)}
            codes = [-1 if v is None or v != v else code[str(v)] for v in column]
            if len(ranked) > len(shown):
                shown.append("other")
            yield {
                "name": str(name),
                "kind": "category",
                "values": shown,
                "codes": packed(codes, "int32"),
            }
