"""SongVAE: one variational autoencoder for any number of views, as a scikit-learn estimator."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from songscape.errors import SongscapeError
from songscape.features.views import Views
from songscape.models.checkpoint import Checkpoint
from songscape.models.covariate_encoder import CovariateEncoder, fit_covariates
from songscape.models.diagnostics import Diagnostics, diagnose
from songscape.models.estimator import ViewsTransformer
from songscape.models.imputation import HotDeck, complete_rows
from songscape.models.inference import BatchReader, Inference
from songscape.models.linear import BlockPCA
from songscape.models.networks import SongNetwork
from songscape.models.parameters import GROUPS, WORD_COMPONENTS, Hardware, Objective, Training
from songscape.models.priors import MixturePrior, StandardNormal
from songscape.models.standardisation import InputView, sorted_by_id
from songscape.models.training import (
    Progress,
    TrainingSettings,
    fit_network,
    quiet_torch,
    split_rows,
)
from songscape.models.view_specs import ViewSpec, view_specs

LATENT_WEIGHT = 0.7
"""Weight of the latents, where sound and words of the linear coordinates have 1 each."""


class SongVAE(ViewsTransformer):
    """Variational autoencoder of songs.

    Per view it has an encoder, a likelihood and a decoder; the views are fused by concatenation or
    as a product of experts. Tracks that lack a view, and padded steps, are never treated as data:
    they enter neither the standardisation nor the likelihood.

    `songscape.models.presets.make_model` makes the named models, and takes the fields of
    `objective`, `training` and `hardware` by name: ``make_model("song-vae", epochs=40)``.

    Parameters
    ----------
    views : sequence of str or None, default=None
        Names of the views to model; None takes all of `X` that are not covariates.
    likelihoods : mapping of view to one of `songscape.models.parameters.LIKELIHOODS`, or None
        Default: multinomial for sparse views, von Mises-Fisher for directions (`View.standardise`),
        Gaussian for the others.
    encoders : mapping of view to {"dense", "conv1d", "set"} or None
        Default: dense; under a product of experts, a set for views of shape
        (n_tracks, n_segments, n_features).
    noise : {"fixed", "learned"}, default="fixed"
        Standard deviation of Gaussian views: 1 in standardised units, or learned per dimension.
    fusion : {"early", "poe"}, default="early"
        By concatenation, or as a product of experts.
    covariates : sequence of str or None
        Names of views of `X` (see `songscape.features.covariates`) that enter every encoder and
        decoder.
    latent_dim : int, default=16
    hidden : tuple of int, default=(256,)
        Widths of the encoder's hidden layers; decoders mirror them.
    dropout : float, default=0
    prior : {"normal", "mixture"}, default="normal"
    n_components : int, default=10
        Components of the mixture.
    variational : bool, default=True
        False gives a deterministic autoencoder of the same architecture.
    space : {"latent", "joint"}, default="latent"
        What `transform` returns: posterior means; or, under a product of experts, linear
        coordinates of the same views, as "balanced-lda" has them (of the first covariate neutral),
        joined to posterior means in units of their uncertainty. The first tell most of genre and
        artist where every view is there; the latents add what views share, and say of a track that
        lacks one which complete tracks it is like.
    imputation : {"mean", "donor"}, default="mean"
        How `transform` sees a track that lacks views, under a product of experts: by the views that
        it has, or with what the others add to similar complete training tracks, so that tracks
        without lyrics are no group of their own.
    random_state : int, RandomState or None, default=0
    objective : Objective or None, default=None
        Weights of the KL divergence and of penalties; None is `Objective()`.
    training : Training or None, default=None
        Epochs, steps, learning rate and the like; None is `Training()`.
    hardware : Hardware or None, default=None
        Device and threads; None is `Hardware()`.

    Attributes
    ----------
    history_ : list of dict
        Per epoch: epoch, train_elbo, validation_elbo (where tracks are held out), kl,
        reconstruction, beta. Both ELBOs have the final beta.
    diagnostics_ : Diagnostics
    network_ : SongNetwork
    view_specs_ : tuple of ViewSpec
        The encoder, likelihood and decoder of every modelled view.

    References
    ----------
    Kingma & Welling, Auto-Encoding Variational Bayes, ICLR 2014. Wu & Goodman, Multimodal
    Generative Models for Scalable Weakly-Supervised Learning, NeurIPS 2018.
    """

    parameter_groups: ClassVar[Mapping[str, type]] = GROUPS
    """Parameters that are settings of a group; see `songscape.models.presets.build_model`."""

    def __init__(
        self,
        views: Sequence[str] | None = None,
        *,
        likelihoods: Mapping[str, str] | None = None,
        encoders: Mapping[str, str] | None = None,
        noise: str = "fixed",
        fusion: str = "early",
        covariates: Sequence[str] | None = None,
        latent_dim: int = 16,
        hidden: tuple[int, ...] = (256,),
        dropout: float = 0.0,
        prior: str = "normal",
        n_components: int = 10,
        variational: bool = True,
        space: str = "latent",
        imputation: str = "mean",
        random_state: Any = 0,
        objective: Objective | None = None,
        training: Training | None = None,
        hardware: Hardware | None = None,
    ) -> None:
        self.views = views
        self.likelihoods = likelihoods
        self.encoders = encoders
        self.noise = noise
        self.fusion = fusion
        self.covariates = covariates
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.dropout = dropout
        self.prior = prior
        self.n_components = n_components
        self.variational = variational
        self.space = space
        self.imputation = imputation
        self.random_state = random_state
        self.objective = objective
        self.training = training
        self.hardware = hardware

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        callback: Progress | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> SongVAE:
        """Train on `X`: Views, or an array of shape (n_tracks, n_features).

        Parameters
        ----------
        X : Views or ndarray
        y : ignored
        callback : callable, optional
            Called after each epoch with (epoch, epochs, row of `history_`).
        checkpoint : Checkpoint, optional
            Where a training that is stopped leaves its state, and from where it continues.

        Raises
        ------
        SongscapeError
            If a view is missing everywhere, holds NaN, or training diverges.
        ValueError
            If a parameter is out of range.
        """
        self.check_parameters()
        views = sorted_by_id(self._views(X, reset=True))
        seed = self._seed()
        names = self._modelled(views)
        self.view_specs_: tuple[ViewSpec, ...]
        self.inputs_: dict[str, InputView]
        self.view_specs_, self.inputs_ = view_specs(
            {name: views[name] for name in names},
            fusion=self.fusion,
            noise=self.noise,
            covariates=bool(self.covariates),
            likelihoods=self.likelihoods or {},
            encoders=self.encoders or {},
        )
        settings = TrainingSettings(
            self.objective or Objective(),
            self.training or Training(),
            self.hardware or Hardware(),
            seed,
            self.variational,
            callback,
            checkpoint,
        )
        share = settings.training.validation_fraction
        rows, held_out = split_rows(self._present(views), share, seed)
        self.covariates_: CovariateEncoder | None = None
        if self.covariates:
            self.covariates_ = fit_covariates(views, self.covariates, rows)
        covariates = None if self.covariates_ is None else self.covariates_.encode(views)
        with quiet_torch(settings.hardware.threads, seed):
            reader = BatchReader(self.view_specs_, self.inputs_, views, covariates)
            self.network_, self.prior_, self.history_ = fit_network(
                self._network, self._prior(), reader, rows, held_out, settings
            )
            inference = self._inference()
            posterior = inference.posterior(views)
            self.diagnostics_: Diagnostics = diagnose(
                inference, views, posterior, rows, held_out, settings
            )
            self._n_features_out = self.latent_dim
            self.linear_: BlockPCA | None = None
            self.hot_deck_: HotDeck | None = None
            if self.fusion == "poe":
                self._fit_joint_space(inference, views, posterior, rows, seed)
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Where tracks lie, (n_tracks, n_dimensions), float32.

        Parameters
        ----------
        X : Views or ndarray
            Tracks may lack views that the model knows.
        """
        with self._reading(X) as (inference, views):
            found, _ = inference.posterior(views)
            deck = self.hot_deck_ if self.imputation == "donor" else None
            if self.linear_ is not None and (self.space == "joint" or deck is not None):
                linear = self.linear_.transform(views).astype(np.float64)
            if deck is not None:
                weights = self.latent_weights_
                linear, found = deck.complete(linear, found, self._present(views), weights)
            if self.space == "joint":
                found = np.concatenate([linear, self.latent_weights_ * found], axis=1)
            return found.astype(np.float32)

    def posterior(self, X: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Mean and standard deviation of the posterior, each (n_tracks, latent_dim), float32."""
        with self._reading(X) as (inference, views):
            means, log_variances = inference.posterior(views)
        return means.astype(np.float32), np.exp(0.5 * log_variances).astype(np.float32)

    def uncertainty(self, X: Any) -> NDArray[Any]:
        """Posterior spread per track, (n_tracks,): 0 is certain, 1 is as vague as the prior.

        The root mean square, over latent dimensions, of the posterior's standard deviation. It
        grows where views are missing. How likely a track is to change its cluster when the model is
        trained again it does not say.
        """
        _, spread = self.posterior(X)
        return np.asarray(np.sqrt(np.mean(np.square(spread, dtype=np.float64), axis=1)))

    def memberships(self, X: Any) -> NDArray[Any]:
        """Soft memberships p(component | track), (n_tracks, n_components); mixture prior only."""
        if self.prior != "mixture":
            raise SongscapeError(
                "only a model with a mixture prior has memberships; fit it with prior='mixture'"
            )
        with self._reading(X) as (inference, views):
            return inference.responsibilities(inference.posterior(views)[0])

    def reconstruct(self, X: Any) -> dict[str, NDArray[Any]]:
        """Decoded posterior means per view: in its units, word probabilities, or unit vectors."""
        with self._reading(X) as (inference, views):
            return inference.decode(inference.posterior(views)[0], views)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean evidence lower bound per track (beta = 1), in nats."""
        with self._reading(X) as (inference, views):
            rows = np.flatnonzero(self._present(views).any(axis=1))
            return inference.elbo(views, rows, variational=self.variational)

    @contextmanager
    def _reading(self, X: Any) -> Iterator[tuple[Inference, Views]]:
        """The fitted model, ready to read `X`, and `X` as Views."""
        check_is_fitted(self, "network_")
        views = self._views(X)
        with quiet_torch((self.hardware or Hardware()).threads):
            yield self._inference(), views

    def _present(self, views: Views) -> NDArray[np.bool_]:
        """Which modelled views each track has, (n_tracks, n_views)."""
        return np.stack([views[spec.name].present for spec in self.view_specs_], axis=1)

    def _network(self, specs: Sequence[ViewSpec]) -> SongNetwork:
        return SongNetwork(
            specs,
            latent_dim=self.latent_dim,
            hidden=tuple(self.hidden),
            fusion=self.fusion,
            dropout=self.dropout,
            n_covariates=0 if self.covariates_ is None else len(self.covariates_.average),
        )

    def _prior(self) -> StandardNormal | MixturePrior:
        if self.prior == "mixture":
            return MixturePrior(self.n_components, self.latent_dim)
        return StandardNormal()

    def _inference(self) -> Inference:
        network, prior = copy.deepcopy(self.network_), copy.deepcopy(self.prior_)
        return Inference(network.double(), prior.double(), self.inputs_, self.covariates_)

    def _fit_joint_space(
        self, inference: Inference, views: Views, posterior: Any, rows: NDArray[np.intp], seed: int
    ) -> None:
        """Fit the linear coordinates that the latents are joined to, and the hot deck."""
        self.linear_ = BlockPCA(
            list(self.inputs_),
            word_components=WORD_COMPONENTS,
            within_song=True,
            covariates=list(self.covariates or ())[:1] or None,
            neutral=bool(self.covariates),
            random_state=seed,
        ).fit(views.take(rows))
        whole = complete_rows(self._present(views), rows)
        # Complete tracks decide alone, if there are any.
        means, log_variances = (part[whole if len(whole) else rows] for part in posterior)
        self.latent_weights_ = latent_weights(means, self.variational * log_variances)
        if len(whole):
            linear = self.linear_.transform(views.take(whole)).astype(np.float64)
            evidence = inference.evidence(views, whole)
            self.hot_deck_ = HotDeck(*evidence, linear, self.linear_.of_view)
        if self.space == "joint":
            self._n_features_out += len(self.linear_.of_view)


def latent_weights(means: NDArray[Any], log_variances: NDArray[Any]) -> NDArray[np.float64]:
    """Factors of the latents when joined to a space with a total variance of 1, (latent_dim,).

    In units of what is usually left uncertain of them: the prior gives every used dimension about
    the same variance, however surely the views tell it. From posterior means and log-variances,
    (n_tracks, latent_dim).
    """
    weights = np.exp(-0.5 * np.median(log_variances, axis=0))
    variance = float((weights * means).var(axis=0).sum())
    return np.asarray(LATENT_WEIGHT * weights * variance**-0.5 if variance > 0 else 0.0 * weights)
