"""balanced-lda and neutral-lda: what whitening within songs, balance and alignment promise."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.linalg import sqrtm
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from songscape.errors import UsageError
from songscape.features.covariates import composition_view
from songscape.features.views import View, Views
from songscape.metrics.neighbours import knn_agreement_samples, nearest_neighbors
from songscape.models import within_song
from songscape.models.alignment import choose_neutral, fit_alignment
from songscape.models.linear import BlockPCA
from songscape.models.presets import make_model

N, STEPS, FEATURES = 80, 6, 8


def steps(rng: np.random.Generator, mask: np.ndarray | None = None) -> View:
    """Songs that differ in the last feature a little; within songs the first one differs a lot."""
    songs = rng.normal(size=(N, 1, FEATURES))
    within = rng.normal(size=(N, STEPS, FEATURES)) * np.array([9.0] + [0.3] * (FEATURES - 1))
    full = np.ones((N, STEPS), bool) if mask is None else mask
    values = ((songs + within) * full[..., None]).astype(np.float32)
    return View(values, np.ones(N, bool), full, step_axis=1)


def collection(seed: int = 0) -> Views:
    """Languages that shift, stretch and turn the sound, and decide most words."""
    rng = np.random.default_rng(seed)
    languages = np.array(["German", "English"] * (N // 2))
    german = languages == "German"
    segments = steps(rng)
    segments.values[german] *= np.float32([3.0, *[1.0] * (FEATURES - 1)])
    segments.values[german] += np.float32(4.0)
    words = rng.poisson(0.7, size=(N, 40)) * np.where(german[:, None], *np.eye(2)[:, :, None][:, 0])
    words = words + rng.poisson(0.5, size=(N, 40)) * (np.arange(40) % 2 == german[:, None])
    has_words = np.arange(N) % 9 > 0
    lyrics = sp.csr_array((words * has_words[:, None]).astype(np.float32))
    blocks = {
        "segments": segments,
        "rhythm": View(rng.normal(size=(N, 12)).astype(np.float32), np.ones(N, bool)),
        "lyrics": View(lyrics, has_words),
        "language": composition_view([*languages[:-1], None]),
    }
    return Views(tuple(f"t{i:03}" for i in range(N)), blocks, np.arange(N) // 2)


@pytest.mark.parametrize(("name", "standardise"), [("segments", True), ("voice", False)])
def test_song_means_are_whitened_as_in_linear_discriminant_analysis(
    name: str, standardise: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of what an encoder hears segment by segment as well.
    monkeypatch.setattr(within_song, "RIDGE", 1e-9)
    view = replace(steps(np.random.default_rng(0)), modality="audio", standardise=standardise)
    ours = BlockPCA((name,), n_components=FEATURES, within_song=True)
    means = ours.fit_transform(Views(tuple(f"{i:02}" for i in range(N)), {name: view}))
    songs = np.repeat(np.arange(N), STEPS)
    rows = view.values.reshape(-1, FEATURES)
    lda = LinearDiscriminantAnalysis(solver="svd").fit(rows, songs)
    reference = lda.transform(rows).reshape(N, STEPS, -1).mean(axis=1)
    reference = reference - reference.mean(axis=0)
    reference /= np.sqrt((reference**2).sum(axis=1).mean())
    # Axes may be turned where variances are equal: distances may not.
    np.testing.assert_allclose(means @ means.T, reference @ reference.T, atol=1e-3)


def test_padded_steps_are_not_data() -> None:
    mask = np.arange(STEPS) < np.random.default_rng(1).integers(2, STEPS + 1, N)[:, None]
    view = steps(np.random.default_rng(0), mask)
    padded = View(np.where(mask[..., None], view.values, 99.0), view.present, mask, step_axis=1)
    ids = tuple(f"{i:02}" for i in range(N))
    model = BlockPCA(("segments",), within_song=True)
    expected = model.fit_transform(Views(ids, {"segments": view}))
    np.testing.assert_array_equal(model.fit_transform(Views(ids, {"segments": padded})), expected)


def test_what_differs_within_songs_counts_for_little() -> None:
    rng = np.random.default_rng(0)
    view = steps(rng)
    songs = view.values[:, ::2].mean(axis=1), view.values[:, 1::2].mean(axis=1)
    halves = np.stack([view.values[:, ::2], view.values[:, 1::2]], axis=1).reshape(2 * N, 3, -1)
    both = View(halves, np.ones(2 * N, bool), np.ones((2 * N, 3), bool), step_axis=1)
    ids = tuple(f"{i:03}" for i in range(2 * N))
    found = {}
    for within in (False, True):
        model = BlockPCA(("segments",), within_song=within)
        near = nearest_neighbors(model.fit_transform(Views(ids, {"segments": both})), 1)
        found[within] = np.mean(knn_agreement_samples(near, np.arange(2 * N) // 2))
    assert len(songs) == 2
    assert found[True] > found[False] + 0.2


def test_sound_together_weighs_as_much_as_words_together() -> None:
    views = collection()
    latents = make_model("balanced-lda").fit_transform(views)
    has_words = views["lyrics"].present
    n_words = make_model("balanced-lda").get_params()["word_components"]
    sound, words = latents[:, :-n_words], latents[has_words, -n_words:]
    assert sound.var(axis=0).sum() == pytest.approx(1.0, rel=1e-4)
    assert words.var(axis=0).sum() == pytest.approx(1.0, rel=1e-4)
    assert not latents[~has_words, -n_words:].any()


def test_directions_are_centred_and_not_scaled() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(N, 6)) * np.array([5, 1, 1, 0.1, 0.1, 0.1]) + 1.0
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    view = View(vectors.astype(np.float32), np.ones(N, bool), modality="text", standardise=False)
    latents = BlockPCA(n_components=6).fit_transform(
        Views(tuple(f"{i:02}" for i in range(N)), {"embedding:some": view})
    )
    centred = vectors - vectors.mean(axis=0)
    expected = centred / np.sqrt((centred**2).sum(axis=1).mean())
    np.testing.assert_allclose(latents @ latents.T, expected @ expected.T, atol=1e-3)


def test_turned_languages_have_the_same_mean_and_covariance() -> None:
    rng = np.random.default_rng(0)
    languages = ["German", "English"] * 300
    german = np.array(languages) == "German"
    X = rng.normal(size=(600, 3)) * np.where(german[:, None], [3.0, 1, 1], [1.0, 2, 1])
    X += np.where(german[:, None], 5.0, 0.0)
    composition = composition_view(languages)
    alignment = fit_alignment(X, np.ones_like(X, bool), composition, [np.arange(3)])
    aligned = alignment.apply(X, composition)
    np.testing.assert_allclose(aligned[german].mean(axis=0), 0, atol=1e-9)
    one, other = (np.cov(aligned[rows].T) for rows in (german, ~german))
    apart = np.cov(X[german].T) - np.cov(X[~german].T)
    assert np.abs(one - other).max() < 0.25 * np.abs(apart).max(), "but for the ridge"
    # CORAL by its definition, with the same ridge and shrinkage.
    away = X - np.where(german[:, None], X[german].mean(axis=0), X[~german].mean(axis=0))
    common = away.T @ away / 600
    ridge = 0.1 * np.trace(common) / 3 * np.eye(3)
    own = 0.99 * away[german].T @ away[german] / 300 + 0.01 * common
    turning = np.linalg.inv(sqrtm(own + ridge)) @ sqrtm(common + ridge)
    np.testing.assert_allclose(aligned[german], away[german] @ turning, atol=1e-9)


def test_neutral_neighbours_share_the_language_as_often_as_by_chance() -> None:
    views = collection()
    known = np.flatnonzero(views["language"].present)
    languages = views["language"].values[known].argmax(axis=1)
    share = {}
    for name in ("balanced-lda", "neutral-lda"):
        near = nearest_neighbors(make_model(name).fit_transform(views)[known], 10)
        share[name] = float(np.mean(knn_agreement_samples(near, languages)))
    assert share["balanced-lda"] > 0.8
    assert share["neutral-lda"] < 0.56


def test_a_new_track_lies_where_it_would_have_lain() -> None:
    views = collection()
    model = make_model("neutral-lda").fit(views)
    whole = model.transform(views)
    np.testing.assert_allclose(model.transform(views.take([7, 3])), whole[[7, 3]], atol=1e-6)
    assert not whole[views["lyrics"].present == np.False_][:, -5:].any()
    assert np.isfinite(whole[-1]).all(), "its language is unknown"


def test_neutrality_needs_a_covariate() -> None:
    with pytest.raises(UsageError, match="neutral = True needs covariates"):
        make_model("balanced-lda", neutral=True)


def test_the_language_is_hidden_by_a_candidate_that_can_whatever_the_others_keep() -> None:
    rng = np.random.default_rng(0)
    languages = ["German", "English"] * 60
    shift = np.where(np.array(languages) == "German", 3.0, 0.0)[:, None]
    songs = rng.normal(size=(120, 4))
    told, hidden = songs + shift, songs + 0.5 * rng.normal(size=(120, 4))
    words = rng.normal(size=(120, 2))
    candidates = [(told, words), (hidden, words)]
    chosen, _ = choose_neutral(told, candidates, composition_view(languages), None)
    assert chosen == 1, "although the first keeps every neighbour within a language"
    assert choose_neutral(told, candidates[:1] * 2, composition_view(languages), None)[0] == 0
