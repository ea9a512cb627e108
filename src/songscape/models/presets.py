"""Presets: the named models, each a short table of arguments."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from importlib.metadata import entry_points
from inspect import Parameter, signature
from pkgutil import resolve_name
from typing import Any

from songscape.errors import UsageError
from songscape.features import TEXT_VIEWS
from songscape.features.encoders.registry import ENCODERS
from songscape.models.parameters import WORD_COMPONENTS

VAE = "songscape.models.vae:SongVAE"
BLOCK_PCA = "songscape.models.linear:BlockPCA"
REFERENCES = "songscape.models.references"
ENTRY_POINTS = "songscape.models"


@dataclass(frozen=True)
class Preset:
    """A named model.

    Attributes
    ----------
    name, summary : str
    views : tuple of str
        Everything it reads, covariates included.
    factory : str
        "module:class" of the estimator, imported when it is made.
    arguments : mapping
        What differs from the estimator's defaults.
    optional : tuple of str
        Views that it can do without where a collection has none of them.
    kind : {"vae", "autoencoder", "baseline", "reference"}
        A reference (random, language only) is no candidate: it shows what a figure is worth.
    """

    name: str
    views: tuple[str, ...]
    summary: str
    factory: str = VAE
    arguments: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "vae"
    optional: tuple[str, ...] = ()

    @property
    def covariates(self) -> tuple[str, ...]:
        """What is given to the model instead of being modelled."""
        return tuple(self.arguments.get("covariates") or ())

    @property
    def modelled_views(self) -> tuple[str, ...]:
        """The views without the covariates."""
        return tuple(name for name in self.views if name not in self.covariates)

    def with_options(self, options: Mapping[str, Any]) -> Preset:
        """The same model with other arguments; `views` and `covariates` change what it reads.

        Where lyrics are optional, so is any view of them.
        """
        arguments = {**self.arguments, **options}
        modelled = tuple(options.get("views") or self.modelled_views)
        texts = TEXT_VIEWS if "lyrics" in self.optional else ()
        return replace(
            self,
            views=(*modelled, *(arguments.get("covariates") or ())),
            arguments=arguments,
            optional=(*self.optional, *(n for n in modelled if n in texts)),
        )


COURSE_FUSION: Mapping[str, Any] = {
    "likelihoods": {"lyrics-tfidf": "gaussian"},
    "hidden": (512, 128),
    "epochs": 60,
}
SONG: Mapping[str, Any] = {
    "fusion": "poe",
    "noise": "learned",
    "latent_dim": 32,
    "hidden": (256, 256),
    "dropout": 0.1,
    "view_dropout": 0.5,
    "learning_rate": 2e-3,
    "epochs": 100,
    # Nothing is decided by held-out tracks, and those would be placed apart from the others.
    "patience": 0,
    "validation_fraction": 0.0,
    "imputation": "donor",
}
SONG_VIEWS = ("segments", "rhythm", "lyrics", *ENCODERS)
LDA: Mapping[str, Any] = {"within_song": True, "word_components": WORD_COMPONENTS}


def _song(name: str, views: tuple[str, ...], summary: str, **arguments: Any) -> Preset:
    """A song-level model; it can do without lyrics, rhythm and encoders."""
    return Preset(name, views, summary, arguments={**SONG, **arguments}, optional=_optional(views))


def _pca(name: str, views: tuple[str, ...], summary: str, **arguments: Any) -> Preset:
    """A linear baseline; it can do without those views too, if it reads anything else."""
    return Preset(name, views, summary, BLOCK_PCA, arguments, "baseline", _optional(views))


def _reference(
    name: str, views: tuple[str, ...], summary: str, kind: str, **arguments: Any
) -> Preset:
    return Preset(name, views, summary, f"{REFERENCES}:{kind}", arguments, "reference")


def _optional(views: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(view for view in views[1:] if view in (*TEXT_VIEWS, *ENCODERS, "rhythm"))


_TABLE = (
    Preset(
        "dense-vae",
        ("mfcc",),
        "basic VAE, fully connected, on 40 x 300 MFCCs",
        arguments={"hidden": (512, 128), "epochs": 60},
    ),
    Preset(
        "fusion-dense-vae",
        ("mfcc", "lyrics-tfidf"),
        "fully connected VAE on MFCCs and TF-IDF side by side",
        arguments=COURSE_FUSION,
    ),
    Preset(
        "conv1d-vae",
        ("mfcc",),
        "VAE with convolutions over time, 40 coefficients as channels",
        arguments={
            "encoders": {"mfcc": "conv1d"},
            "hidden": (128,),
            "epochs": 40,
            "patience": 8,
            "learning_rate": 2e-3,
            "rise": 0.1,
            "hold": 0.5,
        },
    ),
    Preset(
        "beta-vae",
        ("mfcc", "lyrics-tfidf"),
        "fusion-dense-vae with the KL divergence weighted by 4",
        arguments={**COURSE_FUSION, "beta": 4.0},
    ),
    Preset(
        "autoencoder",
        ("mfcc", "lyrics-tfidf"),
        "deterministic autoencoder with the layers of fusion-dense-vae",
        arguments={**COURSE_FUSION, "variational": False},
        kind="autoencoder",
    ),
    _song(
        "song-vae",
        SONG_VIEWS,
        "product of experts over sound and words, its latents beside balanced-lda",
        space="joint",
    ),
    _song("song-vae-latent", SONG_VIEWS, "song-vae, posterior means as they are"),
    _song("song-vae-audio", SONG_VIEWS[:2], "song-vae on segments and rhythm", space="joint"),
    _song(
        "neutral-vae",
        (*SONG_VIEWS, "language"),
        "song-vae given the language, its latents beside neutral-lda",
        covariates=("language",),
        independence=100.0,
        space="joint",
    ),
    _song("vade", SONG_VIEWS, "song-vae with a mixture of Gaussians as prior", prior="mixture"),
    _pca(
        "pca",
        ("mfcc", "lyrics-tfidf"),
        "PCA of the standardised columns of fusion-dense-vae",
        joint=True,
    ),
    _pca("mfcc-pca", ("mfcc",), "PCA of the standardised MFCCs of dense-vae", joint=True),
    _pca(
        "balanced-pca",
        ("timbre", "lyrics"),
        "each view reduced to 16 components and scaled to unit total variance",
    ),
    _pca(
        "balanced-pca-centred",
        ("timbre", "lyrics", "language"),
        "balanced-pca with every language's mean removed",
        covariates=("language",),
    ),
    _pca(
        "balanced-lda",
        SONG_VIEWS,
        "segments whitened within songs, rhythm, and words counted once; sound and words alike",
        **LDA,
    ),
    _pca(
        "neutral-lda",
        (*SONG_VIEWS, "language"),
        "balanced-lda with every language at the same place and of the same shape",
        **LDA,
        covariates=("language",),
        neutral=True,
    ),
    _pca("timbre-pca", ("timbre",), "PCA of the MFCC summary"),
    _pca("tfidf", ("lyrics",), "truncated SVD of the TF-IDF"),
    _pca(
        "raw",
        ("mfcc", "lyrics-tfidf"),
        "the standardised columns of fusion-dense-vae, nothing reduced",
        joint=True,
        n_components=None,
    ),
    _reference(
        "random", ("timbre",), "Gaussian noise that knows nothing of the tracks", "RandomLatents"
    ),
    _reference(
        "language-only",
        ("language",),
        "the language composition and nothing else",
        "ViewOnly",
        view="language",
    ),
    _reference(
        "has-lyrics-only",
        ("lyrics",),
        "whether there are lyrics and nothing else",
        "ViewOnly",
        view="lyrics",
        presence=True,
    ),
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _TABLE}
PRESETS |= {"poe-vae": PRESETS["song-vae"], "cvae": PRESETS["neutral-vae"]}
DEFAULT_FREE = "balanced-lda"
"""The representation for groups and neighbours where the language may count."""
DEFAULT_NEUTRAL = "neutral-lda"
"""The representation that ignores the language."""


def find_preset(name: str) -> Preset:
    """The preset of that name, from the table or from an installed package.

    A package adds models through the entry point group `songscape.models`, one `Preset` each.
    """
    if name in PRESETS:
        return PRESETS[name]
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        preset = entry.load()
        if not isinstance(preset, Preset):
            raise UsageError(f"model {name!r} of {entry.value} is not a Preset; fix that package")
        return preset
    raise UsageError(f"no model {name!r}; known: {', '.join(PRESETS)}")


def make_model(name: str, /, *, random_state: Any = 0, **options: Any) -> Any:
    """An unfitted estimator from the table, with some of its options replaced.

    Parameters
    ----------
    name : str
    random_state : int, RandomState or None, default=0
    **options
        Parameters of the estimator, and the fields of its groups by their own names:
        ``make_model("song-vae", latent_dim=8, epochs=40)``.

    Raises
    ------
    UsageError
        If there is no such model or option, or a value is of the wrong type or out of range.
    """
    preset = find_preset(name)
    arguments: dict[str, Any] = dict(preset.arguments)
    if "view" not in arguments:
        arguments |= {"views": preset.modelled_views, "random_state": random_state}
    try:
        return build_model(resolve_name(preset.factory), arguments | options)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None


def build_model(factory: Any, options: Mapping[str, Any]) -> Any:
    """An estimator from flat options: fields of its `parameter_groups` go by their own names.

    Raises
    ------
    ValueError
        If there is no such option, or a value is of the wrong type or out of range.
    """
    groups: Mapping[str, Any] = getattr(factory, "parameter_groups", {})
    group_of = {f.name: group for group, kind in groups.items() for f in fields(kind)}
    parameters = signature(factory).parameters
    known = [*(name for name in parameters if name not in groups), *group_of]
    takes_any = any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values())
    grouped: dict[str, dict[str, Any]] = {group: {} for group in groups}
    arguments = {}
    for option, value in options.items():
        if option in group_of:
            grouped[group_of[option]][option] = value
        elif option in known or takes_any:
            arguments[option] = value
        else:
            close = difflib.get_close_matches(option, known, n=1)
            hint = f'did you mean "{close[0]}"?' if close else f"known: {', '.join(known)}"
            raise ValueError(f'no option "{option}"; {hint}')
    arguments |= {group: kind(**grouped[group]) for group, kind in groups.items()}
    model = factory(**arguments)
    if hasattr(model, "check_parameters"):
        model.check_parameters()
    return model


def check_model_options(name: str, options: Mapping[str, Any]) -> None:
    """Refuse, before any work, options that the model does not have or that cannot be.

    Raises
    ------
    UsageError
        `model_options.NAME: ` and the reason.
    """
    preset = find_preset(name)
    if "random_state" in options:
        raise UsageError(f"model_options.{name}: random_state follows from the seeds; set those")
    try:
        make_model(name, **options)
    except UsageError as error:
        raise UsageError(f"model_options.{error}") from None
    modelled = preset.with_options(options).modelled_views
    for option in ("likelihoods", "encoders"):
        for view in options.get(option) or ():
            if view not in modelled:
                raise UsageError(
                    f'model_options.{name}: {option} names the view "{view}", which this model '
                    f"does not read; it reads {', '.join(modelled)}"
                )
