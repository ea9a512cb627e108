"""The tables of a comparison's report on stability, health and cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from songscape.benchmark.keys import PartitionKey, SampleKey
from songscape.report.comparison_cells import (
    Content,
    over_seeds,
    part,
    seeds_range,
    sort_value,
)
from songscape.report.comparison_read import ComparisonResults
from songscape.report.comparison_rows import by_model, by_partition, value_column
from songscape.report.run_tables import Cell, Column, Strip, Table
from songscape.report.style import number, share, shorten

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "clusters_table",
    "collapse_sentences",
    "cost_table",
    "models_table",
    "shapes_table",
    "stability_table",
    "unsure_tracks",
]

# Hennig (2007): above the first a cluster is stable, below the second it is not to be believed.
STABLE, DOUBTFUL = 0.75, 0.6
_UNSURE_SHOWN = 12


def stability_table(results: ComparisonResults) -> Table:
    """Return how surely every partition comes back."""
    metrics = ("ari_over_seeds", "ari_over_subsamples", "jaccard_of_weakest")
    columns = [
        value_column(results, "Other seeds", metrics[0], "", "ARI, training included"),
        value_column(results, "80 % of the songs", metrics[1], "", "ARI, same space"),
        value_column(results, "Weakest cluster", metrics[2], "", "Jaccard"),
        Column("Unsure songs", True, note="change sides"),
    ]
    return by_partition(
        results,
        columns,
        lambda model, where: [
            *(results.figures.row(model, m, "", "stability", where) for m in metrics),
            part(results.figures.number(model, "unsure_share", "", "stability", where)),
        ],
    )


def shapes_table(results: ComparisonResults) -> Table:
    """Return cluster counts, noise and the largest cluster of every partition."""
    columns = [
        Column("Clusters", True),
        Column("Noise", True),
        Column("Largest cluster", True),
    ]

    def cells(model: str, where: PartitionKey) -> list[Cell]:
        count, noise, largest = (
            results.figures.number(model, name, "", "health", where)
            for name in ("n_clusters", "noise_share", "largest_cluster_share")
        )
        whole = 0 if count == count and float(count).is_integer() else 1
        return [Cell(number(count, whole), sort_value(count)), part(noise), part(largest)]

    return by_partition(results, columns, cells, beware=True)


def models_table(results: ComparisonResults) -> Table:
    """Return the health of every model over its seeds."""
    columns = [
        Column("Seeds", True),
        Column("Dimensions", True, note="active of all"),
        Column("KL per dimension", note="mean over seeds, largest first; filled: active"),
        Column("Collapsed"),
        Column("Held-out ELBO", True, sortable=False, note="nats per song; not comparable"),
        Column("What it is"),
        Column("Beware"),
    ]
    cells: dict[str, list[Content]] = {}
    models = results.models.groupby("model", sort=False)
    spectra = {str(model): _kl_by_rank(rows["kl_per_dimension"]) for model, rows in models}
    tallest = max((one[0] for one in spectra.values() if one), default=0.0)
    for model, rows in models:
        fitted = rows[rows["status"] == "ok"]
        collapsed = fitted["collapsed"].astype(str).str.casefold()
        count = int((collapsed == "true").sum())
        known = collapsed.isin(["true", "false"]).any()
        state = f"yes ({count} of {len(fitted)})" if count else "no" if known else "–"
        said = dict.fromkeys(
            text.rstrip(".")
            for name in ("reason", "warnings")
            for text in rows[name]
            if isinstance(text, str)
        )
        summary = next((s for s in rows["summary"] if isinstance(s, str)), "–")
        cells[str(model)] = [
            Cell(f"{len(fitted)} of {len(rows)}", float(len(fitted))),
            _dimensions(fitted),
            _kl(spectra[str(model)], fitted["active_units"], tallest),
            Cell(state, state, "caution" if count else ""),
            over_seeds(fitted["validation_elbo"], 1),
            Cell(summary, summary.casefold(), "prose"),
            Cell("; ".join(said), "; ".join(said), "caution prose" if said else ""),
        ]
    return by_model(results, columns, cells, in_order=True)


def _dimensions(rows: pd.DataFrame) -> Cell:
    """Return "12 of 16", or "16" where a model has no dimensions to be active."""
    latent, active = (over_seeds(rows[name], 0) for name in ("n_latent", "active_units"))
    if active.sort is None:
        return latent
    return Cell(f"{active.text} of {latent.text}", active.sort, note=active.note)


def _kl_by_rank(spectra: pd.Series[Any]) -> list[float]:
    """Mean over seeds of the largest KL, of the second largest …: seeds number them differently."""
    seeds = [
        sorted(map(float, text.split()), reverse=True)
        for text in spectra.dropna().astype(str)
        if text.strip()
    ]
    width = max(map(len, seeds), default=0)
    return [sum(s[i] for s in seeds if i < len(s)) / len(seeds) for i in range(width)]


def _kl(mean: list[float], active_units: pd.Series[Any], tallest: float) -> Cell:
    """Draw the KL of every dimension to one scale for all models, or a collapse would not show.

    As many are filled as are active (Burda et al. 2016), which the model counts by the variance of
    the posterior means.
    """
    if not mean or mean[0] <= 0:
        return Cell("–")
    active = active_units.astype(float).mean()
    n_active = 0 if active != active else round(active)
    strip = Strip(tuple(100 * value / tallest for value in mean), n_active)
    note = f"largest {number(mean[0], 2)}, sum {number(sum(mean), 1)} nats"
    return Cell("", sum(mean), note=note, strip=strip)


def collapse_sentences(results: ComparisonResults) -> list[str]:
    """Return a sentence for every model whose posterior collapsed."""
    said = []
    for model, rows in results.models.groupby("model", sort=False):
        fitted = rows[rows["status"] == "ok"]
        collapsed = fitted[fitted["collapsed"].astype(str).str.casefold() == "true"]
        if collapsed.empty:
            continue
        seeds = ", ".join(str(int(seed)) for seed in collapsed["seed"])
        counts = dict.fromkeys(number(value, 0) for value in collapsed["active_units"])
        active = ", ".join(counts)
        said.append(
            f"{model} collapsed with {'seed' if len(collapsed) == 1 else 'seeds'} {seeds}: "
            f"{active} of {number(collapsed['n_latent'].iloc[0], 0)} dimensions tell songs apart, "
            "so it ignores its input, and its clusters mean nothing."
        )
    return said


def clusters_table(results: ComparisonResults) -> tuple[str, Table] | None:
    """Return the recommended method's partition and its clusters: size, labels, stability."""
    model, headline = results.assessment.recommendation.model, results.setup.headline
    frame = results.clusters
    if frame.empty or model not in set(frame["model"]):
        return None
    mine = frame[frame["model"] == model]
    labels = [name.removeprefix("commonest_") for name in frame if name.startswith("commonest_")]
    columns = (
        Column("Cluster"),
        Column("Songs", True),
        Column("80 % of the songs", True, note="Jaccard"),
        Column("Other seeds", True, note="Jaccard, training included"),
        Column("Believe it?"),
        *(Column(f"{name}, commonest") for name in labels),
    )
    rows = []
    for row in mine.to_dict(orient="records"):
        noise = int(row["cluster"]) < 0
        again = float(row["jaccard"])
        seeds = results.figures.number(
            model,
            "cluster_jaccard_over_seeds",
            str(int(row["cluster"])),
            "stability",
            results.setup.headline,
        )
        weaker = min((value for value in (again, seeds) if value == value), default=again)
        word, tone = _believed(weaker)
        rows.append(
            (
                Cell("noise" if noise else str(int(row["cluster"])), float(row["cluster"]), "name"),
                Cell(f"{int(row['n_tracks']):,}", float(row["n_tracks"])),
                Cell(number(again, 2), sort_value(again)),
                Cell(number(seeds, 2), sort_value(seeds)),
                Cell("–" if noise else word, sort_value(weaker), f"{'' if noise else tone} short"),
                *(_commonest(row[f"commonest_{name}"], row[f"share_{name}"]) for name in labels),
            )
        )
    return f"{model} + {headline.title}", Table(columns, tuple(rows))


