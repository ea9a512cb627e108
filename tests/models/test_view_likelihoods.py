"""Directions and words in the song-level model: what each likelihood sees and gives back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from song_vae import song_vae

from songscape.errors import SongscapeError
from songscape.features.views import View, Views
from songscape.models.saving import load_model, save_model
from songscape.models.vae import SongVAE

N, SIZE = 80, 16
OPTIONS: dict[str, Any] = {
    "fusion": "poe",
    "noise": "learned",
    "latent_dim": 4,
    "hidden": (32,),
    "epochs": 40,
    "patience": 0,
}


def make(lengths: np.ndarray | None = None) -> tuple[Views, np.ndarray]:
    """Two kinds of song that point in two directions, and use two kinds of word."""
    rng = np.random.default_rng(0)
    kind = np.arange(N) % 2
    centres = rng.standard_normal((2, SIZE))
    directions = centres[kind] + 0.5 * rng.standard_normal((N, SIZE))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    present = np.arange(N) % 9 != 0
    lengths = np.full(N, 50) if lengths is None else lengths
    rates = np.where(kind[:, None] == np.arange(10) % 2, 0.18, 0.02)
    counts = np.stack([rng.multinomial(n, row) for n, row in zip(lengths, rates)])
    views = Views(
        tuple(f"t{i:02d}" for i in range(N)),
        {
            "embedding:x": View(directions.astype(np.float32) * present[:, None], present),
            "lyrics-counts": View(sp.csr_array(counts.astype(np.float32)), np.ones(N, bool)),
        },
    )
    return views, kind


def test_an_embedding_alone_tells_the_kinds_apart_and_decodes_to_directions(
    tmp_path: Path,
) -> None:
    views, kind = make()
    model = song_vae(["embedding:x"], **OPTIONS).fit(views)
    assert model.view_specs_[0].likelihood == "von-mises-fisher"
    there = views["embedding:x"].present
    decoded = model.reconstruct(views)["embedding:x"]
    np.testing.assert_allclose(np.linalg.norm(decoded, axis=1), 1.0, rtol=1e-5)
    original = views["embedding:x"].values
    assert (decoded * original).sum(axis=1)[there].mean() > 0.8
    latents = model.transform(views)[there]
    centres = np.stack([latents[kind[there] == k].mean(axis=0) for k in (0, 1)])
    nearest = np.linalg.norm(latents[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == kind[there]).mean() > 0.95
    again = load_model(save_model(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.transform(views), model.transform(views))


def test_directions_and_counts_go_together() -> None:
    views, kind = make()
    model = song_vae(**OPTIONS).fit(views)
    space = model.transform(views)
    assert np.isfinite(space).all()
    centres = np.stack([space[kind == k].mean(axis=0) for k in (0, 1)])
    nearest = np.linalg.norm(space[:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == kind).mean() > 0.95
    probabilities = model.reconstruct(views)["lyrics-counts"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-5)


def test_a_long_lyric_counts_no_more_than_a_short_one() -> None:
    lengths = np.where(np.arange(N) < 40, 5, 400)
    views, _ = make(lengths)
    words = views.select(["lyrics-counts"])
    short, long = words.take(np.arange(40)), words.take(np.arange(40, N))
    level = song_vae(**OPTIONS).fit(words)
    assert -level.score(long) < 2 * -level.score(short)


def test_impossible_likelihoods_are_refused() -> None:
    views, _ = make()
    with pytest.raises(ValueError, match="give by view, one of gaussian, multinomial, von"):
        song_vae(likelihoods={"lyrics-counts": "poisson"}).fit(views)
    with pytest.raises(SongscapeError, match="negative"):
        song_vae(likelihoods={"embedding:x": "multinomial"}).fit(views)
    few = Views(
        views.track_ids, {"embedding:x": View(np.ones((N, 3), np.float32), np.ones(N, bool))}
    )
    with pytest.raises(ValueError, match="at least 4 numbers"):
        SongVAE().fit(few)
