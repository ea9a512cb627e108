"""Contrast: the score of one song against two is a likelihood ratio, and training sharpens it."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from by_path import load_module
from song_vae import song_vae

from songscape.features.views import Views
from songscape.models.covariates import SCALE
from songscape.models.inference import BatchReader
from songscape.models.networks import Batch
from songscape.models.objective import Terms, elbo_terms, infonce_loss, same_song
from songscape.models.vae import SongVAE

make_views = load_module(Path(__file__).with_name("conftest.py")).make_views


def evidence(n: int, seed: int = 0, views: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    """What songs' views say of five latents, each with noise of its own precision."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n, 1, 5, generator=generator, dtype=torch.float64)
    precision = 4.0 * torch.rand(n, views, 5, generator=generator, dtype=torch.float64)
    noise = torch.randn(n, views, 5, generator=generator, dtype=torch.float64)
    return precision * z + precision.sqrt() * noise, precision


def test_the_score_is_the_likelihood_ratio_of_one_latent_to_two() -> None:
    # Observations x = z + noise of z ~ N(0, 1): under one song both share z, under two they don't.
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 3))
    of_x, of_y = rng.uniform(0.1, 3.0, (2, 3))
    expected = 0.0
    for a, b, v, w in zip(x, y, of_x, of_y):
        together = scipy.stats.multivariate_normal(cov=[[1 + v, 1], [1, 1 + w]]).logpdf([a, b])
        apart = scipy.stats.norm(scale=(1 + v) ** 0.5).logpdf(a)
        expected += together - apart - scipy.stats.norm(scale=(1 + w) ** 0.5).logpdf(b)
    given = [torch.from_numpy(each[None]) for each in (x / of_x, 1 / of_x, y / of_y, 1 / of_y)]
    np.testing.assert_allclose(same_song(*given), [[expected]])


def test_evidence_that_says_nothing_is_chance_and_telling_evidence_is_not() -> None:
    weighted, precision = evidence(30)
    nothing = 1e-9 * precision
    assert infonce_loss(1e-9 * weighted, nothing).item() == pytest.approx(math.log(30))
    assert infonce_loss(weighted, precision).item() < math.log(30)
    # The same views, of songs that don't belong together.
    shuffled = torch.stack([weighted[:, 0], weighted[:, 1].roll(1, 0)], 1)
    assert infonce_loss(shuffled, precision).item() > math.log(30)


@pytest.mark.parametrize("n_views", [2, 3])
def test_order_of_songs_and_of_views_changes_nothing(n_views: int) -> None:
    weighted, precision = evidence(12, views=n_views)
    expected = infonce_loss(weighted, precision).item()
    songs = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    assert infonce_loss(weighted[songs], precision[songs]).item() == pytest.approx(expected)
    turned = infonce_loss(weighted.flip(1), precision.flip(1)).item()
    assert turned == pytest.approx(expected)


def test_songs_that_lack_a_view_take_no_part() -> None:
    weighted, precision = evidence(12)
    there = torch.ones(12, 2, 1, dtype=torch.float64)
    there[:3, 0], there[3:5, 1] = 0.0, 0.0
    whole = infonce_loss(weighted[5:], precision[5:]).item()
    assert infonce_loss(there * weighted, there * precision).item() == pytest.approx(whole)


@pytest.mark.parametrize("n_complete", [0, 1])
def test_where_there_is_nothing_to_confuse_it_costs_nothing(n_complete: int) -> None:
    weighted, precision = evidence(6)
    weighted[n_complete:, 1], precision[n_complete:, 1] = 0.0, 0.0
    weighted.requires_grad_()
    found = infonce_loss(weighted, precision)
    found.backward()
    assert found.item() == 0.0
    assert torch.isfinite(weighted.grad).all()
    assert infonce_loss(*evidence(6, views=1)).item() == 0.0


