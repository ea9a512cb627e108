"""What a model says of its songs beside the company that they lose: can unsure songs be told?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from songscape.experiment.measure import partition_name

if TYPE_CHECKING:
    import pandas as pd

    from songscape.benchmark.calibration import Calibration
    from songscape.benchmark.measure import Subject
    from songscape.benchmark.summary import ModelEvidence

    Calibrations = Mapping[tuple[str, str, str], Calibration]

__all__ = ["calibration_table", "calibrations"]


def calibrations(
    evidence: Sequence[ModelEvidence], subject: Subject, headline: tuple[str, int | None]
) -> dict[tuple[str, str, str], Calibration]:
    """Put what every model says of a song's place beside what its songs do.

    Parameters
    ----------
    evidence : sequence of ModelEvidence
    subject : Subject
        Its groups are kept whole.
    headline : (clusterer, k)
        The partitions in which songs lose company.

    Returns
    -------
    dict of (model, figure, kind) to Calibration
        Figure "border": how near a song is to the border of its cluster; "spread": that of its
        posterior, of models that have one. Kind "subsamples": company lost over subsamples by the
        first seed's clusters, against the figure of that seed. Kind "seeds": company that differs
        between seeds, training included, against the figure of each; not of a single seed.
    """
    from songscape.benchmark.calibration import calibrate, instability_over_runs

    where = partition_name(*headline)
    found = {}
    for one in evidence:
        unsure, runs = one.samples.get(f"unsure:{where}"), one.partitions.get(headline)
        unstable = None if runs is None or len(runs) < 2 else instability_over_runs(runs)
        for figure, sample in (("border", f"border:{where}"), ("spread", "spread")):
            values = one.samples.get(sample)
            if values is None:
                continue
            if unsure is not None:
                calibrated = calibrate(values[0], unsure[0], subject.groups)
                found[one.model, figure, "subsamples"] = calibrated
            if unstable is not None:
                found[one.model, figure, "seeds"] = calibrate(values, unstable, subject.groups)
    return found


def calibration_table(found: Calibrations, headline: tuple[str, int | None]) -> pd.DataFrame | None:
    """Whether a figure tells which songs are unsure; None without any.

    Returns
    -------
    DataFrame
        model, clusterer, k, figure and kind (see `calibrations`), spearman with its 95 % interval
        (low, high), the calibration error and r2 of the expected share of company lost, that
        share's mean, 10th and 90th percentile over tracks, n_tracks and n_groups.
    """
    import numpy as np
    import pandas as pd

    rows = []
    for (model, figure, kind), one in found.items():
        known = one.expected[np.isfinite(one.expected)]
        parts = np.quantile(known, [0.1, 0.9]) if len(known) else (np.nan, np.nan)
        rows.append(
            {"model": model, "clusterer": headline[0], "k": headline[1]}
            | {"figure": figure, "kind": kind}
            | {"spearman": one.spearman.estimate, "low": one.spearman.low}
            | {"high": one.spearman.high, "error": one.error, "r2": one.r2}
            | {"expected": float(known.mean()) if len(known) else np.nan}
            | {"expected_p10": parts[0], "expected_p90": parts[1]}
            | {"n_tracks": one.n_tracks, "n_groups": one.spearman.n_groups}
        )
    return pd.DataFrame(rows).astype({"k": "Int64"}) if rows else None
