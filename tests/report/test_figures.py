"""The page plans its pictures: names that any file system takes, the featured method first."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from songscape.benchmark.keys import PartitionKey
from songscape.report.figures import (
    GROUPS,
    SECTIONS,
    group_numbers,
    picture_name,
    picture_plan,
    shown_partitions,
)
from songscape.report.read import read_results


@pytest.mark.parametrize("name", ["genre/style", "..", "a b", "x" * 300, "গান?", 'q"<>|*:\\'])
def test_picture_names_are_safe_and_distinct(name: str) -> None:
    found = picture_name("heatmap", name, "pca")
    assert len(f"{found}.png".encode()) <= 100
    assert not set(found) & set('/\\:*?"<>| ')
    assert not found.startswith(".")
    assert picture_name("heatmap", f"{name}_", "pca") != found


def test_plain_picture_names_stay_as_they_are() -> None:
    assert picture_name("heatmap", "genre", "pca") == "heatmap-genre-pca"


def test_the_plan_goes_in_the_order_of_the_page_and_names_every_file_once(
    run_folder: Path, compared_folder: Path
) -> None:
    for folder in (run_folder, compared_folder):
        plan = picture_plan(read_results(folder))
        places = [list(SECTIONS).index(planned.section) for planned in plan]
        assert places == sorted(places)
        assert len({planned.name for planned in plan}) == len(plan)


def test_a_run_pictures_every_method_and_the_featured_one_first(run_folder: Path) -> None:
    results = read_results(run_folder)
    assert results.featured is not None
    models = list(shown_partitions(results))
    assert models[0] == results.featured.model == "song-vae"
    assert set(models) == set(results.kinds)
    plan = picture_plan(results)
    assert [p.parts for p in plan if p.section == "map"] == [("song-vae",)]


def test_the_first_map_shows_the_groups_where_there_are_some(run_folder: Path) -> None:
    results = read_results(run_folder)
    ids = list(results.labels.index)
    regions = {"groups": [{"name": "slow, soft"}, {"name": "Loud"}], "member": [1, 0, -1]}
    groups = {"model": "tfidf", "tracks": ids[:3], "levels": [regions]}
    (run_folder / "groups.json").write_text(json.dumps(groups), encoding="utf-8")
    results = read_results(run_folder)
    shown = shown_partitions(results)
    assert list(shown)[:2] == ["tfidf", "song-vae"]
    assert shown["tfidf"] == GROUPS
    assert set(shown) == set(results.kinds)
    assert group_numbers(results, [*ids[3::-1]]) == [-1, -1, 1, 2]
    first = picture_plan(results)[0]
    assert (first.section, first.parts) == ("map", ("tfidf",))
    assert first.caption.endswith("The groups: 1 Slow, soft; 2 Loud.")


def test_maps_show_the_partition_that_the_page_describes(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path
) -> None:
    rows = made.model_rows("tfidf")
    rows += [row | {"k": 6} for row in made.model_rows("tfidf", genre_ami=0.9) if row["k"] == 4]
    results = read_results(write_results(tmp_path / "results", rows))
    assert shown_partitions(results) == {"tfidf": PartitionKey("kmeans", 6)}
    assert results.featured is not None
    assert results.featured.key == PartitionKey("kmeans", 6)
    maps = [planned.caption for planned in picture_plan(results) if planned.section == "map"]
    assert maps == ["Map of the space of tfidf, coloured by kmeans, k = 6, then by label."]


def test_a_comparison_pictures_what_it_recommends_beside_the_baseline(
    compared_folder: Path,
) -> None:
    results = read_results(compared_folder)
    assert list(shown_partitions(results)) == ["song-vae", "balanced-pca"]


def test_heat_maps_of_genre_and_language_stand_before_those_of_other_labels(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path
) -> None:
    rows = made.model_rows("balanced-pca")
    folder = write_results(tmp_path / "results", rows, labels=["theme", "genre"])
    plan = picture_plan(read_results(folder))
    assert [p.parts[1] for p in plan if p.section == "heatmap"] == ["genre", "language"]
    assert [p.parts[1] for p in plan if p.section == "other-heatmap"] == ["theme"]
