"""Targets: what spaces and partitions are compared with, from a table or from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MIN_TRACKS", "Targets"]

MIN_TRACKS = 4
ARTIST_COLUMNS = ("artist", "composer")

Values = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Targets:
    """What a space or a partition is compared with, every array of shape (n_tracks,).

    Attributes
    ----------
    labels : mapping of column to values
        What a method should find.
    nuisances : mapping of column to values
        What should not decide: language, artist, codec, loudness, ...
    artists : array-like or None
        For retrieval; None where unknown.
    groups : array-like
        Tracks of one group (artist, copies) are one piece of evidence, and no neighbours.
    references : mapping of name to array of shape (n_tracks, n_dimensions)
        Shared spaces that the structure of every partition is measured in; rows of NaN are left
        out.
    copies : array-like or None
        Tracks of one recording have one number; retrieval of artists doesn't count them.
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
        copies: ArrayLike | None = None,
        references: Mapping[str, NDArray[np.floating]] | None = None,
    ) -> Targets:
        """Sort the columns of a table into labels, nuisances and artists.

        Parameters
        ----------
        columns : DataFrame or mapping of name to array-like of shape (n_tracks,)
            None, NaN and "" are missing.
        labels : sequence of str, optional
            What should be found. Default: of the columns that are no nuisance and not the artist,
            those that put tracks into groups.
        nuisances : sequence of str
            What should not decide; columns of language, album, source and licence are nuisances
            unless they are named as labels. Numbers with many values are cut into bins.
        artist : str, optional
            Who made a track: switches on the artist filter and retrieval, and is a nuisance.
            Default: a column named artist or composer, if there is one.
        copies, references
            See `Targets`.

        Raises
        ------
        UsageError
            Columns of different lengths or unknown names, fewer than 4 tracks, nothing to compare
            with.
        """
        import pandas as pd

        from songscape.audit.duplicates import known_artists, split_groups
        from songscape.audit.labels import label_columns
        from songscape.audit.nuisances import FROM_LABELS, binned_numbers

        frame = _frame(columns)
        names = [str(name) for name in frame.columns]
        for name in (*(labels or ()), *nuisances, *([artist] if artist else ())):
            if name not in names:
                raise UsageError(f"targets: no column {name!r}; there are {', '.join(names)}")
        both = sorted(set(labels or ()) & {*nuisances, *([artist] if artist else ())})
        if both:
            raise UsageError(f"{', '.join(both)}: named as a label and as what should not decide")
        named = set(labels or ())
        if artist is None:
            artist = next((n for n in ARTIST_COLUMNS if n in names and n not in named), None)
        usual = [n for of in FROM_LABELS.values() for n in of if n in names and n not in named]
        without = dict.fromkeys((*nuisances, *usual))
        artists = None if artist is None else known_artists(frame[artist])
        given: dict[str, Values] = {}
        for name in without:
            if name != artist:
                text = [None if pd.isna(v) else str(v).strip() or None for v in frame[name]]
                given[name] = np.array(binned_numbers(text), dtype=object)
        if artist is not None:
            given[artist] = np.array(artists, dtype=object)
        varying = {n: v for n, v in given.items() if len({x for x in v if x is not None}) > 1}
        chosen = list(labels) if labels is not None else label_columns(frame.drop(columns=given))
        if not chosen and not varying:
            raise UsageError("targets: no column puts the tracks into groups; name one as a label")
        if artists is not None and len(set(artists) - {None}) < 1:
            artists = None
        same = np.arange(len(frame)) if copies is None else np.asarray(copies)
        return cls(
            labels={name: frame[name].to_numpy(dtype=object) for name in chosen},
            nuisances=varying,
            artists=None if artists is None else np.array(artists, dtype=object),
            groups=split_groups(same, artists=artists),
            references=dict(references or {}),
            copies=copies,
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
