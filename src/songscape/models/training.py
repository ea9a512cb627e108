"""Training: one plain loop with KL warm-up, one-cycle AdamW and early stopping."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songscape.errors import SongscapeError
from songscape.models.checkpoint import Checkpoint, State, load_modules, module_tensors
from songscape.models.hardware import compiled, takes_bfloat16
from songscape.models.networks import Batch, SongNetwork
from songscape.models.objective import Objective, Terms, elbo_terms, leave_out
from songscape.models.parameters import Hardware, Training
from songscape.models.priors import MixturePrior

__all__ = ["Progress", "hold_out", "quiet_torch", "train"]

Progress = Callable[[int, int, dict[str, float]], None]
Rows = NDArray[np.intp]
Read = Callable[[Rows], Batch]
MAX_GRADIENT_NORM = 1e4
START_SHARE = 0.04


@contextlib.contextmanager
def quiet_torch(threads: int, seed: int | None = None) -> Iterator[None]:
    """Cap torch's threads and make it deterministic; restore its global state afterwards.

    More threads than free cores make torch many times slower, and another number of threads may
    round sums differently.
    """
    before = torch.get_num_threads()
    mode = torch.get_deterministic_debug_mode()
    torch.set_num_threads(max(1, threads))
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


def hold_out(n_tracks: int, share: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Choose about `share` of the tracks, at least one if any; shape (n_tracks,), bool."""
    chosen = np.zeros(n_tracks, dtype=bool)
    most = max(1, round(n_tracks * share)) if share > 0 else 0
    chosen[generator.permutation(n_tracks)[:most]] = True
    return chosen


def train(
    network: SongNetwork,
    prior: nn.Module,
    read: Read,
    rows: Rows,
    held_out: Rows,
    training: Training,
    objective: Objective,
    *,
    seed: int,
    hardware: Hardware,
    callback: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[dict[str, float]]:
    """Fit `network` and `prior` to the tracks `rows`, in place, and return one row per epoch.

    `train_elbo` and `validation_elbo` are means per track, with the KL divergence weighted by the
    final beta in every epoch, so that epochs can be compared. The weights of the best epoch after
    the warm-up are restored at the end; without patience or held-out tracks, the last ones stay.
    With a checkpoint it goes on from there, to the same end.

    Raises
    ------
    SongscapeError
        If the loss becomes NaN or infinite.
    """
    device = next(network.parameters()).device
    # One generator on the CPU for everything random: the same draws on every device.
    generator = torch.Generator().manual_seed(seed)
    training = training.capped(len(rows))
    size = training.batch_for(len(rows))
    n_steps = training.steps_per_epoch(len(rows)) * training.epochs
    optimiser, schedule = _optimiser(network, prior, training, n_steps)
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    modules = {"network": network, "prior": prior}
    bfloat16 = takes_bfloat16(hardware.precision, device)
    step_terms = compiled(elbo_terms, hardware.compiled, device, n_steps)
    # A deterministic autoencoder pays no divergence.
    full_beta = objective.beta if objective.variational else 0.0
    state = State()
    if checkpoint is not None:
        state = checkpoint.restore(modules, optimiser, schedule, generator)
    for epoch in range(len(state.history) + 1, training.epochs + 1):
        if state.history and training.patience and state.since_best >= training.patience:
            break
        beta = full_beta * min(1.0, epoch / max(1, training.warmup_epochs))
        network.train()
        sums = np.zeros(2)
        order = rows[torch.randperm(len(rows), generator=generator).numpy()]
        for start in range(0, len(order), size):
            batch = read(order[start : start + size])
            n_tracks = len(next(iter(batch.present.values())))
            if training.view_dropout > 0:
                batch = leave_out(network, batch, training.view_dropout, generator)
            noise = _noise(n_tracks, network, objective, generator)
            with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                terms = step_terms(network, prior, batch, noise, objective.contrast > 0)
            loss = objective.loss(terms, beta, batch.covariates) + network.loadings() / len(rows)
            if not torch.isfinite(loss):
                raise SongscapeError(
                    f"training diverged in epoch {epoch} (the loss is not a finite number); "
                    "lower learning_rate or look for extreme values in the features"
                )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT_NORM)
            optimiser.step()
            schedule.step()
            sums += [terms.reconstruction.sum().item(), terms.kl.sum().item()]
        sums /= len(rows)
        reached = -math.inf
        row = {"epoch": float(epoch), "train_elbo": sums[0] - full_beta * sums[1]}
        if len(held_out):
            every = _held_out_terms(network, prior, read, held_out, training, objective, seed)
            reached = -objective.negative_elbo(every, full_beta).item()
            sums = np.array([every.reconstruction.mean().item(), every.kl.sum(1).mean().item()])
            row["validation_elbo"] = sums[0] - full_beta * sums[1]
        row |= {"kl": float(sums[1]), "reconstruction": float(sums[0]), "beta": beta}
        state.history.append({name: float(value) for name, value in row.items()})
        if callback is not None:
            callback(epoch, training.epochs, state.history[-1])
        if epoch == training.warmup_epochs and isinstance(prior, MixturePrior):
            means, variances = _posteriors(network, read, rows, training.batch_size)
            prior.initialise(means, seed, variances)
        if epoch >= training.warmup_epochs and len(held_out) and training.patience:
            state.since_best += 1
            if reached > state.best:
                state.best, state.since_best = reached, 0
                state.best_modules = module_tensors(modules)
        if checkpoint is not None and checkpoint.due():
            checkpoint.save(modules, optimiser, schedule, generator, state)
    if state.best_modules:
        load_modules(modules, state.best_modules)
    network.eval()
    return state.history


