"""HotDeck: tracks that lack a view are spread as complete tracks are, by what is known of them."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score

from songscape.features.views import View, Views
from songscape.models.imputation import MIN_COMPLETE, HotDeck
from songscape.models.presets import make_model
from songscape.models.saving import load_model, save_model
from songscape.models.vae import SongVAE

N_TRACKS, N_LANGUAGES = 240, 4
SMALL = {"latent_dim": 8, "hidden": (32,), "epochs": 40}


@pytest.fixture(scope="module")
def whole() -> Views:
    """Words of four languages over three sounds that have nothing to do with them."""
    rng = np.random.default_rng(0)
    sound, language = rng.integers(0, 3, N_TRACKS), rng.integers(0, N_LANGUAGES, N_TRACKS)
    heard = 3.0 * rng.standard_normal((3, 1, 10))[sound]
    segments = heard + rng.standard_normal((N_TRACKS, 4, 10))
    rates = np.where(np.arange(40) // 10 == language[:, None], 2.0, 0.02)
    counts = rng.poisson(rates).astype(np.float32)
    counts[:, 0] += counts.sum(1) == 0
    everywhere = np.ones(N_TRACKS, bool)
    mask = np.ones((N_TRACKS, 4), bool)
    return Views(
        tuple(f"{i:03}" for i in range(N_TRACKS)),
        {
            "segments": View(segments.astype(np.float32), everywhere, mask, step_axis=1),
            "lyrics": View(sp.csr_array(counts), everywhere),
        },
    )


def lacking(views: Views, name: str, rows: np.ndarray) -> Views:
    present = views[name].present.copy()
    present[rows] = False
    return replace(views, blocks={**views.blocks, name: replace(views[name], present=present)})


@pytest.fixture(scope="module")
def halved(whole: Views) -> Views:
    mute = np.random.default_rng(1).permutation(N_TRACKS)[: N_TRACKS // 2]
    return lacking(whole, "lyrics", mute)


@pytest.fixture(scope="module")
def model(halved: Views) -> SongVAE:
    return make_model("song-vae", views=("segments", "lyrics"), **SMALL).fit(halved)


def changed(model: SongVAE, **options: str) -> SongVAE:
    """The same fitted model, asked in another way."""
    return copy.copy(model).set_params(**options)


def donors_of(model: SongVAE) -> HotDeck:
    assert model.hot_deck_ is not None
    return model.hot_deck_


@pytest.mark.parametrize("known", [(True, True), (True, False), (False, True)])
def test_donors_know_their_posterior_by_any_of_their_views(
    known: tuple[bool, bool], halved: Views, model: SongVAE
) -> None:
    complete = halved.take(np.flatnonzero(halved["lyrics"].present))
    for name, there in zip(("segments", "lyrics"), known):
        if not there:
            complete = lacking(complete, name, np.arange(complete.n_tracks))
    expected = model.posterior(complete)[0]
    found = donors_of(model).means(np.array(known))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_difference_comes_from_the_nearest_and_only_where_something_is_missing() -> None:
    # Three donors at each of two places: the first view says where, the second adds 1 or 10.
    where = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 5.2])
    added = np.repeat([1.0, 10.0], 3)
    linear = np.stack([where, added], axis=1)
    donors = HotDeck(1e6 * linear[:, :, None], np.full((6, 2, 1), 1e6), linear, np.arange(2))
    present = np.array([[True, True], [True, False], [True, False], [False, False]])
    coordinates = np.array([[3.0, 3.0], [1.0, 0.0], [4.0, 0.0], [0.0, 0.0]])
    means = np.array([[3.0], [1.0], [4.0], [0.0]])
    filled, found = donors.complete(coordinates, means, present, np.ones(1))
    # Half of the evidence is the second view's: 0.15 half of the way to 1, 5.05 to 10.
    np.testing.assert_allclose(found, [[3.0], [1.0 + 0.425], [4.0 + 2.475], [0.0]], atol=1e-4)
    np.testing.assert_allclose(filled[:, 1], [3.0, 1.0, 10.0, 0.0], atol=1e-9)
    np.testing.assert_array_equal(filled[:, 0], coordinates[:, 0])
    assert means[1] == 1.0, "what was given stays as it was"


def test_tracks_without_lyrics_are_no_cluster_of_their_own(halved: Views, model: SongVAE) -> None:
    has_lyrics = halved["lyrics"].present

    def told(imputation: str) -> float:
        X = changed(model, imputation=imputation).transform(halved)
        clusters = KMeans(3 * (N_LANGUAGES + 1), n_init=5, random_state=0).fit_predict(X)
        return float(adjusted_mutual_info_score(has_lyrics, clusters))

    assert told("donor") < 0.1 < 0.3 < told("mean")


@pytest.mark.parametrize("space", ["joint", "latent"])
def test_a_trained_track_that_loses_its_lyrics_stays_near(
    space: str, halved: Views, model: SongVAE
) -> None:
    rows = np.flatnonzero(halved["lyrics"].present)[:20]
    later = lacking(halved, "lyrics", rows).take(rows)
    ways = [changed(model, space=space, imputation=how) for how in ("donor", "mean")]
    before = ways[0].transform(halved)[rows]
    moved, bare = (np.linalg.norm(one.transform(later) - before, axis=1) for one in ways)
    assert np.median(moved) < np.median(bare)


def test_places_do_not_depend_on_who_is_asked_along_and_survive_saving(
    halved: Views, model: SongVAE, tmp_path: Path
) -> None:
    places = model.transform(halved)
    rows = np.flatnonzero(~halved["lyrics"].present)[::7]
    np.testing.assert_array_equal(model.transform(halved.take(rows)), places[rows])
    again = load_model(save_model(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.transform(halved), places)


def test_no_donors_without_complete_tracks_or_another_view(whole: Views) -> None:
    few = lacking(whole, "lyrics", np.arange(MIN_COMPLETE - 1, N_TRACKS))
    arguments = {**SMALL, "epochs": 2}
    for views, names in ((few, ("segments", "lyrics")), (whole, ("segments",))):
        fitted = make_model("song-vae", views=names, **arguments).fit(views)
        assert fitted.hot_deck_ is None
        assert np.isfinite(fitted.transform(views)).all()
