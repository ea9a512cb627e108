"""Cells that fail or die: the others go on, and the right one is blamed."""

import importlib
from pathlib import Path

import pytest

from songscape.pipeline import compare

# A module of its own, because the processes that run the cells import it by name.
ACTIONS = """
import os, time
from dataclasses import dataclass
from pathlib import Path

@dataclass(frozen=True)
class Task:
    model: str
    folder: Path
    seed: int = 0

    @property
    def name(self):
        return self.model, self.seed

    @property
    def path(self):
        return self.folder / self.model

def act(task):
    if task.model == "slow good":
        time.sleep(1.0)
    if task.model == "dies":
        os._exit(1)
    if task.model == "raises":
        raise ValueError("SVD did not converge")
    task.path.touch()
    return task.path
"""


def test_what_dies_is_blamed_and_what_ran_beside_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "cell_actions.py").write_text(ACTIONS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "modules")
    actions = importlib.import_module("cell_actions")
    done = tmp_path / "done"
    done.mkdir()
    monkeypatch.setattr(compare, "compute_cell", actions.act)
    tasks = [actions.Task(name, done) for name in ("slow good", "dies", "raises", "good")]
    crashed = compare._compute(tasks, 2)
    assert set(crashed) == {("dies", 0), ("raises", 0)}
    assert crashed["raises", 0] == "ValueError: SVD did not converge"
    assert "died" in crashed["dies", 0]
    assert {path.name for path in done.iterdir()} == {"slow good", "good"}
