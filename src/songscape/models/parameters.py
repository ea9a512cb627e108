"""Parameters: what every parameter of a model may be, and those of `SongVAE` that form groups.

Impossible values are refused with a ValueError, before any work and without a heavy import.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from songscape.rules import Rule, flag, number, one_of, optional, sequence_of, whole

# Small collections take smaller steps, so that the same number of epochs trains them too.
MIN_BATCH, MIN_STEPS = 8, 16

ENCODERS = ("dense", "conv1d", "set")
LIKELIHOODS = ("gaussian", "multinomial", "von-mises-fisher")
"""Under `multinomial` the words of every track count as equally many. `von-mises-fisher` is cosine
similarity as a likelihood: only directions count."""
WORD_COMPONENTS = 24
"""Axes of words, where each other view has 16: words need more."""
DEVICES = r"auto|cpu|mps|cuda(:\d+)?"


@dataclass(frozen=True)
class _Settings:
    """Settings whose values are checked when they are made."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            check_value(name, value)


@dataclass(frozen=True)
class Objective(_Settings):
    """What training minimises besides the reconstruction.

    Attributes
    ----------
    beta : float, default=1
        Weight of the KL divergence (Higgins et al. 2017).
    independence : float, default=0
        Weight, in nats, of a penalty on latents that depend on the covariates (see
        `songscape.models.objective.hsic_penalty`).
    """

    beta: float = 1.0
    independence: float = 0.0


@dataclass(frozen=True)
class Training(_Settings):
    """How a network is trained.

    Attributes
    ----------
    epochs : int, default=100
        At most; a large collection takes fewer, by `max_steps`.
    max_steps : int, default=20000
        Training steps in all that are enough for any size; there are at least two epochs.
    batch_size : int, default=64
        At most; with fewer than 1,024 tracks it shrinks, down to 8, to keep 16 steps per epoch.
    learning_rate : float, default=0.001
        Peak of a one-cycle schedule.
    rise : float, default=0.3
        Share of the training steps over which the learning rate grows to that peak.
    hold : float, default=0
        Share of the steps over which it stays there before it falls.
    weight_decay : float, default=0.001
    warmup : float, default=0.2
        Share of the epochs over which the weight of the KL divergence grows linearly from 0.
    view_dropout : float, default=0
        Probability of leaving a view out of the posterior in a training step; of a set, a random
        number of steps is kept. Everything is reconstructed all the same.
    patience : int, default=15
        Stop after this many epochs without a better validation ELBO (never during the warm-up)
        and go back to the weights of the best one; 0 trains all epochs and keeps the last weights.
    validation_fraction : float, default=0.1
        Share of the tracks that is held out; with fewer than 10 tracks none is.
    """

    epochs: int = 100
    max_steps: int = 20_000
    batch_size: int = 64
    learning_rate: float = 1e-3
    rise: float = 0.3
    hold: float = 0.0
    weight_decay: float = 1e-3
    warmup: float = 0.2
    view_dropout: float = 0.0
    patience: int = 15
    validation_fraction: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rise + self.hold > 1:
            raise ValueError(f"rise = {self.rise}, hold = {self.hold}: shares, at most 1 together")

    def capped(self, n_tracks: int) -> Training:
        """The same with as many epochs as `max_steps` allow, at least two."""
        most = max(2, self.max_steps // self.steps_per_epoch(n_tracks))
        return replace(self, epochs=min(self.epochs, most))

    def batch_for(self, n_tracks: int) -> int:
        """Tracks per step: at most `batch_size`, fewer where an epoch would have too few steps."""
        return min(self.batch_size, max(MIN_BATCH, n_tracks // MIN_STEPS))

    def steps_per_epoch(self, n_tracks: int) -> int:
        return math.ceil(n_tracks / self.batch_for(n_tracks))

    @property
    def warmup_epochs(self) -> int:
        return math.ceil(self.warmup * self.epochs)


@dataclass(frozen=True)
class Hardware(_Settings):
    """Where a network is trained.

    Attributes
    ----------
    device : str, default="auto"
        "cpu", "cuda", "mps", or "auto": CUDA where there is one, else the CPU.
    threads : int, default=1
        Threads of torch. More than there are free cores make it many times slower.
    """

    device: str = "auto"
    threads: int = 1


GROUPS: Mapping[str, type] = {"objective": Objective, "training": Training, "hardware": Hardware}
"""Parameters of `SongVAE` that are groups of settings."""


def _instance(kind: type) -> Rule:
    return optional(Rule(f"an instance of {kind.__name__}", lambda value: isinstance(value, kind)))


def _by_view(*choices: str) -> Rule:
    return Rule(
        f"by view, one of {', '.join(choices)}",
        lambda value: isinstance(value, Mapping) and all(v in choices for v in value.values()),
    )


_TEXT = Rule("a text", lambda value: isinstance(value, str))
_SHARE = number("from 0 to 1", lambda v: 0 <= v <= 1)
_SHARE_BELOW_ONE = number("from 0 to below 1", lambda v: 0 <= v < 1)
_DEVICE = Rule(
    "one of auto, cpu, cuda, mps",
    lambda value: isinstance(value, str) and bool(re.fullmatch(DEVICES, value)),
)
_SIZES = ("latent_dim", "epochs", "max_steps", "batch_size", "threads")
_WEIGHTS = ("beta", "independence", "weight_decay")

_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("views", "covariates"), optional(sequence_of("names", _TEXT.allows))),
    "view": _TEXT,
    "likelihoods": optional(_by_view(*LIKELIHOODS)),
    "encoders": optional(_by_view(*ENCODERS)),
    "noise": one_of("fixed", "learned"),
    "fusion": one_of("early", "poe"),
    "prior": one_of("normal", "mixture"),
    "space": one_of("latent", "joint"),
    "imputation": one_of("mean", "donor"),
    "device": _DEVICE,
    **dict.fromkeys(("joint", "variational", "presence", "within_song", "neutral"), flag),
    "hidden": sequence_of("whole numbers from 1 on", whole(1).allows),
    **dict.fromkeys(_SIZES, whole(1)),
    **dict.fromkeys(("n_components", "word_components"), optional(whole(1))),
    "patience": whole(0),
    **dict.fromkeys(_WEIGHTS, number("from 0 on", lambda v: v >= 0)),
    "learning_rate": number("above 0", lambda v: v > 0),
    **dict.fromkeys(("rise", "hold", "warmup", "view_dropout"), _SHARE),
    **dict.fromkeys(("dropout", "validation_fraction"), _SHARE_BELOW_ONE),
    **{name: _instance(kind) for name, kind in GROUPS.items()},
}


def check_value(name: str, value: Any) -> None:
    """Raise ValueError, with the reason, unless a parameter of that name may have that value."""
    rule = _RULES.get(name)
    if rule is not None and not rule.allows(value):
        raise ValueError(f"{name} = {value!r}; give {rule.wanted}")


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raise ValueError for a parameter out of range, or for two that do not go together."""
    for name, value in parameters.items():
        check_value(name, value)
    if parameters.get("prior") == "mixture" and parameters.get("n_components") is None:
        raise ValueError("n_components = None: a mixture prior needs a number")
    if parameters.get("space") == "joint" and parameters.get("fusion") != "poe":
        raise ValueError("space = 'joint' needs fusion = 'poe'")
