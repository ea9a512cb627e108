"""The pictures that the page plans, drawn under the names that it looks for, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.experiment.fit import digest_of
from songscape.experiment.request import Outcome
from songscape.experiment.trial_inputs import TrialInputs
from songscape.progress import progress_bar
from songscape.results import (
    ResultsFolder,
    has_key,
    read_json,
    read_latents,
    write_atomically,
    write_json,
    write_latents,
)

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from songscape.report.figures import Planned
    from songscape.report.read import Results

__all__ = ["draw_pictures"]

RECIPE = 1
"""Raised when a picture of the same data looks different."""
N_WORDS = 12
WORDS = ("lyrics", "lyrics-tfidf")
# Enough tracks to know the mean and deviation of a coefficient.
N_SCALED_BY = 500
_ENDS = ("estimate", "low", "high")


def draw_pictures(
    folder: ResultsFolder, results: Results, inputs: TrialInputs, outcomes: Sequence[Outcome]
) -> None:
    """Draw every planned picture that is not there yet, and remove all others.

    Parameters
    ----------
    folder : ResultsFolder
    results : Results
        The tables, as just written.
    inputs : TrialInputs
    outcomes : sequence of Outcome
        Maps and heat maps show the partitions of their first seeds.
    """
    from songscape.report.figures import picture_plan
    from songscape.report.style import png_bytes

    drawing = _Drawing(folder, results, inputs, outcomes)
    plan = picture_plan(results)
    stamps = folder.picture("drawn").with_name(".drawn.json")
    before, after = read_json(stamps) or {}, {}
    for path in stamps.parent.glob("*.png"):
        if path.stem not in {planned.name for planned in plan}:
            path.unlink()
    with progress_bar("drawing pictures", "picture") as advance:
        for done, planned in enumerate(plan, start=1):
            path, key = folder.picture(planned.name), drawing.key(planned)
            there = path.exists()
            if before.get(planned.name) != [key, there]:
                figure = drawing.draw(planned)
                if there := figure is not None:
                    write_atomically(path, partial(_write, data=png_bytes(figure)))
                else:
                    path.unlink(missing_ok=True)
            after[planned.name] = [key, there]
            advance(done, len(plan))
    write_json(stamps, after)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


class _Drawing:
    def __init__(
        self,
        folder: ResultsFolder,
        results: Results,
        inputs: TrialInputs,
        outcomes: Sequence[Outcome],
    ) -> None:
        from songscape.report.figures import shown_partitions

        self.folder = folder
        self.results = results
        self.inputs = inputs
        self.seeds: dict[str, int] = {}
        self.keys: dict[str, str] = {}
        self.clusters: dict[str, NDArray[np.int64]] = {}
        self.shown = shown_partitions(results)
        for one in outcomes:
            trainings = one.request.trainings(inputs)
            for (model, seed), trial in one.trials.items():
                if model in self.seeds or seed != one.request.first:
                    continue
                self.seeds[model], self.keys[model] = seed, trainings[model, seed].key
                shown = self.shown.get(model)
                found = {} if shown is None else trial.measurements([shown]).partitions
                if shown is not None and shown in found:
                    self.clusters[model] = found[shown]

    def key(self, planned: Planned) -> str:
        """Digest of everything that the picture shows."""
        model = planned.parts[0] if planned.parts else ""
        parts = [RECIPE, __version__, planned.section, planned.caption, planned.parts]
        if model in self.keys:
            clusters = self.clusters.get(model)
            parts += [self.keys[model], self.inputs.context]
            parts += [] if clusters is None else [clusters.tolist()]
        else:
            parts += [self.results.document.get("tested"), self.results.stability.to_csv()]
        return digest_of(parts)

    def draw(self, planned: Planned) -> Figure | None:
        """The picture; None where there is nothing to draw from."""
        of_tests: dict[str, Callable[..., Figure | None]] = {
            "forest": self._forest,
            "scatter": self._scatter,
            "k": self._stability,
        }
        of_models: dict[str, Callable[..., Figure | None]] = {
            "map": self._map,
            "heatmap": self._heatmap,
            "reconstruction": self._reconstruction,
            "words": self._words,
            "training": self._training,
            "k-distance": self._k_distances,
        }
        section = planned.section.removeprefix("other-")
        if section in of_tests:
            return of_tests[section](*planned.parts)
        return of_models[section](*planned.parts) if planned.parts[0] in self.seeds else None

    # -- of tests --------------------------------------------------------------------------------

    def _forest(self, axis: str, metric: str, column: str) -> Figure:
        from songscape.benchmark.wording import metric_name
        from songscape.report.evidence_plots import forest_figure

        rows = self.results.differences
        rows = rows[(rows["axis"] == axis) & (rows["metric"] == metric)]
        rows = rows[rows["column"] == column]
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
            axis_label=f"difference in {metric_name(metric)}",
            baseline=self.results.setup.baseline,
            title=f"{what}{column}, {metric_name(metric)}",
            higher_is_better=axis == "agreement",
        )

    def _scatter(self, metric: str, label: str, nuisance: str) -> Figure | None:
        import numpy as np

        from songscape.benchmark.wording import metric_name
        from songscape.report.evidence_plots import agreement_leakage_figure

        figures, where = self.results.figures, self.results.setup.partition_of(metric)
        agreement = "knn_balanced" if metric == "knn" else metric
        pairs = {}
        for model in self.results.kinds:
            gain = figures.known(model, agreement, label, "agreement", where)
            cost = figures.known(model, metric, nuisance, "leakage", where)
            if gain is not None and cost is not None:
                pairs[model] = (gain, cost)
        if not pairs:
            return None
        gains, costs = (
            np.array([[pair[side][end] for end in _ENDS] for pair in pairs.values()])
            for side in (0, 1)
        )
        name = metric_name(metric)
        references = [m for m, kind in self.results.kinds.items() if kind == "reference"]
        return agreement_leakage_figure(
            list(pairs),
            gains[:, 0],
            costs[:, 0],
            agreement_interval=gains[:, 1:],
            leakage_interval=costs[:, 1:],
            agreement_label=f"agreement with {label} ({name})",
            leakage_label=f"leakage of {nuisance} ({name})",
            also_named=[*self.shown, *references],
        )

    def _stability(self) -> Figure | None:
        from songscape.report.evidence_plots import stability_figure

        curve = self.results.stability
        if curve.empty:
            return None
        return stability_figure(
            curve["k"],
            curve["stability"],
            curve["low"],
            curve["high"],
            null_low=curve["null_low"],
            null_high=curve["null_high"],
            chosen=self.results.setup.headline.k,
            title="k-means on balanced PCA",
        )

    # -- of models -------------------------------------------------------------------------------

    def _map(self, model: str) -> Figure | None:
        from songscape.report.figures import shown_columns
        from songscape.report.maps import map_method, umap_map
        from songscape.report.plots import map_figure

        clusters, seed = self.clusters.get(model), self.seeds[model]
        if clusters is None:
            return None
        X, path = self._latents(model), self.folder.map(model, seed)
        if not has_key(path, self.keys[model]):
            xy = umap_map(X, random_state=seed)
            write_latents(path, self.inputs.track_ids, xy, ["x", "y"], self.keys[model])
        how = self.shown[model].title
        return map_figure(
            read_latents(path)[1],
            clusters,
            {name: self._column(name) for name in shown_columns(self.results)},
            title=f"{model}: {how}",
            cluster_name=how,
            method=map_method(X),
        )

    def _heatmap(self, model: str, column: str) -> Figure | None:
        from songscape.report.plots import heatmap_figure

        clusters = self.clusters.get(model)
        if clusters is None:
            return None
        title = f"{model}: {self.shown[model].title}"
        return heatmap_figure(clusters, self._column(column), column, title=title)

    def _training(self, model: str) -> Figure | None:
        import pandas as pd

        from songscape.report.plots import training_figure

        history = self.folder.model(model, self.seeds[model]) / "history.csv"
        if not history.exists():
            return None
        return training_figure(pd.read_csv(history).to_dict(orient="records"), title=model)

    def _k_distances(self, model: str) -> Figure | None:
        from songscape.clustering.methods import cluster
        from songscape.errors import SongscapeError
        from songscape.report.plots import k_distance_figure

        if "dbscan" not in set(self.results.table["clusterer"]):
            return None
        options = self.results.document["settings"]["clusterer_options"].get("dbscan", {})
        try:
            found = cluster("dbscan", self._latents(model), **options)
        except SongscapeError:
            return None
        return k_distance_figure(
            found.extras["k_distances"],
            found.params["eps"],
            found.params["min_samples"],
            title=f"{model}: dbscan",
        )

    def _reconstruction(self, model: str) -> Figure | None:
        """Coefficients in units of their deviation over the collection, so that songs compare."""
        import numpy as np

        from songscape.report.plots import reconstruction_figure

        output = self._output(model).get("mfcc")
        if output is None:
            return None
        every = self.inputs.views(["mfcc"])
        some = every.take(self._examples)
        mfcc, all_of_it = some["mfcc"], every["mfcc"]
        assert mfcc.mask is not None
        assert all_of_it.mask is not None
        step = -(-every.n_tracks // N_SCALED_BY)
        pairs = zip(all_of_it.values[::step], all_of_it.mask[::step])
        frames = np.concatenate([values[:, mask].T for values, mask in pairs])
        return reconstruction_figure(
            list(mfcc.values),
            list(output),
            list(mfcc.mask),
            titles=list(some.track_ids),
            center=frames.mean(axis=0) if len(frames) else None,
            scale=frames.std(axis=0) if len(frames) else None,
            title=model,
        )

    def _words(self, model: str, number: str) -> Figure | None:
        import numpy as np

        from songscape.report.plots import words_figure

        output = self._output(model)
        name = next((name for name in WORDS if name in output), None)
        if name is None or int(number) >= len(self._examples):
            return None
        some = self.inputs.views([name]).take([self._examples[int(number)]])
        lyrics, words = some[name], some[name].feature_names
        given = np.asarray(lyrics.values.toarray()).ravel()
        if not words or not lyrics.present[0] or not given.any():
            return None
        sides = [
            [(words[i], float(side[i])) for i in np.argsort(-side, kind="stable")[:N_WORDS]]
            for side in (given, np.asarray(output[name][int(number)]).ravel())
        ]
        shown = [[(word, weight) for word, weight in side if weight > 0] for side in sides]
        return words_figure(*shown, title=f"{model}: {some.track_ids[0]}")

    @property
    def _examples(self) -> list[int]:
        """Positions of a few tracks, evenly spaced in the order of ids, not chosen."""
        import numpy as np

        from songscape.report.figures import EXAMPLES

        n_tracks = len(self.inputs.track_ids)
        places = np.linspace(0, n_tracks - 1, EXAMPLES + 2).round().astype(int)
        return [int(place) for place in np.unique(places[1:-1])]

    @lru_cache(maxsize=1)  # noqa: B019 (it lives as long as one drawing)
    def _output(self, model: str) -> dict[str, Any]:
        """What the decoder makes of the examples; nothing of models without one."""
        from songscape.models.presets import find_preset
        from songscape.models.saving import load_model

        if find_preset(model).kind not in ("vae", "autoencoder"):
            return {}
        fitted: Any = load_model(self.folder.model(model, self.seeds[model]))
        names = [spec.name for spec in getattr(fitted, "view_specs_", ())]
        if {"mfcc", *WORDS}.isdisjoint(names):
            return {}
        views = self.inputs.views(self._read_by(fitted)).take(self._examples)
        return dict(fitted.reconstruct(views))

    def _read_by(self, fitted: Any) -> list[str]:
        wanted = [spec.name for spec in fitted.view_specs_] + list(fitted.covariates or ())
        return [name for name in self.inputs.digests if name in wanted]

    def _latents(self, model: str) -> NDArray[np.float32]:
        return read_latents(self.folder.latents(model, self.seeds[model]))[1]

    def _column(self, name: str) -> list[Any]:
        import numpy as np

        return list(np.asarray(self.inputs.targets.columns[name], dtype=object))
