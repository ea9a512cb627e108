"""Nuisances: what should not decide a cluster, as one table, and how far it decides a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.columns import ColumnRoles, find_roles
from songscape.metrics.clusters import contingency
from songscape.metrics.labels import encode_labels
from songscape.spellings import known_artists

if TYPE_CHECKING:
    import pandas as pd

    from songscape.features.views import Views

_SMALLEST_GAP = 0.25  # of the range: a gap this wide separates two kinds of tracks
_FEWEST_BEYOND_GAP = 5
_MOST_NUMBERS = 10


def nuisance_table(
    labels: pd.DataFrame,
    audio_facts: pd.DataFrame,
    views: Views,
    *,
    extra: Sequence[str] = (),
    roles: ColumnRoles | None = None,
) -> pd.DataFrame:
    """Nuisance columns of a collection that vary, as text, indexed by the track ids of `views`.

    Language, artist, album, source, licence, codec, container, sample_rate, channels, duration_s,
    loudness_dbfs, bitrate_kbps and has_lyrics, then the columns `extra`. Measured ones are cut into
    up to five bins (`bin_labels`).
    """
    import pandas as pd

    index = pd.Index(views.track_ids, name="id", dtype=object)
    known, facts = labels.reindex(index), audio_facts.reindex(index)
    columns = {name: texts_of(facts[name]) for name in ("codec", "container") if name in facts}
    for name, unit in (("sample_rate", " Hz"), ("channels", "")):
        if name in facts:
            numbers = pd.to_numeric(facts[name], errors="coerce")
            columns[name] = [None if x != x else f"{x:.0f}{unit}" for x in numbers]
    for name, (step, unit, spread) in _MEASURED.items():
        if name in facts:
            values = pd.to_numeric(facts[name], errors="coerce").to_numpy(np.float64)
            columns[name] = bin_labels(values, step=step, unit=unit, min_range=spread)
    if "lyrics" in views:
        present = views["lyrics"].present
        columns["has_lyrics"] = ["with lyrics" if there else "without lyrics" for there in present]
    given = column_nuisances(known, extra, roles or find_roles(known.columns))
    usual = {name: values for name, values in given.items() if name not in extra}
    return pd.DataFrame(usual | _varying(columns) | given, index=index, dtype=object)


def column_nuisances(
    columns: pd.DataFrame, extra: Sequence[str], roles: ColumnRoles
) -> dict[str, list[str | None]]:
    """Columns of language, artist, album, source, licence by role, then `extra`, if they vary.

    Numbers with many values are binned, placeholder artists ("Traditional") are missing.
    """
    found: dict[str, list[str | None]] = {}
    for name, column in roles.nuisances.items():
        found[name] = texts_of(columns[column])
        if column == roles.artist:
            found[name] = known_artists(found[name])
    for name in extra:
        if name not in roles.nuisances.values():
            found[name] = _binned_numbers(texts_of(columns[name]))
    return _varying(found)


def _varying(columns: Mapping[str, list[str | None]]) -> dict[str, list[str | None]]:
    return {k: v for k, v in columns.items() if len({x for x in v if x is not None}) > 1}


_MEASURED = {
    "duration_s": (0.1, "s", 0.5),
    "loudness_dbfs": (0.1, "dB", 1.0),
    "bitrate_kbps": (1.0, "kbit/s", 2.0),
}
"""Column -> step to round to, unit, and the least range that is a difference at all."""


def bin_labels(
    values: ArrayLike,
    *,
    n_bins: int = 5,
    step: float = 0.1,
    unit: str = "",
    min_range: float = 0.0,
) -> list[str | None]:
    """Cut numbers into up to `n_bins` bins with labels such as "3.0–9.9 s"; NaN is missing.

    Few distinct values are bins of their own. Otherwise the cuts are first wide gaps (a quarter of
    the range, five tracks on either side), then quantiles. Values are rounded to multiples of
    `step` before. Nothing is cut where the 2nd and 98th percentile, or all values between two gaps,
    lie closer than `min_range`.
    """
    numbers = np.asarray(values, dtype=np.float64)
    there = np.isfinite(numbers)
    result: list[str | None] = [None] * len(numbers)
    if not there.any():
        return result
    rounded = np.rint(numbers[there] / step)
    low, high = np.percentile(rounded, [2, 98])
    # The 2nd percentile misses a handful of short clips; a real gap shows them.
    gaps = np.sort(_gap_edges(rounded)[: n_bins - 1])
    if (high - low) * step < min_range and not len(gaps):
        edges = np.zeros(0)
    elif len(np.unique(rounded)) <= n_bins:
        edges = np.unique(rounded)[1:]
    else:
        edges = gaps
        for quantile in np.quantile(rounded, np.linspace(0, 1, n_bins + 1)[1:-1]):
            edge = float(np.ceil(quantile))
            inside = rounded[np.searchsorted(gaps, rounded, "right") == sum(gaps <= edge)]
            differs = np.ptp(inside) * step >= min_range
            if len(edges) < n_bins - 1 and differs and inside.min() < edge and edge not in edges:
                edges = np.append(edges, edge)
        edges = np.sort(edges)
    bins = np.searchsorted(edges, rounded, side="right")
    digits = max(0, int(np.ceil(-np.log10(step))))
    names = {}
    for number in np.unique(bins):
        inside = rounded[bins == number] * step
        first, last = f"{inside.min():.{digits}f}", f"{inside.max():.{digits}f}"
        spread = first if first == last else f"{first}–{last}"
        names[number] = f"{spread} {unit}".strip().replace("-", "−")
    for position, number in zip(np.flatnonzero(there), bins):
        result[position] = names[number]
    return result


def _binned_numbers(values: list[str | None]) -> list[str | None]:
    """Bins of a column of numbers (a year, a tempo); any other column as it is."""
    distinct = {value for value in values if value is not None}
    try:
        numbers = np.array([np.nan if v is None else float(v) for v in values])
    except ValueError:
        return values
    if len(distinct) <= _MOST_NUMBERS:
        return values
    spread = float(np.nanmax(numbers) - np.nanmin(numbers))
    if not 0 < spread < np.inf:
        return values
    # Steps of a hundredth of the range, or a little less; whole numbers stay whole.
    step = 10.0 ** np.floor(np.log10(spread / 100))
    known = numbers[np.isfinite(numbers)]
    return bin_labels(numbers, step=max(1.0, step) if np.all(known % 1 == 0) else step)


def _gap_edges(rounded: NDArray[np.float64]) -> NDArray[np.float64]:
    """First values above wide gaps, widest gap first."""
    ordered = np.sort(rounded)
    steps = np.diff(ordered)
    span = ordered[-1] - ordered[0]
    below = np.arange(1, len(ordered))
    enough = np.minimum(below, len(ordered) - below) >= _FEWEST_BEYOND_GAP
    wide = np.flatnonzero(enough & (steps > _SMALLEST_GAP * max(span, 2)))
    return ordered[wide[np.argsort(-steps[wide], kind="stable")] + 1]


def unexplained_share(values: ArrayLike, given: ArrayLike) -> float:
    """How much of a column another column leaves open: 0 for a function of it, 1 for chance.

    H(values | given) / H(values), corrected for chance like adjusted mutual information (Vinh, Epps
    and Bailey, 2010): 1 − (I − E[I]) / (H − E[I]), where E[I] is the expected information of
    independent columns with the same counts. A column with few tracks per value explains much by
    chance alone, and nothing after the correction. NaN where `values` is constant, or chance
    explains all there is.
    """
    from scipy.stats import entropy
    from sklearn.metrics import mutual_info_score
    from sklearn.metrics.cluster import expected_mutual_information

    table = contingency(encode_labels(given)[0], values)
    if min(table.shape) == 0 or table.shape[1] < 2:
        return float("nan")
    several = table.shape[0] > 1
    by_chance = expected_mutual_information(table, int(table.sum())) if several else 0.0
    room = entropy(table.sum(axis=0)) - by_chance
    if room <= 1e-9:
        return float("nan")
    return float(1 - (mutual_info_score(None, None, contingency=table) - by_chance) / room)


def texts_of(column: Iterable[Any]) -> list[str | None]:
    """The cells as texts without spaces around; None where there is nothing."""
    import pandas as pd

    return [None if pd.isna(v) else str(v).strip() or None for v in column]
