"""Language-neutral representations: what `at` means, other covariates, what neutralising costs."""

import copy

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from songscape.errors import SongscapeError
from songscape.features.covariates import category_view, composition_view
from songscape.features.views import View, Views
from songscape.models.covariates import fit_covariates
from songscape.models.decoder_space import decoded_blocks, mixed_blocks
from songscape.models.presets import make_model
from songscape.models.saving import load_model, save_model
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
        "source": category_view([("hymnal", "radio")[i] for i in source]),
    }
    return Views(tuple(f"{i:03d}" for i in range(N_TRACKS)), views), style, language, source


def small(**options: object) -> SongVAE:
    arguments = {"latent_dim": 6, "hidden": (48,), "epochs": 60, "learning_rate": 4e-3}
    arguments |= {"views": ("segments", "lyrics"), "space": "decoder", "at": "average"}
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


def test_own_is_what_a_model_without_at_gives(songs: tuple, neutral: SongVAE) -> None:
    views = songs[0]
    own = neutral.transform(views, at="own")
    neutral.set_params(at=None)
    np.testing.assert_array_equal(neutral.transform(views), own)
    neutral.set_params(at="own")
    np.testing.assert_array_equal(neutral.transform(views), own)
    neutral.set_params(at="average")
    assert not np.allclose(neutral.transform(views), own, atol=1e-2)


def test_a_language_goes_by_name_or_code(songs: tuple, neutral: SongVAE) -> None:
    views = songs[0]
    german = neutral.transform(views, at="German")
    for same in ("de", "deu", "german", "language=German", "language=de"):
        np.testing.assert_array_equal(neutral.transform(views, at=same), german)
    assert not np.allclose(neutral.transform(views, at="bn"), german, atol=1e-2)


def test_unknown_languages_name_the_known_ones(songs: tuple, neutral: SongVAE) -> None:
    with pytest.raises(
        SongscapeError,
        match=r"at='fr' .* language: Bangla, English, German; source: hymnal, radio",
    ):
        neutral.transform(songs[0], at="fr")


def test_an_unknown_language_is_refused_before_training(songs: tuple) -> None:
    epochs = []
    model = small(at="fr")
    with pytest.raises(SongscapeError, match="at='fr'"):
        model.fit(songs[0], callback=lambda epoch, *_: epochs.append(epoch))
    assert not epochs


def test_a_language_of_no_training_track_is_unknown_to_the_model(songs: tuple) -> None:
    views = songs[0]
    rows = np.flatnonzero(songs[2] != 0)
    encoder = fit_covariates(views, ["language"], rows)
    assert encoder.categories == (("English", "German"),)
    encoded = encoder.encode(views)
    assert (encoded[songs[2] == 0] == 0).all()
    assert (encoded[rows] != 0).all()


def test_every_track_at_one_language_differs_by_its_song_alone(neutral: SongVAE) -> None:
    at = neutral.covariates_.at("de", 3)
    np.testing.assert_array_equal(at, np.repeat(at[:1], 3, axis=0))
    np.testing.assert_array_equal(neutral.covariates_.at("average", 2), 0)


def test_a_song_in_two_languages_is_half_way_between_them(songs: tuple) -> None:
    view = composition_view(["German", "English", "German; English"])
    views = Views(("a", "b", "c"), {"language": view})
    german, english, both = fit_covariates(views, ["language"], np.arange(3)).encode(views)
    np.testing.assert_allclose(both, (german + english) / 2, atol=1e-6)


def test_the_average_hides_every_covariate_and_keeps_the_style(
    songs: tuple, neutral: SongVAE
) -> None:
    views, style, language, source = songs
    own, average = neutral.transform(views, at="own"), neutral.transform(views)
    for nuisance in (language, source):
        assert agreement(own, nuisance) > chance(nuisance) + 0.2
        left = agreement(average, nuisance) - chance(nuisance)
        assert left < 0.25 * (agreement(own, nuisance) - chance(nuisance))
    assert agreement(average, style) > 0.9


def test_songs_of_a_language_are_not_driven_apart() -> None:
    # Every song has words of its own: whoever learns them by heart drives apart the songs of a
    # language, which must be told from each other, and not those of different ones.
    rng = np.random.default_rng(0)
    n_tracks, n_words = 120, 60
    style, language = np.arange(n_tracks) % 4, rng.permutation(np.arange(n_tracks) % 3)
    sound = 1.5 * rng.standard_normal((4, 12))[style] + rng.standard_normal((n_tracks, 12))
    segments = sound[:, None] + 0.7 * rng.standard_normal((n_tracks, 3, 12))
    counts = np.zeros((n_tracks, 3, n_words))
    for track, rates in enumerate(rng.dirichlet(np.full(n_words, 0.15), n_tracks)):
        counts[track, language[track]] = rng.multinomial(100, rates)
    counts = normalize(counts.reshape(n_tracks, -1))
    everywhere = np.ones(n_tracks, bool)
    mask = np.ones((n_tracks, 3), bool)
    views = {
        "segments": View(segments.astype(np.float32), everywhere, mask, step_axis=1),
        "lyrics": View(sp.csr_array(counts.astype(np.float32)), everywhere),
        "language": composition_view([LANGUAGES[i] for i in language]),
    }
    songs = Views(tuple(f"{i:03d}" for i in range(n_tracks)), views)
    options = {"latent_dim": 16, "hidden": (64,), "epochs": 40, "dropout": 0.4}
    model = small(**options, learning_rate=2e-3).fit(songs)
    # A track is no neighbour of itself, hence one track fewer of its language.
    expected = (n_tracks / 3 - 1) / (n_tracks - 1)
    left = agreement(model.transform(songs), language) - expected
    assert agreement(model.transform(songs, at="own"), language) > 0.9
    assert -0.03 < left < 0.2


