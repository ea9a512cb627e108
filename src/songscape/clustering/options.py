"""The options of each clusterer, checked before any work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from songscape.errors import UsageError
from songscape.rules import Rule, number, one_of, whole


class Option(NamedTuple):
    """Default and rule of an option; where the default is None, the data decide."""

    default: Any
    rule: Rule


_METRICS = one_of("euclidean", "cityblock", "chebyshev", "cosine", "correlation")

OPTIONS: dict[str, dict[str, Option]] = {
    "kmeans": {"n_init": Option(10, whole(1)), "max_iter": Option(300, whole(1))},
    "ward": {},
    "average": {"metric": Option("euclidean", _METRICS)},
    "dbscan": {
        "eps": Option(None, number("above 0", lambda eps: eps > 0)),
        "min_samples": Option(None, whole(1)),
    },
    "hdbscan": {
        "min_cluster_size": Option(None, whole(2)),
        "min_samples": Option(None, whole(1)),
        "cluster_selection_method": Option("eom", one_of("eom", "leaf")),
    },
    "gmm": {
        # Diagonal, because small collections cannot pay for full covariances.
        "covariance_type": Option("diag", one_of("full", "tied", "diag", "spherical")),
        "n_init": Option(3, whole(1)),
        "max_iter": Option(200, whole(1)),
    },
}


def check_clusterer_options(name: str, options: Mapping[str, Any]) -> None:
    """Check the options of a clusterer (`[clusterer_options.NAME]`); None stands for a default."""
    if name not in OPTIONS:
        raise UsageError(f"no clusterer {name!r}; choose one of {', '.join(OPTIONS)}")
    rules = OPTIONS[name]
    for option, value in options.items():
        if option not in rules:
            raise UsageError(f"{name}: no option {option!r}; it has {', '.join(rules) or 'none'}")
        rule = rules[option].rule
        if value is not None and not rule.allows(value):
            raise UsageError(f"{name}: {option} = {value!r}; give {rule.wanted}")
