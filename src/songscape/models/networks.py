"""Networks: encoders and decoders per view, fused by concatenation or as a product of experts.

A dense layer over concatenated inputs is the sum of one dense layer per input. Every view therefore
owns its first layer, and so do covariates: fusion adds them up, and a missing view adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor, nn

from songscape.models.convolutions import ConvEntry, ConvHead
from songscape.models.likelihoods import (
    gaussian_log_likelihood,
    multinomial_log_likelihood,
    von_mises_fisher_log_likelihood,
)

__all__ = ["Batch", "Said", "SongNetwork", "ViewPlan", "product_of_experts"]

# Limits of a posterior's log-variance: below, one expert decides alone; above, it says nothing.
MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -8.0, 6.0

Said = dict[str, tuple[Tensor, Tensor]]
"""By view, what its experts say: means and log-variances, each (n, n_experts, latent_dim)."""


@dataclass(frozen=True)
class ViewPlan:
    """What the network must know of one view.

    `encoder` is "dense" (the whole block at once), "conv1d" (over the steps, features as channels)
    or "set" (every step is an observation of its own, and all multiply into the posterior). The
    output of a dense decoder is multiplied by `gain`, one factor per number, where there is one.
    `decoder` is "dense" (the hidden layers and a last one) or "linear" (one layer alone).
    Under the likelihood "counts", a value of 1 stands for `unit` words.
    """

    name: str
    shape: tuple[int, ...]
    encoder: str = "dense"
    likelihood: str = "gaussian"
    noise: str = "fixed"
    gain: tuple[float, ...] = ()
    unit: float = 1.0
    decoder: str = "dense"

    @property
    def has_words(self) -> bool:
        """Whether the decoder gives probabilities of words."""
        return self.likelihood in ("multinomial", "counts")


@dataclass(frozen=True)
class Batch:
    """Standardised tensors of some tracks; zero weight where there is no data.

    `keep`, where given, replaces the weights of a view's experts in the posterior (not in the
    likelihood). `offset` is a constant of each track's log-likelihood, see `rotation`.
    """

    values: dict[str, Tensor]
    weights: dict[str, Tensor]
    present: dict[str, Tensor]
    covariates: Tensor | None = None
    keep: dict[str, Tensor] = field(default_factory=dict)
    offset: Tensor | None = None


def product_of_experts(
    means: Tensor, log_variances: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Product of Gaussian experts and the standard normal prior (Hinton 2002; Wu & Goodman 2018).

    Parameters
    ----------
    means, log_variances : Tensor of shape (n, n_experts, latent_dim)
    weights : Tensor of shape (n, n_experts)
        0 leaves an expert out.

    Returns
    -------
    mean, log_variance : Tensor of shape (n, latent_dim)
    """
    precision = torch.exp(-log_variances) * weights[:, :, None]
    total = 1.0 + precision.sum(1)
    return (means * precision).sum(1) / total, -torch.log(total)


def _blocks(sizes: Sequence[int], dropout: float) -> list[nn.Module]:
    """LayerNorm, SiLU, dropout and a dense layer from each size to the next."""
    layers: list[nn.Module] = []
    for width, following in pairwise(sizes):
        layers += [nn.LayerNorm(width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, following)]
    return layers


