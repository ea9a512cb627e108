"""Benchmarks: the pieces that figures hang on, without training anything."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from songscape.benchmark.targets import Targets
from songscape.features.views import View, Views
from songscape.metrics.neighbours import nearest_neighbors

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch):
    """Import a script as it is run: its folder first on the path."""
    if not FOLDER.exists():
        pytest.skip("the benchmarks are not part of an installed package")
    monkeypatch.syspath_prepend(str(FOLDER))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


def targets_of(labels: np.ndarray, artists: np.ndarray) -> Targets:
    return Targets(labels={"genre": labels}, nuisances={}, artists=artists, groups=artists)


def test_placing_tracks_where_they_are_gives_the_usual_agreement(script) -> None:
    placement = script("placement")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    genre, artist = rng.integers(0, 3, 60), rng.integers(0, 20, 60)
    found = placement.agreement(X, X, np.ones(60, bool), targets_of(genre, artist))["knn:genre"]
    usual = script("shared_inputs").knn_label_agreement(
        nearest_neighbors(X, 59), genre, k=10, artists=artist
    )
    assert np.nanmean(found) == pytest.approx(usual["mean"])


def test_only_tracks_among_which_one_is_placed_are_neighbours(script) -> None:
    placement = script("placement")
    X = np.arange(40.0)[:, None]
    genre = np.repeat(["near", "far"], 20)
    among = genre == "far"
    targets = targets_of(genre, np.arange(40))
    found = placement.agreement(X, X, among, targets)["knn:genre"]
    assert (found[~among] == 0).all()
    assert (found[among] == 1).all()


def test_placing_as_well_keeps_ninety_percent_and_half_as_well_does_not(script) -> None:
    placement = script("placement")
    rng = np.random.default_rng(0)
    genre, artist = rng.integers(0, 3, 90), np.arange(90) // 2
    complete = rng.uniform(0.5, 0.7, size=(3, 90))
    samples = {
        "complete": {"knn:genre": complete},
        "audio only": {"knn:genre": complete},
        "lyrics only": {"knn:genre": complete / 2},
    }
    audio, words = placement.kept_table(samples, targets_of(genre, artist))
    assert (audio["placed by"], audio["share"], audio["90 %"]) == ("audio only", "1.00", "kept")
    assert (words["placed by"], words["share"], words["90 %"]) == (
        "lyrics only",
        "0.50",
        "not kept",
    )


class TwoHalves:
    """Places a track by its audio at x and by its words at a permuted place."""

    def __init__(self, audio: np.ndarray, words: np.ndarray) -> None:
        self.places = SimpleNamespace(audio=audio, words=words)

    latent_weights_ = np.ones(1)

    def posterior(self, views: Views) -> tuple[np.ndarray, np.ndarray]:
        rows = views["segments"].values[:, 0, 0].astype(int)
        by_audio = views["segments"].present.any()
        return (self.places.audio if by_audio else self.places.words)[rows], np.ones(1)


def two_views(n: int) -> Views:
    there = np.ones(n, bool)
    segments = View(np.arange(n, dtype=np.float32)[:, None, None], there)
    others = dict.fromkeys(("rhythm", "lyrics"), View(np.ones((n, 1), np.float32), there))
    return Views(tuple(f"{i:03d}" for i in range(n)), {"segments": segments, **others})


def test_retrieval_finds_halves_that_lie_together_and_no_others(script) -> None:
    placement = script("placement")
    X = np.random.default_rng(0).normal(size=(50, 3))
    rows = np.arange(50)
    together = placement.retrieval_hits(TwoHalves(X, X), two_views(50), rows)
    apart = placement.retrieval_hits(TwoHalves(X, -100 - X), two_views(50), rows)
    assert all(hits.all() for hits in together.values())
    assert all(hits.mean() < 0.5 for hits in apart.values())


def test_a_space_that_says_nothing_retrieves_nothing(script) -> None:
    placement = script("placement")
    flat = np.zeros((50, 3))
    hits = placement.retrieval_hits(TwoHalves(flat, flat), two_views(50), np.arange(50))
    assert not any(values.any() for values in hits.values())


def test_large_synthetic_collection_stays_sparse_and_has_its_groups(script) -> None:
    scale = script("scale")
    views, group = scale.synthetic_views(300)
    words = views["lyrics"]
    assert words.is_sparse
    assert words.shape == (300, scale.N_WORDS)
    assert np.diff(words.values.indptr).max() <= scale.WORDS_PER_SONG
    assert np.allclose(words.values.multiply(words.values).sum(axis=1), 1.0, atol=1e-5)
    near = nearest_neighbors(views["timbre"].values, 10)
    agreement = script("shared_inputs").knn_label_agreement(near, group, k=10)
    assert agreement["mean"] > 2 * agreement["chance"]


CURVE = np.array(
    [
        [1.0, 0.5, -30.0, -20.0],
        [2.0, 1.0, -20.0, -15.0],
        [3.0, 1.5, -20.0, -10.0],
        [4.0, 2.0, -25.0, -5.0],
    ]
)


def test_time_to_a_target_is_that_of_the_first_epoch_at_both_elbos(script) -> None:
    course_speed = script("course_speed")
    times, epoch = course_speed.first_at(CURVE, [-20.0, -12.0])
    assert times.tolist() == [3.0, 1.5]
    assert epoch == 3


def test_common_point_is_reached_by_all_in_both_elbos_at_once(script) -> None:
    course_speed = script("course_speed")
    other = np.array([[1.0, 1.0, -22.0, -25.0], [2.0, 2.0, -21.0, -18.0]])
    # Where the first is at least at -21 in validation, it is at -10 in training.
    assert course_speed.common_point([CURVE, other]) == [-21.0, -18.0]
    assert course_speed.common_point([CURVE]) == [-20.0, -10.0]


def test_mixture_that_knows_the_labels_is_ahead_of_k_means_that_guesses(script) -> None:
    mixture = script("mixture")
    rng = np.random.default_rng(0)
    genre = rng.integers(0, 3, 120)
    runs = [
        {way: genre if way == "mixture" else rng.integers(0, 3, 120) for way in mixture.WAYS}
        for _ in range(3)
    ]
    (row,), (plain,) = mixture.rows_of(runs, targets_of(genre, np.arange(120) // 2), 3)
    assert row["verdict"] == "ahead"
    assert plain["mixture"][0] == pytest.approx(1.0)
    assert plain["difference"][0] == pytest.approx(1.0 - plain["k-means"][0])


def test_collection_is_named_after_its_folder_wherever_the_library_lies(script) -> None:
    shared = script("shared_inputs")
    assert shared.name_of(Path("a/songs")) == "songs"
    assert shared.name_of(Path("a/songs.db")) == "songs"
    assert shared.name_of(Path("a/songs/songscape.db")) == "songs"


def test_markdown_table_has_a_cell_for_every_column(script) -> None:
    shared = script("shared_inputs")
    table = shared.markdown([{"model": "a", "kNN": "0.5"}, {"model": "b"}])
    assert table.splitlines() == ["| model | kNN |", "| --- | --- |", "| a | 0.5 |", "| b |  |"]


def test_without_the_language_as_leace_has_it_nothing_varies_with_it(script) -> None:
    from songscape.features.covariates import composition_view

    languages = composition_view(["German", "English", "French"] * 30)
    X = np.random.default_rng(0).normal(size=(90, 6)) + 3 * languages.values @ np.ones((3, 6))
    X[:, 0] += 5 * languages.values[:, 1]
    found = script("representations").aligned(X, np.zeros(6, bool), languages, "balanced-lda-leace")
    away = languages.values - languages.values.mean(axis=0)
    assert np.abs(X.T @ away).max() > 50
    assert np.abs(found.T @ away).max() < 1e-4
    # Nor does it with what is orthogonal to that, which changes more.
    X -= X.mean(axis=0)
    told = np.linalg.svd(X.T @ away, full_matrices=False)[0][:, :2]
    assert np.square(found - X).sum() < np.square(X @ told).sum()
