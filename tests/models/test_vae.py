"""SongVAE: what is absent has no influence, seeds decide everything, and collapse is said aloud."""

import re
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from song_vae import song_vae

from songscape.errors import SongscapeError
from songscape.features.views import View, Views
from songscape.models.diagnostics import active_units
from songscape.models.training import _share_of_peak, split_rows

# Models trained for a few epochs are for comparing, and rightly called collapsed.
pytestmark = pytest.mark.filterwarnings("ignore:The posterior collapsed")

QUICK = {"epochs": 4, "hidden": (16,), "latent_dim": 4}
CONV = {**QUICK, "views": ("mfcc",), "encoders": {"mfcc": "conv1d"}}
FUSION = {**QUICK, "views": ("mfcc", "lyrics"), "likelihoods": {"lyrics": "gaussian"}}
WORDS = {**QUICK, "views": ("timbre", "lyrics")}
SONG = {**QUICK, "views": ("segments", "lyrics"), "fusion": "poe", "view_dropout": 0.5}
MODELS = [CONV, FUSION, WORDS, SONG]
NAMES = ["conv1d", "fusion", "multinomial", "poe"]


def changed(views: Views, name: str, **changes: object) -> Views:
    return Views(views.track_ids, {**views.blocks, name: replace(views[name], **changes)})


@pytest.mark.parametrize("arguments", [CONV, FUSION], ids=["conv1d", "fusion"])
@pytest.mark.parametrize("filling", [1e6, np.nan])
def test_padded_frames_have_no_influence(
    views: Views, arguments: dict[str, object], filling: float
) -> None:
    mfcc = views["mfcc"]
    values = np.where(mfcc.mask[:, None, :], mfcc.values, np.float32(filling))
    other = changed(views, "mfcc", values=values)
    expected = song_vae(**arguments).fit(views)
    ours = song_vae(**arguments).fit(other)
    np.testing.assert_array_equal(ours.transform(other), expected.transform(views))
    assert ours.history_ == expected.history_


@pytest.mark.parametrize("arguments", [FUSION, WORDS, SONG], ids=NAMES[1:])
def test_what_stands_in_absent_lyrics_has_no_influence(
    views: Views, arguments: dict[str, object]
) -> None:
    lyrics = views["lyrics"]
    dense = lyrics.values.toarray()
    dense[~lyrics.present] = 7.0
    other = changed(views, "lyrics", values=sp.csr_array(dense))
    expected = song_vae(**arguments).fit(views).transform(views)
    ours = song_vae(**arguments).fit(other)
    np.testing.assert_array_equal(ours.transform(other), expected)


@pytest.mark.parametrize("arguments", MODELS, ids=NAMES)
def test_same_seed_same_bytes_and_other_seed_other_latents(
    views: Views, arguments: dict[str, object]
) -> None:
    first = song_vae(**arguments).fit_transform(views)
    second = song_vae(**arguments).fit_transform(views)
    other = song_vae(**arguments, random_state=1).fit_transform(views)
    assert first.dtype == np.float32
    assert first.tobytes() == second.tobytes()
    assert not np.allclose(first, other)


@pytest.mark.parametrize("arguments", MODELS, ids=NAMES)
def test_order_and_company_of_tracks_change_nothing(
    views: Views, arguments: dict[str, object]
) -> None:
    order = np.random.default_rng(0).permutation(views.n_tracks)
    model = song_vae(**arguments).fit(views)
    shuffled = song_vae(**arguments).fit(views.take(order))
    latents = model.transform(views)
    np.testing.assert_array_equal(shuffled.transform(views.take(order)), latents[order])
    np.testing.assert_array_equal(model.transform(views.take([5])), latents[[5]])


def test_torch_is_left_as_it_was_found(views: Views) -> None:
    threads = torch.get_num_threads()
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    song_vae(**WORDS).fit(views)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_history_rises_and_reports_every_epoch(views: Views) -> None:
    seen = []
    model = song_vae(("timbre",), epochs=30, patience=0)
    model.fit(views, callback=lambda *progress: seen.append(progress))
    assert [(epoch, epochs) for epoch, epochs, _ in seen] == [(i, 30) for i in range(1, 31)]
    assert [row for *_, row in seen] == model.history_
    first, last = model.history_[0], model.history_[-1]
    assert {"epoch", "train_elbo", "validation_elbo", "kl", "reconstruction", "beta"} <= set(first)
    assert last["validation_elbo"] > first["validation_elbo"]
    assert 0 < first["beta"] < last["beta"] == 1


