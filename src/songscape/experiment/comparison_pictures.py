"""The pictures of a comparison, drawn under the names that its page looks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from songscape.results import ResultsFolder, read_latents

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from songscape.benchmark.evidence import Evidence
    from songscape.benchmark.targets import Targets
    from songscape.progress import Advance
    from songscape.report.comparison_pictures import Planned
    from songscape.report.comparison_read import ComparisonResults

__all__ = ["draw_comparison"]

_ENDS = ("estimate", "low", "high")


def draw_comparison(
    folder: ResultsFolder,
    results: ComparisonResults,
    evidence: Sequence[Evidence],
    targets: Targets,
    k_curve: pd.DataFrame | None,
    *,
    progress: Advance | None = None,
) -> None:
    """Draw every picture that the page of a comparison plans.

    Parameters
    ----------
    folder : ResultsFolder
        Holds the latents, and takes the pictures.
    results : ComparisonResults
        The tables, as just written there.
    evidence : sequence of Evidence
        Partitions; maps and heat maps show those of the first seed.
    targets : Targets
        Labels and nuisances of the tracks.
    k_curve : DataFrame or None
        Stability by k, None where k was given.
    progress : callable (done, total), optional
    """
    from songscape.experiment.pictures import save
    from songscape.report.comparison_pictures import picture_plan

    drawing = _Drawing(folder, results, {one.model: one for one in evidence}, targets, k_curve)
    plan = picture_plan(results)
    for done, planned in enumerate(plan, start=1):
        figure = drawing.draw(planned)
        if figure is not None:
            save(figure, folder, planned.name)
        if progress is not None:
            progress(done, len(plan))


class _Drawing:
    def __init__(
        self,
        folder: ResultsFolder,
        results: ComparisonResults,
        evidence: Mapping[str, Evidence],
        targets: Targets,
        k_curve: pd.DataFrame | None,
    ) -> None:
        self.folder = folder
        self.results = results
        self.evidence = evidence
        self.columns = {**targets.nuisances, **targets.labels}
        self.k_curve = k_curve

    def draw(self, planned: Planned) -> Figure | None:
        """None where there is nothing to draw from."""
        if planned.section in ("forest", "more-forest"):
            return self._forest(*planned.parts)
        if planned.section == "scatter":
            return self._scatter(*planned.parts)
        if planned.section == "k":
            return self._stability()
        if planned.section == "map":
            return self._map(*planned.parts)
        return self._heatmap(*planned.parts)

    def _forest(self, axis: str, metric: str, column: str) -> Figure:
        from songscape.benchmark.wording import METRIC_NAMES
        from songscape.report.evidence_plots import forest_figure

        rows = self.results.differences
        rows = rows[rows["axis"] == axis]
        rows = rows[(rows["metric"] == metric) & (rows["column"] == column)]
        kinds = self.results.kinds
        names = [
            f"{model} (reference)" if kinds.get(model) == "reference" else model
            for model in rows["model"]
        ]
        what = "leakage of " if axis == "leakage" else ""
        return forest_figure(
            names,
            rows["difference"],
            rows["low"],
            rows["high"],
            list(rows["verdict"]),
            axis_label=f"difference in {METRIC_NAMES[metric]}",
            baseline=self.results.setup.baseline,
            title=f"{what}{column}, {METRIC_NAMES[metric]}",
            higher_is_better=axis == "agreement",
        )

    def _scatter(self, metric: str, label: str, nuisance: str) -> Figure | None:
        import numpy as np

        from songscape.benchmark.wording import METRIC_NAMES
        from songscape.report.evidence_plots import agreement_leakage_figure

        where = self.results.setup.partition_of(metric)
        agreement = "knn_balanced" if metric == "knn" else metric
        pairs = {}
        for model in self.results.kinds:
            gain = self.results.figures.row(model, agreement, label, "agreement", where)
            cost = self.results.figures.row(model, metric, nuisance, "leakage", where)
            if gain is not None and cost is not None:
                pairs[model] = (gain, cost)
        if not pairs:
            return None
        gains, costs = (
            np.array([[p[s][e] for e in _ENDS] for p in pairs.values()]) for s in (0, 1)
        )
        name = METRIC_NAMES[metric]
        references = [m for m, kind in self.results.kinds.items() if kind == "reference"]
        return agreement_leakage_figure(
            list(pairs),
            gains[:, 0],
            costs[:, 0],
            agreement_interval=gains[:, 1:],
            leakage_interval=costs[:, 1:],
            agreement_label=f"agreement with {label} ({name})",
            leakage_label=f"leakage of {nuisance} ({name})",
            also_named=[*self.results.pictured, *references],
        )

    def _stability(self) -> Figure | None:
        from songscape.experiment.pictures import stability_picture

        if self.k_curve is None:
            return None
        return stability_picture(self.k_curve, self.results.setup.headline.k)

    def _map(self, model: str) -> Figure | None:
        from songscape.report.maps import map_method, umap_map
        from songscape.report.plots import map_figure

        labels = self._partition(model)
        path = self.folder.latents(model, self._seed(model))
        if labels is None or not path.exists():
            return None
        X = read_latents(path)[1]
        return map_figure(
            umap_map(X, random_state=0),
            labels,
            self._shown(),
            title=f"{model}: {self._how()}",
            cluster_name=self._how(),
            method=map_method(X),
        )

    def _heatmap(self, model: str, column: str) -> Figure | None:
        from songscape.report.plots import heatmap_figure

        labels = self._partition(model)
        values = self._shown().get(column)
        if labels is None or values is None:
            return None
        return heatmap_figure(labels, values, column, title=f"{model}: {self._how()}")

    def _partition(self, model: str) -> NDArray[np.int64] | None:
        """Of the first seed."""
        one = self.evidence.get(model)
        found = None if one is None else one.partitions.get(self.results.setup.headline)
        return None if found is None else found[0]

    def _seed(self, model: str) -> int:
        return int(self.evidence[model].rows[0]["seed"])

    def _shown(self) -> dict[str, list[object]]:
        import numpy as np

        from songscape.report.comparison_pictures import shown_columns

        names = shown_columns(self.results)
        return {n: list(np.asarray(self.columns[n])) for n in names if n in self.columns}

    def _how(self) -> str:
        return self.results.setup.headline.title
