"""Anybody's embeddings in three lines: what is better is called so, and mistakes are one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import songscape as ss
from songscape.benchmark.targets import Targets
from songscape.benchmark.verdicts import Flag, FlagKind, Outcome
from songscape.errors import UsageError
from songscape.results import TABLES

N = 160
RNG = np.random.default_rng(0)
GENRE = RNG.choice(["waltz", "blues"], N)
LANGUAGE = RNG.choice(["de", "en"], N)
COLUMNS = {
    "genre": GENRE,
    "language": LANGUAGE,
    "artist": [f"singer {i // 4}" for i in range(N)],
}
KNOWS = np.column_stack([4.0 * (GENRE == "waltz"), RNG.normal(size=(N, 3))])
LEAKS = np.column_stack([9.0 * (LANGUAGE == "de"), RNG.normal(size=(N, 3))])


@pytest.fixture(scope="module")
def bench() -> Any:
    embeddings = {"mine": [KNOWS, KNOWS + 0.1], "balanced-pca": LEAKS}
    return ss.Benchmark(COLUMNS, embeddings, artist="artist", nuisances=["language"], k=2).run()


def test_what_finds_the_label_is_recommended_and_what_leaks_is_flagged(bench: Any) -> None:
    assert bench.recommendation.models == ("mine",)
    assert [verdict.model for verdict in bench.verdicts] == ["balanced-pca", "mine"]
    base, mine = bench.verdicts
    assert {test.column for test in mine.wins} == {"genre"}
    assert {t.column for t in mine.having(Outcome.BETTER, "leakage")} == {"language"}
    assert Flag(FlagKind.FINDS, "language") in base.flags
    assert str(mine).startswith("mine: better than balanced-pca at neighbours that share the genre")


def test_the_tables_have_a_row_for_everything(bench: Any) -> None:
    assert list(bench.table.columns) == list(TABLES["table"])
    assert set(bench.table[bench.table["model"] == "mine"]["seed"]) == {0, 1}
    assert {"agreement", "leakage", "own space", "health", "stability"} == set(bench.table["axis"])
    assert set(bench.differences["model"]) == {"mine"}
    assert (bench.summary["metric"] == "ari_over_seeds").any()
    assert not bench.table["metric"].isin(["ilisi", "kbet"]).any()


def test_a_frame_is_as_good_as_a_mapping_and_roles_are_found_by_name(bench: Any) -> None:
    frame = pd.DataFrame(COLUMNS).rename(columns={"artist": "Artist Name", "language": "lang"})
    frame["lang"] = frame["lang"].replace({"de": "German", "en": "eng"})
    embeddings = {"mine": [KNOWS, KNOWS + 0.1], "balanced-pca": LEAKS}
    again = ss.Benchmark(frame, embeddings, k=2).run()
    pd.testing.assert_frame_equal(again.summary, bench.summary)
    pd.testing.assert_frame_equal(again.differences, bench.differences)


def test_the_report_is_one_page_that_needs_nothing_else(bench: Any, tmp_path: Path) -> None:
    path = bench.report(tmp_path / "new" / "report.html")
    page = path.read_text(encoding="utf-8")
    assert "mine" in page
    assert "balanced-pca" in page
    assert 'src="http' not in page
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_without_a_baseline_by_name_the_first_is_it_and_one_alone_is_measured() -> None:
    for asked, used in ((None, "a"), ("b", "b")):
        both = ss.Benchmark({"genre": GENRE}, {"a": LEAKS, "b": KNOWS}, baseline=asked, k=2).run()
        assert set(both.differences["baseline"]) == {used}
    alone = ss.Benchmark({"genre": GENRE}, {"a": KNOWS}, k=2).run()
    assert alone.differences.empty
    assert alone.recommendation.models == ("a",)


def test_an_embedding_that_is_the_same_for_every_track_is_named_and_left_out() -> None:
    embeddings = {"flat": np.zeros((N, 3)), "balanced-pca": LEAKS}
    found = ss.Benchmark({"genre": GENRE}, embeddings, k=2).run()
    (flat,) = [verdict for verdict in found.verdicts if verdict.model == "flat"]
    assert flat.failed
    assert "same for every track" in str(flat)
    assert "flat" not in set(found.summary["model"])


def test_k_is_chosen_in_the_space_of_the_baseline() -> None:
    found = ss.Benchmark({"genre": GENRE}, {"a": LEAKS}).run()
    assert found.clusters.ks == (2,)
    assert found.clusters.curve


HOLES = np.where(np.arange(N)[:, None] < 3, np.nan, KNOWS)


@pytest.mark.parametrize(
    ("targets", "embeddings", "options", "message"),
    [
        (COLUMNS, {}, {}, "name at least one"),
        (COLUMNS, {"a": KNOWS[1:]}, {}, "a: 159 rows, and the targets have 160; one per track"),
        (COLUMNS, {"a": HOLES}, {}, "a: 3 rows have missing or infinite values"),
        (COLUMNS, {"a": KNOWS[:, 0]}, {}, r"a: shape \(160,\), expected"),
        (COLUMNS, {"a": [["x"] * 3] * N}, {}, "a: not an array of numbers"),
        (COLUMNS, {"a": KNOWS}, {"artist": "singer"}, "no artist column 'singer'"),
        (COLUMNS, {"a": KNOWS}, {"labels": ["mood"]}, "no label column 'mood'"),
        (COLUMNS, {"a": KNOWS}, {"nuisances": ["room"]}, "no nuisance column 'room'"),
        (COLUMNS, {"a": KNOWS}, {"labels": ["genre"], "nuisances": ["genre"]}, "genre: named as"),
        (COLUMNS, {"a": KNOWS}, {"baseline": "b"}, "no baseline 'b'; known: a"),
        (COLUMNS, {"a": KNOWS}, {"clusterers": ["kmean"]}, "no clusterer 'kmean'; known: "),
        (COLUMNS, {"a": KNOWS}, {"measures": ["lisi"]}, "no measure 'lisi'; known: ilisi, kbet"),
        (COLUMNS, {"a": KNOWS}, {"k": N}, "k = 160: there are 160 tracks"),
        (COLUMNS, {"a": KNOWS}, {"k": 1}, "at least 2 clusters"),
        ({"genre": GENRE, "mood": GENRE[1:]}, {"a": KNOWS}, {}, "different lengths"),
        ({"genre": GENRE[:3]}, {"a": KNOWS[:3]}, {}, "3 rows; at least 4 tracks"),
        ({"title": np.arange(N).astype(str)}, {"a": KNOWS}, {}, "no column puts the tracks"),
    ],
)
def test_mistakes_are_one_line(
    targets: Any, embeddings: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        ss.Benchmark(targets, embeddings, **options)
    assert "\n" not in str(caught.value)


def test_columns_are_sorted_by_their_roles() -> None:
    frame = pd.DataFrame(COLUMNS | {"title": [f"song {i}" for i in range(N)]})
    frame["year"] = 1900 + np.arange(N) % 80
    frame["loudness"] = RNG.normal(size=N)
    found = Targets.from_columns(frame, nuisances=["loudness"])
    assert list(found.labels) == ["genre"]
    assert list(found.nuisances) == ["language", "artist", "loudness"]
    assert 2 <= len(set(found.nuisances["loudness"])) <= 5, "cut into bins"
    assert len(set(np.asarray(found.groups))) == N / 4
    named = Targets.from_columns(frame, labels=["language"])
    assert list(named.labels) == ["language"]
    assert list(named.nuisances) == ["artist"]
