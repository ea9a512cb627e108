"""The pictures of a run: maps, heat maps, what models rebuild, training and k-distance curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from songscape.columns import find_roles
from songscape.progress import progress_bar
from songscape.results import (
    ResultsFolder,
    has_key,
    model_stem,
    read_latents,
    write_atomically,
    write_latents,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from songscape.experiment.fit import Representation
    from songscape.experiment.partitions import Partition
    from songscape.features.views import Views

__all__ = [
    "draw_maps",
    "draw_pictures",
    "draw_stability",
    "save",
    "shown_labels",
    "stability_picture",
]

N_EXAMPLES = 3
N_WORDS = 12
# Enough tracks to know the mean and deviation of a coefficient.
N_SCALED_BY = 500


def shown_labels(columns: Sequence[str]) -> list[str]:
    """The label columns that pictures show: language and genre, else the first two."""
    roles = find_roles(columns)
    preferred = [name for name in (roles.language, roles.genre) if name is not None]
    return preferred or list(columns[:2])


def draw_maps(
    representations: Sequence[Representation], track_ids: tuple[str, ...], folder: ResultsFolder
) -> None:
    """Compute the 2-D map of every representation that has none yet."""
    missing = [
        r for r in representations if r.ok and not has_key(folder.map(r.model, r.seed), r.key)
    ]
    with progress_bar("drawing maps", "map") as advance:
        for done, r in enumerate(missing, start=1):
            from songscape.report.maps import umap_map

            xy = umap_map(r.latents, random_state=r.seed)
            write_latents(folder.map(r.model, r.seed), track_ids, xy, ["x", "y"], r.key)
            advance(done, len(missing))


def draw_pictures(
    representations: Sequence[Representation],
    partitions: Sequence[Partition],
    views: Views,
    labels: pd.DataFrame,
    folder: ResultsFolder,
) -> None:
    """Draw every picture of the report into `results/pictures`."""
    fitted = [r for r in representations if r.ok]
    with progress_bar("drawing pictures", "model") as advance:
        for done, one in enumerate(fitted, start=1):
            own = [p for p in partitions if (p.model, p.seed) == (one.model, one.seed)]
            _draw_model(one, own, views, labels, folder)
            advance(done, len(fitted))


def _draw_model(
    one: Representation,
    partitions: Sequence[Partition],
    views: Views,
    labels: pd.DataFrame,
    folder: ResultsFolder,
) -> None:
    from songscape.report import plots
    from songscape.report.comparison_pictures import picture_name
    from songscape.report.maps import map_method

    stem = model_stem(one.model, one.seed)
    done = [p for p in partitions if p.clustering is not None]
    if done:
        shown = done[0]
        columns = {
            name: labels[name].to_numpy(dtype=object) for name in shown_labels(labels.columns)
        }
        xy = read_latents(folder.map(one.model, one.seed))[1]
        title = f"{one.model}: {_how(shown)}"
        figure = plots.map_figure(
            xy,
            shown.labels,
            columns,
            title=title,
            cluster_name=_how(shown),
            method=map_method(one.latents),
        )
        save(figure, folder, f"map-{stem}")
        for name, values in columns.items():
            figure = plots.heatmap_figure(shown.labels, values, name, title=title)
            save(figure, folder, f"heatmap-{picture_name(name)}-{stem}")
    for p in done:
        assert p.clustering is not None
        extras = p.clustering.extras
        if "k_distances" in extras:
            figure = plots.k_distance_figure(
                extras["k_distances"],
                p.clustering.params["eps"],
                p.clustering.params["min_samples"],
                title=f"{one.model}: {p.clusterer}",
            )
            save(figure, folder, f"k-distance-{stem}")
    _draw_training(one, folder, stem)
    _draw_reconstructions(one, views, folder, stem)


def _draw_training(one: Representation, folder: ResultsFolder, stem: str) -> None:
    import pandas as pd

    from songscape.report import plots

    history = folder.model(one.model, one.seed) / "history.csv"
    if history.exists():
        records = pd.read_csv(history).to_dict(orient="records")
        save(plots.training_figure(records, title=one.model), folder, f"training-{stem}")


def _how(shown: Partition) -> str:
    return f"{shown.clusterer}, k = {shown.k}" if shown.k else shown.clusterer


def _draw_reconstructions(
    one: Representation, views: Views, folder: ResultsFolder, stem: str
) -> None:
    """Input beside output for three tracks, evenly spaced in the order of ids, not chosen."""
    import numpy as np

    from songscape.models.presets import find_preset
    from songscape.models.saving import load_model

    if find_preset(one.model).kind not in ("vae", "autoencoder"):
        return
    model: Any = load_model(folder.model(one.model, one.seed))
    names = {plan.name for plan in getattr(model, "plans_", ())}
    if names.isdisjoint(("mfcc", "lyrics")):
        return
    rows = np.unique(np.linspace(0, views.n_tracks - 1, N_EXAMPLES + 2).round().astype(int)[1:-1])
    some = views.take(rows)
    output = model.reconstruct(some)
    if "mfcc" in output:
        _draw_mfcc(one.model, some, output["mfcc"], views, folder, stem)
    if "lyrics" in output:
        _draw_words(one.model, some, output["lyrics"], folder, stem)


def _draw_mfcc(
    name: str, some: Views, output: Any, views: Views, folder: ResultsFolder, stem: str
) -> None:
    """Coefficients in units of their deviation over the collection, so that songs compare."""
    import numpy as np

    from songscape.report import plots

    mfcc, every = some["mfcc"], views["mfcc"]
    assert mfcc.mask is not None
    assert every.mask is not None
    step = -(-views.n_tracks // N_SCALED_BY)
    frames = np.concatenate([v[:, m].T for v, m in zip(every.values[::step], every.mask[::step])])
    figure = plots.reconstruction_figure(
        list(mfcc.values),
        list(output),
        list(mfcc.mask),
        titles=list(some.track_ids),
        center=frames.mean(axis=0) if len(frames) else None,
        scale=frames.std(axis=0) if len(frames) else None,
        title=name,
    )
    save(figure, folder, f"reconstruction-{stem}")


def _draw_words(name: str, some: Views, output: Any, folder: ResultsFolder, stem: str) -> None:
    import numpy as np

    from songscape.report import plots
    from songscape.report.comparison_pictures import picture_name

    lyrics = some["lyrics"]
    words = lyrics.feature_names
    if not words:
        return
    for row, track in enumerate(some.track_ids):
        given = np.asarray(lyrics.values[[row]].toarray()).ravel()
        if not lyrics.present[row] or not given.any():
            continue
        sides = [
            [(words[i], float(side[i])) for i in np.argsort(-side, kind="stable")[:N_WORDS]]
            for side in (given, np.asarray(output[row]).ravel())
        ]
        shown = [[(word, weight) for word, weight in side if weight > 0] for side in sides]
        figure = plots.words_figure(*shown, title=f"{name}: {track}")
        save(figure, folder, f"words-{picture_name(track)}-{stem}")


def save(figure: Figure, folder: ResultsFolder, name: str) -> None:
    """Write `results/pictures/<name>.png`."""
    from songscape.report.style import png_bytes

    data = png_bytes(figure)
    write_atomically(folder.picture(name), lambda path: path.write_bytes(data))


def draw_stability(curve: pd.DataFrame, ks: Sequence[int], folder: ResultsFolder) -> None:
    """Draw the curve that k was chosen from."""
    save(stability_picture(curve, ks[0]), folder, "stability")


def stability_picture(curve: pd.DataFrame, chosen: int | None) -> Figure:
    """The curve that k was chosen from."""
    from songscape.report.evidence_plots import stability_figure

    return stability_figure(
        curve["k"],
        curve["stability"],
        curve["low"],
        curve["high"],
        null_low=curve["null_low"],
        null_high=curve["null_high"],
        chosen=chosen,
        title="k-means on balanced PCA",
    )
