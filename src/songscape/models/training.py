"""Training: one plain loop with KL warm-up, one-cycle AdamW and early stopping."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songscape.errors import SongscapeError
from songscape.models.checkpoint import Checkpoint, State, load_modules, module_tensors
from songscape.models.hardware import compiled
from songscape.models.networks import Batch, SongNetwork
from songscape.models.objective import Terms, dependence, elbo_terms, leave_out, objective
from songscape.models.priors import MixturePrior

__all__ = [
    "Progress",
    "Settings",
    "hold_out",
    "quiet_torch",
    "train",
]

Progress = Callable[[int, int, dict[str, float]], None]
# Small collections take smaller steps, so that the same number of epochs trains them too.
MIN_BATCH, MIN_STEPS = 8, 16
Read = Callable[[NDArray[np.intp]], Batch]


@dataclass(frozen=True)
class Settings:
    """How to train; the meaning of each is told in `SongVAE`."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    beta: float
    warmup: float
    free_bits: float
    patience: int
    view_dropout: float
    variational: bool
    seed: int
    independence: float = 0.0
    contrast: float = 0.0
    rise: float = 0.3
    hold: float = 0.0
    bfloat16: bool = False
    compiled: str | bool = False
    max_steps: int = 20_000
    clip: float = 1e4

    def capped(self, n_tracks: int) -> Settings:
        """The same with as many epochs as `max_steps` allow, at least two."""
        steps = math.ceil(n_tracks / self.batch_for(n_tracks))
        return replace(self, epochs=min(self.epochs, max(2, self.max_steps // steps)))

    def batch_for(self, n_tracks: int) -> int:
        """Tracks per step: at most `batch_size`, fewer where an epoch would have too few steps."""
        return min(self.batch_size, max(MIN_BATCH, n_tracks // MIN_STEPS))

    @property
    def warmup_epochs(self) -> int:
        return math.ceil(self.warmup * self.epochs)

    def beta_at(self, epoch: int) -> float:
        """The weight of the KL divergence in an epoch (1, 2, ...): linear up to `beta`."""
        return self.beta * min(1.0, epoch / max(1, self.warmup_epochs))


@contextlib.contextmanager
def quiet_torch(threads: int, seed: int | None = None) -> Iterator[None]:
    """Cap torch's threads and make it deterministic; leave its global state as it was found.

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
    training: NDArray[np.intp],
    validation: NDArray[np.intp],
    settings: Settings,
    callback: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[dict[str, float]]:
    """Fit `network` and `prior` in place and return one row per epoch.

    `train_elbo` and `validation_elbo` are means per track, with the KL divergence weighted by the
    final beta in every epoch, so that epochs can be compared. The weights of the best epoch after
    the warm-up are restored at the end; without patience or validation tracks, the last ones stay.
    With a checkpoint it goes on from there, to the same end.

    Raises
    ------
    SongscapeError
        If the loss becomes NaN or infinite.
    """
    device = next(network.parameters()).device
    # One generator on the CPU for everything random: the same draws on every device.
    generator = torch.Generator().manual_seed(settings.seed)
    settings = settings.capped(len(training))
    size = settings.batch_for(len(training))
    steps = math.ceil(len(training) / size)
    optimiser, schedule = _optimiser(network, prior, settings, steps)
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    modules = {"network": network, "prior": prior}
    step_terms = compiled(elbo_terms, settings.compiled, device, steps * settings.epochs)
    state = State()
    if checkpoint is not None:
        state = checkpoint.restore(modules, optimiser, schedule, generator)
    for epoch in range(len(state.history) + 1, settings.epochs + 1):
        if state.history and settings.patience and state.since_best >= settings.patience:
            break
        beta = settings.beta_at(epoch)
        network.train()
        sums = np.zeros(2)
        order = training[torch.randperm(len(training), generator=generator).numpy()]
        for start in range(0, len(order), size):
            batch = read(order[start : start + size])
            n_tracks = len(next(iter(batch.present.values())))
            if settings.view_dropout > 0:
                batch = leave_out(network, batch, settings.view_dropout, generator)
            noise = _noise(n_tracks, network, settings, generator, device)
            with torch.autocast(device.type, torch.bfloat16, enabled=settings.bfloat16):
                terms = step_terms(network, prior, batch, noise, settings.contrast > 0)
            loss = objective(terms, beta, settings.free_bits)
            if settings.independence > 0 and batch.covariates is not None:
                loss = loss + settings.independence * dependence(terms.z, batch.covariates)
            if terms.confusion is not None:
                loss = loss + settings.contrast * terms.confusion
            loss = loss + network.loadings() / len(training)
            if not torch.isfinite(loss):
                raise SongscapeError(
                    f"training diverged in epoch {epoch} (the loss is not a finite number); "
                    "lower learning_rate or look for extreme values in the features"
                )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, settings.clip)
            optimiser.step()
            schedule.step()
            sums += [terms.reconstruction.sum().item(), terms.kl.sum().item()]
        sums /= len(training)
        reached = -math.inf
        row = {"epoch": float(epoch), "train_elbo": sums[0] - settings.beta * sums[1]}
        if len(validation):
            sums, reached = _evaluate(network, prior, read, validation, settings)
            row["validation_elbo"] = sums[0] - settings.beta * sums[1]
        row |= {"kl": float(sums[1]), "reconstruction": float(sums[0]), "beta": beta}
        state.history.append({name: float(value) for name, value in row.items()})
        if callback is not None:
            callback(epoch, settings.epochs, state.history[-1])
        if epoch == settings.warmup_epochs and isinstance(prior, MixturePrior):
            means, variances = _posteriors(network, read, training, settings)
            prior.initialise(means, settings.seed, variances)
        if epoch >= settings.warmup_epochs and len(validation) and settings.patience:
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
    n_tracks: int,
    network: SongNetwork,
    settings: Settings,
    generator: torch.Generator,
    device: torch.device,
) -> Tensor | None:
    if not settings.variational:
        return None
    return torch.randn(n_tracks, network.latent_dim, generator=generator).to(device)


def _optimiser(
    network: SongNetwork, prior: nn.Module, settings: Settings, steps: int
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
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        fused=fused,
    )
    total = steps * settings.epochs + 1
    if settings.hold > 0:
        held = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: _share_of_peak(step / total, settings.rise, settings.hold)
        )
        return optimiser, held
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=total, pct_start=settings.rise
    )
    return optimiser, cycle


def _share_of_peak(done: float, rise: float, hold: float) -> float:
    """The learning rate as a share of its peak, when a share `done` of the training is done."""
    if done < rise:
        return 0.04 + 0.96 * (0.5 - 0.5 * math.cos(math.pi * done / rise))
    left = (done - rise - hold) / max(1.0 - rise - hold, 1e-9)
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, max(0.0, left)))


@torch.no_grad()
def _evaluate(
    network: SongNetwork,
    prior: nn.Module,
    read: Read,
    rows: NDArray[np.intp],
    settings: Settings,
) -> tuple[NDArray[np.float64], float]:
    """Mean reconstruction and KL divergence of `rows`, and the objective with the final beta.

    The noise is the same in every epoch. Without free bits the objective is the validation ELBO.
    """
    network.eval()
    device = next(network.parameters()).device
    generator = torch.Generator().manual_seed(settings.seed + 1)
    terms = []
    for start in range(0, len(rows), settings.batch_size):
        piece = rows[start : start + settings.batch_size]
        noise = _noise(len(piece), network, settings, generator, device)
        terms.append(elbo_terms(network, prior, read(piece), noise))
    every = Terms(
        torch.cat([term.reconstruction for term in terms]),
        torch.cat([term.kl for term in terms]),
        torch.cat([term.z for term in terms]),
    )
    sums = np.array([every.reconstruction.mean().item(), every.kl.sum(1).mean().item()])
    return sums, -objective(every, settings.beta, settings.free_bits).item()


@torch.no_grad()
def _posteriors(
    network: SongNetwork, read: Read, rows: NDArray[np.intp], settings: Settings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Means and variances of the posteriors of `rows`."""
    network.eval()
    pieces = [
        network.encode(read(rows[start : start + settings.batch_size]))
        for start in range(0, len(rows), settings.batch_size)
    ]
    means, log_variances = (torch.cat(parts).cpu() for parts in zip(*pieces))
    return means.numpy(), torch.exp(log_variances).numpy()
