"""What a comparison measured, by name, and what was compared, as the advice reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songscape.columns import Role, role_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Measured", "Setting", "Where"]

Where = tuple[str, int | None]
"""Clusterer and k: which of a model's partitions; ("", None) for its space."""


@dataclass(frozen=True)
class Setting:
    """What was compared, as `compare.json` has it.

    Attributes
    ----------
    baseline : str
    headline : (clusterer, k)
        The partitions whose agreement was tested.
    labels, nuisances : tuple of str
    n_tracks, n_groups, n_seeds : int
    k_reason : str
        Why this k; "given" where nobody chose it from the data.
    has_artists : bool
    """

    baseline: str
    headline: tuple[str, int | None]
    labels: tuple[str, ...]
    nuisances: tuple[str, ...]
    n_tracks: int
    n_groups: int
    n_seeds: int
    k_reason: str = "given"
    has_artists: bool = False

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Setting:
        """Read it from the document of `compare.json`."""
        headline = document.get("headline", {})
        k = headline.get("k")
        return cls(
            baseline=str(document.get("baseline", "balanced-pca")),
            headline=(str(headline.get("clusterer", "kmeans")), None if k is None else int(k)),
            labels=tuple(map(str, document.get("labels", ()))),
            nuisances=tuple(map(str, document.get("nuisances", ()))),
            n_tracks=int(document.get("n_tracks", 0)),
            n_groups=int(document.get("n_groups", 0)),
            n_seeds=len(document.get("settings", {}).get("seeds", ())),
            k_reason=str(document.get("k_reason") or "given"),
            has_artists=bool(document.get("has_artists", False)),
        )

    @property
    def language(self) -> str | None:
        """The nuisance that is the language, if there is one."""
        return next((n for n in self.nuisances if role_of(n) is Role.LANGUAGE), None)


class Measured:
    """Rows of a comparison's table by name: of one model, metric, column, axis and partition."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._rows: dict[tuple[str, str, str, str, Where], dict[str, float]] = {}
        self._partitions: dict[str, dict[Where, None]] = {}
        for row in table.to_dict(orient="records"):
            k = row["k"]
            clusterer = row["clusterer"] if isinstance(row["clusterer"], str) else ""
            where = (clusterer, None if _missing(k) else int(k))
            column = row["column"] if isinstance(row["column"], str) else ""
            model = str(row["model"])
            self._rows[model, str(row["metric"]), column, str(row["axis"]), where] = {
                name: float("nan") if _missing(row.get(name)) else float(row[name])
                for name in ("estimate", "low", "high", "chance", "null_95", "p_value")
            }
            if clusterer:
                self._partitions.setdefault(model, {})[where] = None

    def value(
        self, model: str, metric: str, column: str, axis: str, where: Where = ("", None)
    ) -> dict[str, float] | None:
        """estimate, low, high, chance, null_95, p_value; None where it was not measured."""
        return self._rows.get((model, metric, column, axis, where))

    def number(self, model: str, metric: str, column: str, axis: str, where: Where) -> float:
        """The estimate, NaN where it was not measured."""
        row = self.value(model, metric, column, axis, where)
        return float("nan") if row is None else row["estimate"]

    def partitions(self, model: str) -> list[Where]:
        """Clusterers and k of the model."""
        return list(self._partitions.get(model, ()))


def _missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType" or value != value
