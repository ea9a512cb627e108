"""Confounding: label columns that nearly follow from a nuisance, or the reverse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from songscape.audit.finding import Check, Finding, Severity
from songscape.audit.nuisances import texts_of, unexplained_share
from songscape.columns import ABOUT_PEOPLE, ColumnRoles, find_roles, role_of

if TYPE_CHECKING:
    import pandas as pd

FUNCTION_BELOW = 0.1
"""A column is almost a function of another that leaves this little open (`unexplained_share`)."""
TIED_BELOW = 0.5
"""A column is closely tied to another that leaves this little open."""
_SAME = {"has_lyrics": frozenset({"instrumental", "vocal", "vocals"})}
"""Nuisance -> label columns that mean the same."""
_MIN_TRACKS = 20
_MIN_PER_VALUE = 5
_MANY_VALUES = 30
Texts = list[str | None]


def confounded_labels(
    labels: pd.DataFrame,
    columns: Sequence[str],
    nuisances: pd.DataFrame,
    *,
    roles: ColumnRoles | None = None,
) -> list[Finding]:
    """One finding per column that is almost a function of others, or closely tied to them.

    It is a note, not a warning, where people or many small groups decide: who sings decides the
    language nearly everywhere, and splits that keep artists together handle it. Columns that are
    nuisances themselves are left out, except language; `nuisances` is of `nuisance_table`.
    """
    decided: dict[tuple[str, Severity, bool], dict[str, float]] = {}
    examples: dict[tuple[str, str], str] = {}
    roles = roles or find_roles(labels.columns)
    for column in columns:
        if column != roles.language and (column in nuisances or roles.is_nuisance(column)):
            continue
        label = texts_of(labels[column])
        for name in map(str, nuisances.columns):
            if column == roles.nuisances.get(name, name) or column in _SAME.get(name, ()):
                continue
            nuisance = texts_of(nuisances[name])
            open_shares = (_open_share(label, nuisance), _open_share(nuisance, label))
            # The label comes first unless only the nuisance follows from it.
            forwards = open_shares[0] <= max(open_shares[1], FUNCTION_BELOW)
            left = open_shares[0] if forwards else open_shares[1]
            if left > TIED_BELOW:
                continue
            pair = (column, label), (name, nuisance)
            (first, values), (second, given) = pair if forwards else pair[::-1]
            kinds = {roles.by_column.get(each) or role_of(each) for each in (first, second)}
            people = kinds & ABOUT_PEOPLE or len(set(given)) > _MANY_VALUES
            if people and left > FUNCTION_BELOW:
                continue
            key = first, Severity.NOTE if people else Severity.WARNING, left <= FUNCTION_BELOW
            decided.setdefault(key, {})[second] = max(0.0, left)
            examples[first, second] = _example(values, given)
    found = []
    for (column, severity, is_function), shares in decided.items():
        about: dict[str, Any] = {"column": column, "is_function": is_function}
        about["open_share_given"] = {name: round(left, 4) for name, left in shares.items()}
        about["examples"] = {name: examples[column, name] for name in shares}
        found.append(Finding(Check.CONFOUNDED_LABEL, severity, values=about))
    return found


def _open_share(values: Texts, given: Texts) -> float:
    """Infinite where too few tracks can say anything."""
    frequent = Counter(values)
    both = [
        (v, g)
        for v, g in zip(values, given)
        if v is not None and g is not None and frequent[v] >= _MIN_PER_VALUE
    ]
    if len(both) < max(_MIN_TRACKS, len(values) / 2):
        return float("inf")
    share = unexplained_share([v for v, _ in both], [g for _, g in both])
    return share if share == share else float("inf")


def _example(values: Texts, given: Texts) -> str:
    """The most common pairings, as in " (English: 3.0 s, German: 30.0 s)"."""
    pairs = Counter((v, g) for v, g in zip(values, given) if v is not None and g is not None)
    best: dict[str, str] = {}
    for (left, right), _ in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
        best.setdefault(left, right)
    return f" ({', '.join(f'{a}: {b}' for a, b in list(best.items())[:3])})"
