"""Rotated training has the likelihood of the columns as they are."""

import numpy as np
import pytest
import scipy.stats
import torch
from song_vae import song_vae

from songscape.features.views import View
from songscape.models import rotation
from songscape.models.networks import Batch, SongNetwork
from songscape.models.standardisation import fit_input
from songscape.models.view_specs import ViewSpec

N_TRACKS, N_COLUMNS = 40, 300


@pytest.fixture
def view() -> View:
    values = np.random.default_rng(0).standard_normal((N_TRACKS, N_COLUMNS)) * 3 + 1
    return View(values.astype(np.float32), np.arange(N_TRACKS) % 9 != 0)


def networks(view: View) -> tuple[SongNetwork, SongNetwork, rotation.Rotated, np.ndarray]:
    reader = fit_input("x", view)
    rotated = rotation.rotate(reader, view, np.arange(30))
    spec = ViewSpec("x", (N_COLUMNS,))
    torch.manual_seed(0)
    small = SongNetwork([rotation.rotated_spec(spec, rotated)], latent_dim=4, hidden=(16,))
    full = SongNetwork([spec], latent_dim=4, hidden=(16,))
    rotation.prepare(small, {"x": rotated})
    rotation.fold(small, full, {"x": rotated})
    columns, _ = reader.read(view, np.arange(N_TRACKS))
    return small.double().eval(), full.double().eval(), rotated, columns


def batches(view: View, rotated: rotation.Rotated, columns: np.ndarray) -> tuple[Batch, Batch]:
    present = torch.as_tensor(view.present).double()

    def batch(values: np.ndarray, offset: torch.Tensor | None) -> Batch:
        x = torch.as_tensor(values).double()
        return Batch({"x": x}, {"x": present[:, None]}, {"x": present}, offset=offset)

    offset = torch.as_tensor(rotated.offset).double()
    return batch(rotated.coordinates, offset), batch(columns, None)


def test_rotated_gaussian_has_the_same_likelihood(view: View) -> None:
    small, full, rotated, columns = networks(view)
    turned, plain = batches(view, rotated, columns)
    z = torch.randn(N_TRACKS, 4, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        ours = small.log_likelihood(turned, small.decode(z)).numpy()
        folded = full.log_likelihood(plain, full.decode(z)).numpy()
        mean = full.decode(z)["x"].numpy()
    reference = scipy.stats.norm.logpdf(columns, mean).sum(axis=1) * view.present
    np.testing.assert_allclose(folded, reference, rtol=1e-9)
    np.testing.assert_allclose(ours, reference, rtol=1e-4)


def test_folded_encoder_gives_the_same_posterior(view: View) -> None:
    small, full, rotated, columns = networks(view)
    turned, plain = batches(view, rotated, columns)
    with torch.no_grad():
        for ours, folded in zip(small.encode(turned), full.encode(plain)):
            torch.testing.assert_close(ours, folded, rtol=1e-4, atol=1e-4)


def test_training_tracks_lie_in_the_span(view: View) -> None:
    reader = fit_input("x", view)
    rotated = rotation.rotate(reader, view, np.arange(30))
    rows = np.flatnonzero(view.present[:30])
    columns, _ = reader.read(view, rows)
    back = rotated.coordinates[rows] * rotated.scale @ rotated.axes.directions + rotated.axes.mean
    assert rotated.n_axes == len(rows) - 1
    np.testing.assert_allclose(back, columns, atol=1e-4)


def test_padded_and_learned_noise_views_are_not_rotated() -> None:
    values = np.random.default_rng(0).standard_normal((20, 8, 50)).astype(np.float32)
    everywhere, mask = np.ones(20, bool), np.ones((20, 50), bool)
    spec = ViewSpec("x", (8, 50))
    full, rows = View(values, everywhere, mask, step_axis=2), np.arange(20)
    reader = fit_input("x", full)
    assert rotation.can_rotate(spec, reader, full, rows)
    mask = mask.copy()
    mask[3, 40:] = False
    padded = View(values, everywhere, mask, step_axis=2)
    assert not rotation.can_rotate(spec, reader, padded, rows)
    learned = ViewSpec("x", (8, 50), noise="learned")
    assert not rotation.can_rotate(learned, reader, full, rows)


def test_rotated_and_plain_training_reach_the_same_held_out_elbo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3)) @ rng.standard_normal((3, 300)) + rng.standard_normal(
        (80, 300)
    )
    elbos = []
    for least in (rotation.MIN_COLUMNS, 1000):
        monkeypatch.setattr(rotation, "MIN_COLUMNS", least)
        model = song_vae(latent_dim=3, hidden=(32,), epochs=80, patience=0)
        elbos.append(model.fit(X).score(X))
    unfitted = scipy.stats.norm.logpdf((X - X.mean(0)) / X.std(0)).sum(axis=1).mean()
    assert abs(elbos[0] - elbos[1]) < 0.15 * (max(elbos) - unfitted)
