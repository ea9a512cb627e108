"""What could not be measured, in words: a line per model, clusterer and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from songscape.benchmark.keys import PartitionKey

if TYPE_CHECKING:
    import pandas as pd

_WHAT = {
    "model": "",
    "skipped": "left out: ",
    "space": "its space could not be measured: ",
    "partition": "no clusters, so none of its seeds is tested: ",
    "measures": "its clusters could not be measured: ",
    "stability": "the stability of its clusters could not be measured: ",
}


def unmeasured_lines(frame: pd.DataFrame) -> list[str]:
    """ "pca + ward, k = 8 (seeds 0, 2): no clusters …: REASON", in the order of the rows.

    The frame has model, clusterer, k, seed, what and reason; rows that differ in the seed alone
    are put together.
    """
    seeds: dict[tuple[str, str], list[int]] = {}
    for row in frame.itertuples():
        key = PartitionKey.of(row.clusterer, row.k)
        name = f"{row.model} + {key.title}" if key.clusterer else str(row.model)
        reason = row.reason if isinstance(row.reason, str) and row.reason else "no reason given"
        what = _WHAT.get(str(row.what), f"{row.what}: ")
        seeds.setdefault((name, what + reason), []).append(int(row.seed))
    return [
        f"{name} ({'seed' if len(found) == 1 else 'seeds'} {', '.join(map(str, found))}): {text}"
        for (name, text), found in seeds.items()
    ]