def test_holding_one_covariate_leaves_the_others_average(neutral: SongVAE) -> None:
    hymnal = neutral.covariates_.at("hymnal", 1)[0]
    np.testing.assert_array_equal(hymnal[:3], 0)
    assert (hymnal[3:] != 0).all()


def test_at_survives_saving(songs: tuple, neutral: SongVAE, tmp_path) -> None:
    loaded = load_model(save_model(neutral, tmp_path))
    for at in (None, "own", "de", "radio"):
        np.testing.assert_array_equal(
            loaded.transform(songs[0], at=at), neutral.transform(songs[0], at=at)
        )


def test_labels_are_not_trained_on(songs: tuple) -> None:
    views, style, *_ = songs
    with_labels = small(epochs=1).fit(views, pd.Series(style, name="style"))
    np.testing.assert_array_equal(
        with_labels.transform(views), small(epochs=1).fit(views).transform(views)
    )


def test_the_average_is_decoded_where_the_decoder_was_trained(neutral: SongVAE) -> None:
    covariates = neutral.covariates_
    mixture = covariates.mixture("average")
    assert len(mixture) == 3 * 2
    assert sum(weight for weight, _ in mixture) == pytest.approx(1.0)
    # Each is one language and one source; together they are the average track.
    singles = [covariates.at(name, 1)[0] for name in covariates.categories[0]]
    for _, vector in mixture:
        assert any(np.allclose(vector[:3], single[:3], atol=1e-5) for single in singles)
    middle = sum(weight * vector for weight, vector in mixture)
    np.testing.assert_allclose(middle, 0.0, atol=1e-5)


def test_rare_languages_have_no_part_in_the_average() -> None:
    view = composition_view(["German"] * 300 + ["English"] * 100 + ["Hawaiian"])
    views = Views(tuple(map(str, range(401))), {"language": view})
    encoder = fit_covariates(views, ["language"], np.arange(401))
    weights = [weight for weight, _ in encoder.mixture("average")]
    assert weights == pytest.approx([0.25, 0.75])
    ((weight, vector),) = encoder.mixture("haw")
    assert weight == 1.0
    np.testing.assert_array_equal(vector, encoder.at("haw", 1)[0])


def test_blocks_at_a_mixture_are_the_weighted_blocks(songs: tuple, neutral: SongVAE) -> None:
    network = copy.deepcopy(neutral.network_).double()
    latents = np.random.default_rng(1).standard_normal((5, 6))
    mixture = neutral.covariates_.mixture("average")
    weights = np.array([weight for weight, _ in mixture])
    blocks = mixed_blocks(network, latents, mixture)
    centred = mixed_blocks(network, latents, mixture, neutral.spaces_.average.centres)
    centres = [centre["lyrics"] for centre in neutral.spaces_.average.centres]
    np.testing.assert_array_equal(centred["segments"], blocks["segments"])
    for track in range(5):
        rows = np.repeat(latents[track : track + 1], len(mixture), axis=0)
        given = np.stack([vector for _, vector in mixture]).astype(np.float64)
        decoded = decoded_blocks(network, rows, given)
        for name, block in decoded.items():
            expected = np.average(block, axis=0, weights=weights)
            np.testing.assert_allclose(blocks[name][track], expected, rtol=1e-9, atol=1e-12)
        directions = normalize(decoded["lyrics"] - np.stack(centres))
        expected = np.sqrt(weights) @ directions
        np.testing.assert_allclose(centred["lyrics"][track], expected, rtol=1e-6, atol=1e-9)


def test_centres_are_the_mean_words_of_a_language(songs: tuple, neutral: SongVAE) -> None:
    mixture = neutral.covariates_.mixture("average")
    centres = neutral.spaces_.average.centres
    assert len(centres) == len(mixture)
    assert not neutral.spaces_.own.centres
    for (_, vector), centre in zip(mixture, centres):
        assert set(centre) == {"lyrics"}
        language = int(vector[:3].argmax())
        german = neutral.covariates_.categories[0][language] == "German"
        # Roots of probabilities: each language's own words are 12 to 24, 0 to 12, 24 to 36.
        own = (centre["lyrics"][12:24] ** 2).sum()
        assert (own > 0.5) == german
