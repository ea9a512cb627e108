"""SongVAE: one variational autoencoder for any number of views, as a scikit-learn estimator."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from songscape.errors import SongscapeError
from songscape.features.views import Views
from songscape.models import rotation
from songscape.models.checkpoint import Checkpoint
from songscape.models.covariates import CovariateEncoder, fit_covariates, overlap_warnings
from songscape.models.decoder_places import Places, fit_places
from songscape.models.decoder_space import SPACES
from songscape.models.diagnostics import Diagnostics, diagnose
from songscape.models.hardware import COMPILED, chosen_device, takes_bfloat16
from songscape.models.hot_deck import Donors, fit_donors
from songscape.models.inference import Inference, fitted, make_batch
from songscape.models.networks import Batch, SongNetwork, ViewPlan
from songscape.models.priors import MixturePrior, StandardNormal, VampPrior, normal_kl
from songscape.models.standardisation import (
    InputView,
    as_views,
    sorted_by_id,
    word_shares,
)
from songscape.models.training import (
    Progress,
    Settings,
    hold_out,
    quiet_torch,
    train,
)
from songscape.models.view_specs import plan_views

__all__ = ["SongVAE"]

MIN_TRACKS_TO_HOLD_OUT = 10
CHOICES: Mapping[str, tuple[Any, ...]] = {
    "noise": ("fixed", "learned"),
    "fusion": ("early", "poe"),
    "prior": ("normal", "mixture", "vamp"),
    "space": SPACES,
    "imputation": ("mean", "donor"),
    "precision": ("auto", "float32", "bfloat16"),
    "compiled": COMPILED,
}


class SongVAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Variational autoencoder of songs.

    Per view it has an encoder, a likelihood and a decoder; the views are fused by concatenation or
    as a product of experts. Tracks that lack a view, and padded steps, are never treated as data:
    they enter neither the standardisation nor the likelihood.

    Parameters
    ----------
    views : sequence of str or None, default=None
        Names of the views to model; None takes all of `X` that are not covariates.
    likelihoods : mapping of view to one of `songscape.models.likelihoods.LIKELIHOODS`, or None
        Default: multinomial for sparse views, von Mises-Fisher for views named `embedding:...`,
        Gaussian for the others.
    encoders : mapping of view to {"dense", "conv1d", "set"} or None
        Default: dense; under a product of experts, a set for views of shape
        (n_tracks, n_segments, n_features).
    decoders : mapping of view to {"dense", "linear"} or None
        Default: linear for words under a product of experts without covariates, as in topic models
        (Srivastava & Sutton 2017), because a hidden layer learns the words of a few hundred songs
        by heart; the weights of linear decoders have a standard normal prior. Otherwise dense,
        which mirrors the encoder.
    noise : {"fixed", "learned"}, default="fixed"
        Standard deviation of Gaussian views: 1 in standardised units, or learned per dimension.
    fusion : {"early", "poe"}, default="early"
    covariates : sequence of str or None
        Names of views of `X` (see `songscape.features.covariates`) that enter every encoder and
        decoder.
    independence : float, default=0
        Weight, in nats, of a penalty on latents that tell the covariates (see
        `songscape.models.objective.dependence`).
    contrast : float, default=0
        Weight, in nats, of a penalty that makes the views of a song point to the same latents,
        which those of other songs with like covariates don't (see
        `songscape.models.contrast.confusion`). Needs a product of experts; of one view it asks
        nothing.
    latent_dim : int, default=16
    hidden : tuple of int, default=(256,)
        Widths of the encoder's hidden layers; decoders mirror them.
    dropout : float, default=0
    prior : {"normal", "mixture", "vamp"}, default="normal"
    n_components : int, default=10
        Components of the mixture, or pseudo-tracks of the VampPrior.
    variational : bool, default=True
        False gives a deterministic autoencoder of the same architecture.
    beta : float, default=1
        Weight of the KL divergence (Higgins et al. 2017).
    warmup : float, default=0.2
        Share of the epochs over which that weight grows linearly from 0.
    free_bits : float, default=0
        Nats per dimension that cost nothing (Kingma et al. 2016).
    view_dropout : float, default=0
        Probability of leaving a view out of the posterior in a training step; of a set, a random
        number of steps is kept. Everything is reconstructed all the same.
    word_total : float, default=200
        How many words the lyrics of a track count as under the multinomial likelihood.
    epochs : int, default=100
        At most; a large collection takes fewer, by `max_steps`.
    max_steps : int, default=20000
        Training steps in all that are enough for any size; there are at least two epochs.
    batch_size : int, default=64
        At most; with fewer than 1,024 tracks it shrinks, down to 8, to keep 16 steps per epoch.
    learning_rate : float
        Peak of a one-cycle schedule.
    rise : float, default=0.3
        Share of the training steps over which the learning rate grows to that peak.
    hold : float, default=0
        Share of the steps over which it stays there before it falls.
    weight_decay : float
    patience : int, default=15
        Stop after this many epochs without a better validation ELBO (never during the warm-up)
        and go back to the weights of the best one; 0 trains all epochs and keeps the last weights.
    validation_fraction : float, default=0.1
        Share of the tracks that is held out; with fewer than 10 tracks none is.
    rotate : bool, default=True
        Train wide Gaussian views in rotated coordinates where that loses nothing (see `rotation`).
    space : {"latent", "decoder", "joint"}, default="latent"
        What `transform` returns: posterior means; the decoded views, balanced and reduced; or both
        together, reduced to `latent_dim` axes (see `songscape.models.decoder_space.JointSpace`).
        Under a product of experts each can also be asked for later.
    at : str or None, default=None
        Decode everyone at the same covariates: a category of the training tracks ("de": what would
        each song be among German ones?), or "average", at every category in turn, averaged by
        their shares (see `songscape.models.decoder_space.mixed_blocks`); None or "own": their own.
    reduced_dim : int, default=16
        Dimensions per view of the decoder space.
    imputation : {"mean", "donor"}, default="mean"
        How `transform` sees a track that lacks views, under a product of experts: as the views say
        that it has, or with what the others add to the most similar complete training track (see
        `songscape.models.hot_deck`), so that tracks without lyrics are no group of their own.
    random_state : int, RandomState or None, default=0
    threads : int, default=1
        Threads of torch. More than there are free cores make it many times slower.
    device : str, default="auto"
        "cpu", "cuda", "mps", or "auto": CUDA where there is one, else the CPU.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Of the layers while training; sums, the optimiser and everything afterwards are of full
        precision. "auto": bfloat16 on a GPU that has it, float32 elsewhere.
    compiled : bool or "auto", default="auto"
        Whether torch compiles the training step. "auto": where a GPU trains for long (see
        `songscape.models.hardware.compiled`). The rounding differs from that of the plain step. On
        a CPU torch calls a C++ compiler, which can't if torch lies in a folder with a space.
    callback : callable or None
        Called after each epoch with (epoch, epochs, row of `history_`).
    checkpoint : Checkpoint or None
        Where a training that is stopped leaves its state, and goes on from.

    Attributes
    ----------
    history_ : list of dict
        Per epoch: epoch, train_elbo, validation_elbo (where tracks are held out; both with the
        final beta), kl, reconstruction, beta.
    diagnostics_ : Diagnostics
    network_ : SongNetwork
    n_features_in_ : int
        Only after fitting an array.

    References
    ----------
    Kingma & Welling, Auto-Encoding Variational Bayes, ICLR 2014. Wu & Goodman, Multimodal
    Generative Models for Scalable Weakly-Supervised Learning, NeurIPS 2018.
    """

    def __init__(
        self,
        views: Sequence[str] | None = None,
        *,
        likelihoods: Mapping[str, str] | None = None,
        encoders: Mapping[str, str] | None = None,
        decoders: Mapping[str, str] | None = None,
        noise: str = "fixed",
        fusion: str = "early",
        covariates: Sequence[str] | None = None,
        independence: float = 0.0,
        contrast: float = 0.0,
        latent_dim: int = 16,
        hidden: tuple[int, ...] = (256,),
        dropout: float = 0.0,
        prior: str = "normal",
        n_components: int = 10,
        variational: bool = True,
        beta: float = 1.0,
        warmup: float = 0.2,
        free_bits: float = 0.0,
        view_dropout: float = 0.0,
        word_total: float = 200.0,
        epochs: int = 100,
        max_steps: int = 20_000,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        rise: float = 0.3,
        hold: float = 0.0,
        weight_decay: float = 1e-3,
        patience: int = 15,
        validation_fraction: float = 0.1,
        rotate: bool = True,
        space: str = "latent",
        at: str | None = None,
        reduced_dim: int = 16,
        imputation: str = "mean",
        random_state: Any = 0,
        threads: int = 1,
        device: str = "auto",
        precision: str = "auto",
        compiled: str | bool = "auto",
        callback: Progress | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.views = views
        self.likelihoods = likelihoods
        self.encoders = encoders
        self.decoders = decoders
        self.noise = noise
        self.fusion = fusion
        self.covariates = covariates
        self.independence = independence
        self.contrast = contrast
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.dropout = dropout
        self.prior = prior
        self.n_components = n_components
        self.variational = variational
        self.beta = beta
        self.warmup = warmup
        self.free_bits = free_bits
        self.view_dropout = view_dropout
        self.word_total = word_total
        self.epochs = epochs
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.rise = rise
        self.hold = hold
        self.weight_decay = weight_decay
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.rotate = rotate
        self.space = space
        self.at = at
        self.reduced_dim = reduced_dim
        self.imputation = imputation
        self.random_state = random_state
        self.threads = threads
        self.device = device
        self.precision = precision
        self.compiled = compiled
        self.callback = callback
        self.checkpoint = checkpoint

    def fit(self, X: Any, y: Any = None) -> SongVAE:
        """Train on `X`: Views, or an array of shape (n_tracks, n_features).

        `y`, label columns of the tracks, is never trained on. With covariates it is compared with
        them: a label that a covariate all but decides is hidden with it, which is warned of and
        noted among the `diagnostics_`.

        Raises
        ------
        SongscapeError
            If a view is missing everywhere, holds NaN, or training diverges.
        """
        self._check_parameters()
        views = sorted_by_id(self._views(X, reset=True))
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self._prepare(views)
        training, validation = self._split(views, seed)
        if self.covariates:
            self.covariates_: CovariateEncoder = fit_covariates(views, self.covariates, training)
            if self.at not in (None, "own"):
                # An unknown category is told before the training, not after it.
                self.covariates_.at(str(self.at), 1)
        device = chosen_device(self.device)
        with quiet_torch(self.threads, seed):
            self._train(views, training, validation, seed, device)
            self._finish(views, training, validation, seed)
        if self.covariates and y is not None:
            hidden = overlap_warnings(X, self.covariates, y)
            self.diagnostics_: Diagnostics = self.diagnostics_.noting(hidden)
            for sentence in hidden:
                warnings.warn(sentence, stacklevel=2)
        return self

    def transform(
        self,
        X: Any,
        space: str | None = None,
        at: str | None = None,
        imputation: str | None = None,
    ) -> NDArray[Any]:
        """Posterior means, or decoder space, of shape (n_tracks, n_dimensions), float32.

        Parameters
        ----------
        X : Views or ndarray
            Tracks may lack views that the model knows.
        space, at, imputation : str, optional
            Instead of the estimator's own; `at` only matters in decoder space. at="own" decodes
            every track at its own covariates where the estimator holds them constant.

        Raises
        ------
        SongscapeError
            If `at` is a category that no training track was of; the message names those there are.
        """
        check_is_fitted(self, "network_")
        views = self._views(X)
        space, at = space or self.space, at or self.at
        imputation = imputation or self.imputation
        _check_choice("space", space)
        _check_choice("imputation", imputation)
        if space == "joint" and self.covariates and at not in (None, "own"):
            raise SongscapeError(f"at={at!r} needs space='decoder': latents are at no covariates")
        with quiet_torch(self.threads):
            means, _ = self._posterior(views)
            if self.donors_ is not None and imputation == "donor":
                means = self.donors_.complete(means, self._present(views))
            return self._places(views, means, space, at).astype(np.float32)

    def posterior(self, X: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Mean and standard deviation of the posterior, each (n_tracks, latent_dim), float32."""
        check_is_fitted(self, "network_")
        with quiet_torch(self.threads):
            means, log_variances = self._posterior(self._views(X))
        return means.astype(np.float32), np.exp(0.5 * log_variances).astype(np.float32)

    def uncertainty(self, X: Any) -> NDArray[Any]:
        """Posterior spread per track, (n_tracks,): 0 is certain, 1 is as vague as the prior.

        The root mean square, over latent dimensions, of the posterior's standard deviation. It says
        how much a track's views tell this model, and grows where some are missing. It does not say
        how sure a track's place is when the model is trained again: that, how near the border of
        its cluster is tells (`songscape.metrics.silhouette.simplified_silhouette`), and
        `songscape compare` measures both (`songscape.benchmark.calibration`).
        """
        _, spread = self.posterior(X)
        return np.asarray(np.sqrt(np.mean(np.square(spread, dtype=np.float64), axis=1)))

    def memberships(self, X: Any) -> NDArray[Any]:
        """Soft memberships p(component | track), (n_tracks, n_components); mixture prior only."""
        check_is_fitted(self, "network_")
        if not isinstance(self.prior_, MixturePrior):
            raise SongscapeError(
                "only a model with a mixture prior has memberships; fit it with prior='mixture'"
            )
        with quiet_torch(self.threads):
            return self._responsibilities(self._posterior(self._views(X))[0])

    def reconstruct(self, X: Any) -> dict[str, NDArray[Any]]:
        """Decoded posterior means per view: in its units, word probabilities, or unit vectors."""
        check_is_fitted(self, "network_")
        views = self._views(X)
        with quiet_torch(self.threads):
            means, _ = self._posterior(views)
            return self._fitted().decode(means, self._covariates(views))

    def sample(self, n: int = 1, random_state: Any = None) -> dict[str, NDArray[Any]]:
        """Decode `n` draws from the prior; per view as `reconstruct`. Covariates are average."""
        check_is_fitted(self, "network_")
        if isinstance(self.prior_, VampPrior):
            raise SongscapeError("a VampPrior cannot be sampled yet; use another prior")
        state = check_random_state(self.random_state if random_state is None else random_state)
        generator = torch.Generator().manual_seed(int(state.randint(2**31 - 1)))
        with torch.no_grad(), quiet_torch(self.threads):
            latents = self.prior_.draw(n, self.latent_dim, generator).double().numpy()
            average = self.covariates_.at("average", n) if self.covariates else None
            return self._fitted().decode(latents, average)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean evidence lower bound per track (beta = 1), in nats."""
        check_is_fitted(self, "network_")
        views = self._views(X)
        with quiet_torch(self.threads):
            return float(self._elbo(views, np.flatnonzero(self._present(views).any(axis=1))))

    # How the pieces are put together.

    def _check_parameters(self) -> None:
        for name in CHOICES:
            _check_choice(name, getattr(self, name))
        if self.rise < 0 or self.hold < 0 or self.rise + self.hold > 1:
            raise ValueError(
                f"rise={self.rise} and hold={self.hold} are shares of the steps: at most 1 together"
            )
        if self.free_bits > 0 and self.prior != "normal":
            raise ValueError(
                "free_bits needs prior='normal': other priors have no KL per dimension"
            )
        if self.contrast > 0 and self.fusion != "poe":
            raise ValueError("contrast needs fusion='poe': otherwise views have no posterior each")
        if self.at is not None and self.space == "joint":
            raise ValueError("at needs space='decoder': posterior means are at no covariates")
        if self.at is not None and not self.covariates:
            raise ValueError("at needs covariates: without them there is nothing to hold constant")

    def _views(self, X: Any, reset: bool = False) -> Views:
        if isinstance(X, Views):
            return X
        X = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            reset=reset,
            ensure_min_samples=2 if reset else 1,
        )
        return as_views(X)

    def _prepare(self, views: Views) -> None:
        """Fit the standardisers and decide each view's encoder, decoder and likelihood."""
        hidden_from_model = set(self.covariates or ())
        names = self.views or tuple(name for name in views if name not in hidden_from_model)
        self.plans_: tuple[ViewPlan, ...]
        self.inputs_: dict[str, InputView]
        self.plans_, self.inputs_ = plan_views(
            {name: views[name] for name in names},
            fusion=self.fusion,
            noise=self.noise,
            covariates=bool(self.covariates),
            likelihoods=self.likelihoods or {},
            encoders=self.encoders or {},
            decoders=self.decoders or {},
        )

    def _present(self, views: Views) -> NDArray[np.bool_]:
        """Which modelled views each track has, (n_tracks, n_views)."""
        return np.stack([views[plan.name].present for plan in self.plans_], axis=1)

    def _split(self, views: Views, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        rows = np.flatnonzero(self._present(views).any(axis=1))
        if len(rows) < 2:
            raise SongscapeError(
                f"{len(rows)} track(s) with data cannot train a model; two are the least"
            )
        share = 0.0 if len(rows) < MIN_TRACKS_TO_HOLD_OUT else self.validation_fraction
        # Single tracks and not whole artists: a network places tracks that it did not see apart
        # from those that it did, and would tell the held-out artists from the others.
        held_out = hold_out(len(rows), share, np.random.default_rng(seed))
        return rows[~held_out], rows[held_out]

    def _network(self, plans: Sequence[ViewPlan]) -> SongNetwork:
        return SongNetwork(
            plans,
            latent_dim=self.latent_dim,
            hidden=tuple(self.hidden),
            fusion=self.fusion,
            dropout=self.dropout,
            n_covariates=len(self.covariates_.average) if self.covariates else 0,
            word_total=self.word_total,
        )

    def _train(
        self,
        views: Views,
        training: NDArray[np.intp],
        validation: NDArray[np.intp],
        seed: int,
        device: torch.device,
    ) -> None:
        rotations = {
            plan.name: rotation.rotate(self.inputs_[plan.name], views[plan.name], training)
            for plan in self.plans_
            if self.rotate
            and rotation.can_rotate(
                plan,
                self.inputs_[plan.name],
                views[plan.name],
                int(views[plan.name].present[training].sum()),
            )
        }
        plans = [
            rotation.rotated_plan(plan, rotations[plan.name]) if plan.name in rotations else plan
            for plan in self.plans_
        ]
        network = self._network(plans)
        rotation.prepare(network, rotations)
        for plan in self.plans_:
            if plan.decoder == "linear" and plan.has_words:
                shares = word_shares(self.inputs_[plan.name], views[plan.name], training)
                network.start_at(plan.name, torch.from_numpy(shares))
        covariates = self._covariates(views)

        def read(rows: NDArray[np.intp]) -> Batch:
            return make_batch(
                self.plans_, self.inputs_, views, rows, covariates, rotations, device=device
            )

        prior = self._prior(training, read, seed)
        settings = Settings(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            rise=self.rise,
            hold=self.hold,
            weight_decay=self.weight_decay,
            beta=self.beta if self.variational else 0.0,
            warmup=self.warmup,
            free_bits=self.free_bits,
            patience=self.patience,
            view_dropout=self.view_dropout,
            variational=self.variational,
            seed=seed,
            independence=self.independence,
            contrast=self.contrast,
            max_steps=self.max_steps,
            bfloat16=takes_bfloat16(self.precision, device),
            compiled=self.compiled,
        )
        network.to(device)
        prior.to(device)
        self.history_ = train(
            network,
            prior,
            read,
            training,
            validation,
            settings,
            self.callback,
            self.checkpoint,
        )
        self.prior_ = prior.cpu()
        network.cpu()
        if rotations:
            trained, network = network, self._network(self.plans_)
            rotation.fold(trained, network, rotations)
        self.network_ = network.eval()

    def _prior(
        self, training: NDArray[np.intp], read: Any, seed: int
    ) -> StandardNormal | MixturePrior | VampPrior:
        if self.prior == "mixture":
            return MixturePrior(self.n_components, self.latent_dim)
        if self.prior == "vamp":
            chosen = np.random.default_rng(seed).choice(
                training, min(self.n_components, len(training)), replace=False
            )
            return VampPrior(read(np.sort(chosen)))
        return StandardNormal()

    def _finish(
        self,
        views: Views,
        training: NDArray[np.intp],
        validation: NDArray[np.intp],
        seed: int,
    ) -> None:
        """Diagnostics, and the axes of the decoder space."""
        self._n_features_out = self.latent_dim
        means, log_variances = self._posterior(views)
        held_out = len(validation) > 0
        elbo = self._elbo(views, validation if held_out else training)
        has_data = np.sort(np.concatenate([training, validation]))
        kl = normal_kl(torch.as_tensor(means), torch.as_tensor(log_variances)).numpy()[has_data]
        kl_per_dimension = kl.mean(axis=0) if self.variational else np.zeros(self.latent_dim)
        self.diagnostics_ = diagnose(
            means[has_data],
            kl_per_dimension,
            elbo,
            held_out=held_out,
            wanted=self.validation_fraction > 0,
            variational=self.variational,
        )
        if self.diagnostics_.collapsed:
            warnings.warn(self.diagnostics_.warnings[0], stacklevel=3)
        self._check_mixture(means[has_data])
        self.donors_: Donors | None = None
        self.places_: Places | None = None
        own = self._covariates(views)
        if self.fusion == "poe":
            self.donors_ = fit_donors(self._fitted(), views, training, own)
        elif self.space == "latent":
            # Decoding and reducing thousands of columns takes seconds that few will need.
            return
        if self.donors_ is not None and self.imputation == "donor":
            means = self.donors_.complete(means, self._present(views))
        self.places_ = fit_places(
            self._fitted().network,
            means[training],
            None if own is None else own[training],
            self.covariates_.mixture("average") if self.covariates else None,
            reduced_dim=self.reduced_dim,
            joint_dim=self.latent_dim,
            seed=seed,
        )
        if self.space != "latent":
            self._n_features_out = self.places_.n_features(self.space)

    def _check_mixture(self, means: NDArray[np.float64]) -> None:
        """Warn of a mixture prior that has all tracks in one component."""
        if self.prior != "mixture" or len(np.unique(self._responsibilities(means).argmax(1))) > 1:
            return
        collapsed = (
            f"the mixture prior has all tracks in one of its {self.n_components} components: its "
            "memberships say nothing; use a clusterer"
        )
        self.diagnostics_ = self.diagnostics_.noting([collapsed])
        warnings.warn(collapsed, stacklevel=4)

    @torch.no_grad()
    def _responsibilities(self, means: NDArray[np.float64]) -> NDArray[np.float64]:
        prior = copy.deepcopy(self.prior_).double()
        found: torch.Tensor = prior.responsibilities(torch.as_tensor(means))  # type: ignore[operator]
        return found.numpy()

    # Reading, encoding and decoding.

    def _covariates(self, views: Views) -> NDArray[np.float32] | None:
        if not self.covariates:
            return None
        return self.covariates_.encode(views)

    def _fitted(self) -> Inference:
        return fitted(self.network_, self.inputs_)

    def _posterior(self, views: Views) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means and log-variances, each (n_tracks, latent_dim)."""
        return self._fitted().posterior(views, self._covariates(views))

    def _elbo(self, views: Views, rows: NDArray[np.intp]) -> float:
        """Mean ELBO per track of `rows` with beta = 1."""
        prior = copy.deepcopy(self.prior_).double()
        given = self._covariates(views)
        return self._fitted().elbo(prior, views, rows, given, variational=self.variational)

    def _places(
        self, views: Views, means: NDArray[np.float64], space: str, at: str | None
    ) -> NDArray[np.float64]:
        """Where tracks stand in a space if their latents are `means`."""
        if space == "latent":
            return means
        at = None if at == "own" else at
        if at is not None and not self.covariates:
            raise SongscapeError(f"at={at!r}: this model has no covariates; fit one that has")
        if self.places_ is None:
            raise SongscapeError("this model was fitted without space='decoder'; fit it with that")
        mixture = None if at is None else self.covariates_.mixture(at)
        decoded = self.places_.decoded(
            self._fitted().network,
            means,
            self._covariates(views),
            mixture,
            average=at == "average",
        )
        return self.places_.joint.project(decoded, means) if space == "joint" else decoded

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _check_choice(name: str, value: Any) -> None:
    if value not in CHOICES[name]:
        raise ValueError(f"{name}={value!r}: choose one of {', '.join(map(str, CHOICES[name]))}")
