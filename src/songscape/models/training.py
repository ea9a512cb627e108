"""Training: one plain loop with KL warm-up, one-cycle AdamW and early stopping.

Wide views are rotated on the way where that loses nothing.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songscape.errors import SongscapeError
from songscape.models import rotation
from songscape.models.checkpoint import Checkpoint, State
from songscape.models.inference import BatchReader
from songscape.models.networks import SongNetwork
from songscape.models.objective import Terms, elbo_terms, leave_out, loss, negative_elbo
from songscape.models.parameters import Hardware, Objective, Training
from songscape.models.priors import MixturePrior, StandardNormal
from songscape.models.standardisation import word_shares
from songscape.models.view_specs import ViewSpec

MIN_TRACKS_TO_HOLD_OUT = 10
MAX_GRADIENT_NORM = 1e4
START_SHARE = 0.04
Progress = Callable[[int, int, dict[str, float]], None]
Rows = NDArray[np.intp]
Prior = StandardNormal | MixturePrior


@dataclass(frozen=True)
class TrainingSettings:
    """What a training is computed from, besides the network and the tracks; see `SongVAE.fit`."""

    objective: Objective
    training: Training
    hardware: Hardware
    seed: int
    variational: bool = True
    callback: Progress | None = None
    checkpoint: Checkpoint | None = None


def chosen_device(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA where there is one, else the CPU."""
    n_cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if n_cuda else "cpu")
    kind, _, index = name.partition(":")
    n_devices = {"cuda": n_cuda, "mps": int(torch.backends.mps.is_available())}.get(kind, 1)
    if int(index or 0) >= n_devices:
        raise SongscapeError(f"device = {name!r}: this machine has none; use auto or cpu")
    return torch.device(name)


@contextlib.contextmanager
def quiet_torch(threads: int, seed: int | None = None) -> Iterator[None]:
    """Cap torch's threads and make it deterministic; restore its global state afterwards.

    More threads than free cores make torch many times slower, and another number of threads may
    round sums differently.
    """
    before = torch.get_num_threads()
    mode = torch.get_deterministic_debug_mode()
    torch.set_num_threads(threads)
    # The same as use_deterministic_algorithms(warn_only=True), which imports torch's compiler.
    torch.set_deterministic_debug_mode("warn")
    try:
        with torch.random.fork_rng(enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
        torch.set_deterministic_debug_mode(mode)


def split_rows(present: NDArray[np.bool_], share: float, seed: int) -> tuple[Rows, Rows]:
    """Tracks to train on and tracks to hold out, of those that have any view.

    `present` is (n_tracks, n_views). At least one track is held out if `share` is positive, and
    none of fewer than 10. Single tracks and not whole artists: a network places tracks that it did
    not see apart from those that it did, and would separate the held-out artists from the others.
    """
    rows = np.flatnonzero(present.any(axis=1))
    if len(rows) < 2:
        raise SongscapeError(f"{len(rows)} track(s) with data: two are the least to train a model")
    n_held_out = 0
    if share > 0 and len(rows) >= MIN_TRACKS_TO_HOLD_OUT:
        n_held_out = max(1, round(len(rows) * share))
    held_out = np.zeros(len(rows), dtype=bool)
    held_out[np.random.default_rng(seed).permutation(len(rows))[:n_held_out]] = True
    return rows[~held_out], rows[held_out]


def fit_network(
    make_network: Callable[[Sequence[ViewSpec]], SongNetwork],
    prior: Prior,
    reader: BatchReader,
    rows: Rows,
    held_out: Rows,
    settings: TrainingSettings,
) -> tuple[SongNetwork, Prior, list[dict[str, float]]]:
    """Train a network, made by `make_network` from specs, on the tracks `rows`.

    The network and the prior come back on the CPU, with one row of history per epoch.
    """
    specs, inputs, views = reader.specs, reader.inputs, reader.views
    device = chosen_device(settings.hardware.device)
    rotations = {
        spec.name: rotation.rotate(inputs[spec.name], views[spec.name], rows)
        for spec in specs
        if rotation.can_rotate(spec, inputs[spec.name], views[spec.name], rows)
    }
    network = make_network(
        [
            rotation.rotated_spec(spec, rotations[spec.name]) if spec.name in rotations else spec
            for spec in specs
        ]
    )
    rotation.prepare(network, rotations)
    for spec in specs:
        if spec.decoder == "linear":
            shares = word_shares(inputs[spec.name], views[spec.name], rows)
            network.start_at(spec.name, torch.from_numpy(shares))
    read = replace(reader, rotations=rotations, device=device)
    history = _train(network.to(device), prior.to(device), read, rows, held_out, settings)
    network, prior = network.cpu(), prior.cpu()
    if rotations:
        trained, network = network, make_network(specs)
        rotation.fold(trained, network, rotations)
    return network.eval(), prior, history


def _train(
    network: SongNetwork,
    prior: Prior,
    read: BatchReader,
    rows: Rows,
    held_out: Rows,
    settings: TrainingSettings,
) -> list[dict[str, float]]:
    """Fit `network` and `prior` in place.

    `train_elbo` and `validation_elbo` are means per track, with the KL divergence weighted by the
    final beta in every epoch, so that epochs can be compared. The weights of the best epoch after
    the warm-up are restored at the end; without patience or held-out tracks, the last ones stay.
    """
    training, objective = settings.training.capped(len(rows)), settings.objective
    # One generator on the CPU for everything random: the same draws on every device.
    generator = torch.Generator().manual_seed(settings.seed)
    size = training.batch_for(len(rows))
    n_steps = training.steps_per_epoch(len(rows)) * training.epochs
    optimiser, schedule = _optimiser(network, prior, training, n_steps)
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    modules = {"network": network, "prior": prior}
    parts = {**modules, "optimiser": optimiser, "schedule": schedule}
    # A deterministic autoencoder pays no divergence.
    full_beta = objective.beta if settings.variational else 0.0
    state = State()
    if settings.checkpoint is not None:
        state = settings.checkpoint.restore(parts, generator)
    for epoch in range(len(state.history) + 1, training.epochs + 1):
        if state.history and training.patience and state.since_best >= training.patience:
            break
        beta = full_beta * min(1.0, epoch / max(1, training.warmup_epochs))
        network.train()
        sums = np.zeros(2)
        order = rows[torch.randperm(len(rows), generator=generator).numpy()]
        for piece in _pieces(order, size):
            batch = read(piece)
            if training.view_dropout > 0:
                batch = leave_out(network, batch, training.view_dropout, generator)
            noise = _noise(len(piece), network, settings, generator)
            terms = elbo_terms(network, prior, batch, noise)
            total = loss(terms, objective, beta, batch.covariates) + network.loadings() / len(rows)
            if not torch.isfinite(total):
                raise SongscapeError(
                    f"training diverged in epoch {epoch} (the loss is not a finite number); "
                    "lower learning_rate or look for extreme values in the features"
                )
            optimiser.zero_grad(set_to_none=True)
            total.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT_NORM)
            optimiser.step()
            schedule.step()
            sums += [terms.reconstruction.sum().item(), terms.kl.sum().item()]
        sums /= len(rows)
        reached = -math.inf
        row = {"epoch": float(epoch), "train_elbo": sums[0] - full_beta * sums[1]}
        if len(held_out):
            every = _held_out_terms(network, prior, read, held_out, settings)
            reached = -negative_elbo(every, full_beta).item()
            sums = np.array([every.reconstruction.mean().item(), every.kl.sum(1).mean().item()])
            row["validation_elbo"] = sums[0] - full_beta * sums[1]
        row |= {"kl": float(sums[1]), "reconstruction": float(sums[0]), "beta": beta}
        state.history.append({name: float(value) for name, value in row.items()})
        if settings.callback is not None:
            settings.callback(epoch, training.epochs, state.history[-1])
        if epoch == training.warmup_epochs and isinstance(prior, MixturePrior):
            means, variances = _posteriors(network, read, rows, training.batch_size)
            prior.initialise(means, settings.seed, variances)
        if epoch >= training.warmup_epochs and len(held_out) and training.patience:
            state.since_best += 1
            if reached > state.best:
                state.best, state.since_best = reached, 0
                state.best_weights = {
                    name: copy.deepcopy(module.state_dict()) for name, module in modules.items()
                }
        if settings.checkpoint is not None and settings.checkpoint.due():
            settings.checkpoint.save(parts, generator, state)
    for name, weights in state.best_weights.items():
        modules[name].load_state_dict(weights)
    network.eval()
    return state.history


