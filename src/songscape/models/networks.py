"""Networks: encoders and decoders per view, fused by concatenation or as a product of experts.

A dense layer over concatenated inputs is the sum of one dense layer per input. Every view therefore
owns its first layer, and so do covariates: fusion adds them up, and a missing view adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise

import torch
from torch import Tensor, nn

from songscape.models.likelihoods import (
    gaussian_log_likelihood,
    multinomial_log_likelihood,
    von_mises_fisher_log_likelihood,
)
from songscape.models.view_specs import ViewSpec

# Limits of a posterior's log-variance: below, one expert decides alone; above, it has no weight.
MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -8.0, 6.0
CONV_CHANNELS = (32, 64, 64)
KERNEL, STRIDE = 5, 2
WORD_TOTAL = 200.0
"""How many words the lyrics of a track count as under the multinomial likelihood."""

DENSITIES = {
    "gaussian": gaussian_log_likelihood,
    "von-mises-fisher": von_mises_fisher_log_likelihood,
}

Experts = dict[str, tuple[Tensor, Tensor]]
"""By view, the means and log-variances of its experts, each (n, n_experts, latent_dim)."""


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

    From means and log-variances of shape (n, n_experts, latent_dim) and weights of shape
    (n, n_experts), where 0 leaves an expert out, to mean and log-variance, each (n, latent_dim).
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

    `hidden` are the widths of the encoder's hidden layers, which the decoder mirrors.
    """

    def __init__(
        self,
        specs: Sequence[ViewSpec],
        *,
        latent_dim: int,
        hidden: tuple[int, ...],
        fusion: str = "early",
        dropout: float = 0.0,
        n_covariates: int = 0,
    ) -> None:
        super().__init__()
        self.specs = tuple(specs)
        self.latent_dim, self.fusion = latent_dim, fusion
        sizes = (*hidden, 2 * latent_dim)
        # View names may hold characters that module names may not, hence positions as keys.
        self.key = {spec.name: f"view{i}" for i, spec in enumerate(self.specs)}
        self.towers = {
            name: "joint" if fusion == "early" else key for name, key in self.key.items()
        }
        towers = sorted(set(self.towers.values()))

        self.entries = nn.ModuleDict({self.key[s.name]: _entry(s, sizes[0]) for s in self.specs})
        self.encoder_covariates = nn.ModuleDict(
            {t: nn.Linear(n_covariates, sizes[0], bias=False) for t in towers if n_covariates}
        )
        self.encoder_tails = nn.ModuleDict(
            {t: nn.Sequential(*_blocks(sizes, dropout)) for t in towers}
        )
        n_inputs, back = latent_dim + n_covariates, tuple(reversed(hidden))
        used = sorted({self.towers[s.name] for s in self.specs if s.decoder == "dense"})
        self.trunks = nn.ModuleDict({t: _trunk(n_inputs, back, dropout) for t in used})
        widths = {"dense": back[-1] if back else n_inputs, "linear": n_inputs}
        self.heads = nn.ModuleDict(
            {self.key[s.name]: _head(s, widths[s.decoder]) for s in self.specs}
        )
        self.log_noise = nn.ParameterDict(
            {
                self.key[s.name]: nn.Parameter(
                    torch.zeros(_noise_shape(s)), requires_grad=s.noise == "learned"
                )
                for s in self.specs
                if s.likelihood in DENSITIES
            }
        )

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the posterior, each of shape (n, latent_dim).

        A track with none of the views gets the prior.
        """
        if self.fusion == "poe":
            return self.fuse(self.encode_experts(batch), batch)
        weights = self.expert_weights(batch).values()
        present = torch.cat(list(weights), 1)
        entered = torch.stack([self._enter(spec, batch) for spec in self.specs], 1)
        hidden = (entered * present[:, :, None]).sum(1)
        mean, log_variance = self._leave("joint", hidden, batch.covariates)
        any_view = present.amax(1, keepdim=True)
        return mean * any_view, log_variance * any_view

    def encode_experts(self, batch: Batch) -> Experts:
        """Means and log-variances of every view's experts, each (n, n_experts, latent_dim)."""
        covariates = None if batch.covariates is None else batch.covariates[:, None]
        experts = {}
        for spec in self.specs:
            hidden = self._enter(spec, batch)
            hidden = hidden if spec.encoder == "set" else hidden[:, None]
            experts[spec.name] = self._leave(self.towers[spec.name], hidden, covariates)
        return experts

    def fuse(self, experts: Experts, batch: Batch) -> tuple[Tensor, Tensor]:
        """Their product with the prior, without what `batch.keep` leaves out."""
        means, log_variances = (torch.cat(parts, 1) for parts in zip(*experts.values()))
        weights = torch.cat(list(self.expert_weights(batch).values()), 1)
        return product_of_experts(means, log_variances, weights)

    def evidence(self, experts: Experts, batch: Batch) -> tuple[Tensor, Tensor]:
        """The natural parameters of each view's experts, each (n, n_views, latent_dim).

        Means times precisions, and precisions, summed over the experts of the view but for those
        that `batch.keep` leaves out.
        """
        weighted, precisions = [], []
        for name, weight in self.expert_weights(batch).items():
            mean, log_variance = experts[name]
            precision = torch.exp(-log_variance) * weight[:, :, None]
            weighted.append((mean * precision).sum(1))
            precisions.append(precision.sum(1))
        return torch.stack(weighted, 1), torch.stack(precisions, 1)

    def expert_weights(self, batch: Batch) -> dict[str, Tensor]:
        """The weight of each expert, by view: (n, n_steps) for a set, (n, 1) otherwise."""
        weights = {}
        for spec in self.specs:
            weight = batch.present[spec.name][:, None]
            if spec.encoder == "set":
                weight = batch.weights[spec.name].flatten(1).expand(-1, spec.shape[0])
            weights[spec.name] = batch.keep.get(spec.name, weight)
        return weights

    def _enter(self, spec: ViewSpec, batch: Batch) -> Tensor:
        """The first layer of a view."""
        values = batch.values[spec.name]
        values = values.flatten(1) if spec.encoder == "dense" else values
        return self.entries[self.key[spec.name]](values)  # type: ignore[no-any-return]

    def _leave(
        self, tower: str, hidden: Tensor, covariates: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Means and log-variances from what the first layers gave, with that of the covariates."""
        if covariates is not None:
            hidden = hidden + self.encoder_covariates[tower](covariates)
        mean, log_variance = self.encoder_tails[tower](hidden).chunk(2, dim=-1)
        return mean, log_variance.clamp(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE)

    def decode(self, z: Tensor, covariates: Tensor | None = None) -> dict[str, Tensor]:
        """Decoder outputs per view: standardised means, logits of words, or directions."""
        given = z if covariates is None else torch.cat([z, covariates], dim=1)
        trunks = {tower: trunk(given) for tower, trunk in self.trunks.items()}
        outputs = {}
        for spec in self.specs:
            inner = given if spec.decoder == "linear" else trunks[self.towers[spec.name]]
            out = self.heads[self.key[spec.name]](inner)
            if spec.encoder == "set":
                out = out[:, None]
            elif spec.encoder == "dense":
                out = out.unflatten(1, spec.shape)
            outputs[spec.name] = out * out.new_tensor(spec.gain) if spec.gain else out
        return outputs

    @torch.no_grad()
    def start_at(self, name: str, probabilities: Tensor) -> None:
        """Start a view of words at the same probabilities for every track, shape (n_words,)."""
        logits = probabilities.log()
        bias: Tensor = self.heads[self.key[name]].bias  # type: ignore[assignment]
        bias.copy_(logits - logits.mean())

    def loadings(self) -> Tensor:
        """-log p of the linear decoders' weights under a standard normal prior, less a constant.

        The weights of covariates have no prior.
        """
        total = next(self.parameters()).new_zeros(())
        for spec in self.specs:
            if spec.decoder == "linear":
                weight: Tensor = self.heads[self.key[spec.name]].weight  # type: ignore[assignment]
                total = total + 0.5 * weight[:, : self.latent_dim].square().sum()
        return total

    def log_likelihood(self, batch: Batch, outputs: dict[str, Tensor]) -> Tensor:
        """Sum over the views' log-likelihoods, shape (n,)."""
        terms = [] if batch.offset is None else [batch.offset]
        for spec in self.specs:
            x, weight = batch.values[spec.name], batch.weights[spec.name]
            decoded = outputs[spec.name]
            if spec.likelihood == "multinomial":
                terms.append(multinomial_log_likelihood(x, decoded, weight, WORD_TOTAL))
            else:
                noise = self.log_noise[self.key[spec.name]]
                terms.append(DENSITIES[spec.likelihood](x, decoded, noise, weight))
        return reduce(torch.add, terms)


def _noise_shape(spec: ViewSpec) -> tuple[int, ...]:
    """One noise scale per number of a dense block, per channel, or per feature of a set."""
    if spec.likelihood == "von-mises-fisher":
        return (1,)
    if spec.noise != "learned":
        return (1,) * len(spec.shape)
    if spec.encoder == "conv1d":
        return (spec.shape[0], 1)
    return (1, spec.shape[1]) if spec.encoder == "set" else spec.shape


def _width(spec: ViewSpec) -> int:
    return spec.shape[1] if spec.encoder == "set" else int(torch.Size(spec.shape).numel())


def _entry(spec: ViewSpec, width: int) -> nn.Module:
    is_conv = spec.encoder == "conv1d"
    return ConvEntry(spec.shape, width) if is_conv else nn.Linear(_width(spec), width)


def _head(spec: ViewSpec, width: int) -> nn.Module:
    is_conv = spec.encoder == "conv1d"
    return ConvHead(width, spec.shape) if is_conv else nn.Linear(width, _width(spec))


def _trunk(n_inputs: int, widths: tuple[int, ...], dropout: float) -> nn.Module:
    if not widths:
        return nn.Identity()
    last = [nn.LayerNorm(widths[-1]), nn.SiLU(), nn.Dropout(dropout)]
    return nn.Sequential(nn.Linear(n_inputs, widths[0]), *_blocks(widths, dropout), *last)


class ConvEntry(nn.Module):
    """Strided convolutions over time, then a dense layer."""

    def __init__(self, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        channels = (shape[0], *CONV_CHANNELS)
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.Conv1d(before, after, KERNEL, STRIDE, KERNEL // 2), nn.SiLU()]
        self.convolutions = nn.Sequential(*layers)
        self.out = nn.Linear(channels[-1] * _lengths(shape[1])[-1], width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.convolutions(x).flatten(1))  # type: ignore[no-any-return]


class ConvHead(nn.Module):
    """A dense layer, then transposed convolutions back to the length of the input."""

    def __init__(self, width: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        channels = (*reversed(CONV_CHANNELS), shape[0])
        lengths = _lengths(shape[1])[::-1]
        self.start = (channels[0], lengths[0])
        self.into = nn.Linear(width, channels[0] * lengths[0])
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(channels)):
            extra = lengths[i + 1] - (STRIDE * (lengths[i] - 1) + 1)
            layers += [
                nn.SiLU(),
                nn.ConvTranspose1d(before, after, KERNEL, STRIDE, KERNEL // 2, extra),
            ]
        self.convolutions = nn.Sequential(*layers)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.convolutions(self.into(hidden).unflatten(1, self.start))  # type: ignore[no-any-return]


def _lengths(n_steps: int) -> list[int]:
    """Lengths of a sequence before and after each strided convolution."""
    lengths = [n_steps]
    for _ in CONV_CHANNELS:
        lengths.append((lengths[-1] - 1) // STRIDE + 1)
    return lengths
