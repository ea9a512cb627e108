"""Cells that fail or die: the others go on, the right one is blamed, and it is tried again."""

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from songscape.benchmark.keys import PartitionKey, SampleKey
from songscape.clustering import methods
from songscape.errors import SongscapeError
from songscape.experiment import fit as representations
from songscape.experiment.dataset import read_library
from songscape.experiment.forecast import Announcer
from songscape.experiment.gather import evidence_by_model, unmeasured_table
from songscape.experiment.schedule import run_cells
from songscape.experiment.trials import (
    RECIPE,
    Cell,
    CellTask,
    compute_cell,
    read_cell,
    recorded_cell,
)
from songscape.features.views import View, Views
from songscape.models import presets
from songscape.report.unmeasured import unmeasured_lines
from songscape.results import ResultsFolder
from songscape.settings import Settings

# A module of its own, because the processes that run the cells import it by name.
ACTIONS = """
import os, time
from dataclasses import dataclass
from pathlib import Path

from songscape.experiment.trials import CellRun

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
        return self.folder / f"{self.model}-{self.seed}"

def act(task):
    if task.model == "slow good":
        time.sleep(1.0)
    if task.model == "dies":
        os._exit(1)
    if task.model == "raises":
        raise ValueError("SVD did not converge")
    reused = task.path.exists()
    task.path.touch()
    return CellRun(task.path, 0.1, reused, True)
"""


@pytest.fixture
def actions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "cell_actions.py").write_text(ACTIONS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "modules")
    return importlib.import_module("cell_actions")


def test_what_dies_is_blamed_and_what_ran_beside_it_is_not(
    tmp_path: Path, actions: ModuleType
) -> None:
    done = tmp_path / "done"
    done.mkdir()
    tasks = [actions.Task(name, done) for name in ("slow good", "dies", "raises", "good")]
    crashed = run_cells(tasks, 2, compute=actions.act)
    assert set(crashed) == {("dies", 0), ("raises", 0)}
    assert crashed["raises", 0] == "ValueError: SVD did not converge"
    assert "died" in crashed["dies", 0]
    assert {path.name for path in done.iterdir()} == {"slow good-0", "good-0"}


def test_a_comparison_that_goes_on_says_at_once_how_long_it_takes(
    tmp_path: Path, actions: ModuleType
) -> None:
    tasks = [actions.Task("good", tmp_path, seed) for seed in range(4)]
    kept = (900.0, RECIPE), (600.0, RECIPE), (1.0, RECIPE - 1)
    for task, (seconds, recipe) in zip(tasks, kept):
        summary = {"status": "ok"}
        cell = {"recipe": recipe, "key": "", "summary": summary, "rows": [], "seconds": seconds}
        task.path.write_text(json.dumps(cell), encoding="utf-8")
    said: list[str] = []
    run_cells(tasks, 1, compute=actions.act, announcer=Announcer(said.append))
    assert said == ["2 of 4 cells done; about 20 min to go"]


@pytest.fixture(scope="module")
def task(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], CellTask]:
    library = tmp_path_factory.mktemp("library") / "songscape.db"
    read_library(collection, library, Settings(), workers=1).close()
    settings = Settings(models=("balanced-pca",), clusterers=("kmeans", "ward"), seeds=(0,))

    def make(name: str) -> CellTask:
        out = tmp_path_factory.mktemp(name)
        return CellTask(library, out, settings, "balanced-pca", 0, (2,))

    return make


def ids(path: Path) -> list[str]:
    return list(pd.read_parquet(path.with_suffix(".parquet"))["track_id"])


