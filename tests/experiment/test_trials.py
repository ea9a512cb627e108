"""Trials: measured once in parts, kept, tried again; one that dies takes no other along."""

import importlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from songscape.benchmark.keys import SPACE, PartitionKey
from songscape.benchmark.number_of_clusters import NumberOfClusters
from songscape.clustering import methods
from songscape.errors import SongscapeError
from songscape.experiment import fit, request, schedule, trials
from songscape.experiment.request import Request, RequestResult
from songscape.experiment.schedule import run_trials
from songscape.experiment.trial_inputs import TrialInputs, read_inputs
from songscape.experiment.trials import TrialPart
from songscape.features.views import View, Views
from songscape.models import presets
from songscape.report.sections import unmeasured_lines
from songscape.results import ResultsFolder
from songscape.settings import Settings

# A module of its own, because the processes that run trials import it by name.
ACTIONS = """
import os, time
from pathlib import Path

def act(folder, what):
    if what == "slow":
        time.sleep(1.0)
    if what == "dies":
        os._exit(1)
    if what == "raises":
        raise ValueError("SVD did not converge")
    Path(folder, what).touch()
    return 0.1
"""
SETTINGS = Settings(models=("balanced-pca",), clusterers=("kmeans", "ward"), k=(2,))


@pytest.fixture
def actions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "trial_actions.py").write_text(ACTIONS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path / "modules")
    monkeypatch.setattr(schedule, "run_trial", importlib.import_module("trial_actions").act)


def test_what_dies_costs_itself_and_not_what_runs_beside_it(tmp_path: Path, actions: None) -> None:
    done = tmp_path / "done"
    done.mkdir()
    names = ("slow", "dies", "raises", "good")
    crashed = run_trials({(name, 0): (str(done), name) for name in names}, 2)
    assert set(crashed) == {("dies", 0), ("raises", 0)}
    assert crashed["raises", 0] == "ValueError: SVD did not converge"
    assert "its process crashed" in crashed["dies", 0]
    assert {path.name for path in done.iterdir()} == {"slow", "good"}


def test_an_executor_of_the_callers_runs_them_too(tmp_path: Path, actions: None) -> None:
    with ThreadPoolExecutor(1) as executor:
        crashed = run_trials({("good", 0): (str(tmp_path), "good")}, 1, executor)
        assert executor.submit(int).result() == 0, "it is the caller's to shut down"
    assert not crashed
    assert (tmp_path / "good").exists()


class Breaking(Executor):
    """Breaks at the first task, as a process pool does whose worker was killed."""

    broken = False

    def submit(self, *_: Any, **__: Any) -> Future[Any]:  # type: ignore[override]
        if self.broken:
            raise BrokenExecutor("cannot schedule new futures")
        self.broken = True
        future: Future[Any] = Future()
        future.set_exception(BrokenExecutor("a worker was killed"))
        return future


def test_a_broken_executor_is_the_reason_of_every_trial(tmp_path: Path) -> None:
    tasks = {(name, 0): (str(tmp_path), name) for name in ("one", "other")}
    assert run_trials(tasks, 1, Breaking()) == {
        ("one", 0): "BrokenExecutor: a worker was killed",
        ("other", 0): "BrokenExecutor: cannot schedule new futures",
    }


# -- what trials read ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inputs(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> TrialInputs:
    from songscape.experiment.dataset import EVIDENCE_VIEWS, load_dataset, read_library

    path = tmp_path_factory.mktemp("library") / "songscape.db"
    with read_library(collection, path, SETTINGS, workers=1) as library:
        return TrialInputs.of(load_dataset(library, SETTINGS, EVIDENCE_VIEWS), SETTINGS)


def test_trials_read_exactly_what_the_library_gave(inputs: TrialInputs, tmp_path: Path) -> None:
    with inputs.written(tmp_path, ["mfcc", "segments"]) as written:
        views, targets, _ = read_inputs(written)
        given = inputs.dataset.views.select(list(views))
        assert set(views) >= {"mfcc", "segments", "timbre", "lyrics"}
        assert views.digest() == given.digest()
        for name in ("labels", "nuisances"):
            ours, theirs = getattr(inputs.targets, name), getattr(targets, name)
            assert list(ours) == list(theirs)
            for column in ours:
                assert list(ours[column]) == list(theirs[column])
        np.testing.assert_array_equal(inputs.targets.groups, targets.groups)
        assert {"timbre", "lyrics", "joint"} == set(targets.references)
        views["mfcc"].values[:] = 0
        assert read_inputs(written)[0]["mfcc"].values.any(), "changes stay in their process"
    assert not list(tmp_path.iterdir())