def test_best_weights_come_back_and_early_stopping_waits_for_the_warm_up() -> None:
    noise = np.random.default_rng(0).standard_normal((40, 30))
    model = song_vae(
        epochs=60, warmup=0.5, patience=2, hidden=(64,), learning_rate=1e-2, beta=0.01
    ).fit(noise)
    epochs = len(model.history_)
    assert 30 < epochs < 60
    best = max(row["validation_elbo"] for row in model.history_[29:])
    kl = sum(model.diagnostics_.kl_per_dimension)
    assert best > model.history_[-1]["validation_elbo"]
    assert model.diagnostics_.elbo == pytest.approx(best - 0.99 * kl, abs=0.2 * kl + 2)


def test_collapse_is_called_collapse() -> None:
    noise = np.random.default_rng(0).standard_normal((100, 20))
    model = song_vae(latent_dim=8, beta=50.0, epochs=30).fit(noise)
    assert model.diagnostics_.collapsed
    assert model.diagnostics_.active_units == 0
    assert "collapsed" in model.diagnostics_.warnings[0]
    with pytest.warns(UserWarning, match="collapsed"):
        model.fit(noise)


def test_structure_is_not_called_collapse(views: Views) -> None:
    diagnostics = song_vae(("timbre",), latent_dim=4, epochs=60).fit(views).diagnostics_
    assert not diagnostics.collapsed
    assert diagnostics.active_units == 4
    assert len(diagnostics.kl_per_dimension) == diagnostics.n_latent == 4


def test_active_units_count_varying_means() -> None:
    means = np.stack([np.arange(50) % 2, np.full(50, 9.0), np.arange(50) % 2 * 0.1], axis=1)
    assert active_units(means) == 1


def test_reconstruction_is_in_the_units_of_the_view(views: Views) -> None:
    model = song_vae(("timbre", "lyrics"), latent_dim=8, epochs=80, learning_rate=3e-3).fit(views)
    decoded = model.reconstruct(views)
    timbre = views["timbre"].values
    unexplained = ((decoded["timbre"] - timbre) ** 2).mean() / timbre.var(axis=0).mean()
    assert unexplained < 0.5
    np.testing.assert_allclose(decoded["lyrics"].sum(axis=1), 1.0, rtol=1e-5)
    assert decoded["lyrics"].shape == views["lyrics"].shape


def test_conv1d_decodes_the_shape_it_was_given(views: Views) -> None:
    decoded = song_vae(**CONV).fit(views).reconstruct(views)
    assert decoded["mfcc"].shape == views["mfcc"].shape


def test_a_track_without_any_view_gets_the_prior(views: Views) -> None:
    present = views["mfcc"].present.copy()
    present[4] = False
    other = changed(views, "mfcc", present=present)
    mean, spread = song_vae(**CONV).fit(other).posterior(other)
    assert not mean[4].any()
    assert (spread[4] == 1).all()


def test_deterministic_autoencoder_pays_no_divergence(views: Views) -> None:
    model = song_vae(**FUSION, variational=False).fit(views)
    assert all(row["kl"] == 0 for row in model.history_)


def test_few_tracks_are_enough_and_say_so() -> None:
    model = song_vae(latent_dim=2, epochs=3).fit(np.random.default_rng(0).random((6, 5)))
    assert not model.diagnostics_.held_out
    assert any("hold any out" in warning for warning in model.diagnostics_.warnings)


def test_errors_name_the_thing_and_the_mend(views: Views) -> None:
    values = views["timbre"].values.copy()
    values[3, 2] = np.inf
    with pytest.raises(SongscapeError, match="'timbre' holds NaN or infinity"):
        song_vae(("timbre",)).fit(changed(views, "timbre", values=values))
    nobody = changed(views, "lyrics", present=np.zeros(views.n_tracks, bool))
    with pytest.raises(SongscapeError, match="no track has the view 'lyrics'"):
        song_vae(**WORDS).fit(nobody)
    with pytest.raises(SongscapeError, match="diverged"):
        song_vae(("timbre",), learning_rate=1e30, weight_decay=0, epochs=30).fit(views)
    model = song_vae(("timbre",), **QUICK).fit(views)
    fewer = Views(views.track_ids, {"timbre": View(values[:, :7], views["timbre"].present)})
    with pytest.raises(SongscapeError, match="has shape"):
        model.transform(fewer)
    with pytest.raises(ValueError, match="fusion"):
        song_vae(fusion="late").fit(views)
    with pytest.raises(ValueError, match="poe"):
        song_vae(("segments",), encoders={"segments": "set"}).fit(views)


