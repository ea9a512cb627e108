"""Say in plain words what the tables of a run show, and what to beware of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from songscape.benchmark.significance import MAX_NOISE, MAX_ONE_CLUSTER
from songscape.columns import Role, role_of
from songscape.report.run_read import Results
from songscape.report.style import number, share

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Finding", "featured", "findings", "in_order", "method_name", "mostly_language"]

RANDOM = "random"
UNTRAINED = ("balanced-pca", "pca", "raw")
# Below these an AMI says as good as nothing; chance is 0 by construction.
MIN_LANGUAGE_AMI = 0.10
MIN_GAIN = 0.02
CONFOUNDED_AMI = 0.3
_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One statement for the top of the page.

    Parameters
    ----------
    tone : {"plain", "caution"}
        Whether it is a result or a warning.
    head, body : str
        A few words, and the sentence with the figures.
    """

    tone: str
    head: str
    body: str


def method_name(row: "pd.Series[Any]") -> str:
    """Return "conv1d-vae + kmeans, k = 6" for a row of the metrics."""
    k = row["k"]
    return f"{row['model']} + {row['clusterer']}" + ("" if k != k else f", k = {int(k)}")


def findings(results: Results) -> list[Finding]:
    """Return what a reader should know first: results, then warnings."""
    found = [_best(results, label) for label in in_order(results)]
    if not results.label_columns:
        found.append(
            Finding(
                "plain",
                "No labels",
                "The collection has no label columns, so nothing here says whether the clusters "
                "mean anything; look at the songs in them.",
            )
        )
    return [
        *(f for f in found if f is not None),
        *_language(results),
        *_confounded(results),
        *_sick_models(results),
        *_degenerate(results),
        *_failed(results),
    ]


def in_order(results: Results) -> list[str]:
    """Return the label columns, what should be found first and what should not decide last."""
    return sorted(
        results.label_columns,
        key=lambda c: (c in results.language_columns, role_of(c) is not Role.GENRE),
    )


def usable(results: Results) -> "pd.DataFrame":
    """Methods of healthy models that group: clusters, not one of nearly all, not mostly noise."""
    methods = results.methods
    kept = (methods["n_clusters"] >= 2) & (methods["noise_share"].fillna(0) <= MAX_NOISE)
    kept &= methods["largest_cluster_share"].fillna(0) <= MAX_ONE_CLUSTER
    collapsed = {row["model"] for _, row in _distinct_models(results) if _collapsed(row)}
    return methods[kept & ~methods["model"].isin(collapsed)]


def mostly_language(results: Results) -> "pd.DataFrame":
    """Return the methods whose clusters agree with the language more than with the genre.

    Compared is the genre column where there is one, else the label that agrees best. The result
    has ``language_ami``, ``other`` (the column's name) and ``other_ami``, the worst case first.
    """
    language = results.language_column
    others = [c for c in results.label_columns if c not in results.language_columns]
    named = [c for c in others if role_of(c) is Role.GENRE]
    columns = [f"{c}_ami" for c in named or others]
    if language is None or not columns:
        return results.methods.iloc[:0]
    kept = usable(results)
    kept = kept[(kept["model"] != RANDOM) & kept[f"{language}_ami"].notna()]
    kept = kept.dropna(subset=columns, how="all")
    if kept.empty:
        return kept
    kept = kept.assign(
        language_ami=kept[f"{language}_ami"],
        other=kept[columns].idxmax(axis=1).str.removesuffix("_ami"),
        other_ami=kept[columns].max(axis=1),
    )
    guilty = kept[
        (kept["language_ami"] >= MIN_LANGUAGE_AMI) & (kept["language_ami"] > kept["other_ami"])
    ]
    return guilty.sort_values("language_ami", ascending=False, kind="stable")


def featured(results: Results) -> "pd.Series[Any] | None":
    """Return the row of `metrics` whose clusters the page describes song by song.

    It is the usable method that agrees best with the genre, else with the first label that is not
    the language, else the first method that is not random; of its seeds the first.
    """
    methods = usable(results)
    methods = methods[methods["model"] != RANDOM]
    labels = [c for c in in_order(results) if c not in results.language_columns]
    for label in labels[:1]:
        methods = methods.sort_values(f"{label}_ami", ascending=False, kind="stable")
    if methods.empty:
        return None
    best, metrics = methods.iloc[0], results.metrics
    same_k = metrics["k"].isna() if best["k"] != best["k"] else metrics["k"] == best["k"]
    same = (metrics["model"] == best["model"]) & (metrics["clusterer"] == best["clusterer"])
    return metrics[same & same_k].iloc[0]


def _best(results: Results, label: str) -> Finding | None:
    column = f"{label}_ami"
    methods = usable(results).dropna(subset=[column])
    judged = methods[methods["model"] != RANDOM]
    if judged.empty:
        return None
    best = judged.loc[judged[column].idxmax()]
    by_chance = methods.loc[methods["model"] == RANDOM, column].max()
    floor = by_chance if by_chance == by_chance else 0.0
    figure = f"AMI {number(best[column])}"
    if best["n_seeds"] > 1:
        low, high = number(best[f"{column}_low"]), number(best[f"{column}_high"])
        figure += f" (mean of {int(best['n_seeds'])} seeds, from {low} to {high})"
    if best["noise_share"] > 0:
        figure += f" ({share(best['noise_share'])} of the songs are noise and not counted)"
    beside = []
    if by_chance == by_chance:
        beside.append(f"the random baseline reaches at most {number(by_chance)}")
    simple = judged[
        judged["model"] == next((m for m in UNTRAINED if m in set(judged["model"])), "")
    ]
    if not simple.empty and best["model"] not in UNTRAINED:
        row = simple.loc[simple[column].idxmax()]
        beside.append(f"{row['model']}, which needs no training, reaches {number(row[column])}")
    tail = f"; {' and '.join(beside)}." if beside else "."
    if best[column] - floor < MIN_GAIN and label in results.language_columns:
        if not mostly_language(results).empty:
            return None
        body = f"No usable method has a higher {figure}{tail} The clusters do not know it."
        return Finding("plain", f"The {label} plays no part", body)
    if best[column] - floor < MIN_GAIN:
        return Finding(
            "caution",
            f"Nothing finds {label}",
            f"The best, {method_name(best)}, has {figure}{tail} That is as good as chance.",
        )
    head = f"Closest to {label}"
    if label in results.language_columns:
        head = f"Follows the {label} most"
    return Finding("plain", head, f"{method_name(best)}: {figure}{tail}")


