"""Time to the same ELBO: the course's VAEs here and in pythae, the same network.

    python -m venv libs && libs/bin/pip install torch pythae scikit-learn safetensors
    python benchmarks/course_speed.py --libraries libs/bin/python --seeds 0,1,2,3,4
    python benchmarks/course_speed.py --libraries libs/bin/python --kinds conv \\
        --library songscape.db

Synthetic standardised data of 1,432 tracks: 17,000 columns for `dense` (12,000 of audio and 5,000
of words in the course), 40 x 300 for `conv`; or the MFCCs of a library, of the tracks long enough
to fill all frames. Both sides train the very same `SongNetwork` with the preset's layers, latent
size and epochs, batches of 64, on the same training tracks. pythae uses its own trainer and loss,
with Adam at the preset's peak learning rate; Songscape uses its defaults.

After every epoch both ELBOs, of the validation and of the training tracks, are computed by one
function on the weights as they are; the clocks stand still meanwhile. The target is the best
validation ELBO that both reach, and then the best training ELBO that both reach while they hold it;
each side's time is that of its first epoch at least as good in both, preparation (standardising,
rotating) included. The two sides take turns, seed by seed: on a busy machine the ratio of the
processor time is the safer figure. The number of active
units (latent dimensions that tell tracks apart) says whether there was a race at all: a collapsed
posterior reaches any ELBO soon. Goals: dense 5, convolutional 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

N_TRACKS = 1_432
N_FACTORS = {"dense": 30, "conv": 10}
SHAPES = {"dense": (17_000,), "conv": (40, 300)}
PRESETS = {"dense": "dense-vae", "conv": "conv1d-vae"}
ENCODERS = {"dense": "dense", "conv": "conv1d"}


class Clock:
    """Wall and processor time of this process, with pauses."""

    def __init__(self) -> None:
        self._start = self._now()
        self._paused = np.zeros(2)

    @staticmethod
    def _now() -> np.ndarray:
        return np.array([time.perf_counter(), time.process_time()])

    def read(self) -> np.ndarray:
        return self._now() - self._start - self._paused

    def without(self, function: Any) -> Any:
        """Call `function` while the clock stands still."""
        before = self._now()
        result = function()
        self._paused += self._now() - before
        return result


def mean_elbo(network: Any, values: np.ndarray) -> float:
    """Mean ELBO per track in nats, from one draw per track of a fixed generator."""
    import torch

    from songscape.models.objective import elbo_terms
    from songscape.models.priors import StandardNormal

    was_training = network.training
    network.eval()
    generator = torch.Generator().manual_seed(0)
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(values), 64):
            x = torch.as_tensor(values[start : start + 64])
            noise = torch.randn(len(x), network.latent_dim, generator=generator)
            terms = elbo_terms(network, StandardNormal(), whole_batch(x), noise)
            total += float((terms.reconstruction - terms.kl.sum(1)).double().sum())
    network.train(was_training)
    return total / len(values)


def both_elbos(network: Any, arrays: Any) -> list[float]:
    """Of the validation tracks, and of the training tracks."""
    values = arrays["values"]
    return [mean_elbo(network, values[arrays[side]]) for side in ("validation", "training")]


def active(network: Any, values: np.ndarray) -> int:
    """Latent dimensions that tell tracks apart."""
    import torch

    from songscape.models.diagnostics import active_units

    with torch.no_grad():
        pieces = [
            network.encode(whole_batch(torch.as_tensor(values[start : start + 64])))[0].numpy()
            for start in range(0, len(values), 64)
        ]
    return active_units(np.concatenate(pieces))


def whole_batch(x: Any) -> Any:
    """A batch in which every number of the one view is there."""
    import torch

    from songscape.models.networks import Batch

    weight = torch.ones(len(x), *(1 for _ in x.shape[1:]))
    return Batch({"x": x}, {"x": weight}, {"x": torch.ones(len(x))})


def network_for(kind: str, hidden: tuple[int, ...], latent: int) -> Any:
    from songscape.models.networks import SongNetwork
    from songscape.models.view_specs import ViewSpec

    spec = ViewSpec("x", SHAPES[kind], ENCODERS[kind])
    return SongNetwork([spec], latent_dim=latent, hidden=hidden)


def train_songscape(task: dict[str, Any], arrays: Any) -> tuple[list[list[float]], int]:
    """Per epoch of SongVAE's own training: seconds, processor seconds, both ELBOs; active units."""
    from songscape.features.views import View, Views
    from songscape.models import rotation
    from songscape.models.presets import build_model
    from songscape.models.vae import SongVAE

    values = arrays["values"]
    ids = tuple(f"{i:09d}" for i in range(len(values)))
    there = np.ones(len(values), bool)
    frames = np.ones(values[:, 0].shape, bool) if values.ndim == 3 else None
    views = Views(ids, {"x": View(values, there, mask=frames, step_axis=2)})
    curve: list[list[float]] = []
    seen: dict[str, Any] = {}

    # The callback is not given the weights; where they are made and turned, they can be seen.
    class Watched(SongVAE):
        def _network(self, specs: Any) -> Any:
            seen["network"] = super()._network(specs)
            return seen["network"]

    original = rotation.rotate

    def watched_rotate(*arguments: Any) -> Any:
        seen["rotated"] = original(*arguments)
        return seen["rotated"]

    def current() -> Any:
        if "rotated" not in seen:
            return seen["network"]
        whole = network_for(task["kind"], tuple(task["hidden"]), task["latent"])
        rotation.fold(seen["network"], whole, {"x": seen["rotated"]})
        return whole

    def epoch_done(epoch: int, epochs: int, row: dict[str, float]) -> None:
        elbos = clock.without(lambda: both_elbos(current(), arrays))
        curve.append([*clock.read().tolist(), *elbos])

    rotation.rotate = watched_rotate
    options = {key: task[key] for key in ("epochs", "patience", "learning_rate", "rise", "hold")}
    options |= {"hidden": tuple(task["hidden"]), "encoders": {"x": ENCODERS[task["kind"]]}}
    options |= {"latent_dim": task["latent"], "random_state": task["seed"]}
    model = build_model(Watched, options)
    clock = Clock()
    model.fit(views, callback=epoch_done)
    return curve, active(model.network_, values)