def test_empty_and_sparse_views_survive(inputs: TrialInputs, tmp_path: Path) -> None:
    n = len(inputs.track_ids)
    rng = np.random.default_rng(0)
    sparse = sp.csr_array((rng.random((n, 5)) * (rng.random((n, 5)) < 0.3)).astype(np.float32))
    blocks = {
        "sparse": View(sparse, np.ones(n, bool), feature_names=tuple("abcdé")),
        "empty": View(np.zeros((n, 0), np.float32), np.ones(n, bool)),
        "timbre": inputs.dataset.views["timbre"],
        "lyrics": inputs.dataset.views["lyrics"],
    }
    views = Views(inputs.track_ids, blocks, np.arange(n))
    ours = replace(
        inputs,
        dataset=replace(inputs.dataset, views=views),
        digests=dict.fromkeys(blocks, "made"),
    )
    with ours.written(tmp_path, list(blocks)) as written:
        assert read_inputs(written)[0].digest() == views.digest()


def test_what_a_killed_run_left_is_removed(inputs: TrialInputs, tmp_path: Path) -> None:
    left = tmp_path / ".inputs-killed"
    left.mkdir()
    (left / "view0-values.npy").touch()
    with inputs.written(tmp_path, []):
        assert not left.exists()


# -- what is kept ----------------------------------------------------------------------------


@pytest.fixture
def fulfil(inputs: TrialInputs, tmp_path: Path) -> Iterator[Callable[..., RequestResult]]:
    """Ask for something, in this process."""
    with ThreadPoolExecutor(1) as executor:

        def ask(settings: Settings = SETTINGS, *, nulls: bool = False) -> RequestResult:
            wanted = Request(settings, NumberOfClusters(settings.k), nulls)
            return wanted.fulfil(inputs, ResultsFolder(tmp_path), 1, executor)

        yield ask


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Parts that are measured from now on; a comparison's have a "+"."""
    names: list[str] = []
    measure = trials._measure

    def noted(part: TrialPart, *rest: Any) -> Any:
        names.append(str(part.key) + "+" * part.nulls)
        return measure(part, *rest)

    monkeypatch.setattr(trials, "_measure", noted)
    return names


def test_only_what_is_new_is_measured(
    fulfil: Callable[..., RequestResult], measured: list[str]
) -> None:
    fulfil()
    assert measured == ["|", "kmeans|2", "ward|2"]
    measured.clear()
    fulfil(SETTINGS.updated(clusterers=("kmeans", "dbscan"), k=(2, 3)))
    assert measured == ["kmeans|3", "dbscan|"]
    measured.clear()
    with_nulls = fulfil(SETTINGS.updated(clusterers=("kmeans",)), nulls=True)
    assert measured == ["|+", "kmeans|2+"]
    measured.clear()
    fulfil(SETTINGS.updated(clusterers=("kmeans", "ward", "dbscan"), k=(2, 3)))
    assert measured == ["ward|3"], "what was measured with permutations answers who asks for less"
    (trial,) = with_nulls.trials.values()
    found = trial.measurements(with_nulls.keys(("balanced-pca", 0)))
    assert set(found.partitions) == {PartitionKey("kmeans", 2)}
    assert {row.get("clusterer", "") for row in found.rows} == {"", "kmeans"}


def test_other_options_of_a_clusterer_are_another_measurement(
    fulfil: Callable[..., RequestResult], measured: list[str]
) -> None:
    fulfil()
    measured.clear()
    fulfil(SETTINGS.updated(clusterer_options={"kmeans": {"n_init": 2}}))
    assert measured == ["kmeans|2"]


def test_a_comparison_with_another_first_seed_loses_no_permutations(
    fulfil: Callable[..., RequestResult], measured: list[str]
) -> None:
    small = SETTINGS.updated(clusterers=("kmeans",))
    fulfil(small.updated(seeds=(0, 1)), nulls=True)
    measured.clear()
    fulfil(small.updated(seeds=(1,)))
    assert measured == ["|+", "kmeans|2+"], "the clusters of seed 1 are described now"
    measured.clear()
    fulfil(small.updated(seeds=(0, 1)), nulls=True)
    assert not measured


