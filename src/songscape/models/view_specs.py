"""Plans: the likelihood, encoder and decoder that a view gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from songscape.features.views import View
from songscape.models.likelihoods import LIKELIHOODS
from songscape.models.networks import ViewPlan
from songscape.models.standardisation import InputView, fit_input

__all__ = ["plan_view", "plan_views"]


def plan_views(
    views: Mapping[str, View],
    *,
    fusion: str,
    noise: str,
    covariates: bool,
    likelihoods: Mapping[str, str],
    encoders: Mapping[str, str],
    decoders: Mapping[str, str],
) -> tuple[tuple[ViewPlan, ...], dict[str, InputView]]:
    """What the network does with every view, and how each is standardised."""
    plans, readers = [], {}
    for name, view in views.items():
        plan = plan_view(
            name,
            view,
            fusion=fusion,
            noise=noise,
            covariates=covariates,
            likelihood=likelihoods.get(name),
            encoder=encoders.get(name),
            decoder=decoders.get(name),
        )
        readers[name] = fit_input(
            name,
            view,
            standardise=plan.likelihood == "gaussian",
            signed=plan.likelihood == "von-mises-fisher",
        )
        if plan.likelihood == "counts":
            plan = replace(plan, unit=float(readers[name].scale[0]))
        plans.append(plan)
    return tuple(plans), readers


def plan_view(
    name: str,
    view: View,
    *,
    fusion: str,
    noise: str,
    covariates: bool = False,
    likelihood: str | None = None,
    encoder: str | None = None,
    decoder: str | None = None,
) -> ViewPlan:
    """What the network does with one view; the defaults are told in `SongVAE`.

    Raises
    ------
    ValueError
        The choices do not go together, or not with the shape of the view.
    """
    default = "multinomial" if view.is_sparse else "gaussian"
    default = "von-mises-fisher" if name.startswith("embedding:") else default
    is_set = fusion == "poe" and len(view.shape) == 3 and view.step_axis == 1
    plan = ViewPlan(
        name,
        view.shape[1:],
        encoder or ("set" if is_set else "dense"),
        likelihood or default,
        noise,
    )
    # Which words tell of a theme depends on the language, a covariate: that needs hidden layers.
    linear = fusion == "poe" and plan.has_words and not covariates
    plan = replace(plan, decoder=decoder or ("linear" if linear else "dense"))
    _check(plan, fusion)
    return plan


def _check(plan: ViewPlan, fusion: str) -> None:
    if plan.decoder not in ("dense", "linear"):
        raise ValueError(f"decoder {plan.decoder!r} of view {plan.name!r}: choose dense or linear")
    if plan.decoder == "linear" and plan.encoder != "dense":
        raise ValueError(
            f"view {plan.name!r}: a linear decoder needs encoder 'dense', not {plan.encoder!r}"
        )
    if plan.encoder not in ("dense", "conv1d", "set"):
        raise ValueError(
            f"encoder {plan.encoder!r} of view {plan.name!r}: choose dense, conv1d or set"
        )
    if plan.likelihood not in LIKELIHOODS:
        raise ValueError(
            f"likelihood {plan.likelihood!r} of view {plan.name!r}: "
            f"choose one of {', '.join(LIKELIHOODS)}"
        )
    if plan.encoder != "dense" and len(plan.shape) != 2:
        raise ValueError(
            f"encoder {plan.encoder!r} needs a sequence, view {plan.name!r} has one row per track; "
            "use dense"
        )
    if plan.encoder == "set" and fusion != "poe":
        raise ValueError("encoder 'set' multiplies the evidence of its steps; use fusion='poe'")
    if plan.likelihood != "gaussian" and len(plan.shape) != 1:
        raise ValueError(
            f"view {plan.name!r} is a sequence, the likelihood {plan.likelihood!r} needs one row "
            "per track"
        )
    if plan.likelihood == "von-mises-fisher" and plan.shape[0] < 4:
        raise ValueError(f"view {plan.name!r}: directions need at least 4 numbers; use gaussian")
