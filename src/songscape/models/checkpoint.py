"""Checkpoints: everything a training needs to continue as if it had never stopped."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from songscape.models.saving import decode, encode
from songscape.results import write_atomically

Parts = Mapping[str, Any]
"""What has a `state_dict`: modules, an optimiser, a schedule."""


@dataclass
class State:
    """Where a training stands after an epoch, apart from its modules and its optimiser.

    `history` has one row per epoch so far; `best` is the best objective after the warm-up,
    `since_best` the epochs since, and `best_weights` the weights of that epoch, by module.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best: float = -math.inf
    since_best: int = 0
    best_weights: dict[str, dict[str, Tensor]] = field(default_factory=dict)


def _generators() -> dict[str, Any]:
    """torch's own generators, by device: dropout on a device draws from that device's."""
    found: dict[str, Any] = {"torch": torch}
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda
    if torch.backends.mps.is_available():
        found["mps"] = torch.mps
    return found


class Checkpoint:
    """A file that a training writes now and then, and starts from.

    A file with another `key` than that of everything the training is computed from is ignored.
    Between two writings there are at least `every_s` seconds: short trainings write nothing.
    """

    def __init__(self, path: Path, key: str, *, every_s: float = 30.0) -> None:
        self.path, self.key, self.every_s = path, key, every_s
        self._written = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() - self._written >= self.every_s

    def save(self, parts: Parts, generator: torch.Generator, state: State) -> None:
        """Write everything to the file, in one step."""
        everything = {
            "parts": {
                name: {k: v for k, v in part.state_dict().items() if not callable(v)}
                for name, part in parts.items()
            },
            "generator": generator.get_state(),
            "random": {name: one.get_rng_state() for name, one in _generators().items()},
            "state": vars(state),
        }
        tensors: dict[str, Tensor] = {}
        facts = {"key": self.key, "everything": encode(everything, tensors)}
        # Shared memory can't be written twice, and a device's must come to the CPU.
        copies = {name: value.detach().cpu().clone() for name, value in tensors.items()}
        metadata = {"songscape": json.dumps(facts)}
        write_atomically(self.path, lambda path: save_file(copies, path, metadata=metadata))
        self._written = time.monotonic()

    def restore(self, parts: Parts, generator: torch.Generator) -> State:
        """Put everything back as it was; a fresh `State` where there is no such file."""
        try:
            with safetensors.safe_open(self.path, framework="pt") as file:
                facts = json.loads((file.metadata() or {}).get("songscape", "{}"))
                if facts.get("key") != self.key or "everything" not in facts:
                    return State()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, safetensors.SafetensorError):
            return State()
        everything: dict[str, Any] = decode(facts["everything"], tensors)
        for name, part in parts.items():
            held = everything["parts"].get(name, {})
            if isinstance(part, torch.optim.Optimizer):
                # JSON has no whole numbers as keys.
                held["state"] = {int(index): value for index, value in held["state"].items()}
            part.load_state_dict(held)
        generator.set_state(everything["generator"])
        for name, one in _generators().items():
            if name in everything["random"]:
                one.set_rng_state(everything["random"][name])
        return State(**everything["state"])

    def remove(self) -> None:
        """Delete the file: the training is done."""
        self.path.unlink(missing_ok=True)