def _noise(
    n_tracks: int, network: SongNetwork, objective: Objective, generator: torch.Generator
) -> Tensor | None:
    if not objective.variational:
        return None
    device = next(network.parameters()).device
    return torch.randn(n_tracks, network.latent_dim, generator=generator).to(device)


def _optimiser(
    network: SongNetwork, prior: nn.Module, training: Training, n_steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    decayed: list[Tensor] = []
    free: list[Tensor] = list(prior.parameters())
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            (free if name.startswith("log_noise") else decayed).append(parameter)
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": free, "weight_decay": 0.0}]
    fused = decayed[0].device.type in ("cpu", "cuda")
    optimiser = torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=training.learning_rate,
        weight_decay=training.weight_decay,
        fused=fused,
    )
    total = n_steps + 1
    if training.hold > 0:
        held = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: _share_of_peak(step / total, training.rise, training.hold)
        )
        return optimiser, held
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, training.learning_rate, total_steps=total, pct_start=training.rise
    )
    return optimiser, cycle


def _share_of_peak(done: float, rise: float, hold: float) -> float:
    """The learning rate as a share of its peak, when a share `done` of the training is done."""
    if done < rise:
        return START_SHARE + (1.0 - START_SHARE) * (0.5 - 0.5 * math.cos(math.pi * done / rise))
    left = (done - rise - hold) / max(1.0 - rise - hold, 1e-9)
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, max(0.0, left)))


@torch.no_grad()
def _held_out_terms(
    network: SongNetwork,
    prior: nn.Module,
    read: Read,
    rows: Rows,
    training: Training,
    objective: Objective,
    seed: int,
) -> Terms:
    """The terms of all held-out tracks, with the same noise in every epoch."""
    network.eval()
    generator = torch.Generator().manual_seed(seed + 1)
    terms = []
    for start in range(0, len(rows), training.batch_size):
        piece = rows[start : start + training.batch_size]
        noise = _noise(len(piece), network, objective, generator)
        terms.append(elbo_terms(network, prior, read(piece), noise))
    return Terms(
        torch.cat([term.reconstruction for term in terms]),
        torch.cat([term.kl for term in terms]),
        torch.cat([term.z for term in terms]),
    )


@torch.no_grad()
def _posteriors(
    network: SongNetwork, read: Read, rows: Rows, size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Means and variances of the posteriors of `rows`."""
    network.eval()
    pieces = [
        network.encode(read(rows[start : start + size])) for start in range(0, len(rows), size)
    ]
    means, log_variances = (torch.cat(parts).cpu() for parts in zip(*pieces))
    return means.numpy(), torch.exp(log_variances).numpy()