def test_other_labels_measure_again_and_train_nothing(
    fulfil: Callable[..., RequestResult],
    inputs: TrialInputs,
    measured: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fulfil()
    measured.clear()
    monkeypatch.setattr(fit, "_train", None)
    labels = {"sung in": inputs.targets.nuisances["language"]}
    other = replace(inputs, targets=replace(inputs.targets, labels=labels), context="other")
    other = replace(other, shown=("sung in",))
    wanted = Request(SETTINGS, NumberOfClusters((2,)), False)
    with ThreadPoolExecutor(1) as executor:
        found = wanted.fulfil(other, ResultsFolder(tmp_path), 1, executor)
    assert len(measured) == 3
    (trial,) = found.trials.values()
    assert "sung in" in {row["column"] for row in trial.parts[SPACE].rows}


def test_a_trial_that_failed_is_tried_again_and_one_that_did_not_is_kept(
    fulfil: Callable[..., RequestResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def failing(*_: Any) -> None:
            raise SongscapeError("no room on the disk")

        patch.setattr(fit, "_train", failing)
        found = fulfil()
        assert not found.trials
        assert found.missing
        (summary,) = found.summaries.values()
        assert summary["reason"] == "no room on the disk"
    assert not fulfil().missing
    monkeypatch.setattr(request, "run_trials", None)
    assert not fulfil().missing


@pytest.mark.parametrize(("error", "again"), [(MemoryError, True), (SongscapeError, False)])
def test_a_clusterer_that_fails_is_named_and_everything_else_is_measured(
    fulfil: Callable[..., RequestResult],
    monkeypatch: pytest.MonkeyPatch,
    measured: list[str],
    error: type[Exception],
    again: bool,
) -> None:
    from songscape.experiment.result_tables import unmeasured_table

    def failing(X: Any, k: int) -> None:
        raise error("too many songs for ward")

    with monkeypatch.context() as patch:
        patch.setitem(methods.CLUSTERERS, "ward", failing)
        found = fulfil(nulls=True)
    name = ("balanced-pca", 0)
    assert list(found.trials[name].measurements(found.keys(name)).partitions) == [
        PartitionKey("kmeans", 2)
    ]
    axes = {row["axis"] for row in found.trials[name].measurements(found.keys(name)).rows}
    assert {"agreement", "leakage", "stability"} <= axes
    measurements = {name: found.trials[name].measurements(found.keys(name))}
    frame = unmeasured_table(measurements, found.summaries.values())
    [line] = unmeasured_lines(frame)
    assert line.startswith("balanced-pca + ward, k = 2 (seed 0)")
    assert line.endswith("too many songs for ward")
    measured.clear()
    fulfil(nulls=True)
    assert measured == (["ward|2+"] if again else []), "memory may suffice another day"


@pytest.mark.parametrize("damage", ['{"key": "cut o', "[]", '{"recipe": 1}'])
def test_a_damaged_trial_is_measured_again(
    fulfil: Callable[..., RequestResult], tmp_path: Path, measured: list[str], damage: str
) -> None:
    fulfil()
    measured.clear()
    ResultsFolder(tmp_path).trial("balanced-pca", 0).write_text(damage, encoding="utf-8")
    assert not fulfil().missing
    assert len(measured) == 3


def test_latents_that_were_changed_are_trained_and_measured_again(
    fulfil: Callable[..., RequestResult], tmp_path: Path, measured: list[str]
) -> None:
    before = fulfil()
    measured.clear()
    latents = ResultsFolder(tmp_path).latents("balanced-pca", 0)
    latents.write_bytes(b"cut off")
    after = fulfil()
    assert not after.missing
    assert json.dumps(before.trials["balanced-pca", 0].parts[SPACE].rows) == json.dumps(
        after.trials["balanced-pca", 0].parts[SPACE].rows
    )


def test_a_changed_preset_is_another_training(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {"mfcc": "digest"}

    def key(**options: Any) -> str:
        return fit.ModelFit.of("dense-vae", 0, options, digests).key

    before = key(latent_dim=4)
    assert before == key(latent_dim=4)
    preset = presets.PRESETS["dense-vae"]
    changed = replace(preset, arguments={**preset.arguments, "epochs": 61})
    monkeypatch.setitem(presets.PRESETS, "dense-vae", changed)
    assert before != key(latent_dim=4)


def test_a_long_reason_is_told_in_its_first_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("C++ compile error\n\nCommand:\ng++ ...")

    monkeypatch.setattr(fit, "_train", fail)
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    views = Views(("a", "b"), {"mfcc": View(values, np.ones(2, bool))})
    training = fit.ModelFit.of("dense-vae", 0, {}, {"mfcc": "digest"})
    summary = fit.fit(training, views, ResultsFolder(tmp_path))
    assert summary["status"] == "failed"
    assert summary["reason"] == "C++ compile error"