class SongNetwork(nn.Module):
    """Encoders, decoders and likelihoods of all views.

    Parameters
    ----------
    plans : sequence of ViewPlan
    latent_dim : int
    hidden : tuple of int
        Widths of the encoder's hidden layers; the decoder mirrors them.
    fusion : {"early", "poe"}
    dropout : float
    n_covariates : int
    word_total : float
        How many words a track's lyrics count as under the multinomial likelihood.
    """

    def __init__(
        self,
        plans: Sequence[ViewPlan],
        *,
        latent_dim: int,
        hidden: tuple[int, ...],
        fusion: str = "early",
        dropout: float = 0.0,
        n_covariates: int = 0,
        word_total: float = 200.0,
    ) -> None:
        super().__init__()
        self.plans = tuple(plans)
        self.latent_dim, self.fusion, self.word_total = latent_dim, fusion, word_total
        sizes = (*hidden, 2 * latent_dim)
        # View names may hold characters that module names may not, hence positions as keys.
        self.key = {plan.name: f"view{i}" for i, plan in enumerate(self.plans)}
        self.towers = {
            name: "joint" if fusion == "early" else key for name, key in self.key.items()
        }
        towers = sorted(set(self.towers.values()))

        self.entries = nn.ModuleDict({self.key[p.name]: _entry(p, sizes[0]) for p in self.plans})
        self.encoder_covariates = nn.ModuleDict(
            {t: nn.Linear(n_covariates, sizes[0], bias=False) for t in towers if n_covariates}
        )
        self.encoder_tails = nn.ModuleDict(
            {t: nn.Sequential(*_blocks(sizes, dropout)) for t in towers}
        )
        back = tuple(reversed(hidden))
        width = back[-1] if back else latent_dim + n_covariates
        used = sorted({self.towers[p.name] for p in self.plans if p.decoder == "dense"})
        self.trunks = nn.ModuleDict(
            {t: _trunk(latent_dim + n_covariates, back, dropout) for t in used}
        )
        widths = {"dense": width, "linear": latent_dim + n_covariates}
        self.heads = nn.ModuleDict(
            {self.key[p.name]: _head(p, widths[p.decoder]) for p in self.plans}
        )
        self.log_noise = nn.ParameterDict(
            {
                self.key[p.name]: nn.Parameter(
                    torch.zeros(_noise_shape(p)), requires_grad=p.noise == "learned"
                )
                for p in self.plans
                if p.likelihood in ("gaussian", "von-mises-fisher")
            }
        )

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the posterior, each of shape (n, latent_dim).

        Under early fusion a track with none of the views gets the prior; under a product of experts
        that is what the product says.
        """
        if self.fusion == "early":
            return self._encode_early(batch)
        return self.fuse(self.say(batch), batch)

    def say(self, batch: Batch) -> Said:
        """Means and log-variances of every view's experts, each (n, n_experts, latent_dim)."""
        return {plan.name: self._experts_of(plan, batch) for plan in self.plans}

    def fuse(self, said: Said, batch: Batch) -> tuple[Tensor, Tensor]:
        """Their product with the prior, without what `batch.keep` leaves out; see `encode`."""
        means, log_variances = (torch.cat(parts, 1) for parts in zip(*said.values()))
        weights = [self._expert_weight(plan, batch) for plan in self.plans]
        return product_of_experts(means, log_variances, torch.cat(weights, 1))

    def evidence(self, said: Said, batch: Batch) -> tuple[Tensor, Tensor]:
        """What each view says under a product of experts, each of shape (n, n_views, latent_dim).

        Its experts' means times their precisions, and their precisions, summed over the experts
        but for those that `batch.keep` leaves out.
        """
        weighted, precisions = [], []
        for plan in self.plans:
            mean, log_variance = said[plan.name]
            weight = self._expert_weight(plan, batch)
            precision = torch.exp(-log_variance) * weight[:, :, None]
            weighted.append((mean * precision).sum(1))
            precisions.append(precision.sum(1))
        return torch.stack(weighted, 1), torch.stack(precisions, 1)

    def _experts_of(self, plan: ViewPlan, batch: Batch) -> tuple[Tensor, Tensor]:
        """Means and log-variances of a view's experts, (n, n_experts, latent_dim)."""
        hidden = self._enter(plan, batch)
        tower = self.towers[plan.name]
        hidden = hidden if plan.encoder == "set" else hidden[:, None]
        if batch.covariates is not None:
            hidden = hidden + self.encoder_covariates[tower](batch.covariates)[:, None]
        # Under autocast the layers are of less precision, what is made of their output is not.
        said = self.encoder_tails[tower](hidden).to(batch.values[plan.name].dtype)
        mean, log_variance = said.chunk(2, dim=-1)
        return mean, log_variance.clamp(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE)

    def _encode_early(self, batch: Batch) -> tuple[Tensor, Tensor]:
        present = torch.stack([self._expert_weight(plan, batch)[:, 0] for plan in self.plans], 1)
        entered = torch.stack([self._enter(plan, batch) for plan in self.plans], 1)
        hidden = (entered * present[:, :, None]).sum(1)
        if batch.covariates is not None:
            hidden = hidden + self.encoder_covariates["joint"](batch.covariates)
        said = self.encoder_tails["joint"](hidden).to(batch.values[self.plans[0].name].dtype)
        mean, log_variance = said.chunk(2, dim=-1)
        any_view = present.amax(1, keepdim=True)
        log_variance = log_variance.clamp(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE)
        return mean * any_view, log_variance * any_view

    def _enter(self, plan: ViewPlan, batch: Batch) -> Tensor:
        values = batch.values[plan.name]
        if plan.encoder == "dense":
            values = values.flatten(1)
        return self.entries[self.key[plan.name]](values)  # type: ignore[no-any-return]

    def _expert_weight(self, plan: ViewPlan, batch: Batch) -> Tensor:
        """Which experts of a view speak: (n, n_steps) for a set, (n, 1) otherwise."""
        if plan.name in batch.keep:
            return batch.keep[plan.name]
        if plan.encoder == "set":
            return batch.weights[plan.name].flatten(1).expand(-1, plan.shape[0])
        return batch.present[plan.name][:, None]

    def experts(self, batch: Batch) -> dict[str, Tensor]:
        """The weights of every view's experts in `batch`, before any is left out."""
        return {plan.name: self._expert_weight(plan, batch) for plan in self.plans}

    def decode(self, z: Tensor, covariates: Tensor | None = None) -> dict[str, Tensor]:
        """Decoder outputs per view: standardised means, logits of words, or directions."""
        given = z if covariates is None else torch.cat([z, covariates], dim=1)
        trunks = {tower: trunk(given) for tower, trunk in self.trunks.items()}
        outputs = {}
        for plan in self.plans:
            inner = given if plan.decoder == "linear" else trunks[self.towers[plan.name]]
            out = self.heads[self.key[plan.name]](inner)
            if plan.encoder == "set":
                out = out[:, None]
            elif plan.encoder == "dense":
                out = out.unflatten(1, plan.shape)
            outputs[plan.name] = out * out.new_tensor(plan.gain) if plan.gain else out
        return outputs

    @torch.no_grad()
    def start_at(self, name: str, probabilities: Tensor) -> None:
        """Let a view of words begin at these probabilities for every track, shape (n_words,).

        What is left to learn is how tracks differ from them.
        """
        logits = probabilities.log()
        bias: Tensor = self.heads[self.key[name]].bias  # type: ignore[assignment]
        bias.copy_(logits - logits.mean())

    def loadings(self) -> Tensor:
        """-log p of the linear decoders' weights under a standard normal prior, less a constant.

        Covariates are facts and not inferred: their weights are free.
        """
        total = next(self.parameters()).new_zeros(())
        for plan in self.plans:
            if plan.decoder == "linear":
                weight: Tensor = self.heads[self.key[plan.name]].weight  # type: ignore[assignment]
                total = total + 0.5 * weight[:, : self.latent_dim].square().sum()
        return total

    def noise_scale(self, name: str) -> Tensor:
        """Standard deviation of a view's noise, in standardised units."""
        return torch.exp(self.log_noise[self.key[name]])

    def log_likelihood(self, batch: Batch, outputs: dict[str, Tensor]) -> Tensor:
        """Sum over the views' log-likelihoods, shape (n,)."""
        total = batch.offset
        for plan in self.plans:
            x, weight = batch.values[plan.name], batch.weights[plan.name]
            decoded = outputs[plan.name].to(x.dtype)
            if plan.likelihood == "multinomial":
                term = multinomial_log_likelihood(x, decoded, weight, self.word_total)
            elif plan.likelihood == "counts":
                term = multinomial_log_likelihood(x * plan.unit, decoded, weight)
            else:
                log_scale = self.log_noise[self.key[plan.name]]
                is_gaussian = plan.likelihood == "gaussian"
                density = (
                    gaussian_log_likelihood if is_gaussian else von_mises_fisher_log_likelihood
                )
                term = density(x, decoded, log_scale, weight)
            total = term if total is None else total + term
        assert total is not None, "a network has at least one view"
        return total