def test_who_is_held_out_does_not_tell_the_artists() -> None:
    rng = np.random.default_rng(0)
    timbre = View(rng.standard_normal((60, 8)).astype(np.float32), np.ones(60, bool))
    ids, artists = tuple(f"{i:02}" for i in range(60)), np.repeat(np.arange(6), 10)
    views = Views(ids, {"timbre": timbre}, artists)
    splits = []
    for seed in range(20):
        _, held_out = split_rows(views["timbre"].present[:, None], 0.1, seed)
        splits.append(len(set(artists[held_out])))
    # Six tracks, drawn from artists of ten songs each: whole artists would be one of them.
    assert np.mean(splits) > 3


def test_single_tracks_are_held_out_in_the_share_asked_for() -> None:
    present = np.arange(210)[:, None] % 21 != 0
    rows, held_out = split_rows(present, 0.1, 0)
    assert len(held_out) == 20
    np.testing.assert_array_equal(np.union1d(rows, held_out), np.flatnonzero(present))
    assert not len(split_rows(present, 0.0, 0)[1])


def test_too_few_tracks_to_hold_out_are_told_unless_none_were_wanted() -> None:
    few = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    arguments = {"hidden": (8,), "latent_dim": 2, "epochs": 2}
    asked = song_vae(**arguments).fit(few).diagnostics_
    chosen = song_vae(**arguments, validation_fraction=0.0).fit(few).diagnostics_
    assert not asked.held_out
    assert not chosen.held_out
    assert any("Too few tracks" in sentence for sentence in asked.warnings)
    assert not any("Too few tracks" in sentence for sentence in chosen.warnings)


def test_a_large_collection_takes_no_more_than_the_steps_it_may() -> None:
    X = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)
    arguments = {"hidden": (8,), "latent_dim": 2, "batch_size": 20, "patience": 0}
    # 360 tracks are trained on: 18 steps per epoch.
    assert len(song_vae(**arguments, epochs=7, max_steps=1000).fit(X).history_) == 7
    assert len(song_vae(**arguments, epochs=7, max_steps=80).fit(X).history_) == 4
    assert len(song_vae(**arguments, epochs=7, max_steps=1).fit(X).history_) == 2


def test_an_early_rise_of_the_learning_rate_learns_earlier(views: Views) -> None:
    def learnt(rise: float, hold: float = 0.0) -> float:
        model = song_vae(("timbre",), latent_dim=4, epochs=20, rise=rise, hold=hold).fit(views)
        return model.history_[3]["train_elbo"]

    assert learnt(0.1) > learnt(0.9)
    assert learnt(0.1, 0.5) > learnt(0.9)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    shares = [_share_of_peak(done, 0.1, 0.5) for done in np.linspace(0.0, 1.0, 101)]
    assert shares[0] == pytest.approx(0.04)
    assert np.all(np.diff(shares[:11]) > 0)
    np.testing.assert_allclose(shares[10:61], 1.0)
    assert np.all(np.diff(shares[60:]) < 0)
    assert shares[-1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"imputation": "doner"}, "imputation = 'doner'; give one of mean, donor"),
        ({"space": "decoder"}, "space = 'decoder'; give one of latent, joint"),
        ({"space": "joint", "fusion": "early"}, "space = 'joint' needs fusion = 'poe'"),
    ],
)
def test_where_tracks_may_lie_is_named(
    views: Views, arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        song_vae(("segments", "lyrics"), **{"fusion": "poe", **arguments}).fit(views)


def test_rise_and_hold_are_shares_of_one_training(views: Views) -> None:
    with pytest.raises(ValueError, match=r"rise = 0.6, hold = 0.5"):
        song_vae(("timbre",), rise=0.6, hold=0.5).fit(views)


def test_a_device_that_this_machine_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SongscapeError, match="device = 'cuda': this machine has none"):
        song_vae(**QUICK, device="cuda").fit(np.ones((5, 2)))
