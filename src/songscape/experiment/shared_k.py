"""One number of clusters for all models: as given, or chosen once for the collection and kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from songscape.benchmark.metric_table import KOrigin
from songscape.benchmark.number_of_clusters import NumberOfClusters, number_of_clusters
from songscape.experiment.fit import digest_of
from songscape.progress import progress_bar
from songscape.results import read_json, write_json

if TYPE_CHECKING:
    from songscape.experiment.trial_inputs import TrialInputs
    from songscape.features.views import Views

VIEWS = ("timbre", "lyrics")


def shared_k(views: Views) -> NumberOfClusters:
    """k chosen by stability in the space of balanced PCA."""
    from songscape.models.presets import make_model

    there = [name for name in VIEWS if name in views and views[name].present.any()]
    model = make_model("balanced-pca", views=tuple(there))
    return number_of_clusters(model.fit_transform(views.select(there)))


def kept_k(
    inputs: TrialInputs, given: Sequence[int], path: Path, *, choose: bool = True
) -> NumberOfClusters | None:
    """As `shared_k`, with the choice kept in a file; None where it is not and is not to be made."""
    import pandas as pd

    if given:
        return NumberOfClusters(tuple(given))
    there = [name for name in VIEWS if name in inputs.digests]
    key, kept = digest_of([inputs.digests[name] for name in there]), read_json(path)
    if kept is not None and kept.get("key") == key:
        curve = pd.DataFrame(kept["curve"]) if kept["curve"] else None
        return NumberOfClusters(tuple(kept["ks"]), KOrigin(kept["origin"]), kept["reason"], curve)
    if not choose:
        return None
    with progress_bar("choosing k", unit=""):
        found = shared_k(inputs.dataset.views.select(there))
    curve = [] if found.curve is None else found.curve.to_dict(orient="records")
    chosen = {"ks": found.ks, "origin": found.origin.value, "reason": found.reason}
    write_json(path, {"key": key, **chosen, "curve": curve})
    return found