def test_songs_of_other_languages_are_no_rivals() -> None:
    weighted, precision = evidence(12)
    language = float(SCALE) * torch.eye(2, dtype=torch.float64).repeat_interleave(6, 0)
    halves = [infonce_loss(weighted[part], precision[part]) for part in (slice(6), slice(6, 12))]
    expected = (halves[0] + halves[1]).item() / 2
    assert infonce_loss(weighted, precision, language).item() == pytest.approx(expected, abs=0.02)
    assert infonce_loss(weighted, precision).item() > expected + 0.1
    same = torch.zeros(12, 2, dtype=torch.float64)
    assert infonce_loss(weighted, precision, same) == infonce_loss(weighted, precision)


def unseen_loss(contrast: float, views: Views) -> float:
    """How much unseen songs are confused by a model trained on the first two thirds."""
    model = song_vae(
        ("timbre", "lyrics"),
        fusion="poe",
        noise="learned",
        latent_dim=6,
        hidden=(32,),
        contrast=contrast,
        epochs=30,
        validation_fraction=0.0,
    )
    n_tracks = views.n_tracks
    model.fit(views.take(np.arange(2 * n_tracks // 3)))
    rows = np.arange(2 * n_tracks // 3, n_tracks)
    evidence = model._inference().evidence(views, rows)
    return infonce_loss(*(torch.from_numpy(part) for part in evidence)).item()


def test_contrast_makes_the_views_of_unseen_songs_agree() -> None:
    views = make_views(240)
    assert unseen_loss(10.0, views) < unseen_loss(0.0, views)


def test_contrast_needs_a_posterior_of_each_view(views: Views) -> None:
    with pytest.raises(ValueError, match="fusion = 'poe'"):
        song_vae(("timbre", "lyrics"), contrast=1.0).fit(views)


@pytest.fixture(scope="module")
def told(views: Views) -> tuple[SongVAE, Batch]:
    """A model that is given the language, and its batch of all tracks."""
    model = song_vae(
        ("timbre", "lyrics"),
        fusion="poe",
        covariates=("language",),
        latent_dim=4,
        epochs=2,
        contrast=1.0,
    ).fit(views)
    rows = np.arange(views.n_tracks)
    given = model.covariates_.encode(views)
    return model, BatchReader(model.view_specs_, model.inputs_, views, given)(rows)


def terms(told: tuple[SongVAE, Batch], contrasted: bool, **changed: object) -> Terms:
    model, batch = told
    noise = torch.zeros(len(batch.present["timbre"]), model.latent_dim)
    batch = replace(batch, **changed)
    with torch.no_grad():
        return elbo_terms(model.network_, model.prior_, batch, noise, contrasted)


def test_contrast_leaves_the_elbo_as_it_is(told: tuple[SongVAE, Batch]) -> None:
    plain, contrasted = terms(told, False), terms(told, True)
    assert plain.contrast is None
    torch.testing.assert_close(contrasted.reconstruction, plain.reconstruction)
    torch.testing.assert_close(contrasted.kl, plain.kl)


def test_whole_views_are_contrasted_whatever_the_posterior_was_not_shown(
    told: tuple[SongVAE, Batch],
) -> None:
    keep = {"lyrics": torch.zeros_like(told[1].present["lyrics"])[:, None]}
    shown, hidden = terms(told, True), terms(told, True, keep=keep)
    torch.testing.assert_close(hidden.contrast, shown.contrast)
    assert not torch.allclose(hidden.kl, shown.kl)


def test_rivals_are_chosen_by_the_covariates_of_the_batch(told: tuple[SongVAE, Batch]) -> None:
    model, batch = told
    with torch.no_grad():
        evidence = model.network_.evidence(model.network_.encode_experts(batch), batch)
        expected = infonce_loss(*evidence, batch.covariates)
        assert infonce_loss(*evidence) > expected, "all songs are more rivals than a language's"
    torch.testing.assert_close(terms(told, True).contrast, expected)


def test_a_song_of_one_view_asks_nothing(views: Views) -> None:
    options = {"fusion": "poe", "latent_dim": 4, "epochs": 2}
    with_contrast = song_vae(("timbre",), contrast=10.0, **options).fit_transform(views)
    np.testing.assert_array_equal(
        with_contrast, song_vae(("timbre",), **options).fit_transform(views)
    )
