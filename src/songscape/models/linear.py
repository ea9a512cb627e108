"""Linear models: principal components, balanced or side by side, and aligned by a covariate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from songscape.errors import SongscapeError
from songscape.features.views import Views
from songscape.models.alignment import Alignment, choose_neutral, fit_alignment
from songscape.models.estimator import ViewsTransformer
from songscape.models.principal_axes import EXACT_LIMIT, Axes, principal_axes
from songscape.models.standardisation import InputView, chunks, fit_input, sorted_by_id
from songscape.models.within_song import SongMeans, fit_song_means

Floats = NDArray[np.float64]


class BlockPCA(ViewsTransformer):
    """Principal components of several views: of each alone and balanced, or of all side by side.

    A track without a view gets that view's average, and so do padded steps.

    Parameters
    ----------
    views : sequence of str or None, default=None
        None takes all that are not covariates.
    n_components : int or None, default=16
        Per view, or in all where `joint`. None keeps every direction: the coordinates are those of
        the standardised columns, turned (distances between the fitted tracks stay exactly as they
        are) where there are fewer tracks than columns.
    word_components : int or None, default=None
        Per sparse view (words), where not as many as of the others; only without `joint`.
    joint : bool, default=False
        True standardises every column of every view and puts them side by side, so that a view
        counts by its number of columns. False reduces each view alone (sparse views without
        centring, as in latent semantic analysis; directions without scaling the columns). Every
        view of the lyrics then counts the same, and every view of the audio, and all of the audio
        together as much as all of the lyrics together.
    within_song : bool, default=False
        Views of steps (segments) are whitened by their covariance within songs and averaged over
        each song, before they are reduced (see `songscape.models.within_song`).
    covariates : sequence of one str, or None
        Name of a composition view (see `songscape.features.covariates`) by which the coordinates
        are centred: the means of its categories are fitted by least squares on the shares, so that
        a song half in one language and half in another is moved half by each. Tracks of unknown
        composition are moved by the average of all.
    neutral : bool, default=False
        Also give the words a smaller weight, and every category the same covariance (see
        `songscape.models.alignment.fit_alignment`), as far as it takes until neighbours tell the
        category no better than chance (`songscape.models.alignment.choose_neutral`).
    random_state : int, RandomState or None, default=0
        Only used where an exact solution would take too long (over 4,096 tracks and columns).

    Attributes
    ----------
    axes_ : tuple of Axes
    factors_ : tuple of float
        What the coordinates of each view are multiplied by.
    alignment_ : Alignment or None
        None without covariates.
    scales_ : ndarray of shape (n_dimensions,), or None
        What aligned coordinates are multiplied by; None without `neutral`.
    word_weight_ : float
        The weight of the lyrics; the audio has 1.
    """

    def __init__(
        self,
        views: Sequence[str] | None = None,
        *,
        n_components: int | None = 16,
        word_components: int | None = None,
        joint: bool = False,
        within_song: bool = False,
        covariates: Sequence[str] | None = None,
        neutral: bool = False,
        random_state: Any = 0,
    ) -> None:
        self.views = views
        self.n_components = n_components
        self.word_components = word_components
        self.joint = joint
        self.within_song = within_song
        self.covariates = covariates
        self.neutral = neutral
        self.random_state = random_state

    def check_parameters(self) -> None:
        """Raise ValueError for a parameter out of range, or for several covariates."""
        super().check_parameters()
        if len(self.covariates or ()) > 1:
            raise ValueError(f"covariates = {self.covariates!r}; give one to centre by")
        if self.neutral and (self.joint or not self.covariates):
            raise ValueError("neutral = True needs covariates, and joint = False")

    def fit(self, X: Any, y: Any = None) -> BlockPCA:
        """Find the components of `X`: Views, or an array of shape (n_tracks, n_features).

        Raises
        ------
        SongscapeError
            If a view is missing everywhere or holds NaN, or no track has a known covariate.
        """
        self.check_parameters()
        views = sorted_by_id(self._views(X, reset=True))
        seed = self._seed()
        names = self._modelled(views)
        self.inputs_: dict[str, InputView] = {}
        self.song_means_: dict[str, SongMeans] = {}
        for name in names:
            view = views[name]
            plain = not self.joint and (view.is_sparse or not view.standardise)
            self.inputs_[name] = fit_input(name, view, standardise=not plain, signed=True)
            if self.within_song and not self.joint and self.inputs_[name].step_axis:
                self.song_means_[name] = fit_song_means(self.inputs_[name], view)
        self.of_lyrics_: tuple[bool, ...] = tuple(
            views[block[0]].is_text and not self.joint for block in self._blocks()
        )
        all_axes, centres, factors = [], [], []
        for block, of_lyrics in zip(self._blocks(), self.of_lyrics_):
            rows = np.flatnonzero(_present(views, block))
            axes = self._axes(views, block, rows, seed)
            coordinates = self._coordinates(views, block, axes)[rows]
            centre = coordinates.mean(axis=0)
            variance = float(((coordinates - centre) ** 2).sum()) / len(rows)
            variance *= self.of_lyrics_.count(of_lyrics)
            all_axes.append(axes)
            centres.append(centre)
            factors.append(variance**-0.5 if variance > 0 and not self.joint else 1.0)
        self.axes_: tuple[Axes | None, ...] = tuple(all_axes)
        self.centres_: tuple[Floats, ...] = tuple(centres)
        self.factors_: tuple[float, ...] = tuple(factors)
        self._n_features_out = sum(len(centre) for centre in centres)
        self._fit_alignment(views)
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Coordinates, float32, of shape (n_tracks, n_components x n_blocks) or fewer columns."""
        check_is_fitted(self, "axes_")
        views = self._views(X)
        for name, reader in self.inputs_.items():
            reader.check(views[name])
        reduced = self._reduced(views)
        if self.alignment_ is None:
            return reduced.astype(np.float32)
        aligned = self.alignment_.apply(reduced, views[(self.covariates or ())[0]])
        aligned = np.where(self._is_data(views), aligned, 0.0)
        return (aligned if self.scales_ is None else aligned * self.scales_).astype(np.float32)

    def _fit_alignment(self, views: Views) -> None:
        self.alignment_: Alignment | None = None
        self.scales_: Floats | None = None
        self.word_weight_ = 1.0
        if not self.covariates:
            return
        composition, reduced = views[self.covariates[0]], self._reduced(views)
        if not composition.present.any():
            name = self.covariates[0]
            raise SongscapeError(f"no track has a known {name}: nothing to centre by")
        is_data = self._is_data(views)
        self.alignment_ = fit_alignment(reduced, is_data, composition)
        if not self.neutral:
            return
        # The audio's blocks need not lie side by side, nor the lyrics'.
        of_lyrics = np.array(self.of_lyrics_)[self.of_view]
        parts = [np.flatnonzero(~of_lyrics), np.flatnonzero(of_lyrics)]
        turned = fit_alignment(reduced, is_data, composition, [part for part in parts if len(part)])
        alignments, spaces, scales = (self.alignment_, turned), [], []
        for alignment in alignments:
            aligned = np.where(is_data, alignment.apply(reduced, composition), 0.0)
            scale = np.ones(len(of_lyrics))
            for part in parts:
                rows = is_data[:, part].any(axis=1) & composition.present
                variance = np.square(aligned[np.ix_(rows, part)]).sum() / max(int(rows.sum()), 1)
                scale[part] = variance**-0.5 if variance > 0 else 1.0
            scales.append(scale)
            spaces.append(
                (aligned[:, parts[0]] * scale[parts[0]], aligned[:, parts[1]] * scale[parts[1]])
            )
        chosen, self.word_weight_ = choose_neutral(reduced, spaces, composition, views.groups)
        self.alignment_, self.scales_ = alignments[chosen], scales[chosen]
        self.scales_[parts[1]] *= self.word_weight_

    def _reduced(self, views: Views) -> Floats:
        """All blocks' coordinates before any alignment; zero where a view is missing."""
        parts = []
        for block, axes, centre, factor in zip(
            self._blocks(), self.axes_, self.centres_, self.factors_
        ):
            coordinates = (self._coordinates(views, block, axes) - centre) * factor
            parts.append(np.where(_present(views, block)[:, None], coordinates, 0.0))
        return np.concatenate(parts, axis=1)

    def _is_data(self, views: Views) -> NDArray[np.bool_]:
        """Which coordinates come from a view that the track has, (n_tracks, n_dimensions)."""
        there = np.stack([_present(views, block) for block in self._blocks()], axis=1)
        return there[:, self.of_view]

    @property
    def of_view(self) -> NDArray[np.int64]:
        """The position of the view that each coordinate comes from, (n_dimensions,)."""
        return np.repeat(np.arange(len(self.centres_)), [len(centre) for centre in self.centres_])

    def _blocks(self) -> list[tuple[str, ...]]:
        names = tuple(self.inputs_)
        return [names] if self.joint else [(name,) for name in names]

    def _read(self, views: Views, block: Sequence[str], rows: NDArray[np.intp]) -> NDArray[Any]:
        parts = [
            self.song_means_[name].read(self.inputs_[name], views[name], rows)
            if name in self.song_means_
            else self.inputs_[name].read(views[name], rows)[0].reshape(len(rows), -1)
            for name in block
        ]
        return np.concatenate(parts, axis=1)

    def _axes(
        self, views: Views, block: Sequence[str], rows: NDArray[np.intp], seed: int
    ) -> Axes | None:
        n_columns = self._read(views, block, rows[:1]).shape[1]
        most = min(len(rows), n_columns)
        is_sparse = not self.joint and views[block[0]].is_sparse
        wanted = (is_sparse and self.word_components) or self.n_components
        if wanted is None and (len(rows) >= n_columns or len(rows) > EXACT_LIMIT):
            return None
        return principal_axes(
            lambda piece: self._read(views, block, rows[piece]),
            len(rows),
            n_columns,
            most if wanted is None else min(wanted, most),
            seed=seed,
            centre=not is_sparse,
        )

    def _coordinates(self, views: Views, block: Sequence[str], axes: Axes | None) -> Floats:
        pieces = []
        for rows in chunks(views.n_tracks):
            values = self._read(views, block, rows)
            pieces.append(values.astype(np.float64) if axes is None else axes.project(values))
        return np.concatenate(pieces)


def _present(views: Views, block: Sequence[str]) -> NDArray[np.bool_]:
    """Which tracks have any view of the block, (n_tracks,)."""
    return np.asarray(np.any([views[name].present for name in block], axis=0))
