"""What a collection's spaces and partitions are compared with: labels, nuisances, references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from songscape.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from songscape.benchmark.targets import Targets
    from songscape.experiment.dataset import Dataset
    from songscape.features.views import Views


def targets_of(dataset: Dataset, named: Sequence[str] = ()) -> Targets:
    """What the collection's labels, nuisances and artists are; reference spaces come later.

    Columns that the user named are labels, even where they would be nuisances; but for the artist,
    which every comparison measures by retrieval. It is both what tracks are grouped by and a
    nuisance: clusters of artists are no styles.
    """
    import numpy as np

    from songscape.audit.nuisances import nuisance_table
    from songscape.benchmark.targets import Targets

    roles, artists = dataset.roles, dataset.artists
    extra = dataset.nuisance_columns
    table = nuisance_table(dataset.columns, dataset.facts, dataset.views, extra=extra, roles=roles)
    assert dataset.views.groups is not None
    if roles.artist in named:
        raise UsageError(
            f"labels: {roles.artist} is measured in every comparison, by retrieval and as leakage; "
            "name other columns"
        )
    nuisances = {
        str(name): table[name].to_numpy(dtype=object)
        for name in table.columns
        if name not in named and roles.nuisances.get(str(name)) not in named
    }
    return Targets(
        labels={name: dataset.columns[name].to_numpy(object) for name in dataset.label_columns},
        nuisances=nuisances,
        artists=None if artists is None else np.asarray(artists, dtype=object),
        groups=dataset.views.groups,
        copies=dataset.copies,
    )


def reference_spaces(views: Views) -> dict[str, NDArray[np.floating]]:
    """Spaces that no model was trained in: standardised timbre, words, and both balanced.

    A view that is the same for every track stays a space, so that it is named as unmeasured, and
    takes no part in the balanced one.
    """
    import numpy as np

    from songscape.audit.checks import uninformative_views
    from songscape.models.presets import make_model

    timbre = views["timbre"]
    known = timbre.values[timbre.present]
    spread = known.std(axis=0)
    standardised = np.full(timbre.values.shape, np.nan)
    standardised[timbre.present] = (known - known.mean(axis=0)) / np.where(spread > 0, spread, 1)
    spaces = {"timbre": standardised}
    if "lyrics" not in views:
        return spaces
    lyrics, both = views["lyrics"], views.select(["timbre", "lyrics"])
    same = uninformative_views(both)
    if lyrics.present.sum() >= 2 and "lyrics" in same:
        spaces["lyrics"] = np.where(lyrics.present[:, None], 0.0, np.nan)
    elif lyrics.present.sum() >= 2 and lyrics.shape[1] >= 2:
        words = make_model("tfidf").fit_transform(views.select(["lyrics"]))
        spaces["lyrics"] = np.where(lyrics.present[:, None], words, np.nan)
        if not same:
            spaces["joint"] = make_model("balanced-pca").fit_transform(both)
    return spaces
