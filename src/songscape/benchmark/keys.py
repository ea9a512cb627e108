"""Keys of what is measured: a partition (clusterer, k), and an array with a value per track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["SPACE", "PartitionKey", "SampleKey", "optional_k"]


def optional_k(value: Any) -> int | None:
    """k as a whole number; None where it is missing in whatever way tables have it."""
    if value is None or type(value).__name__ == "NAType" or value != value or value == "":
        return None
    return int(value)


@dataclass(frozen=True, order=True)
class PartitionKey:
    """Which of a model's partitions; without a clusterer it is the space itself.

    Attributes
    ----------
    clusterer : str
    k : int or None
        None where the clusterer finds its own number.
    """

    clusterer: str = ""
    k: int | None = None

    @classmethod
    def of(cls, clusterer: Any, k: Any = None) -> PartitionKey:
        """From the cells of a table, where either may be missing."""
        return cls(clusterer if isinstance(clusterer, str) else "", optional_k(k))

    @classmethod
    def parse(cls, text: str) -> PartitionKey:
        """Read what `str` wrote: "kmeans|6", "dbscan|"."""
        clusterer, _, k = text.partition("|")
        return cls(clusterer, int(k) if k else None)

    def __str__(self) -> str:
        return f"{self.clusterer}|{'' if self.k is None else self.k}"

    @property
    def title(self) -> str:
        """For people: "kmeans, k = 6"."""
        return self.clusterer if self.k is None else f"{self.clusterer}, k = {self.k}"


SPACE = PartitionKey()


@dataclass(frozen=True, order=True)
class SampleKey:
    """An array with one value per track.

    Attributes
    ----------
    metric : str
        Of a target column "knn", "hit" or "ap"; of a partition "border" or "unsure"; "spread".
    column : str
        The target column.
    partition : PartitionKey
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
