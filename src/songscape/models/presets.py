"""Presets: the named models, each a short table of arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from songscape.errors import UsageError

__all__ = ["PRESETS", "Preset", "find_preset", "make_model"]

VAE = "songscape.models.vae:SongVAE"
BLOCK_PCA = "songscape.models.baselines:BlockPCA"
ENTRY_POINTS = "songscape.models"
TEXT_VIEWS = ("lyrics", "lyrics-counts", "chars")


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

    def given(self, options: Mapping[str, Any]) -> Preset:
        """The same model with other arguments; `views` and `covariates` change what it reads.

        A model that can do without lyrics can do without any view of them.
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
    "likelihoods": {"lyrics": "gaussian"},
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

_TABLE = (
    Preset(
        "dense-vae",
        ("mfcc",),
        "basic VAE, fully connected, on 40 x 300 MFCCs",
        arguments={"hidden": (512, 128), "epochs": 60},
    ),
    Preset(
        "fusion-dense-vae",
        ("mfcc", "lyrics"),
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
        ("mfcc", "lyrics"),
        "fusion-dense-vae with the KL divergence weighted by 4",
        arguments={**COURSE_FUSION, "beta": 4.0},
    ),
    Preset(
        "autoencoder",
        ("mfcc", "lyrics"),
        "deterministic autoencoder with the layers of fusion-dense-vae",
        arguments={**COURSE_FUSION, "variational": False},
        kind="autoencoder",
    ),
    Preset(
        "song-vae",
        ("segments", "lyrics"),
        "product of experts over segments and words, clustered by what it decodes and its latents",
        arguments={**SONG, "space": "joint"},
        optional=("lyrics",),
    ),
    Preset(
        "song-vae-latent",
        ("segments", "lyrics"),
        "song-vae, posterior means as they are",
        arguments=SONG,
        optional=("lyrics",),
    ),
    Preset(
        "song-vae-audio",
        ("segments",),
        "song-vae on segments alone",
        arguments={**SONG, "space": "decoder"},
    ),
    Preset(
        "neutral-vae",
        ("segments", "lyrics", "language"),
        "song-vae given the language, everyone decoded at the average language",
        arguments={
            **SONG,
            # Longer training tells apart the tracks of a language by heart, and so drives them
            # apart: neighbours would share the language less often than by chance.
            "epochs": 40,
            "dropout": 0.4,
            "covariates": ("language",),
            "independence": 100.0,
            # Sound and words of a song must find each other among songs of about the same language,
            # where the language does not help.
            "contrast": 10.0,
            "space": "decoder",
            "at": "average",
        },
        optional=("lyrics",),
    ),
    Preset(
        "vade",
        ("segments", "lyrics"),
        "song-vae with a mixture of Gaussians as prior",
        arguments={**SONG, "prior": "mixture"},
        optional=("lyrics",),
    ),
    Preset(
        "pca",
        ("mfcc", "lyrics"),
        "PCA of the standardised columns of fusion-dense-vae",
        BLOCK_PCA,
        {"joint": True},
        "baseline",
        optional=("lyrics",),
    ),
    Preset(
        "mfcc-pca",
        ("mfcc",),
        "PCA of the standardised MFCCs of dense-vae",
        BLOCK_PCA,
        {"joint": True},
        "baseline",
    ),
    Preset(
        "balanced-pca",
        ("timbre", "lyrics"),
        "each view reduced to 16 components and scaled to unit total variance",
        BLOCK_PCA,
        kind="baseline",
        optional=("lyrics",),
    ),
    Preset(
        "balanced-pca-centred",
        ("timbre", "lyrics", "language"),
        "balanced-pca with every language's mean removed",
        "songscape.models.centred:CentredPCA",
        {"covariates": ("language",)},
        "baseline",
        optional=("lyrics",),
    ),
    Preset(
        "timbre-pca",
        ("timbre",),
        "PCA of the MFCC summary",
        BLOCK_PCA,
        kind="baseline",
    ),
    Preset(
        "tfidf",
        ("lyrics",),
        "truncated SVD of the TF-IDF",
        BLOCK_PCA,
        kind="baseline",
    ),
    Preset(
        "raw",
        ("mfcc", "lyrics"),
        "the standardised columns of fusion-dense-vae, nothing reduced",
        BLOCK_PCA,
        {"joint": True, "n_components": None},
        "baseline",
        optional=("lyrics",),
    ),
    Preset(
        "random",
        ("timbre",),
        "Gaussian noise that knows nothing of the tracks",
        "songscape.models.baselines:RandomLatents",
        kind="reference",
    ),
    Preset(
        "language-only",
        ("language",),
        "the language composition and nothing else",
        "songscape.models.baselines:ViewOnly",
        {"view": "language"},
        "reference",
    ),
    Preset(
        "has-lyrics-only",
        ("lyrics",),
        "whether there are lyrics and nothing else",
        "songscape.models.baselines:PresenceOnly",
        {"view": "lyrics"},
        "reference",
    ),
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _TABLE}
ALIASES = {"poe-vae": "song-vae", "cvae": "neutral-vae"}
PRESETS |= {alias: PRESETS[name] for alias, name in ALIASES.items()}


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


def make_model(name: str, *, random_state: Any = 0, **overrides: Any) -> Any:
    """An unfitted estimator from the table, with some of its arguments replaced.

    Raises
    ------
    UsageError
        If there is no such model.
    TypeError
        If it has no such argument.
    """
    preset = find_preset(name)
    module, _, attribute = preset.factory.partition(":")
    factory = getattr(import_module(module), attribute)
    arguments: dict[str, Any] = dict(preset.arguments)
    if "view" not in arguments:
        arguments |= {"views": preset.modelled_views, "random_state": random_state}
    return factory(**(arguments | overrides))
