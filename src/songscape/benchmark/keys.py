"""Keys of what is measured: a partition (clusterer, k), and an array with a value per track."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class PartitionKey:
    """Which of a model's partitions: clusterer, and k where it needs one.

    Without a clusterer it is the space itself (`SPACE`).
    """

    clusterer: str = ""
    k: int | None = None

    @classmethod
    def of(cls, clusterer: Any, k: Any = None) -> PartitionKey:
        """From the cells of a table, where either may be missing in whatever way."""
        missing = k is None or type(k).__name__ == "NAType" or k != k or k == ""
        return cls(clusterer if isinstance(clusterer, str) else "", None if missing else int(k))

    @classmethod
    def parse(cls, text: str) -> PartitionKey:
        """Read what `str` wrote: "kmeans|6", "dbscan|"."""
        clusterer, _, k = text.partition("|")
        return cls.of(clusterer, k)

    def __str__(self) -> str:
        return f"{self.clusterer}|{'' if self.k is None else self.k}"

    @property
    def title(self) -> str:
        """For people: "kmeans, k = 6"."""
        return self.clusterer if self.k is None else f"{self.clusterer}, k = {self.k}"


SPACE = PartitionKey()


def partition_keys(clusterers: Iterable[str], ks: Sequence[int]) -> list[PartitionKey]:
    """A key for each clusterer, or for each k where it needs one."""
    from songscape.clustering.methods import NEEDS_K

    return [
        PartitionKey(name, k) for name in clusterers for k in (ks if name in NEEDS_K else (None,))
    ]


@dataclass(frozen=True, order=True)
class SampleKey:
    """An array with one value per track.

    Its metric is "knn", "hit" or "ap" of a target column, "border" or "unsure" of a partition, or
    "spread" (of a model's posterior).
    """

    metric: str
    column: str = ""
    partition: PartitionKey = SPACE

    @classmethod
    def parse(cls, text: str) -> SampleKey:
        """Read what `str` wrote: "knn:genre", "border@kmeans|6", "spread"."""
        metric, at, partition = text.partition("@")
        if at and ":" not in metric:
            return cls(metric, partition=PartitionKey.parse(partition))
        metric, _, column = text.partition(":")
        return cls(metric, column)

    def __str__(self) -> str:
        if self.partition != SPACE:
            return f"{self.metric}@{self.partition}"
        return f"{self.metric}:{self.column}" if self.column else self.metric
