"""View specs: the encoder, likelihood and decoder that a view gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from songscape.features.views import View
from songscape.models.standardisation import InputView, fit_input


@dataclass(frozen=True)
class ViewSpec:
    """What the network must know of one view; `shape` is that of one track's block.

    The encoder is "dense" (the whole block at once), "conv1d" (over the steps, with features as
    channels) or "set" (every step is an observation of its own, and all multiply into the
    posterior); the decoder has hidden layers, or is "linear". `gain` are factors of a dense
    decoder's output, one per number, or none.
    """

    name: str
    shape: tuple[int, ...]
    encoder: str = "dense"
    likelihood: str = "gaussian"
    noise: str = "fixed"
    gain: tuple[float, ...] = ()
    decoder: str = "dense"


def view_specs(
    views: Mapping[str, View],
    *,
    fusion: str,
    noise: str,
    covariates: bool,
    likelihoods: Mapping[str, str],
    encoders: Mapping[str, str],
) -> tuple[tuple[ViewSpec, ...], dict[str, InputView]]:
    """What the network does with every view, and how each is standardised.

    `SongVAE` documents the defaults of views that the two mappings do not name. The decoder of
    words is linear, with a standard normal prior on its weights, under a product of experts without
    covariates (as in topic models, Srivastava & Sutton 2017).

    Raises
    ------
    ValueError
        The choices do not go together, or not with the shape of the view.
    """
    specs, inputs = [], {}
    for name, view in views.items():
        is_set = fusion == "poe" and len(view.shape) == 3 and view.step_axis == 1
        directions = bool(view.modality) and not view.standardise and len(view.shape) == 2
        usual = "gaussian"
        if view.is_sparse:
            usual = "multinomial"
        elif directions or name.startswith("embedding:"):
            usual = "von-mises-fisher"
        likelihood = likelihoods.get(name, usual)
        encoder = encoders.get(name) or ("set" if is_set else "dense")
        # Which words express a theme depends on the language, a covariate: not linearly.
        linear = fusion == "poe" and likelihood == "multinomial" and not covariates
        decoder = "linear" if linear else "dense"
        spec = ViewSpec(name, view.shape[1:], encoder, likelihood, noise, decoder=decoder)
        _check(spec, fusion)
        inputs[name] = fit_input(
            name,
            view,
            standardise=likelihood == "gaussian",
            signed=likelihood == "von-mises-fisher",
        )
        specs.append(spec)
    return tuple(specs), inputs


def _check(spec: ViewSpec, fusion: str) -> None:
    view = f"view {spec.name!r}"
    if spec.encoder != "dense" and len(spec.shape) != 2:
        raise ValueError(
            f"{view}: encoder {spec.encoder!r} needs a sequence, and this view has one row per "
            "track; use dense"
        )
    if spec.encoder == "set" and fusion != "poe":
        raise ValueError(f"{view}: encoder 'set' needs fusion='poe'")
    if spec.likelihood != "gaussian" and len(spec.shape) != 1:
        raise ValueError(
            f"{view}: a sequence; the likelihood {spec.likelihood!r} needs one row per track"
        )
    if spec.likelihood == "von-mises-fisher" and spec.shape[0] < 4:
        raise ValueError(f"{view}: directions need at least 4 numbers; use gaussian")
