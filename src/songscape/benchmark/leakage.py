"""Leakage: how much of a nuisance (language, artist, codec, …) clusters and latents give away."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.metrics import clusters as metrics
from songscape.metrics.mixing import kbet_neighbors, mixing_nulls
from songscape.metrics.neighbour_agreement import knn_label_agreement
from songscape.metrics.neighbours import Neighbors
from songscape.metrics.probes import ProbeResult, bin_nuisance, probe
from songscape.statistics.permutations import (
    PermutationNull,
    nested_in_groups,
    permutation_null,
)

__all__ = [
    "ProbeResult",
    "bin_nuisance",
    "cluster_leakage",
    "nuisance_ami",
    "nuisance_codes",
    "probe",
    "space_leakage",
]


def nuisance_ami(labels: ArrayLike, nuisance: ArrayLike, *, n_bins: int = 5) -> float:
    """Adjusted mutual information of clusters and a nuisance; continuous ones are binned."""
    return metrics.ami(labels, bin_nuisance(nuisance, n_bins))


def nuisance_codes(
    nuisance: ArrayLike, groups: ArrayLike | None = None, *, n_bins: int = 5
) -> tuple[NDArray[np.int64], bool]:
    """Classes of a nuisance, and whether it lies within the groups (the artist itself, albums).

    Within groups, neighbours of other groups cannot share it, a probe that keeps groups whole
    cannot predict it, and groups that swap it whole change nothing.

    Parameters
    ----------
    nuisance : array-like of shape (n_tracks,)
        Categories, or numbers, which are binned by quantiles.
    groups : array-like of shape (n_tracks,), optional
        Artists.
    n_bins : int

    Returns
    -------
    codes : ndarray of shape (n_tracks,), int64
        As `songscape.metrics.probes.bin_nuisance` gives them; −1 is missing.
    nested : bool
        See `songscape.statistics.permutations.nested_in_groups`.
    """
    codes = bin_nuisance(nuisance, n_bins)
    return codes, nested_in_groups(codes, groups)


def cluster_leakage(
    labels: ArrayLike,
    nuisance: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    n_bins: int = 5,
    n_permutations: int = 999,
    random_state: int = 0,
) -> PermutationNull:
    """Cluster–nuisance AMI beside its permutation null.

    Parameters
    ----------
    labels : array-like of shape (n_tracks,), int
        Clusters; −1 is noise and left out.
    nuisance : array-like of shape (n_tracks,)
        Categories, or numbers, which are binned by quantiles; missing values are left out.
    groups : array-like of shape (n_tracks,), optional
        Artists, permuted in blocks; a nuisance that lies within them (the artist, the album) is
        permuted track by track.
    n_bins, n_permutations, random_state : int
    """
    codes, nested = nuisance_codes(nuisance, groups, n_bins=n_bins)
    return permutation_null(
        labels,
        codes,
        metric="ami",
        groups=None if nested else groups,
        n_permutations=n_permutations,
        random_state=random_state,
    )


def space_leakage(
    X: ArrayLike,
    nuisance: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    neighbors: Neighbors | None = None,
    n_bins: int = 5,
    n_permutations: int = 199,
    max_tracks: int = 3_000,
    random_state: int = 0,
) -> dict[str, float]:
    """Everything that says how far a space gives a nuisance away.

    A nuisance that lies within the groups (the artist, the album) has no probes: the groups of
    the tracks to be predicted, and so their artists, were never seen in training. NaN stands there.

    Parameters
    ----------
    X : array-like of shape (n_tracks, n_dimensions)
    nuisance, groups, n_bins, random_state
        As in `cluster_leakage`.
    neighbors : Neighbors, optional
        Of `X`, about 90; adds iLISI, kBET (over as many of them as a class has tracks on average,
        `songscape.metrics.mixing.kbet_neighbors`) and neighbour agreement.
    n_permutations, max_tracks : int
        Of the probes, see `songscape.metrics.probes.probe`; the first also of iLISI and kBET.

    Returns
    -------
    dict
        `linear` and `nonlinear` balanced accuracy, each with `_null_mean`, `_null_95`, `_p_value`;
        `probe_chance`, `probe_n_used`, `probe_n_classes`, `probe_n_left_out`; with neighbours
        `ilisi` and `kbet` (1 is mixed), each with the same three (`_null_95`: 95 % of permutations
        mix better), `knn` and `knn_chance` (10 neighbours).
    """
    codes, nested = nuisance_codes(nuisance, groups, n_bins=n_bins)
    result: dict[str, float] = {}
    for kind in ("linear", "nonlinear"):
        found = probe(
            X,
            np.full(len(codes), -1) if nested else codes,
            groups,
            kind=kind,
            n_permutations=n_permutations,
            max_tracks=max_tracks,
            random_state=random_state,
        )
        values = asdict(found)
        result[kind] = found.balanced_accuracy
        result |= {f"{kind}_{key}": values[key] for key in ("null_mean", "null_95", "p_value")}
    for key in ("chance", "n_used", "n_classes", "n_left_out"):
        result[f"probe_{key}"] = values[key]
    if neighbors is not None:
        near = knn_label_agreement(neighbors, codes, k=10)
        result |= {
            "knn": near["mean"],
            "knn_chance": near["chance"],
        }
        mixed = mixing_nulls(
            neighbors,
            codes,
            None if nested else groups,
            k_kbet=kbet_neighbors(codes, neighbors.n_neighbors),
            n_permutations=n_permutations,
            random_state=random_state,
        )
        for name, null in mixed.items():
            result |= {
                name: null.observed,
                f"{name}_null_mean": null.null_mean,
                f"{name}_null_95": null.null_95,
                f"{name}_p_value": null.p_value,
            }
    return result
