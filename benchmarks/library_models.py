"""Train a VAE of pythae or multivae on exported features; run by the interpreter that has them.

    python -m venv libs && libs/bin/pip install torch pythae multivae
    libs/bin/python benchmarks/library_models.py FEATURES.npz FOLDER --model MVAE --seeds 0,1

`representations.py --libraries libs/bin/python` calls it. Both libraries stay in an environment of
their own: they pin what Songscape does not. FEATURES.npz holds `timbre` and `lyrics`, one row per
track, and `has_lyrics`. FOLDER gets one file per seed, `0.npy`, with the posterior means.

Encoders and decoders have the hidden layers of song-vae (two of 256, LayerNorm, SiLU, dropout 0.1),
and the libraries' own trainers follow its schedule (AdamW, one cycle up to 2e-3, 100 epochs).
Losses are the libraries' own, with their default weights. multivae rescales the likelihoods of the
two views to equal weight, its own remedy for unequal views; pythae gets both side by side.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import tempfile

import numpy as np
import torch
from torch import nn

HIDDEN, DROPOUT, PEAK_RATE = 256, 0.1, 2e-3
# Operators live as long as their library.
_KEPT: list[torch.library.Library] = []
MODELS = ("VAE", "MVAE", "MoPoE", "MVTCAE")


def _layers(n_in: int, n_out: int) -> nn.Sequential:
    def hidden(width: int) -> list[nn.Module]:
        return [nn.Linear(width, HIDDEN), nn.LayerNorm(HIDDEN), nn.SiLU(), nn.Dropout(DROPOUT)]

    return nn.Sequential(*hidden(n_in), *hidden(HIDDEN), nn.Linear(HIDDEN, n_out))


def networks(n_features: int, latent: int) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder in the form that both libraries ask for."""
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.latent_dim = latent
            self.layers = _layers(n_features, 2 * latent)

        def forward(self, x: torch.Tensor) -> ModelOutput:
            mean, log_variance = self.layers(x).chunk(2, dim=-1)
            return ModelOutput(embedding=mean, log_covariance=log_variance.clamp(-8.0, 6.0))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.layers = _layers(latent, n_features)

        def forward(self, z: torch.Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=self.layers(z))

    return Encoder(), Decoder()


def trainer_arguments(options: argparse.Namespace, seed: int, folder: str) -> dict[str, object]:
    return {
        "output_dir": folder,
        "num_epochs": options.epochs,
        "per_device_train_batch_size": options.batch,
        "optimizer_cls": "AdamW",
        "optimizer_params": {"weight_decay": 1e-3},
        "learning_rate": PEAK_RATE,
        # The trainers step the schedule once per epoch.
        "scheduler_cls": "OneCycleLR",
        "scheduler_params": {"max_lr": PEAK_RATE, "total_steps": options.epochs + 1},
        "seed": seed,
        "no_cuda": True,
    }


def pythae_means(
    views: dict[str, torch.Tensor], options: argparse.Namespace, seed: int, folder: str
) -> torch.Tensor:
    """Posterior means of pythae's VAE on the views side by side."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    joint = torch.cat(list(views.values()), 1)
    encoder, decoder = networks(joint.shape[1], options.latent)
    config = VAEConfig(input_dim=(joint.shape[1],), latent_dim=options.latent)
    model = VAE(config, encoder=encoder, decoder=decoder)
    data = BaseDataset(joint, torch.zeros(len(joint)))
    config = BaseTrainerConfig(**trainer_arguments(options, seed, folder))
    trainer = BaseTrainer(model, data, training_config=config)
    trainer.train()
    # The last weights, as song-vae keeps them, and not those of the best training loss.
    trained = trainer.model.eval()
    with torch.no_grad():
        return trained.encoder(joint).embedding


def _excuse_torchvision() -> None:
    """Let torchvision be imported beside a torch without CUDA.

    multivae imports it for pictures, which nobody needs here; its wheel on PyPI is built for CUDA
    and stops at two operators that it can't load.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)


def multivae_means(
    views: dict[str, torch.Tensor],
    has_lyrics: torch.Tensor,
    options: argparse.Namespace,
    seed: int,
    folder: str,
) -> torch.Tensor:
    """Posterior means of a multimodal VAE, from the views that a track has."""
    _excuse_torchvision()
    import multivae.models
    from multivae.data.datasets import IncompleteDataset, MultimodalBaseDataset
    from multivae.trainers import BaseTrainer, BaseTrainerConfig

    both = {name: networks(values.shape[1], options.latent) for name, values in views.items()}
    config = getattr(multivae.models, f"{options.model}Config")(
        n_modalities=len(views),
        latent_dim=options.latent,
        input_dims={name: (values.shape[1],) for name, values in views.items()},
        uses_likelihood_rescaling=True,
    )
    model = getattr(multivae.models, options.model)(
        config,
        encoders={name: pair[0] for name, pair in both.items()},
        decoders={name: pair[1] for name, pair in both.items()},
    )
    if has_lyrics.all():
        data = MultimodalBaseDataset(views)
    else:
        everyone = torch.ones_like(has_lyrics)
        data = IncompleteDataset(views, {"timbre": everyone, "lyrics": has_lyrics})
    config = BaseTrainerConfig(**trainer_arguments(options, seed, folder))
    trainer = BaseTrainer(model, data, training_config=config)
    trainer.train()
    trained = trainer.model.eval()
    means = torch.empty(len(has_lyrics), options.latent)
    with torch.no_grad():
        for rows, given in ((has_lyrics, "all"), (~has_lyrics, "timbre")):
            if rows.any():
                some = MultimodalBaseDataset({name: v[rows] for name, v in views.items()})
                means[rows] = trained.encode(some, cond_mod=given, return_mean=True).z.reshape(
                    int(rows.sum()), options.latent
                )
    return means


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features")
    parser.add_argument("folder")
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--latent", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    arrays = np.load(options.features)
    has_lyrics = torch.as_tensor(arrays["has_lyrics"])
    views = {name: torch.as_tensor(arrays[name]) for name in ("timbre", "lyrics")}
    logging.disable(logging.INFO)
    for seed in map(int, options.seeds.split(",")):
        torch.manual_seed(seed)
        with (
            tempfile.TemporaryDirectory() as folder,
            open(os.devnull, "w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            if options.model == "VAE":
                means = pythae_means(views, options, seed, folder)
            else:
                means = multivae_means(views, has_lyrics, options, seed, folder)
        np.save(os.path.join(options.folder, f"{seed}.npy"), means.numpy().astype(np.float32))


if __name__ == "__main__":
    main()
