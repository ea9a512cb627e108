"""The song-level model: evidence multiplies, a view may be missing, language can be held."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.stats
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.neighbors import NearestNeighbors

from songscape.features.views import View, Views
from songscape.models.linear import BlockPCA
from songscape.models.networks import Batch
from songscape.models.objective import hsic_penalty, leave_out
from songscape.models.presets import make_model
from songscape.models.vae import SongVAE

N_TRACKS, N_SEGMENTS, N_WORDS = 200, 4, 60
VIEWS = ("segments", "lyrics")
SMALL = {"latent_dim": 8, "hidden": (64,), "epochs": 40}


def collection(seed: int = 0) -> tuple[Views, np.ndarray, np.ndarray]:
    """Songs of 4 styles in 3 languages, independent of each other.

    Style is heard in every segment and decides the theme of the words; each language has words of
    its own for each theme.
    """
    rng = np.random.default_rng(seed)
    style, language = rng.integers(0, 4, N_TRACKS), rng.integers(0, 3, N_TRACKS)
    song = rng.standard_normal((4, 20))[style] * 2 + rng.standard_normal((N_TRACKS, 20))
    segments = song[:, None] + 0.7 * rng.standard_normal((N_TRACKS, N_SEGMENTS, 20))
    rates = np.full((N_TRACKS, N_WORDS), 0.02)
    for track in range(N_TRACKS):
        first = language[track] * 20 + style[track] * 5
        rates[track, language[track] * 20 : language[track] * 20 + 20] += 0.5
        rates[track, first : first + 5] += 4.0
    counts = rng.poisson(rates).astype(np.float32)
    counts[counts.sum(1) == 0, 0] = 1
    counts /= np.linalg.norm(counts, axis=1, keepdims=True)
    everywhere = np.ones(N_TRACKS, bool)
    mask = np.ones((N_TRACKS, N_SEGMENTS), bool)
    views = {
        "segments": View(segments.astype(np.float32), everywhere, mask, step_axis=1),
        "lyrics": View(sp.csr_array(counts), everywhere),
        "language": View(
            np.eye(3, dtype=np.float32)[language], everywhere, feature_names=("bn", "de", "en")
        ),
    }
    return Views(tuple(f"{i:03d}" for i in range(N_TRACKS)), views), style, language


@pytest.fixture(scope="module")
def songs() -> tuple[Views, np.ndarray, np.ndarray]:
    return collection()


@pytest.fixture(scope="module")
def model(songs: tuple[Views, np.ndarray, np.ndarray]) -> SongVAE:
    return make_model("song-vae", views=VIEWS, **SMALL).fit(songs[0])


@pytest.fixture(scope="module")
def neutral(songs: tuple[Views, np.ndarray, np.ndarray]) -> SongVAE:
    arguments = {**SMALL, "epochs": 120, "learning_rate": 4e-3, "views": VIEWS}
    return make_model("neutral-vae", **arguments).fit(songs[0])


def without(views: Views, name: str) -> Views:
    absent = replace(views[name], present=np.zeros(views.n_tracks, bool))
    return Views(views.track_ids, {**views.blocks, name: absent})


def agreement(latents: np.ndarray, labels: np.ndarray, k: int = 10) -> float:
    nearest = NearestNeighbors(n_neighbors=k + 1).fit(latents).kneighbors(return_distance=False)
    return float((labels[nearest[:, :k]] == labels[:, None]).mean())


def test_order_of_segments_changes_nothing(songs: tuple, model: SongVAE) -> None:
    views = songs[0]
    turned = replace(views["segments"], values=views["segments"].values[:, ::-1].copy())
    mean, spread = model.posterior(views)
    ours, our_spread = model.posterior(Views(views.track_ids, {**views.blocks, "segments": turned}))
    np.testing.assert_allclose(ours, mean, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(our_spread, spread, rtol=1e-6)


def test_every_piece_of_evidence_makes_a_track_more_certain(songs: tuple, model: SongVAE) -> None:
    views = songs[0]
    mask = np.zeros((N_TRACKS, N_SEGMENTS), bool)
    mask[:, 0] = True
    one = replace(views["segments"], mask=mask)
    spreads = [
        model.uncertainty(some)
        for some in (
            views,
            without(views, "lyrics"),
            without(Views(views.track_ids, {**views.blocks, "segments": one}), "lyrics"),
            without(without(views, "lyrics"), "segments"),
        )
    ]
    for less, more in pairwise(spreads):
        assert (less < more).all()
    np.testing.assert_allclose(spreads[-1], 1.0)


def test_audio_and_lyrics_alone_land_near_the_whole_song(songs: tuple, model: SongVAE) -> None:
    views, style, _ = songs
    whole = model.posterior(views)[0]
    index = NearestNeighbors(n_neighbors=10).fit(whole)
    for name in ("lyrics", "segments"):
        alone = model.posterior(without(views, name))[0]
        nearest = index.kneighbors(alone, return_distance=False)
        hits = (nearest == np.arange(N_TRACKS)[:, None]).any(axis=1)
        assert hits.mean() > 3 * 10 / N_TRACKS, "three times chance"
        assert agreement(alone, style) > 0.9


def test_missing_views_are_imputed(songs: tuple, model: SongVAE) -> None:
    views, style, _ = songs
    decoded = model.reconstruct(without(views, "segments"))["segments"]
    truth = views["segments"].values.mean(axis=(0, 1))
    by_style = np.stack([views["segments"].values[style == s].mean((0, 1)) for s in range(4)])
    guessed = np.stack([decoded[style == s].mean((0, 1)) for s in range(4)])
    unexplained = ((guessed - by_style) ** 2).sum() / ((by_style - truth) ** 2).sum()
    assert unexplained < 0.2
    words = model.reconstruct(without(views, "lyrics"))["lyrics"]
    themes = np.stack([words[:, s * 5 :: 20][:, :1].sum(1) for s in range(4)], axis=1)
    assert (themes.argmax(1) == style).mean() > 0.8


def test_leaving_out_never_leaves_nothing_and_keeps_the_shares() -> None:
    present = torch.ones(4000)
    weights = {"a": torch.ones(4000, 1, 1).expand(-1, 5, 1), "b": torch.ones(4000, 1)}

    class Experts:
        def expert_weights(self, batch: object) -> dict[str, torch.Tensor]:
            return {"a": weights["a"].flatten(1), "b": weights["b"]}

    batch = Batch({}, weights, {"a": present, "b": present})
    kept = leave_out(Experts(), batch, 0.5, torch.Generator().manual_seed(0)).keep
    total = kept["a"].sum(1) + kept["b"][:, 0]
    assert total.min() >= 1
    # Nothing is drawn once in twelve times (no segment: 1/6, no lyrics: 1/2), then all is restored.
    assert kept["b"].mean().item() == pytest.approx(0.5 + 1 / 12, abs=0.03)
    assert kept["a"].mean().item() == pytest.approx(0.5 + 1 / 12, abs=0.03)


def test_joint_space_is_linear_coordinates_and_latents_of_a_fixed_weight(
    songs: tuple, model: SongVAE
) -> None:
    views, style, _ = songs
    linear = BlockPCA(VIEWS, word_components=24, within_song=True).fit_transform(views)
    latents, spread = (part.astype(np.float64) for part in model.posterior(views))
    latents /= np.median(spread, axis=0)
    found = model.transform(views).astype(np.float64)
    at = linear.shape[1]
    np.testing.assert_allclose(found[:, :at], linear, atol=1e-5)
    np.testing.assert_allclose(found[:, at:] / latents, found[0, at] / latents[0, 0], rtol=1e-3)
    assert found[:, at:].var(axis=0).sum() == pytest.approx(0.7**2, rel=1e-3)
    assert agreement(found, style) > 0.9


def test_words_start_as_common_as_they_are_and_loadings_have_a_prior(songs: tuple) -> None:
    views = songs[0]
    counts = views["lyrics"].values.toarray()
    shares = (counts / counts.sum(1, keepdims=True)).mean(0)
    model = make_model(
        "song-vae", views=VIEWS, **{**SMALL, "epochs": 1, "learning_rate": 1e-9}
    ).fit(views)
    alike = np.exp(model.network_.heads["view1"].bias.detach().numpy())
    assert np.corrcoef(alike, shares)[0, 1] > 0.9
    weight = model.network_.heads["view1"].weight.detach().double().numpy()
    assert weight.shape == (N_WORDS, model.latent_dim)
    prior = -scipy.stats.norm.logpdf(weight).sum() - 0.5 * weight.size * np.log(2 * np.pi)
    assert model.network_.loadings().item() == pytest.approx(prior, rel=1e-4)


def test_the_neutral_space_hides_language_that_decoding_brings_back(
    songs: tuple, neutral: SongVAE
) -> None:
    views, style, language = songs
    ours, decoded = neutral.transform(views), np.sqrt(neutral.reconstruct(views)["lyrics"])
    chance = float((np.bincount(language) / N_TRACKS) @ (np.bincount(language) / N_TRACKS))
    assert agreement(decoded, language) > 0.9
    assert agreement(ours, language) < chance + 0.2 * (1 - chance)
    assert agreement(ours, style) > 0.9


def test_dependence_is_told_from_independence() -> None:
    generator = torch.Generator().manual_seed(0)
    language = torch.eye(3)[torch.randint(0, 3, (200,), generator=generator)]
    blind = torch.randn(200, 4, generator=generator)
    telling = blind * 0.1 + language @ torch.randn(3, 4, generator=generator) * 5
    assert hsic_penalty(telling, language).item() > 0.9
    assert hsic_penalty(blind, language).item() < 0.1
    shuffled = telling[torch.randperm(200, generator=generator)]
    assert hsic_penalty(shuffled, language).item() < 0.1


def test_independence_costs_the_latents_their_language(songs: tuple) -> None:
    views = songs[0].take(np.arange(120))
    own = torch.as_tensor(views["language"].values)
    left = []
    for weight in (0.0, 200.0):
        options = {**SMALL, "epochs": 25, "views": VIEWS, "independence": weight}
        model = make_model("neutral-vae", **options).fit(views)
        latents = torch.as_tensor(model.posterior(views)[0])
        left.append(hsic_penalty(latents, own).item())
    assert left[1] < 0.7 * left[0]


def test_unknown_language_is_the_average_language(songs: tuple, neutral: SongVAE) -> None:
    views = without(songs[0], "language")
    latents = neutral.transform(views)
    other = Views(
        views.track_ids,
        {
            **views.blocks,
            "language": View(np.zeros((N_TRACKS, 0), np.float32), np.zeros(N_TRACKS, bool)),
        },
    )
    np.testing.assert_array_equal(neutral.transform(other), latents)


def test_mixture_prior_finds_planted_clusters(songs: tuple) -> None:
    views, style, _ = songs
    audio = views.select(["segments"])
    model = make_model("vade", views=("segments",), n_components=4, **SMALL).fit(audio)
    memberships = model.memberships(audio)
    np.testing.assert_allclose(memberships.sum(1), 1.0)
    kmeans = KMeans(4, n_init=10, random_state=0).fit_predict(model.transform(audio))
    ours = adjusted_mutual_info_score(style, memberships.argmax(1))
    assert ours > 0.8
    assert ours > adjusted_mutual_info_score(style, kmeans) - 0.05
