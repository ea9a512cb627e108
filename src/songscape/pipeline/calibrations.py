"""Posterior spreads beside the company that songs lose, for every model that has a posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from songscape.evaluation.calibration import Calibration
    from songscape.evaluation.compare import ModelEvidence
    from songscape.evaluation.evidence import Subject

    Calibrations = Mapping[tuple[str, str], Calibration]

__all__ = ["calibration_table", "calibrations"]


def calibrations(
    evidence: Sequence[ModelEvidence], subject: Subject, headline: tuple[str, int | None]
) -> dict[tuple[str, str], Calibration]:
    """Put the posterior spread of every model that has one beside what its songs do.

    Parameters
    ----------
    evidence : sequence of ModelEvidence
    subject : Subject
        Its groups are kept whole.
    headline : (clusterer, k)
        The partitions in which songs lose company.

    Returns
    -------
    dict of (model, kind) to Calibration
        Kind "subsamples": company lost over subsamples by the first seed's clusters, against the
        spread of that seed. Kind "seeds": company that differs between seeds, training included,
        against the spread of each; not of a single seed.
    """
    from songscape.evaluation.calibration import calibrate, instability_over_runs

    clusterer, k = headline
    found = {}
    for one in evidence:
        spread, unsure = one.samples.get("spread"), one.samples.get(f"unsure:{clusterer}|{k or ''}")
        if spread is None:
            continue
        if unsure is not None:
            found[one.model, "subsamples"] = calibrate(spread[0], unsure[0], subject.groups)
        runs = one.partitions.get(headline)
        if runs is not None and len(runs) > 1:
            unstable = instability_over_runs(runs)
            found[one.model, "seeds"] = calibrate(spread, unstable, subject.groups)
    return found


def calibration_table(found: Calibrations, headline: tuple[str, int | None]) -> pd.DataFrame | None:
    """Whether a spread tells which songs are unsure, one row per model and kind; None without any.

    Returns
    -------
    DataFrame
        model, clusterer, k, kind (see `calibrations`), spearman with its 95 % interval (low, high),
        the calibration error and r2 of the expected share of company lost, that share's mean, 10th
        and 90th percentile over tracks, n_tracks and n_groups.
    """
    import numpy as np
    import pandas as pd

    rows = []
    for (model, kind), one in found.items():
        known = one.expected[np.isfinite(one.expected)]
        parts = np.quantile(known, [0.1, 0.9]) if len(known) else (np.nan, np.nan)
        rows.append(
            {"model": model, "clusterer": headline[0], "k": headline[1], "kind": kind}
            | {"spearman": one.spearman.estimate, "low": one.spearman.low}
            | {"high": one.spearman.high, "error": one.error, "r2": one.r2}
            | {"expected": float(known.mean()) if len(known) else np.nan}
            | {"expected_p10": parts[0], "expected_p90": parts[1]}
            | {"n_tracks": one.n_tracks, "n_groups": one.spearman.n_groups}
        )
    return pd.DataFrame(rows).astype({"k": "Int64"}) if rows else None