def _noise_shape(plan: ViewPlan) -> tuple[int, ...]:
    """One noise scale per number of a dense block, per channel, or per feature of a set."""
    if plan.likelihood == "von-mises-fisher":
        return (1,)
    if plan.noise != "learned":
        return (1,) * len(plan.shape)
    if plan.encoder == "conv1d":
        return (plan.shape[0], 1)
    return (1, plan.shape[1]) if plan.encoder == "set" else plan.shape


def _width(plan: ViewPlan) -> int:
    return plan.shape[1] if plan.encoder == "set" else int(torch.Size(plan.shape).numel())


def _entry(plan: ViewPlan, width: int) -> nn.Module:
    if plan.encoder == "conv1d":
        return ConvEntry(plan.shape, width)
    return nn.Linear(_width(plan), width)


def _head(plan: ViewPlan, width: int) -> nn.Module:
    if plan.encoder == "conv1d":
        return ConvHead(width, plan.shape)
    return nn.Linear(width, _width(plan))


def _trunk(n_inputs: int, widths: tuple[int, ...], dropout: float) -> nn.Module:
    if not widths:
        return nn.Identity()
    last = [nn.LayerNorm(widths[-1]), nn.SiLU(), nn.Dropout(dropout)]
    return nn.Sequential(nn.Linear(n_inputs, widths[0]), *_blocks(widths, dropout), *last)
