"""What can be said of a method, as types: outcomes of tests, flags, verdicts, caveats.

Their sentences are made in `songscape.benchmark.wording`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum
from typing import Any

from songscape.benchmark.keys import PartitionKey

NAN = float("nan")


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
    """A warning about a model (`partition` None) or about one of its partitions.

    `column` is the nuisance that the clusters follow, of `FINDS`; `n_seeds` of `of_seeds` collapsed
    or failed, and `reason` says why all failed.
    """

    kind: FlagKind
    column: str = ""
    partition: PartitionKey | None = None
    n_seeds: int = 0
    of_seeds: int = 0
    reason: str = ""


class Rival(StrEnum):
    """What a model is tested against: the yardstick, or on agreement also the best on a figure."""

    YARDSTICK = "yardstick"
    BEST = "best"


@dataclass(frozen=True)
class PairedTest:
    """A row of the table of differences: a model against a method without training, on one figure.

    `baseline` names that method: the yardstick of the comparison, or (`rival`) where another one is
    the best of this figure, that as well. `verdict` is the outcome after correction and after
    claims were withheld; `withheld` says what is wrong with the side that is ahead.
    """

    model: str
    axis: str
    metric: str
    column: str
    clusterer: str
    difference: float
    low: float
    high: float
    n_groups: int
    p_value: float
    baseline: str
    rival: Rival = Rival.YARDSTICK
    adjusted_p: float = NAN
    verdict: Outcome = Outcome.SAME
    withheld: FlagKind | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> PairedTest:
        """From a row of the table; missing cells may be None, NaN or ""."""
        given = {f.name: row[f.name] for f in fields(cls) if f.name in row}
        known = {name: v for name, v in given.items() if not (v is None or v != v or v == "")}
        enums = {"rival": Rival, "verdict": Outcome, "withheld": FlagKind}
        known |= {name: enum(known[name]) for name, enum in enums.items() if name in known}
        numbers = dict.fromkeys(("difference", "low", "high", "n_groups", "p_value"), NAN)
        return cls(**{"clusterer": "", **numbers, **known})

    @property
    def key(self) -> tuple[str, str, str]:
        """axis, metric, column."""
        return self.axis, self.metric, self.column


@dataclass(frozen=True, repr=False)
class Verdict:
    """What can be said of one method: its tests, its flags, and all of it in a sentence.

    `tests` are against the yardstick, `against_best` against the best method of each figure.
    """

    model: str
    kind: str
    tests: tuple[PairedTest, ...] = ()
    against_best: tuple[PairedTest, ...] = ()
    flags: tuple[Flag, ...] = ()
    sentence: str = ""

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"<{self.sentence}>"

    def having(self, outcome: Outcome, axis: str = "agreement") -> tuple[PairedTest, ...]:
        """The tests of an axis with this outcome."""
        return tuple(t for t in self.tests if (t.verdict, t.axis) == (outcome, axis))

    @property
    def wins(self) -> tuple[PairedTest, ...]:
        """Labels and artists that it finds better than the baseline does."""
        return self.having(Outcome.BETTER)

    @property
    def losses(self) -> tuple[PairedTest, ...]:
        """Labels and artists that it finds worse."""
        return self.having(Outcome.WORSE)

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
    """How far to rely on a recommendation."""

    GOOD = "good"
    LIMITED = "limited"
    LOW = "low"


@dataclass(frozen=True)
class Caveat:
    """Why to trust a recommendation, or why to be careful, in a sentence."""

    weight: Weight
    sentence: str


@dataclass(frozen=True)
class Recommendation:
    """Which method to use, and how far to trust that.

    `models` are one, or several that tie; empty where nothing could be tested. `wins` are those of
    the first of them. `mixed` are better on one label and worse on another, `neutral` is what to
    use where the language must not decide. The gravest caveat stands first.
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