def _noise(
    n_tracks: int, network: SongNetwork, settings: TrainingSettings, generator: torch.Generator
) -> Tensor | None:
    if not settings.variational:
        return None
    device = next(network.parameters()).device
    return torch.randn(n_tracks, network.latent_dim, generator=generator).to(device)


def _optimiser(
    network: SongNetwork, prior: Prior, training: Training, n_steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    decayed: list[Tensor] = []
    free: list[Tensor] = list(prior.parameters())
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            (free if name.startswith("log_noise") else decayed).append(parameter)
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": free, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=training.learning_rate,
        weight_decay=training.weight_decay,
        fused=decayed[0].device.type in ("cpu", "cuda"),
    )
    schedules = torch.optim.lr_scheduler
    total, peak, rise, hold = n_steps + 1, training.learning_rate, training.rise, training.hold
    if hold > 0:
        return optimiser, schedules.LambdaLR(
            optimiser, lambda step: _share_of_peak(step / total, rise, hold)
        )
    return optimiser, schedules.OneCycleLR(optimiser, peak, total_steps=total, pct_start=rise)


def _share_of_peak(done: float, rise: float, hold: float) -> float:
    """The learning rate as a share of its peak, when a share `done` of the training is done."""
    if done < rise:
        return START_SHARE + (1.0 - START_SHARE) * (0.5 - 0.5 * math.cos(math.pi * done / rise))
    left = (done - rise - hold) / max(1.0 - rise - hold, 1e-9)
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, max(0.0, left)))


def _pieces(rows: Rows, size: int) -> list[Rows]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@torch.no_grad()
def _held_out_terms(
    network: SongNetwork, prior: Prior, read: BatchReader, rows: Rows, settings: TrainingSettings
) -> Terms:
    """The terms of all held-out tracks, with the same noise in every epoch."""
    network.eval()
    generator = torch.Generator().manual_seed(settings.seed + 1)
    terms = []
    for piece in _pieces(rows, settings.training.batch_size):
        noise = _noise(len(piece), network, settings, generator)
        terms.append(elbo_terms(network, prior, read(piece), noise))
    return Terms(
        torch.cat([term.reconstruction for term in terms]),
        torch.cat([term.kl for term in terms]),
        torch.cat([term.z for term in terms]),
    )


@torch.no_grad()
def _posteriors(
    network: SongNetwork, read: BatchReader, rows: Rows, size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Means and variances of the posteriors of `rows`."""
    network.eval()
    pairs = zip(*(network.encode(read(piece)) for piece in _pieces(rows, size)))
    means, log_variances = (torch.cat(parts).cpu() for parts in pairs)
    return means.numpy(), torch.exp(log_variances).numpy()
