"""Checkpoints: everything a training needs to go on as if it had never stopped."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from songscape.models.hardware import random_states, restore_random_states

__all__ = ["Checkpoint", "State"]


@dataclass
class State:
    """Where a training stands after an epoch, apart from its modules and its optimiser.

    Attributes
    ----------
    history : list of dict
        One row per epoch so far.
    best, since_best : float, int
        The best objective after the warm-up, and the epochs since.
    best_modules : mapping of name to tensor
        The weights of that epoch, under the names of `Checkpoint.save`; empty before there is one.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best: float = -math.inf
    since_best: int = 0
    best_modules: dict[str, Tensor] = field(default_factory=dict)


class Checkpoint:
    """A file that a training writes now and then, and starts from.

    Parameters
    ----------
    path : Path
    key : str
        Of everything the training is computed from; a file with another key is ignored.
    every_s : float
        Seconds between two writings, so that short trainings write nothing.
    """

    def __init__(self, path: Path, key: str, *, every_s: float = 30.0) -> None:
        self.path, self.key, self.every_s = path, key, every_s
        self._written = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() - self._written >= self.every_s

    def save(
        self,
        modules: Mapping[str, nn.Module],
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        generator: torch.Generator,
        state: State,
    ) -> None:
        """Write everything to the file, in one step."""
        tensors = module_tensors(modules)
        tensors |= {f"best/{name}": value for name, value in state.best_modules.items()}
        tensors |= {"random/own": generator.get_state()}
        tensors |= {f"random/{name}": value for name, value in random_states().items()}
        held = optimiser.state_dict()
        for index, moments in held["state"].items():
            tensors |= {f"optimiser/{index}/{name}": value for name, value in moments.items()}
        facts = {
            "key": self.key,
            "groups": held["param_groups"],
            "schedule": {k: v for k, v in schedule.state_dict().items() if not callable(v)},
            "history": state.history,
            "best": state.best,
            "since_best": state.since_best,
        }
        partial = self.path.with_name(f".{self.path.name}.partial")
        partial.parent.mkdir(parents=True, exist_ok=True)
        # Shared memory can't be written twice, and a device's must come to the CPU.
        alone = {name: value.detach().cpu().clone() for name, value in tensors.items()}
        save_file(alone, partial, metadata={"songscape": json.dumps(facts)})
        os.replace(partial, self.path)
        self._written = time.monotonic()

    def restore(
        self,
        modules: Mapping[str, nn.Module],
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        generator: torch.Generator,
    ) -> State:
        """Put everything back as it was; a fresh `State` where there is no such file."""
        try:
            with safetensors.safe_open(self.path, framework="pt") as file:
                facts = json.loads((file.metadata() or {}).get("songscape", "{}"))
                if facts.get("key") != self.key:
                    return State()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, safetensors.SafetensorError):
            return State()
        load_modules(modules, tensors)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            kind, _, rest = name.partition("/")
            if kind == "optimiser":
                index, _, moment = rest.partition("/")
                moments.setdefault(int(index), {})[moment] = value
        optimiser.load_state_dict({"state": moments, "param_groups": facts["groups"]})
        schedule.load_state_dict(facts["schedule"])
        generator.set_state(tensors["random/own"])
        restore_random_states(_below("random/", tensors))
        best = _below("best/", tensors)
        return State(facts["history"], facts["best"], facts["since_best"], best)

    def remove(self) -> None:
        """Delete the file: the training is done."""
        self.path.unlink(missing_ok=True)


def module_tensors(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Copies of all weights and buffers, named "module/tensor"."""
    return {
        f"{module}/{name}": value.detach().clone()
        for module, held in modules.items()
        for name, value in held.state_dict().items()
    }


def load_modules(modules: Mapping[str, nn.Module], tensors: Mapping[str, Any]) -> None:
    """Put weights named as by `module_tensors` back into their modules."""
    for module, held in modules.items():
        held.load_state_dict(_below(f"{module}/", tensors))


def _below(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors whose names start with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
