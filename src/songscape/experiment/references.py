"""Spaces that no model was trained in, to measure the structure of every partition in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from songscape.features.views import Views


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
