"""Clusters -> what each is: size, typical tracks, words, labels and sound, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from songscape.experiment.fit import Representation
    from songscape.experiment.partitions import Partition
    from songscape.features.views import Views

__all__ = ["descriptions_table"]

COLUMNS = (
    *("model", "clusterer", "k", "seed", "cluster", "size", "share"),
    *("typical", "words", "labels", "sound"),
)


def descriptions_table(
    partitions: Sequence[Partition],
    representations: Sequence[Representation],
    views: Views,
    labels: pd.DataFrame,
) -> pd.DataFrame:
    """`results/descriptions.csv`: one row per cluster of every partition of the first seed.

    `labels` holds those more common in the cluster than elsewhere, as "column=value share"; `sound`
    the features whose mean lies farthest from the collection's, in its standard deviations.
    """
    import pandas as pd

    from songscape.clustering.describe import describe_clusters

    latents = {(r.model, r.seed): r.latents for r in representations if r.ok}
    rows = []
    for one in partitions:
        if one.clustering is None or one.seed != partitions[0].seed:
            continue
        described = describe_clusters(
            one.labels, latents[one.model, one.seed], views, {str(c): labels[c] for c in labels}
        )
        for cluster in described:
            rows.append(
                (
                    *(one.model, one.clusterer, one.k, one.seed),
                    *(cluster.cluster, cluster.size, cluster.share),
                    "; ".join(cluster.medoids),
                    "; ".join(word for word, _ in cluster.words),
                    "; ".join(f"{s.column}={s.label} {s.share:.0%}" for s in cluster.labels),
                    "; ".join(f"{d.feature} {d.deviation:+.1f}" for d in cluster.timbre),
                )
            )
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["k"] = frame["k"].astype("Int64")
    return frame