def test_a_cell_that_failed_is_tried_again_and_one_that_did_not_is_kept(
    task: Callable[[str], CellTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = task("failing")
    with monkeypatch.context() as patch:

        def failing(*_: Any) -> None:
            raise SongscapeError("no room on the disk")

        patch.setattr(representations, "_train", failing)
        assert not compute_cell(mine).ok
        failed = read_cell(mine.path, ids(mine.path))
        assert failed.summary["reason"] == "no room on the disk"
        assert not compute_cell(mine).reused
    done = compute_cell(mine)
    assert done.ok
    assert not done.reused
    written = mine.path.stat().st_mtime_ns
    assert compute_cell(mine).reused
    assert mine.path.stat().st_mtime_ns == written


@pytest.mark.parametrize(("error", "again"), [(MemoryError, True), (SongscapeError, False)])
def test_a_clusterer_that_fails_is_named_and_everything_else_is_measured(
    task: Callable[[str], CellTask],
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    again: bool,
) -> None:
    mine = task(error.__name__)

    def failing(X: Any, k: int) -> None:
        raise error("too many songs for ward")

    with monkeypatch.context() as patch:
        patch.setitem(methods.CLUSTERERS, "ward", failing)
        assert compute_cell(mine).ok
    cell = read_cell(mine.path, ids(mine.path))
    assert list(cell.partitions) == ["kmeans|2"]
    assert {"agreement", "leakage", "stability"} <= {row["axis"] for row in cell.rows}
    [line] = unmeasured_lines(unmeasured_table([cell], {}))
    assert line.startswith("balanced-pca + ward, k = 2 (seed 0)")
    assert line.endswith("too many songs for ward")
    record = recorded_cell(mine.path)
    assert record is not None
    assert record.again == again
    assert compute_cell(mine).reused != again


def test_a_damaged_cell_is_computed_again(task: Callable[[str], CellTask]) -> None:
    mine = task("damaged")
    mine.path.parent.mkdir(parents=True)
    mine.path.write_text('{"key": "cut o', encoding="utf-8")
    assert recorded_cell(mine.path) is None
    assert not compute_cell(mine).reused
    assert recorded_cell(mine.path) is not None


def made_cell(seed: int, *, ward: bool = True, status: str = "ok") -> Cell:
    rows: list[dict[str, Any]] = []
    partitions = {"kmeans|2": [0, 0, 1], "dbscan|": [0, 1, -1]}
    if ward:
        partitions["ward|2"] = [0, 1, 1]
    else:
        where = {"clusterer": "ward", "k": 2, "axis": "failed", "metric": "partition"}
        rows.append(where | {"column": "", "reason": "too many songs"})
    ok = status == "ok"
    return Cell(
        "pca",
        seed,
        {"model": "pca", "seed": seed, "status": status, "reason": "" if ok else "singular"},
        rows if ok else [],
        pd.DataFrame({"knn:genre": [0.1, 0.2, np.nan]} if ok else {}),
        pd.DataFrame(partitions if ok else {}),
    )


@pytest.mark.parametrize("without", [0, 2])
def test_a_partition_that_any_seed_lacks_is_left_out_and_named(without: int) -> None:
    cells = [made_cell(seed, ward=seed != without) for seed in range(3)]
    [evidence] = evidence_by_model(cells)
    assert set(evidence.partitions) == {PartitionKey("kmeans", 2), PartitionKey("dbscan")}
    assert all(labels.shape == (3, 3) for labels in evidence.partitions.values())
    assert unmeasured_lines(unmeasured_table(cells, {})) == [
        f"pca + ward, k = 2 (seed {without}): no clusters, so none of its seeds is tested: "
        "too many songs"
    ]


def test_a_seed_that_failed_takes_no_partition_along() -> None:
    cells = [made_cell(0, status="failed"), made_cell(1), made_cell(2)]
    [evidence] = evidence_by_model(cells)
    assert set(evidence.partitions) == {
        PartitionKey("kmeans", 2),
        PartitionKey("dbscan"),
        PartitionKey("ward", 2),
    }
    assert evidence.samples[SampleKey("knn", "genre")].shape == (2, 3)
    lines = unmeasured_lines(unmeasured_table(cells, {("pca", 3): "its process died"}))
    assert lines == ["pca (seed 3): its process died", "pca (seed 0): singular"]


def test_a_changed_preset_is_another_training(monkeypatch: pytest.MonkeyPatch) -> None:
    views = Views(("a", "b"), {"timbre": View(np.ones((2, 3), np.float32), np.ones(2, bool))})
    given = {"latent_dim": 4}
    before = representations.cache_key(views, "dense-vae", 0, given)
    assert before == representations.cache_key(views, "dense-vae", 0, given)
    preset = presets.PRESETS["dense-vae"]
    changed = replace(preset, arguments={**preset.arguments, "epochs": 61})
    monkeypatch.setitem(presets.PRESETS, "dense-vae", changed)
    assert before != representations.cache_key(views, "dense-vae", 0, given)


def test_a_long_reason_is_told_in_its_first_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("C++ compile error\n\nCommand:\ng++ ...")

    monkeypatch.setattr(representations, "_train", fail)
    views = Views(("a", "b"), {"mfcc": View(np.ones((2, 3), np.float32), np.ones(2, bool))})
    done = representations.represent(views, "dense-vae", 0, ResultsFolder(tmp_path))
    assert not done.ok
    assert done.summary["reason"] == "C++ compile error"
