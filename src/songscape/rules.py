"""Rules: what an option may be, in words and as a test."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any


@dataclass(frozen=True)
class Rule:
    """Whether a value is allowed, and in words what is: "a whole number from 1 on"."""

    wanted: str
    allows: Callable[[Any], bool]


def whole(least: int) -> Rule:
    """Whole numbers, no booleans."""

    def allows(value: Any) -> bool:
        return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least

    return Rule(f"a whole number from {least} on", allows)


def number(wanted: str, within: Callable[[float], bool]) -> Rule:
    """Finite numbers for which `within` holds: ``number("above 0", lambda v: v > 0)``."""

    def allows(value: Any) -> bool:
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and within(float(value))

    return Rule(f"a number {wanted}", allows)


flag = Rule("true or false", lambda value: isinstance(value, bool))


def one_of(*choices: str) -> Rule:
    """One of these names."""
    wanted = f"one of {', '.join(choices)}"
    return Rule(wanted, lambda value: isinstance(value, str) and value in choices)


def sequence_of(wanted: str, allows: Callable[[Any], bool]) -> Rule:
    """Lists and tuples whose items `allows`."""
    return Rule(
        f"a list of {wanted}",
        lambda value: (
            isinstance(value, Sequence) and not isinstance(value, str) and all(map(allows, value))
        ),
    )


def optional(rule: Rule) -> Rule:
    """The same, or None."""
    return Rule(rule.wanted, lambda value: value is None or rule.allows(value))
