"""A saved model gives the same latents, bit for bit, and a damaged one says so."""

import json
from pathlib import Path

import numpy as np
import pytest
from song_vae import song_vae

from songscape.errors import SongscapeError, UsageError
from songscape.features.views import Views
from songscape.models.presets import PRESETS, make_model
from songscape.models.saving import load_model, save_model


def quick(name: str) -> object:
    small = {"n_components": 3} if "n_components" in make_model(name).get_params() else {}
    if PRESETS[name].kind in ("vae", "autoencoder"):
        small |= {"epochs": 2, "hidden": (8,), "latent_dim": 3}
    return make_model(name, **small)


@pytest.mark.filterwarnings("ignore:The posterior collapsed")
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_saved_model_gives_the_same_latents(name: str, views: Views, tmp_path: Path) -> None:
    own = views.select([view for view in PRESETS[name].views if view in views])
    model = quick(name).fit(own)
    loaded = load_model(save_model(model, tmp_path / "a model ü"))
    assert type(loaded) is type(model)
    assert loaded.transform(own).tobytes() == model.transform(own).tobytes()
    assert loaded.get_params() == model.get_params()
    names = {path.suffix for path in (tmp_path / "a model ü").iterdir()}
    assert names == {".json", ".safetensors"}


def test_a_learned_prior_is_saved(views: Views, tmp_path: Path) -> None:
    model = song_vae(
        ("segments", "lyrics"),
        fusion="poe",
        prior="mixture",
        n_components=3,
        epochs=3,
        latent_dim=3,
    ).fit(views)
    loaded = load_model(save_model(model, tmp_path))
    assert loaded.score(views) == model.score(views)
    assert loaded.diagnostics_ == model.diagnostics_
    assert loaded.history_ == model.history_
    for name, decoded in model.reconstruct(views).items():
        np.testing.assert_array_equal(loaded.reconstruct(views)[name], decoded)


def test_saving_again_replaces_the_weights(views: Views, tmp_path: Path) -> None:
    for seed in (0, 1):
        model = quick("timbre-pca").fit(views.take(np.arange(40 + seed)))
        save_model(model, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert load_model(tmp_path).transform(views).tobytes() == model.transform(views).tobytes()


def test_damage_is_named(views: Views, tmp_path: Path) -> None:
    save_model(quick("timbre-pca").fit(views), tmp_path)
    weights = next(tmp_path.glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(SongscapeError, match="damaged"):
        load_model(tmp_path)
    weights.unlink()
    with pytest.raises(SongscapeError, match="no readable model"):
        load_model(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    weights.write_bytes(bytes(content))
    (tmp_path / "model.json").write_text(json.dumps(description | {"format": 99}))
    with pytest.raises(SongscapeError, match="another version"):
        load_model(tmp_path)


def test_what_earlier_versions_saved_is_read_where_it_still_means_the_same(
    views: Views, tmp_path: Path
) -> None:
    model = song_vae(("segments", "lyrics"), fusion="poe", epochs=2, latent_dim=3).fit(views)
    save_model(model, tmp_path)
    path = tmp_path / "model.json"
    description = json.loads(path.read_text())
    description["parameters"] |= {"reduced_dim": 16, "decoders": None}
    description["parameters"]["objective"] = {
        "$record": "Objective",
        "fields": {"beta": 1.0, "free_bits": 0.0, "independence": 0.0},
    }
    description["fitted"]["decoder_space_"] = {"$record": "DecoderSpace", "fields": {"axes": []}}
    path.write_text(json.dumps(description))
    assert load_model(tmp_path).transform(views).tobytes() == model.transform(views).tobytes()
    description["parameters"]["space"] = "decoder"
    path.write_text(json.dumps(description))
    with pytest.raises(SongscapeError, match=r"space = 'decoder'.*; train the model again"):
        load_model(tmp_path)


def test_only_fitted_known_models_are_saved(tmp_path: Path) -> None:
    with pytest.raises(SongscapeError, match="not fitted"):
        save_model(song_vae(), tmp_path)
    with pytest.raises(SongscapeError, match="cannot be saved"):
        save_model(object(), tmp_path)


def test_presets_are_listed_by_name_and_unknown_ones_refused() -> None:
    for name in ("dense-vae", "conv1d-vae", "fusion-dense-vae", "balanced-pca", "poe-vae", "cvae"):
        assert name in PRESETS
    with pytest.raises(UsageError, match="no model 'perfect-vae'; known: dense-vae"):
        make_model("perfect-vae")
