"""voice: a speaker encoder, from the weights in the package resemblyzer; whose voice it is.

Wan et al. (2018), "Generalized end-to-end loss for speaker verification". The network is written
anew: the package's own comes with a detector of speech that has to be compiled, and cuts away what
is no speech, singing over a band included.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError, first_line
from songscape.features.encoders.sound import Sound

SOUND = Sound(n_fft=400, hop=160, n_mels=40, n_frames=160)
LOUDNESS_DBFS = -30.0
"""Root mean square to which quiet clips are raised."""
_SIZE, _LAYERS = 256, 3

Array = NDArray[np.float32]


def load(folder: Path) -> Voice:
    """The network with the package's weights: of its file nothing but numbers is read."""
    import torch

    file = folder / "pretrained.pt"
    try:
        return Voice(torch.load(file, map_location="cpu", weights_only=True)["model_state"])
    except pickle.UnpicklingError:  # torch then tells how to load it all the same
        raise SongscapeError(f"{file}: holds more than numbers, or is damaged") from None
    except (OSError, RuntimeError, KeyError, TypeError, EOFError) as error:
        raise SongscapeError(f"{file}: no weights of this encoder ({first_line(error)})") from None


class Voice:
    """Patches of mel power (n, 160, 40) -> directions, (n, 256).

    A recurrent network of three layers reads 1.6 s; its last state goes through a linear layer, is
    rectified and of unit length.
    """

    sound = SOUND

    def __init__(self, state: Any) -> None:
        from torch import nn

        self._lstm = nn.LSTM(SOUND.n_mels, _SIZE, _LAYERS, batch_first=True)
        self._linear = nn.Linear(_SIZE, _SIZE)
        for name, layer in (("lstm.", self._lstm), ("linear.", self._linear)):
            own = {key.removeprefix(name): state[key] for key in state if key.startswith(name)}
            layer.load_state_dict(own)

    def __call__(self, patches: Array, loudness: float = 1.0) -> Array:
        """Describe patches of a clip whose root mean square is `loudness` (full scale = 1)."""
        import torch

        gain = max(1.0, 10.0 ** (LOUDNESS_DBFS / 20.0) / max(loudness, 1e-9))
        with torch.inference_mode():
            _, (state, _) = self._lstm(torch.from_numpy(patches * np.float32(gain**2)))
            found = self._linear(state[-1]).relu()
            found /= found.norm(dim=1, keepdim=True).clamp_min(1e-12)
        return np.asarray(found.numpy(), np.float32)