def train_pythae(task: dict[str, Any], arrays: Any) -> tuple[list[list[float]], int]:
    """The same of pythae's trainer; it stops where it has the ELBOs of `stop_at`."""
    import contextlib
    import logging

    import torch
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    torch.manual_seed(task["seed"])
    values = arrays["values"]
    network = network_for(task["kind"], tuple(task["hidden"]), task["latent"])
    curve: list[list[float]] = []

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.latent_dim, self.network = task["latent"], network

        def forward(self, x: torch.Tensor) -> ModelOutput:
            mean, log_variance = self.network.encode(whole_batch(x))
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, z: torch.Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.network.decode(z)["x"])

    class Reached(Exception):
        pass

    class Watch(TrainingCallback):
        def on_epoch_end(self, training_config: Any, **kwargs: Any) -> None:
            # The trainer's copy, which may not be the network made above.
            trained = trainer.model.encoder.network
            elbos = clock.without(lambda: both_elbos(trained, arrays))
            curve.append([*clock.read().tolist(), *elbos])
            if all(elbo >= least for elbo, least in zip(elbos, task["stop_at"])):
                raise Reached

    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        clock = Clock()
        config = VAEConfig(input_dim=SHAPES[task["kind"]], latent_dim=task["latent"])
        model = VAE(config, encoder=Encoder(), decoder=Decoder())
        sides = [
            BaseDataset(torch.as_tensor(values[rows]), torch.zeros(len(rows)))
            for rows in (arrays["training"], arrays["validation"])
        ]
        training = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=task["epochs"],
            per_device_train_batch_size=64,
            learning_rate=task["learning_rate"],
            seed=task["seed"],
            no_cuda=True,
        )
        trainer = BaseTrainer(model, *sides, training_config=training, callbacks=[Watch()])
        with contextlib.suppress(Reached):
            trainer.train()
        return curve, active(trainer.model.encoder.network.eval(), values)


def synthetic(kind: str, seed: int) -> np.ndarray:
    """Standardised factor-model data: factors of falling strength, and noise as strong as they."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(SHAPES[kind]))
    n_factors = N_FACTORS[kind]
    strength = 1.0 / np.sqrt(np.arange(1, n_factors + 1))
    loadings = rng.normal(size=(n_factors, size)) * strength[:, None]
    if kind == "conv":
        # Factors that are smooth in time, as songs are.
        smooth = np.hanning(31) / np.sqrt((np.hanning(31) ** 2).sum())
        frames = loadings.reshape(-1, SHAPES[kind][-1])
        loadings = np.stack([np.convolve(row, smooth, "same") for row in frames])
        loadings = loadings.reshape(n_factors, size)
    values = rng.normal(size=(N_TRACKS, n_factors)) @ loadings
    values += values.std() * rng.normal(size=values.shape)
    values = (values - values.mean(0)) / values.std(0)
    return values.reshape(N_TRACKS, *SHAPES[kind]).astype(np.float32)


def real(path: Path) -> np.ndarray:
    """Standardised MFCCs of the tracks of a library that fill all frames, as SongVAE reads them."""
    from songscape.features.loading import load_views
    from songscape.library import Library
    from songscape.models.standardisation import fit_input

    with Library.open(path, must_exist=True) as library:
        view = load_views(library, ["mfcc"])["mfcc"]
    assert view.mask is not None, "MFCCs come with a mask"
    whole = view.take(np.flatnonzero(view.present & view.mask.all(axis=1)))
    return fit_input("mfcc", whole).read(whole, np.arange(whole.shape[0]))[0]


def split(n_tracks: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation tracks as SongVAE divides them."""
    from sklearn.utils.validation import check_random_state

    from songscape.models.training import split_rows

    drawn = int(check_random_state(seed).randint(2**31 - 1))
    return split_rows(np.ones((n_tracks, 1), bool), 0.1, drawn)


