"""Draws the pictures that the page shows, each once, under the file name that it expects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songscape._version import __version__
from songscape.errors import SongscapeError
from songscape.experiment.fit import MODEL_ERRORS, ModelFit, digest_of
from songscape.experiment.request import RequestResult
from songscape.experiment.trial_inputs import TrialInputs
from songscape.progress import progress_bar, say
from songscape.results import (
    ResultsFolder,
    has_key,
    read_json,
    read_latents,
    write_bytes,
    write_json,
    write_latents,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from songscape.library import Library
    from songscape.report.figures import Planned
    from songscape.report.read import Results

RECIPE = 1
"""Raised when a picture of the same data looks different."""
N_EXAMPLES = 3
# Enough tracks to know the mean and deviation of a coefficient.
N_SCALED_BY = 500


def draw_pictures(
    folder: ResultsFolder,
    library: Library,
    results: Results,
    inputs: TrialInputs,
    outcomes: Sequence[RequestResult],
) -> None:
    """Draw every planned picture that is not there yet, and remove all others.

    Maps and heat maps show the groups, or the partitions of the outcomes' first seeds.
    """
    from songscape.report.figures import picture_plan
    from songscape.report.style import png_bytes

    drawing = _Drawing(folder, library, results, inputs, outcomes)
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
                    write_bytes(path, png_bytes(figure))
                else:
                    path.unlink(missing_ok=True)
            after[planned.name] = [key, there]
            advance(done, len(plan))
    write_json(stamps, after)


class _Drawing:
    def __init__(
        self,
        folder: ResultsFolder,
        library: Library,
        results: Results,
        inputs: TrialInputs,
        outcomes: Sequence[RequestResult],
    ) -> None:
        from songscape.report.figures import GROUPS, group_numbers, shown_partitions

        self.folder, self.library, self.results, self.inputs = folder, library, results, inputs
        self.trainings: dict[str, ModelFit] = {}
        self.clusters: dict[str, NDArray[np.int64]] = {}
        self.shown = shown_partitions(results)
        for one in reversed(outcomes):
            for name, training in one.request.trainings(inputs).items():
                if name in one.trials and training.seed == one.request.first:
                    model, parts = training.model, one.trials[name].parts
                    self.trainings[model], shown = training, self.shown.get(model)
                    self.clusters.pop(model, None)
                    if shown == GROUPS:
                        self.clusters[model] = np.array(group_numbers(results, inputs.track_ids))
                    elif shown and shown in parts and parts[shown].labels is not None:
                        self.clusters[model] = parts[shown].labels

    def key(self, planned: Planned) -> str:
        """Digest of everything that the picture shows."""
        model = planned.parts[0] if planned.parts else ""
        shown: list[Any] = [RECIPE, __version__, planned.section, planned.caption, planned.parts]
        if model in self.trainings:
            shown += [self.trainings[model].key, self.inputs.context]
            shown += [self.clusters[model].tolist()] if model in self.clusters else []
        else:
            shown.append(self.results.stability.to_csv())
        return digest_of(shown)

    def draw(self, planned: Planned) -> Figure | None:
        """The picture; None where there is nothing to draw from."""
        if planned.parts and planned.parts[0] not in self.trainings:
            return None
        section = planned.section.removeprefix("other-").replace("-", "_")
        drawn: Figure | None = getattr(self, f"_{section}")(*planned.parts)
        return drawn

    def _k(self) -> Figure | None:
        from songscape.report.plots import stability_figure

        curve, chosen = self.results.stability, self.results.setup.headline.k
        return stability_figure(curve, chosen, title="k-means on balanced PCA")

    def _map(self, model: str) -> Figure | None:
        from songscape.report.figures import shown_columns
        from songscape.report.maps import map_method, umap_map
        from songscape.report.plots import map_figure

        if model not in self.clusters:
            return None
        X, training = self._latents(model), self.trainings[model]
        path, how = self.folder.map(model, training.seed), self.shown[model].title
        if not has_key(path, training.key):
            xy = self._kept(path, X) if path.exists() else None
            if xy is None:
                xy = umap_map(X, random_state=training.seed)
            write_latents(path, self.inputs.track_ids, xy, ["x", "y"], training.key)
        return map_figure(
            read_latents(path)[1],
            self.clusters[model],
            {name: self._column(name) for name in shown_columns(self.results)},
            title=f"{model}: {how}",
            cluster_name=how,
            method=map_method(X),
        )

    def _kept(self, path: Path, X: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """The map that an earlier run drew, with today's new tracks; None where it is of no use."""
        from songscape.report.maps import keep_places

        try:
            old_ids, old_places = read_latents(path)
        except SongscapeError:
            say(f"{path}: the earlier map can't be read; a new one is drawn")
            return None
        present = self.library.present_ids(old_ids)
        return keep_places(X, self.inputs.track_ids, present, old_places)

    def _heatmap(self, model: str, column: str) -> Figure | None:
        from songscape.report.figures import GROUPS
        from songscape.report.plots import heatmap_figure

        if model not in self.clusters:
            return None
        shown = self.shown[model]
        return heatmap_figure(
            self.clusters[model],
            self._column(column),
            column,
            title=f"{model}: {shown.title}",
            cluster_name="group" if shown == GROUPS else "cluster",
        )

    def _training(self, model: str) -> Figure | None:
        import pandas as pd

        from songscape.report.plots import training_figure

        path = self._home(model) / "history.csv"
        history = pd.read_csv(path).to_dict(orient="records") if path.exists() else None
        return None if history is None else training_figure(history, title=model)

    def _k_distance(self, model: str) -> Figure | None:
        from songscape.clustering.methods import cluster, k_distance_curve
        from songscape.report.plots import k_distance_figure

        if "dbscan" not in set(self.results.table["clusterer"]):
            return None
        options = self.results.document["settings"]["clusterer_options"].get("dbscan", {})
        try:
            X = self._latents(model)
            used = cluster("dbscan", X, **options).params
        except SongscapeError:
            return None
        curve = k_distance_curve(X, used["min_samples"])
        title = f"{model}: dbscan"
        return k_distance_figure(curve, used["eps"], used["min_samples"], title=title)

    def _reconstruction(self, model: str) -> Figure | None:
        """Of a few tracks, evenly spaced in the order of ids, not chosen.

        Coefficients are in units of their deviation over the collection, so that songs compare.
        """
        from songscape.models.presets import find_preset
        from songscape.models.saving import load_model
        from songscape.report.plots import reconstruction_figure

        if find_preset(model).kind not in ("vae", "autoencoder"):
            return None
        ids = self.inputs.track_ids
        places = np.linspace(0, len(ids) - 1, N_EXAMPLES + 2).round().astype(int)
        rows = [int(place) for place in np.unique(places[1:-1])]
        try:
            fitted: Any = load_model(self._home(model))
            if "mfcc" not in {spec.name for spec in getattr(fitted, "view_specs_", ())}:
                return None
            views = self.inputs.dataset.views.select(self.trainings[model].views)
            output = fitted.reconstruct(views.take(rows))["mfcc"]
        except (SongscapeError, KeyError, *MODEL_ERRORS):
            # What another version has saved may be beyond this one: then it has no such picture.
            return None
        every = self.inputs.dataset.views["mfcc"]
        assert every.mask is not None
        step = -(-len(every.values) // N_SCALED_BY)
        pairs = zip(every.values[::step], every.mask[::step])
        frames = np.concatenate([values[:, mask].T for values, mask in pairs])
        return reconstruction_figure(
            every.values[rows],
            output,
            every.mask[rows],
            [ids[row] for row in rows],
            center=frames.mean(axis=0) if len(frames) else None,
            scale=frames.std(axis=0) if len(frames) else None,
            title=model,
        )

    def _home(self, model: str) -> Path:
        return self.folder.model(model, self.trainings[model].seed)

    def _latents(self, model: str) -> NDArray[np.float32]:
        return read_latents(self.folder.latents(model, self.trainings[model].seed))[1]

    def _column(self, name: str) -> list[Any]:
        return list(np.asarray(self.inputs.targets.columns[name], dtype=object))
