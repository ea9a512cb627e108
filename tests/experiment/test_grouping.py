"""A run says what is in the music, and groups keep their names when it grows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from songscape.cli import main
from songscape.cli.groups_text import described
from songscape.errors import SongscapeError, UsageError
from songscape.experiment.experiment import ExperimentSummary, run
from songscape.experiment.grouping import name_group
from songscape.models.presets import DEFAULT_FREE, DEFAULT_NEUTRAL
from songscape.results import ResultsFolder
from songscape.settings import DEFAULT_MODELS, Settings

Done = tuple[Path, Path, ExperimentSummary]
SETTINGS = Settings(models=("timbre-pca",), clusterers=("kmeans",), k=(2,))
N = 30


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory, write_collection: Callable[[Path, list[int]], Path]
) -> Done:
    folder = write_collection(tmp_path_factory.mktemp("music") / "songs", list(range(N)))
    out = tmp_path_factory.mktemp("out") / "results"
    return folder, out, run(folder, out, SETTINGS, workers=1)


def test_a_run_leaves_the_groups_of_every_song(done: Done) -> None:
    _, out, summary = done
    assert summary.groups is not None
    table = pd.read_csv(out / "results" / "groups.csv", keep_default_na=False)
    assert list(table["track_id"]) == [f"t{i:02}" for i in range(N)]
    document = json.loads((out / "results" / "groups.json").read_text(encoding="utf-8"))
    ids = {group["id"] for level in document["levels"] for group in level["groups"]}
    assert set(table["group"]) | set(table["neighbourhood"]) == ids
    # Two kinds of sound: no group has both.
    kinds = table.groupby("group")["track_id"].agg(lambda ids: {int(i[1:]) % 2 for i in ids})
    assert all(len(one) == 1 for one in kinds)


def test_the_terminal_and_the_page_say_what_was_found(done: Done) -> None:
    _, out, summary = done
    assert summary.groups is not None
    lines = "\n".join(described(summary.groups))
    page = (out / "results" / "report.html").read_text(encoding="utf-8")
    assert page.index("What is in this music") < page.index("How do we know?")
    assert "German 5" in lines  # 8 of 15 pairs
    for one in summary.groups.regions:
        assert f"{one.name[:1].upper()}{one.name[1:]}: {one.size} songs" in lines
        assert f"{one.size} songs" in page
        assert summary.groups.titles[one.portrait.typical[0]] in lines
    assert "AMI" not in lines


def test_a_given_name_stays_when_the_folder_of_the_songs_is_renamed(
    done: Done, tmp_path: Path
) -> None:
    songs, before, summary = done
    assert summary.groups is not None
    out, moved = tmp_path / "results", tmp_path / "songs"
    shutil.copytree(before, out)
    shutil.copytree(songs, moved)
    (moved / "tracks.csv").unlink()
    root = tmp_path / "root"
    root.mkdir()
    first = summary.groups.regions[0]
    assert main(["name", first.id, "Sunday morning", "--in", str(out)]) == 0
    for name in ("My songs", "Songs"):
        moved = moved.rename(root / name)
        again = run(root, out, SETTINGS, workers=1).groups
        assert again is not None
    assert [one.id for one in again.regions if one.name == "Sunday morning"] == [first.id]


def test_a_given_name_stays_when_the_collection_grows(
    done: Done, tmp_path: Path, write_collection: Callable[[Path, list[int]], Path]
) -> None:
    _, before, summary = done
    assert summary.groups is not None
    out = tmp_path / "results"
    shutil.copytree(before, out)
    first = summary.groups.regions[0]
    assert main(["name", first.id, "Sunday  morning", "--in", str(out)]) == 0
    table = pd.read_csv(out / "results" / "groups.csv")
    assert set(table["name"][table["group"] == first.id]) == {"Sunday morning"}
    assert "Sunday morning" in (out / "results" / "report.html").read_text(encoding="utf-8")
    grown = write_collection(tmp_path / "songs", list(range(N + 3)))
    again = run(grown, out, SETTINGS, workers=1).groups
    assert again is not None
    assert [one.id for one in again.regions if one.name == "Sunday morning"] == [first.id]
    old, new = set(first.portrait.rows), set(range(N))
    (kept,) = [one for one in again.regions if one.id == first.id]
    assert set(kept.portrait.rows) & new == old


def test_groups_are_known_again_where_their_file_was_cleared(done: Done, tmp_path: Path) -> None:
    folder, before, summary = done
    out = tmp_path / "results"
    shutil.copytree(before, out)
    path = out / "results" / "groups.json"
    kept = path.read_bytes()
    path.unlink()
    again = run(folder, out, SETTINGS, workers=1).groups
    assert again is not None
    assert summary.groups is not None
    assert [one.id for one in again.regions] == [one.id for one in summary.groups.regions]
    assert path.read_bytes() == kept


def test_what_has_not_changed_is_not_grouped_again(
    done: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, before, summary = done
    out = tmp_path / "results"
    shutil.copytree(before, out)
    asked: list[object] = []
    monkeypatch.setattr("songscape.clustering.groups.find_levels", lambda *_, **__: asked.append(1))
    again = run(folder, out, SETTINGS, workers=1).groups
    assert asked == []
    assert again is not None
    assert summary.groups is not None
    assert described(again) == described(summary.groups)
    (out / "trials" / "groups.bin").write_bytes(b"damaged")
    with pytest.raises(AttributeError):  # of what the replaced function gave
        run(folder, out, SETTINGS, workers=1)
    assert asked == [1]


def test_a_name_that_cannot_be_given_is_one_line(done: Done, tmp_path: Path) -> None:
    _, before, summary = done
    assert summary.groups is not None
    out = tmp_path / "results"
    shutil.copytree(before, out)
    folder, (first, second, *_) = ResultsFolder(out), summary.groups.regions
    with pytest.raises(UsageError, match="no such group; there are g1"):
        name_group(folder, "nothing of the kind", "Name")
    with pytest.raises(UsageError, match="another group is called so"):
        name_group(folder, first.id, second.name.upper())
    name_group(folder, first.id, "Mine")
    assert name_group(folder, "mi", "") == ("Mine", first.made_name)
    with pytest.raises(SongscapeError, match="no groups here; make them with songscape run"):
        name_group(ResultsFolder(tmp_path / "empty"), "g1", "Name")


def test_a_number_of_groups_can_be_asked_for(done: Done, tmp_path: Path) -> None:
    folder, before, _ = done
    out = tmp_path / "results"
    shutil.copytree(before, out)
    three = Settings(models=SETTINGS.models, clusterers=SETTINGS.clusterers, k=(2,), groups=3)
    groups = run(folder, out, three, workers=1).groups
    assert groups is not None
    assert len(groups.regions) == 3


@pytest.mark.parametrize("wrong", [{"groups": 1}, {"groups": -2}, {"languages": "maybe"}])
def test_impossible_settings_of_groups_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Settings(**wrong)  # type: ignore[arg-type]


def test_the_default_models_are_the_default_representations_and_a_yardstick() -> None:
    assert DEFAULT_MODELS == (DEFAULT_FREE, DEFAULT_NEUTRAL, "balanced-pca")
