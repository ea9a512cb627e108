"""Checkpoints: a training that was stopped ends where it would have ended."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from song_vae import song_vae

from songscape.features.views import View, Views
from songscape.models.checkpoint import Checkpoint

EPOCHS = 12


class Stopped(Exception):
    pass


def stop_after(last: int) -> Any:
    def callback(epoch: int, _epochs: int, _row: dict[str, float]) -> None:
        if epoch == last:
            raise Stopped

    return callback


@pytest.fixture
def views() -> Views:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 4, 12)).astype(np.float32) + rng.normal(size=(60, 1, 1))
    everywhere = np.ones(60, bool)
    mask = np.ones((60, 4), bool)
    segments = View(values.astype(np.float32), everywhere, mask=mask, step_axis=1)
    return Views(tuple(f"t{i:02}" for i in range(60)), {"segments": segments})


@pytest.mark.parametrize("prior", ["normal", "mixture"])
@pytest.mark.parametrize(("patience", "hold"), [(0, 0.0), (3, 0.0), (0, 0.5)])
def test_going_on_ends_where_an_unbroken_training_ends(
    tmp_path: Path, views: Views, prior: str, patience: int, hold: float
) -> None:
    arguments: dict[str, Any] = {
        "epochs": EPOCHS,
        "hidden": (16,),
        "latent_dim": 4,
        "dropout": 0.2,
        "prior": prior,
        "n_components": 3,
        "fusion": "poe",
        "view_dropout": 0.3,
        "patience": patience,
        "hold": hold,
    }
    unbroken = song_vae(**arguments).fit(views)
    path = tmp_path / "checkpoint.safetensors"
    for last in (2, 5, 9):
        checkpoint = Checkpoint(path, "key", every_s=0.0)
        if last <= len(unbroken.history_):
            with pytest.raises(Stopped):
                song_vae(**arguments).fit(views, callback=stop_after(last), checkpoint=checkpoint)
            assert path.exists()
    seen: list[int] = []
    went_on = song_vae(**arguments).fit(
        views,
        callback=lambda epoch, *_: seen.append(epoch),
        checkpoint=Checkpoint(path, "key", every_s=0.0),
    )
    assert went_on.history_ == unbroken.history_
    assert len(seen) < len(unbroken.history_)
    np.testing.assert_array_equal(went_on.transform(views), unbroken.transform(views))


def test_another_training_or_a_damaged_file_starts_afresh(tmp_path: Path, views: Views) -> None:
    path = tmp_path / "checkpoint.safetensors"

    def first_epoch(key: str) -> int:
        seen: list[int] = []
        song_vae(epochs=3, hidden=(8,), latent_dim=2).fit(
            views,
            callback=lambda epoch, *_: seen.append(epoch),
            checkpoint=Checkpoint(path, key, every_s=0.0),
        )
        return seen[0] if seen else 0

    assert first_epoch("one") == 1
    assert first_epoch("one") == 0
    assert first_epoch("other") == 1
    path.write_bytes(b"cut off")
    assert first_epoch("other") == 1