def first_at(curve: np.ndarray, target: Sequence[float]) -> tuple[np.ndarray, int]:
    """Times and number of the first epoch at least as good as the target in every ELBO."""
    epoch = int(np.argmax((curve[:, 2:] >= target).all(axis=1)))
    return curve[epoch, :2], epoch + 1


def common_point(curves: Sequence[np.ndarray]) -> list[float]:
    """The best validation ELBO that all reach, and the best training ELBO reached along with it."""
    validation = min(float(curve[:, 2].max()) for curve in curves)
    training = min(float(curve[curve[:, 2] >= validation, 3].max()) for curve in curves)
    return [validation, training]


def race(kind: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train both sides once."""
    from songscape.models.presets import make_model

    preset = make_model(PRESETS[kind])
    values = real(options.library) if options.library else synthetic(kind, seed)
    task = {
        "kind": kind,
        "seed": seed,
        "hidden": preset.hidden,
        "latent": preset.latent_dim,
        "epochs": options.epochs or preset.training.epochs,
        "patience": preset.training.patience,
        "learning_rate": options.learning_rate or preset.training.learning_rate,
        "rise": preset.training.rise,
        "hold": preset.training.hold,
    }
    curves, units = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "arrays.npz"
        training, validation = split(len(values), seed)
        np.savez(arrays, values=values, training=training, validation=validation)
        for side, python in (("songscape", sys.executable), ("pythae", options.libraries)):
            text = json.dumps(task)
            command = [python, __file__, "--worker", side, "--task", text, "--arrays", arrays]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment())
            curve, units[side] = json.loads(done.stdout.splitlines()[-1])
            curves[side] = np.array(curve)
            task["stop_at"] = common_point([curves[side]])
    target = common_point(list(curves.values()))
    ours, our_epoch = first_at(curves["songscape"], target)
    theirs, their_epoch = first_at(curves["pythae"], target)
    # The first epoch bears the preparation; a side that stopped there has no other.
    per_epoch = {s: np.diff(c[:, 1]).mean() if len(c) > 1 else np.nan for s, c in curves.items()}
    result = {
        "kind": kind,
        "seed": seed,
        "tracks": len(values),
        "learning_rate": task["learning_rate"],
        "target_elbo": target[0],
        "target_training_elbo": target[1],
        "best": {side: curve[:, 2:].max(axis=0).tolist() for side, curve in curves.items()},
        "active_units": units,
        "ratio_wall": float(theirs[0] / ours[0]),
        "ratio_cpu": float(theirs[1] / ours[1]),
        "songscape_seconds": ours.tolist(),
        "pythae_seconds": theirs.tolist(),
        "songscape_epochs": our_epoch,
        "pythae_epochs": their_epoch,
        "ratio_cpu_per_epoch": float(per_epoch["pythae"] / per_epoch["songscape"]),
        "curves": {side: curve.tolist() for side, curve in curves.items()},
    }
    print(
        f"{kind}, seed {seed}: to ELBOs of {target[0]:,.0f} (validation) and {target[1]:,.0f} "
        f"(training) Songscape {ours[0]:.1f} s ({ours[1]:.1f} s CPU, epoch {our_epoch} of "
        f"{len(curves['songscape'])}), pythae {theirs[0]:.1f} s ({theirs[1]:.1f} s CPU, epoch "
        f"{their_epoch} of {len(curves['pythae'])}): {result['ratio_wall']:.1f} x sooner "
        f"({result['ratio_cpu']:.1f} x by processor time; one epoch "
        f"{result['ratio_cpu_per_epoch']:.1f} x); best validation ELBO "
        + ", ".join(f"{side} {best[0]:,.0f}" for side, best in result["best"].items())
        + f"; active units {units['songscape']} and {units['pythae']} of {task['latent']}",
        flush=True,
    )
    return result


def environment() -> dict[str, str]:
    """One thread each; pythae's interpreter reads the network from this checkout."""
    source = str(Path(__file__).resolve().parents[1] / "src")
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": source}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--libraries", metavar="PYTHON", help="interpreter that has pythae")
    parser.add_argument("--kinds", default="dense,conv")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--epochs", type=int, help="default: those of the presets")
    parser.add_argument("--learning-rate", type=float, help="of both; default: the presets'")
    parser.add_argument("--library", type=Path, help="songscape.db: its MFCCs instead (conv)")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", choices=("songscape", "pythae"), help=argparse.SUPPRESS)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--arrays", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        train = train_songscape if options.worker == "songscape" else train_pythae
        print(json.dumps(train(json.loads(options.task), dict(np.load(options.arrays)))))
        return
    if not options.libraries:
        print("skipped: pythae (give --libraries PYTHON, see the top of this file)")
        return
    if options.library and options.kinds != "conv":
        parser.error("--library is for --kinds conv: the other data are no MFCCs")
    results = []
    for kind in options.kinds.split(","):
        found = [race(kind, int(seed), options) for seed in options.seeds.split(",")]
        for name in ("ratio_wall", "ratio_cpu"):
            ratios = [one[name] for one in found]
            print(
                f"{kind} {name}: median {np.median(ratios):.1f}, "
                f"{min(ratios):.1f} … {max(ratios):.1f} over {len(ratios)} seeds"
            )
        results += found
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
