"""Figures of a comparison by name, and what was compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from songscape.benchmark.keys import SPACE, PartitionKey
from songscape.columns import Role, role_of

if TYPE_CHECKING:
    import pandas as pd


class KOrigin(StrEnum):
    """Where the number of clusters comes from."""

    GIVEN = "given"
    STABLE = "stable"
    NO_GROUPS = "no groups"
    """Chosen, although no number is more stable than in data without groups."""


@dataclass(frozen=True)
class Setup:
    """What was compared; `headline` says of which partitions agreement is tested."""

    baseline: str = ""
    headline: PartitionKey = SPACE
    labels: tuple[str, ...] = ()
    nuisances: tuple[str, ...] = ()
    n_tracks: int = 0
    n_groups: int = 0
    n_seeds: int = 0
    k_origin: KOrigin = KOrigin.GIVEN
    k_reason: str = ""
    has_artists: bool = False

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Setup:
        """Read it from a document that `dataclasses.asdict` of one went into."""
        given = {f.name: document[f.name] for f in fields(cls) if f.name in document}
        for name in ("labels", "nuisances"):
            given[name] = tuple(given.get(name, ()))
        if "headline" in given:
            given["headline"] = PartitionKey.of(**given["headline"])
        return cls(**given | {"k_origin": KOrigin(given.get("k_origin", KOrigin.GIVEN))})

    @property
    def language(self) -> str | None:
        """The nuisance that is the language, if there is one."""
        return next((n for n in self.nuisances if role_of(n) is Role.LANGUAGE), None)

    def partition_of(self, metric: str) -> PartitionKey:
        """Where a tested metric is measured: the headline partition for AMI, else the space."""
        return self.headline if metric == "ami" else SPACE


Figure = dict[str, float]


class Figures:
    """Rows of the summary that have a value, by model, metric, column, axis and partition."""

    def __init__(self, summary: pd.DataFrame) -> None:
        self._rows: dict[tuple[str, str, str, str, PartitionKey], Figure] = {}
        self._partitions: dict[str, dict[PartitionKey, None]] = {}
        numbers = ("estimate", "low", "high", "chance", "null_95", "p_value")
        for row in summary.to_dict(orient="records"):
            key, model = PartitionKey.of(row["clusterer"], row["k"]), str(row["model"])
            column = row["column"] if isinstance(row["column"], str) else ""
            found = {name: _number(row.get(name)) for name in numbers}
            if found["estimate"] == found["estimate"]:
                self._rows[model, str(row["metric"]), column, str(row["axis"]), key] = found
            if key.clusterer:
                self._partitions.setdefault(model, {})[key] = None

    def known(
        self, model: str, metric: str, column: str, axis: str, partition: PartitionKey = SPACE
    ) -> Figure | None:
        """estimate, low, high, chance, null_95, p_value; None where there is no value."""
        return self._rows.get((model, metric, column, axis, partition))

    def number(
        self, model: str, metric: str, column: str, axis: str, partition: PartitionKey = SPACE
    ) -> float:
        """The estimate, NaN where it was not measured."""
        row = self.known(model, metric, column, axis, partition)
        return float("nan") if row is None else row["estimate"]

    def amis(
        self, model: str, columns: Iterable[str], axis: str, partition: PartitionKey
    ) -> dict[str, Figure]:
        """`known` AMI of a partition with each of these columns."""
        rows = {name: self.known(model, "ami", name, axis, partition) for name in columns}
        return {name: row for name, row in rows.items() if row is not None}

    def partitions(self, model: str) -> list[PartitionKey]:
        """Of one model."""
        return list(self._partitions.get(model, ()))


def _number(value: Any) -> float:
    missing = value is None or type(value).__name__ == "NAType" or value != value
    return float("nan") if missing else float(value)
