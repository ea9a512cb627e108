"""The options of each clusterer, checked before any work."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from songscape.errors import UsageError

__all__ = ["OPTIONS", "Option", "check_options"]


@dataclass(frozen=True)
class Option:
    """Default and valid values of an option; where the default is None, the data decide."""

    default: Any
    wanted: str
    valid: Callable[[Any], bool]


def _whole(least: int, default: int | None) -> Option:
    def valid(value: Any) -> bool:
        return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least

    return Option(default, f"a whole number of {least} or more", valid)


def _one_of(*names: str, default: str) -> Option:
    wanted = f"one of {', '.join(names)}"
    return Option(default, wanted, lambda value: isinstance(value, str) and value in names)


def _positive(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < math.inf


_METRICS = ("euclidean", "cityblock", "chebyshev", "cosine", "correlation")

OPTIONS: dict[str, dict[str, Option]] = {
    "kmeans": {"n_init": _whole(1, 10), "max_iter": _whole(1, 300)},
    "ward": {},
    "average": {"metric": _one_of(*_METRICS, default="euclidean")},
    "dbscan": {"eps": Option(None, "a number above 0", _positive), "min_samples": _whole(1, None)},
    "hdbscan": {
        "min_cluster_size": _whole(2, None),
        "min_samples": _whole(1, None),
        "cluster_selection_method": _one_of("eom", "leaf", default="eom"),
    },
    "gmm": {
        # Diagonal, because small collections cannot pay for full covariances.
        "covariance_type": _one_of("full", "tied", "diag", "spherical", default="diag"),
        "n_init": _whole(1, 3),
        "max_iter": _whole(1, 200),
    },
}


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Check the options of a clusterer, such as those of `[clusterer_options.NAME]`.

    Parameters
    ----------
    name : str
        A key of `songscape.clustering.methods.CLUSTERERS`.
    options : mapping of str
        None stands for the default.

    Raises
    ------
    UsageError
        Unknown clusterer or option, or a value of the wrong type or size.
    """
    if name not in OPTIONS:
        raise UsageError(f"no clusterer {name!r}; choose one of {', '.join(OPTIONS)}")
    rules = OPTIONS[name]
    for option, value in options.items():
        if option not in rules:
            raise UsageError(f"{name}: no option {option!r}; it has {', '.join(rules) or 'none'}")
        if value is not None and not rules[option].valid(value):
            raise UsageError(f"{name}: {option} = {value!r}; give {rules[option].wanted}")
