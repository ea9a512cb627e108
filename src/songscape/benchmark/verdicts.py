"""What can be said of a method, as types: outcomes of tests, flags, verdicts, caveats.

Their sentences are made in `songscape.benchmark.wording`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from songscape.benchmark.keys import PartitionKey

__all__ = [
    "Caveat",
    "CaveatKind",
    "Flag",
    "FlagKind",
    "Outcome",
    "PairedTest",
    "Recommendation",
    "Trust",
    "Verdict",
    "Weight",
]


class Outcome(StrEnum):
    """Of a corrected test; better on a nuisance is less of it."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


class FlagKind(StrEnum):
    """What disqualifies a model or partition, warns of it, or withholds a claim."""

    COLLAPSED = "collapsed"
    FAILED = "failed"
    ALL_NOISE = "all noise"
    ONE_CLUSTER = "one cluster"
    MOSTLY_NOISE = "mostly noise"
    AT_CHANCE = "at chance"
    FINDS = "finds"
    NO_LABEL = "no label"


@dataclass(frozen=True)
class Flag:
    """A warning about a model or one of its partitions.

    Attributes
    ----------
    kind : FlagKind
    column : str
        The nuisance that the clusters follow, of `FINDS`.
    partition : PartitionKey or None
        None: the model, or its headline partition.
    n_seeds, of_seeds : int
        How many of the model's seeds collapsed or failed.
    reason : str
        Why every seed failed.
    """

    kind: FlagKind
    column: str = ""
    partition: PartitionKey | None = None
    n_seeds: int = 0
    of_seeds: int = 0
    reason: str = ""


def _missing(value: Any) -> bool:
    return value is None or value != value or value == ""


@dataclass(frozen=True)
class PairedTest:
    """A row of the table of differences: a model against the baseline on one figure.

    Attributes
    ----------
    outcome : Outcome
        After correction, and after claims were withheld.
    withheld : FlagKind or None
        Why a claim was withheld: what is wrong with the side that is ahead.
    best_baseline : str or None
        The best training-free model on this figure; None where there is no other.
    """

    model: str
    axis: str
    metric: str
    column: str
    difference: float
    low: float
    high: float
    outcome: Outcome
    baseline: str
    withheld: FlagKind | None = None
    best_baseline: str | None = None
    difference_to_best: float = float("nan")
    low_to_best: float = float("nan")
    high_to_best: float = float("nan")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> PairedTest:
        """From a row of the table, as computed or read back."""

        def number(name: str) -> float:
            return float("nan") if _missing(row.get(name)) else float(row[name])

        def text(name: str) -> str:
            return "" if _missing(row.get(name)) else str(row[name])

        return cls(
            model=text("model"),
            axis=text("axis"),
            metric=text("metric"),
            column=text("column"),
            difference=number("difference"),
            low=number("low"),
            high=number("high"),
            outcome=Outcome(text("verdict")),
            baseline=text("baseline"),
            withheld=FlagKind(text("withheld")) if text("withheld") else None,
            best_baseline=text("best_baseline") or None,
            difference_to_best=number("difference_to_best"),
            low_to_best=number("low_to_best"),
            high_to_best=number("high_to_best"),
        )

    @property
    def key(self) -> tuple[str, str, str]:
        """axis, metric, column."""
        return self.axis, self.metric, self.column


@dataclass(frozen=True)
class Verdict:
    """What can be said of one method.

    Attributes
    ----------
    model, kind : str
    tests : tuple of PairedTest
        Against the baseline; none for the baseline itself.
    flags : tuple of Flag
    sentence : str
        All of it in words; begins with the model's name.
    """

    model: str
    kind: str
    tests: tuple[PairedTest, ...] = ()
    flags: tuple[Flag, ...] = ()
    sentence: str = ""

    def __str__(self) -> str:
        return self.sentence

    def having(self, outcome: Outcome, axis: str | None = None) -> tuple[PairedTest, ...]:
        """The tests with this outcome, on one axis or on all."""
        return tuple(
            t for t in self.tests if t.outcome == outcome and (axis is None or t.axis == axis)
        )

    @property
    def wins(self) -> tuple[PairedTest, ...]:
        """Labels and artists that it finds better than the baseline does."""
        return self.having(Outcome.BETTER, "agreement")

    @property
    def losses(self) -> tuple[PairedTest, ...]:
        """Labels and artists that it finds worse."""
        return self.having(Outcome.WORSE, "agreement")

    @property
    def failed(self) -> bool:
        """Whether every seed failed."""
        return any(f.kind is FlagKind.FAILED and f.n_seeds == f.of_seeds for f in self.flags)

    @property
    def usable(self) -> bool:
        """Whether no seed collapsed or failed."""
        return not any(f.kind in (FlagKind.COLLAPSED, FlagKind.FAILED) for f in self.flags)


class Weight(IntEnum):
    """What a caveat does to the trust in a recommendation."""

    SUPPORTS = 0
    CAREFUL = 1
    GRAVE = 2


class Trust(StrEnum):
    """How far to rely on a recommendation: as its gravest caveat has it."""

    GOOD = "good"
    LIMITED = "limited"
    LOW = "low"


class CaveatKind(StrEnum):
    """What speaks for a recommendation, or against it."""

    GROUPS = "groups"
    SEEDS = "seeds"
    NUMBER_OF_CLUSTERS = "number of clusters"
    FLAG = "flag"
    AGREES = "agrees"
    REFERENCE_BETTER = "reference better"
    SIMPLE_AS_GOOD = "simple as good"
    CONFOUNDED = "confounded"


@dataclass(frozen=True)
class Caveat:
    """Why to trust a recommendation, or why to be careful; `values` are the figures behind it."""

    kind: CaveatKind
    weight: Weight
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recommendation:
    """Which method to use, and how far to trust that.

    Attributes
    ----------
    models : tuple of str
        One, or several that tie; empty where nothing could be tested.
    wins : tuple of PairedTest
        Those of the first of `models`; empty where the baseline is recommended.
    mixed : tuple of str
        Methods that are better on one label and worse on another.
    caveats : tuple of Caveat
        The gravest first.
    neutral : tuple of str
        What to use where the language must not decide.
    """

    models: tuple[str, ...]
    wins: tuple[PairedTest, ...] = ()
    mixed: tuple[str, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    neutral: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """The first of `models`, "" where there is none."""
        return self.models[0] if self.models else ""

    @property
    def trust(self) -> Trust:
        """As the gravest caveat has it."""
        gravest = max((caveat.weight for caveat in self.caveats), default=Weight.GRAVE)
        return (Trust.GOOD, Trust.LIMITED, Trust.LOW)[gravest]
