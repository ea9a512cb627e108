"""Targets: what spaces and partitions are compared with, from a table or from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

MIN_TRACKS = 4


@dataclass(frozen=True, eq=False)
class Targets:
    """What a space or a partition is compared with, every array of shape (n_tracks,).

    `labels` are what a method should find, `nuisances` what should not decide: language, artist,
    codec, ... Tracks of one of the `groups` (artist, copies) are one piece of evidence, and no
    neighbours. The structure of every partition is measured in the `references`, of shape
    (n_tracks, n_dimensions); their rows of NaN are left out. `copies` of one recording have one
    number; retrieval of `artists` doesn't count them.
    """

    labels: Mapping[str, ArrayLike]
    nuisances: Mapping[str, ArrayLike]
    artists: ArrayLike | None
    groups: ArrayLike
    references: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    copies: ArrayLike | None = None

    @property
    def n_tracks(self) -> int:
        return len(np.asarray(self.groups))

    @property
    def columns(self) -> dict[str, ArrayLike]:
        """Labels and nuisances by name."""
        return {**self.labels, **self.nuisances}

    @classmethod
    def from_columns(
        cls,
        columns: pd.DataFrame | Mapping[str, ArrayLike],
        *,
        labels: Sequence[str] | None = None,
        nuisances: Sequence[str] = (),
        artist: str | None = None,
    ) -> Targets:
        """Sort the columns of a table into labels, nuisances and artists.

        None, NaN and "" are missing; spellings of one value count as one. `labels` are those that
        `songscape.columns.label_columns` finds unless they are named. Language, artist, album,
        source and licence are nuisances unless they are named as labels, and numbers with many
        values are cut into bins. The artist (by default the column called so) switches on the
        artist filter and retrieval.

        Raises UsageError for columns of different lengths or unknown names, fewer than 4 tracks, or
        nothing to compare with.
        """
        from songscape.audit.duplicates import split_groups
        from songscape.audit.nuisances import column_nuisances
        from songscape.columns import find_columns, find_roles, label_columns
        from songscape.spellings import known_artists, normalised

        frame = _frame(columns)
        roles = find_roles(frame.columns, {} if artist is None else {"artist": artist})
        frame = normalised(frame, roles)
        labels = None if labels is None else find_columns(labels, frame.columns)
        nuisances = find_columns(nuisances, frame.columns, "nuisance")
        both = sorted(set(labels or ()) & {*nuisances, roles.artist})
        if both:
            raise UsageError(f"{', '.join(both)}: named as a label and as what should not decide")
        found = {
            name: np.array(values, dtype=object)
            for name, values in column_nuisances(frame, nuisances, roles).items()
            if roles.nuisances.get(name, name) not in (labels or ())
        }
        if labels is None:
            labels = label_columns(frame, nuisances=nuisances, roles=roles)
        if not labels and not found:
            raise UsageError("targets: no column puts the tracks into groups; name one as a label")
        artists = None if roles.artist is None else known_artists(frame[roles.artist])
        if artists is not None and not any(artists):
            artists = None
        return cls(
            labels={name: frame[name].to_numpy(dtype=object) for name in labels},
            nuisances=found,
            artists=None if artists is None else np.array(artists, dtype=object),
            groups=split_groups(np.arange(len(frame)), artists),
        )


def _frame(columns: pd.DataFrame | Mapping[str, ArrayLike]) -> pd.DataFrame:
    import pandas as pd

    if isinstance(columns, pd.DataFrame):
        frame = columns.reset_index(drop=True).rename(columns=str)
    else:
        lengths = {str(name): len(np.asarray(values)) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
            raise UsageError(f"targets: columns of different lengths ({shown})")
        frame = pd.DataFrame({str(n): np.asarray(v, dtype=object) for n, v in columns.items()})
    if not frame.columns.is_unique:
        raise UsageError("targets: two columns have one name")
    if len(frame) < MIN_TRACKS:
        raise UsageError(f"targets: {len(frame)} rows; at least {MIN_TRACKS} tracks are needed")
    return frame
