"""Hardware: where a network is trained, and what it draws random numbers from."""

from __future__ import annotations

import torch
from torch import Tensor

from songscape.errors import SongscapeError


def chosen_device(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA where there is one, else the CPU."""
    n_cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if n_cuda else "cpu")
    kind, _, index = name.partition(":")
    n_devices = {"cuda": n_cuda, "mps": int(torch.backends.mps.is_available())}.get(kind, 1)
    if int(index or 0) >= n_devices:
        raise SongscapeError(f"device = {name!r}: this machine has none; use auto or cpu")
    return torch.device(name)


def random_states() -> dict[str, Tensor]:
    """The states of torch's own generators: dropout on a device draws from that device's."""
    states = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    if torch.backends.mps.is_available():
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_random_states(states: dict[str, Tensor]) -> None:
    """Put them back, those of devices that this machine has."""
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
    if "mps" in states and torch.backends.mps.is_available():
        torch.mps.set_rng_state(states["mps"])
