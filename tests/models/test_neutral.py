"""Language-neutral representations: covariates, and what neutralising them costs."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.neighbors import NearestNeighbors

from songscape.features.covariates import composition_view
from songscape.features.views import View, Views
from songscape.models.covariate_encoder import fit_covariates
from songscape.models.presets import make_model
from songscape.models.vae import SongVAE

N_TRACKS, N_WORDS = 160, 40
LANGUAGES = ("Bangla", "German", "English")


def collection() -> tuple[Views, np.ndarray, np.ndarray, np.ndarray]:
    """Songs of 4 styles in 3 languages from 2 sources, all independent of each other.

    A language has words of its own for every style; a source shifts the sound.
    """
    rng = np.random.default_rng(0)
    style, language = np.arange(N_TRACKS) % 4, rng.integers(0, 3, N_TRACKS)
    source = rng.integers(0, 2, N_TRACKS)
    sound = rng.standard_normal((4, 12))[style] * 2 + rng.standard_normal((N_TRACKS, 12))
    sound += np.where(source[:, None] == 1, 3.0, -3.0) * rng.standard_normal(12)
    segments = sound[:, None] + 0.7 * rng.standard_normal((N_TRACKS, 3, 12))
    rates = np.full((N_TRACKS, N_WORDS), 0.02)
    for track in range(N_TRACKS):
        first = language[track] * 12 + style[track] * 3
        rates[track, language[track] * 12 : language[track] * 12 + 12] += 0.5
        rates[track, first : first + 3] += 4.0
    counts = rng.poisson(rates).astype(np.float32)
    counts[counts.sum(1) == 0, 0] = 1
    counts /= np.linalg.norm(counts, axis=1, keepdims=True)
    everywhere = np.ones(N_TRACKS, bool)
    mask = np.ones((N_TRACKS, 3), bool)
    views = {
        "segments": View(segments.astype(np.float32), everywhere, mask, step_axis=1),
        "lyrics": View(sp.csr_array(counts), everywhere),
        "language": composition_view([LANGUAGES[i] for i in language]),
        "source": composition_view([("hymnal", "radio")[i] for i in source]),
    }
    return Views(tuple(f"{i:03d}" for i in range(N_TRACKS)), views), style, language, source


def small(**options: object) -> SongVAE:
    arguments = {"latent_dim": 6, "hidden": (48,), "epochs": 60, "learning_rate": 4e-3}
    arguments |= {"views": ("segments", "lyrics")}
    return make_model("neutral-vae", **{**arguments, **options})


@pytest.fixture(scope="module")
def songs() -> tuple[Views, np.ndarray, np.ndarray, np.ndarray]:
    return collection()


@pytest.fixture(scope="module")
def neutral(songs: tuple) -> SongVAE:
    # Languages without a word in common, and two covariates, need a heavier penalty.
    return small(covariates=("language", "source"), independence=300.0).fit(songs[0])


def agreement(latents: np.ndarray, labels: np.ndarray, k: int = 10) -> float:
    nearest = NearestNeighbors(n_neighbors=k + 1).fit(latents).kneighbors(return_distance=False)
    return float((labels[nearest[:, :k]] == labels[:, None]).mean())


def chance(labels: np.ndarray) -> float:
    return float(((np.bincount(labels) / len(labels)) ** 2).sum())


def test_a_language_of_no_training_track_is_unknown_to_the_model(songs: tuple) -> None:
    views = songs[0]
    rows = np.flatnonzero(songs[2] != 0)
    encoder = fit_covariates(views, ["language"], rows)
    assert encoder.categories == (("English", "German"),)
    encoded = encoder.encode(views)
    assert (encoded[songs[2] == 0] == 0).all()
    assert (encoded[rows] != 0).all()


def test_a_song_in_two_languages_is_half_way_between_them(songs: tuple) -> None:
    view = composition_view(["German", "English", "German; English"])
    views = Views(("a", "b", "c"), {"language": view})
    german, english, both = fit_covariates(views, ["language"], np.arange(3)).encode(views)
    np.testing.assert_allclose(both, (german + english) / 2, atol=1e-6)


def test_latents_of_decoders_that_know_two_covariates_hide_both(
    songs: tuple, neutral: SongVAE
) -> None:
    views, style, language, source = songs
    found, decoded = neutral.posterior(views)[0], neutral.reconstruct(views)
    free = np.sqrt(decoded["lyrics"]), decoded["segments"].mean(axis=1)
    for nuisance, told_by in zip((language, source), free):
        told = agreement(told_by, nuisance) - chance(nuisance)
        assert told > 0.2
        assert agreement(found, nuisance) - chance(nuisance) < 0.25 * told
    assert agreement(found, style) > 0.9


def test_labels_are_not_trained_on(songs: tuple) -> None:
    views, style, *_ = songs
    with_labels = small(epochs=1).fit(views, pd.Series(style, name="style"))
    np.testing.assert_array_equal(
        with_labels.transform(views), small(epochs=1).fit(views).transform(views)
    )