def _commonest(value: object, part: object) -> Cell:
    if not isinstance(value, str):
        return Cell("–")
    return Cell(f"{shorten(value, 28)} {share(float(str(part)))}", value.casefold())


def _believed(jaccard: float) -> tuple[str, str]:
    if jaccard != jaccard:
        return "not measured", "own"
    if jaccard > STABLE:
        return "✓ stable", "better"
    return ("? doubtful", "") if jaccard >= DOUBTFUL else ("✗ does not come back", "caution")


def cost_table(results: ComparisonResults) -> Table:
    """Return seconds and peak memory of training and clustering, mean and range over seeds."""
    columns = [Column("Seconds", True, note="per seed"), Column("Peak memory", True, note="MiB")]
    cells: dict[str, list[Content]] = {}
    for model, rows in results.models.groupby("model", sort=False):
        cells[str(model)] = [seeds_range(rows[name]) for name in ("seconds", "peak_memory_mib")]
    return by_model(results, columns, cells, digits=(1, 0), ascending=True, from_zero=True)


def unsure_tracks(results: ComparisonResults) -> tuple[str, list[tuple[str, str]]] | None:
    """Return a partition and the songs whose place in it is least sure, with their shares."""
    model, headline = results.assessment.recommendation.model, results.setup.headline
    column = f"{model}|{SampleKey('unsure', partition=headline)}"
    if column not in results.tracks.columns:
        return None
    known = results.tracks[["track_id", column]].dropna()
    known = known[known[column] > 0].sort_values([column, "track_id"], ascending=[False, True])
    songs = [(shorten(i, 60), share(v)) for i, v in known.head(_UNSURE_SHOWN).to_numpy()]
    return (f"{model} + {headline.title}", songs) if songs else None