def _language(results: Results) -> list[Finding]:
    guilty = mostly_language(results)
    if guilty.empty:
        return []
    worst = guilty.drop_duplicates("model")
    each = [
        f"{method_name(row)}: AMI({results.language_column}) = {number(row['language_ami'])} > "
        f"AMI({row['other']}) = {number(row['other_ami'])}"
        for _, row in worst.iterrows()
    ]
    if len(guilty) == 1:
        return [Finding("caution", "This partition is mostly the language", f"{each[0]}.")]
    judged = usable(results)
    total = int((judged["model"] != RANDOM).sum())
    head = f"{len(guilty)} of {total} partitions are mostly the language"
    return [Finding("caution", head, f"The clearest of each model: {_listed(each)}.")]


def _confounded(results: Results) -> list[Finding]:
    from sklearn.metrics import adjusted_mutual_info_score

    language = results.language_column
    if language is None or language not in results.labels.columns:
        return []
    overlaps = []
    for name in results.label_columns:
        if name in results.language_columns or name not in results.labels.columns:
            continue
        both = results.labels[[language, name]].dropna()
        if len(both) > 1:
            overlap = adjusted_mutual_info_score(both[language], both[name])
            if overlap >= CONFOUNDED_AMI:
                overlaps.append(f"{name} (AMI {number(overlap)})")
    if not overlaps:
        return []
    body = (
        f"{language} overlaps with {', '.join(overlaps)} in the collection itself: clusters that "
        "find one find the other, and their figures can't tell which it was."
    )
    return [Finding("caution", "Labels that go together", body)]


def _sick_models(results: Results) -> list[Finding]:
    found = []
    for _, row in _distinct_models(results):
        if _collapsed(row):
            units = f"{number(row.get('active_units'), 0)} of {number(row.get('n_latent'), 0)}"
            body = (
                f"{row['model']}: {units} latent dimensions are active, so songs look alike to it "
                "and its clusters mean nothing. It is left out of the statements above."
            )
            found.append(Finding("caution", "Posterior collapsed", body))
        elif isinstance(row.get("warnings"), str):
            found.append(Finding("caution", f"Training of {row['model']}", row["warnings"]))
    return found


def _degenerate(results: Results) -> list[Finding]:
    methods, found = results.methods[results.methods["model"] != RANDOM], []
    noisy = methods[methods["noise_share"] > MAX_NOISE]
    if not noisy.empty:
        each = [f"{method_name(r)} ({share(r['noise_share'])})" for _, r in noisy.iterrows()]
        body = (
            f"{_listed(each)}. Agreement is measured on the clustered songs only, so these "
            "figures speak for the minority; they are left out of the statements above."
        )
        found.append(Finding("caution", "More noise than clusters", body))
    lumped = methods[
        (methods["largest_cluster_share"] > MAX_ONE_CLUSTER) | (methods["n_clusters"] == 1)
    ]
    if not lumped.empty:
        each = [
            f"{method_name(r)} ({share(r['largest_cluster_share'])})" for _, r in lumped.iterrows()
        ]
        body = (
            f"{_listed(each)}. Nearly everything in one cluster is no grouping; "
            "these are left out above."
        )
        found.append(Finding("caution", "One cluster holds nearly all", body))
    return found


def _failed(results: Results) -> list[Finding]:
    found = []
    for _, row in _distinct_models(results):
        if row.get("status") in {"failed", "skipped"}:
            head = f"{row['model']} was {row['status']}"
            found.append(Finding("caution", head, f"{_reason(row)}."))
    broken = results.metrics[results.metrics["n_clusters"].isna()]
    if not broken.empty:
        each = [f"{method_name(r)}: {_reason(r)}" for _, r in broken.iterrows()]
        found.append(Finding("caution", "Not clustered", f"{_listed(each)}."))
    return found


def _collapsed(model: "pd.Series[Any]") -> bool:
    return str(model.get("collapsed")).lower() == "true"


def _distinct_models(results: Results) -> "Iterator[tuple[Any, pd.Series[Any]]]":
    """Yield one row per model and state; seeds that went the same way are told once."""
    keys = [c for c in ("model", "status", "collapsed") if c in results.models.columns]
    if keys:
        yield from results.models.drop_duplicates(keys).iterrows()


def _reason(row: "pd.Series[Any]") -> str:
    reason = row.get("reason")
    return reason.rstrip(".") if isinstance(reason, str) and reason else "no reason given"


def _listed(items: list[str]) -> str:
    shown = "; ".join(items[:_NAMED])
    rest = len(items) - _NAMED
    return shown if rest <= 0 else f"{shown}; and {rest} more"
