"""Imputation: a track's own words are found by its sound, and the reverse."""

import numpy as np
import pytest

from songscape.errors import SongscapeError
from songscape.features.views import View, Views
from songscape.models.imputation import nearest_by_view, without_views
from songscape.models.presets import make_model

N_TRACKS, N_KINDS = 120, 6


@pytest.fixture(scope="module")
def views() -> Views:
    """Six kinds of songs, each with a sound and a vocabulary of its own; every eighth is mute."""
    import scipy.sparse as sp

    rng = np.random.default_rng(0)
    kind = np.arange(N_TRACKS) % N_KINDS
    sound = rng.normal(size=(N_KINDS, 1, 12))[kind] * 3 + rng.normal(size=(N_TRACKS, 4, 12))
    rates = np.where(np.arange(36) // 6 == kind[:, None], 4.0, 0.1)
    words = rng.poisson(rates).astype(np.float32)
    has_words = np.arange(N_TRACKS) % 8 != 0
    words *= has_words[:, None]
    words /= np.maximum(np.linalg.norm(words, axis=1, keepdims=True), 1.0)
    everywhere = np.ones(N_TRACKS, bool)
    return Views(
        tuple(f"{kind[i]}-{i:03}" for i in range(N_TRACKS)),
        {
            "segments": View(
                sound.astype(np.float32), everywhere, np.ones((N_TRACKS, 4), bool), step_axis=1
            ),
            "lyrics": View(sp.csr_array(words.astype(np.float32)), has_words),
        },
    )


@pytest.fixture(scope="module")
def model(views: Views) -> object:
    return make_model(
        "song-vae", views=("segments", "lyrics"), epochs=40, hidden=(32,), latent_dim=8
    ).fit(views)


def same_kind(found) -> float:
    return float((found["track_id"].str[0] == found["nearest"].str[0]).mean())


def test_words_by_sound(model: object, views: Views) -> None:
    found = nearest_by_view(model, views, ["lyrics"], n_neighbors=3)
    mute = [i for i, t in enumerate(views.track_ids) if not views["lyrics"].present[i]]
    assert set(found["track_id"]) == {views.track_ids[i] for i in mute}
    assert found["rank"].tolist() == [1, 2, 3] * len(mute)
    assert found.groupby("track_id")["distance"].is_monotonic_increasing.all()
    assert set(found["nearest"]).isdisjoint(found["track_id"])
    assert same_kind(found) > 3 / N_KINDS


def test_sound_by_words(model: object, views: Views) -> None:
    asked = np.flatnonzero(views["lyrics"].present)[:20]
    found = nearest_by_view(model, views, ["segments"], tracks=asked, n_neighbors=1)
    assert len(found) == len(asked)
    assert (found["track_id"] != found["nearest"]).all()
    assert same_kind(found) > 3 / N_KINDS


def test_shuffled_words_are_found_by_chance_only(model: object, views: Views) -> None:
    order = np.random.default_rng(1).permutation(N_TRACKS)
    shuffled = Views(
        views.track_ids, {**views.blocks, "lyrics": views["lyrics"].take(order)}, views.groups
    )
    found = nearest_by_view(model, shuffled, ["lyrics"], tracks=range(N_TRACKS), n_neighbors=3)
    assert same_kind(found) < 2 / N_KINDS


def test_what_cannot_be_asked(model: object, views: Views) -> None:
    with pytest.raises(SongscapeError, match="cannot place a track by harmony"):
        nearest_by_view(model, views, ["harmony"])
    with pytest.raises(SongscapeError, match="no track has lyrics"):
        nearest_by_view(model, without_views(views, ["lyrics"]), ["lyrics"])
    with pytest.raises(SongscapeError, match="nothing but lyrics"):
        nearest_by_view(model, without_views(views, ["segments"]), ["lyrics"], tracks=[1])
