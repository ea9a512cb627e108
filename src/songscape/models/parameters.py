"""Parameters: what every parameter of a model may be, and those of `SongVAE` that form groups.

Imports nothing heavy, so that options can be checked before any work.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

__all__ = [
    "IMPUTATIONS",
    "LIKELIHOODS",
    "SPACES",
    "Hardware",
    "Training",
    "check_parameters",
    "check_value",
]

# Small collections take smaller steps, so that the same number of epochs trains them too.
MIN_BATCH, MIN_STEPS = 8, 16

ENCODERS = ("dense", "conv1d", "set")
DECODERS = ("dense", "linear")
LIKELIHOODS = ("gaussian", "multinomial", "counts", "von-mises-fisher")
"""Under `multinomial` the words of every track count as equally many, under `counts` as many as
there are. `von-mises-fisher` is cosine similarity as a likelihood: only directions count."""
SPACES = ("latent", "decoder", "joint")
IMPUTATIONS = ("mean", "donor")


@dataclass(frozen=True)
class Training:
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
    rotate : bool, default=True
        Train wide Gaussian views in rotated coordinates where that loses nothing (see
        `songscape.models.rotation`).

    Raises
    ------
    ValueError
        If a value is of the wrong type or out of range.
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
    rotate: bool = True

    def __post_init__(self) -> None:
        check_parameters(vars(self))

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
class Hardware:
    """Where a network is trained, and how exactly.

    Attributes
    ----------
    device : str, default="auto"
        "cpu", "cuda", "mps", or "auto": CUDA where there is one, else the CPU.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Of the layers while training; sums, the optimiser and everything afterwards are of full
        precision. "auto": bfloat16 on a GPU that has it, float32 elsewhere.
    compiled : bool or "auto", default="auto"
        Whether torch compiles the training step. "auto": where a GPU trains for long (see
        `songscape.models.hardware.compiled`). The rounding differs from that of the plain step. On
        a CPU torch calls a C++ compiler, which fails if torch lies in a folder with a space.
    threads : int, default=1
        Threads of torch. More than there are free cores make it many times slower.

    Raises
    ------
    ValueError
        If a value is of the wrong type or out of range.
    """

    device: str = "auto"
    precision: str = "auto"
    compiled: str | bool = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        check_parameters(vars(self))


@dataclass(frozen=True)
class _Rule:
    """Whether a value is allowed, and in words what is."""

    allows: Callable[[Any], bool]
    words: str


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _whole(least: int) -> _Rule:
    return _Rule(lambda v: _is_whole(v) and v >= least, f"must be a whole number from {least} on")


def _number(words: str, allows: Callable[[float], bool]) -> _Rule:
    def test(value: Any) -> bool:
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and allows(float(value))

    return _Rule(test, f"must be a number {words}")


def _choice(*values: Any) -> _Rule:
    # Not `in`, for which 1 is True.
    return _Rule(
        lambda v: any(v is value or (isinstance(v, str) and v == value) for value in values),
        f"choose one of {', '.join(str(value) for value in values)}",
    )


def _choice_by_view(*values: str) -> _Rule:
    return _Rule(
        lambda v: isinstance(v, Mapping) and all(value in values for value in v.values()),
        f"must name, by view, one of {', '.join(values)}",
    )


def _is_names(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(name, str) for name in value)
    )


def _optional(rule: _Rule) -> _Rule:
    return _Rule(lambda v: v is None or rule.allows(v), rule.words)


NOT_NEGATIVE = _number("from 0 on", lambda v: v >= 0)
POSITIVE = _number("above 0", lambda v: v > 0)
SHARE = _number("from 0 to 1", lambda v: 0 <= v <= 1)
SHARE_BELOW_ONE = _number("from 0 to below 1", lambda v: 0 <= v < 1)
YES_OR_NO = _choice(True, False)
NAMES = _Rule(_is_names, "must be a list of names")
WIDTHS = _Rule(
    lambda v: not isinstance(v, str) and isinstance(v, Sequence) and all(map(_whole(1).allows, v)),
    "must be a list of whole numbers from 1 on",
)
TEXT = _Rule(lambda v: isinstance(v, str), "must be a text")

_RULES: Mapping[str, _Rule] = {
    "views": _optional(NAMES),
    "view": TEXT,
    "covariates": _optional(NAMES),
    "likelihoods": _optional(_choice_by_view(*LIKELIHOODS)),
    "encoders": _optional(_choice_by_view(*ENCODERS)),
    "decoders": _optional(_choice_by_view(*DECODERS)),
    "noise": _choice("fixed", "learned"),
    "fusion": _choice("early", "poe"),
    "prior": _choice("normal", "mixture"),
    "n_components": _optional(_whole(1)),
    "joint": YES_OR_NO,
    "latent_dim": _whole(1),
    "hidden": WIDTHS,
    "dropout": SHARE_BELOW_ONE,
    "variational": YES_OR_NO,
    "beta": NOT_NEGATIVE,
    "free_bits": NOT_NEGATIVE,
    "independence": NOT_NEGATIVE,
    "contrast": NOT_NEGATIVE,
    "word_total": POSITIVE,
    "space": _choice(*SPACES),
    "at": _optional(TEXT),
    "reduced_dim": _whole(1),
    "imputation": _choice(*IMPUTATIONS),
    "training": _Rule(lambda v: v is None or isinstance(v, Training), "must be a Training"),
    "hardware": _Rule(lambda v: v is None or isinstance(v, Hardware), "must be a Hardware"),
    "epochs": _whole(1),
    "max_steps": _whole(1),
    "batch_size": _whole(1),
    "learning_rate": POSITIVE,
    "rise": SHARE,
    "hold": SHARE,
    "weight_decay": NOT_NEGATIVE,
    "warmup": SHARE,
    "view_dropout": SHARE,
    "patience": _whole(0),
    "validation_fraction": SHARE_BELOW_ONE,
    "rotate": YES_OR_NO,
    "device": _Rule(
        lambda v: isinstance(v, str) and re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", v) is not None,
        "choose one of auto, cpu, cuda, mps",
    ),
    "precision": _choice("auto", "float32", "bfloat16"),
    "compiled": _choice("auto", True, False),
    "threads": _whole(1),
}


def check_value(name: str, value: Any) -> None:
    """Raise ValueError, with the reason, unless a parameter of that name may have that value."""
    rule = _RULES.get(name)
    if rule is not None and not rule.allows(value):
        raise ValueError(f"{name} = {value!r}: {rule.words}")


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Raise ValueError for a parameter out of range, or for two that do not go together."""
    for name, value in parameters.items():
        check_value(name, value)
    given = parameters.get
    at, prior = given("at"), given("prior")
    if prior == "mixture" and given("n_components") is None:
        raise ValueError("n_components = None: a mixture prior needs a number")
    if prior == "mixture" and given("free_bits", 0) > 0:
        raise ValueError(
            "free_bits needs prior = 'normal': a mixture has no KL divergence per dimension"
        )
    if given("contrast", 0) > 0 and given("fusion") != "poe":
        raise ValueError("contrast needs fusion = 'poe': each view needs a posterior of its own")
    if at is not None and given("space") == "joint":
        raise ValueError("at needs space = 'decoder': posterior means have no covariates")
    if at is not None and not given("covariates"):
        raise ValueError("at needs covariates: without them there is nothing to hold constant")
    if given("rise", 0) + given("hold", 0) > 1:
        raise ValueError(
            f"rise = {given('rise')} and hold = {given('hold')}: at most 1 together, as shares of "
            "the steps"
        )
