"""What can be known before the work is checked before the work."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from songscape.cli import FAILED, USAGE, main
from songscape.errors import SongscapeError, UsageError
from songscape.experiment.checks import check_settings, check_size, check_written
from songscape.experiment.experiment import run
from songscape.settings import FeatureSettings, Settings

NAMES = ("cluster", "seed", "k", "model", "index", "level_0", "own space", "a|b", "x:y", "y@z")


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight short songs, in a table with columns that are called like ours."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    for i in range(8):
        tone = np.sin(np.arange(30_000) * (0.02 if i % 2 else 0.1)) + 0.1 * rng.normal(size=30_000)
        soundfile.write(folder / f"{i}.wav", 0.3 * tone, 22_050)
    rows = [
        {"id": f"t{i}", "audio": f"{i}.wav", "track_id": "ab"[i % 2]}
        | {name: "ab"[(i + n) // 2 % 2] for n, name in enumerate(NAMES)}
        for i in range(8)
    ]
    pd.DataFrame(rows).to_csv(folder / "tracks.csv", index=False)
    return folder


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str], code: int = USAGE) -> str:
    """The one line that a command which cannot work ends with."""
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("named", ["track_id", "Track_ID"])
@pytest.mark.parametrize("option", ["--labels", "--nuisances"])
def test_a_column_called_like_our_own_is_refused_before_any_audio_is_read(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, named: str
) -> None:
    out = tmp_path / "out"
    line = refused(["run", str(music), "--out", str(out), option, named], capsys)
    assert "the results use that name" in line
    assert "rename the column" in line
    assert not (out / "songscape.db").exists()


def test_columns_called_like_other_things_of_ours_are_labels_like_others(
    music: Path, tmp_path: Path
) -> None:
    settings = Settings(
        models=("timbre-pca", "random"), clusterers=("kmeans",), k=(2,), labels=NAMES
    )
    summary = run(music, tmp_path / "out", settings, workers=1)
    measured = summary.table[(summary.table["metric"] == "ami") & (summary.table["value"].notna())]
    assert set(measured["column"]) >= set(NAMES)
    labels = pd.read_csv(tmp_path / "out" / "results" / "labels.csv")
    assert list(labels.columns) == ["track_id", *NAMES]
    assert summary.report.exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clusterer_options": {"dbscan": {"eps": -1}}}, "eps = -1"),
        ({"clusterer_options": {"dbscan": {"min_samples": 0}}}, "min_samples = 0"),
        ({"clusterer_options": {"dbscan": {"eps": "wide"}}}, "eps = 'wide'"),
        ({"clusterer_options": {"dbscan": {"epsilon": 1}}}, "no option 'epsilon'; it has eps"),
        ({"clusterer_options": {"kmeans": {"k": 3}}}, "no option 'k'"),
        ({"clusterer_options": {"dbscn": {}}}, "no clusterer 'dbscn'"),
        ({"model_options": {"dense-vae": {"epoch": 3}}}, "epoch.*epochs"),
        ({"model_options": {"dense-vae": {"epochs": "ten"}}}, "epochs"),
        ({"model_options": {"pca": {"n_components": -2}}}, "n_components"),
        ({"model_options": {"pcaa": {}}}, "no model 'pcaa'"),
        ({"model_options": {"pca": {"views": ["tempo"]}}}, "no view 'tempo'"),
        ({"features": FeatureSettings(max_frames=301)}, "max_frames = 301"),
        ({"measures": ("ilsi",)}, "no measure 'ilsi'"),
    ],
)
def test_an_option_that_cannot_be_is_named_with_what_there_is(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        check_settings(Settings(**settings))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n_tracks", [0, 1, 3])
def test_too_few_tracks_are_known_from_the_scan(n_tracks: int) -> None:
    with pytest.raises(SongscapeError, match=f"{n_tracks} tracks: clustering needs at least 4"):
        check_size(n_tracks, (), Settings())


def test_k_must_be_smaller_than_the_collection() -> None:
    check_size(8, (), Settings(k=(2, 7)))
    with pytest.raises(UsageError, match="k = 8: there are 8 tracks"):
        check_size(8, (), Settings(k=(2, 8)))


@pytest.mark.parametrize("verb", ["run", "compare"])
def test_a_file_in_place_of_the_results_folder_is_refused(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    for out in (blocked, blocked / "out"):
        line = refused([verb, str(music), "--out", str(out)], capsys)
        assert "a file, not a folder; name another folder with --out" in line


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert "not writable" in refused(["run", str(music), "--out", str(closed / "out")], capsys)


def test_the_collection_itself_is_no_results_folder(
    music: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "is the collection itself" in refused(["run", str(music), "--out", str(music)], capsys)
    monkeypatch.chdir(music)
    assert "is the collection itself" in refused(["run", ".", "--out", "."], capsys)
    assert not (music / "songscape.db").exists()


def test_results_may_lie_within_the_collection_and_are_no_part_of_it(
    music: Path, tmp_path: Path
) -> None:
    settings = Settings(models=("timbre-pca",), clusterers=("kmeans",), k=(2,))
    inside = tmp_path / "music"
    inside.mkdir()
    for path in music.glob("*.wav"):
        (inside / path.name).write_bytes(path.read_bytes())
    counts = [run(inside, inside / "out", settings, workers=1).counts for _ in range(2)]
    assert counts[0] == counts[1]
    assert counts[0].found == 8


def test_what_was_promised_and_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    check_written([tmp_path / "there"])
    with pytest.raises(SongscapeError, match="gone: was written and is gone"):
        check_written([tmp_path / "there", tmp_path / "gone"])


def test_a_settings_file_with_a_mark_is_read_by_the_command(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "settings.toml"
    config.write_bytes('models = ["timbre-pca"]\r\nk = 99\r\n'.encode("utf-16"))
    line = refused(["run", str(music), "--out", str(tmp_path), "--config", str(config)], capsys)
    assert "k = 99: there are 8 tracks" in line


def test_a_library_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "songscape.db"
    assert str(path) in refused(["compare", str(path)], capsys, FAILED)
    assert not path.exists()


def test_a_damaged_experiment_json_does_not_lock_the_folder(music: Path, tmp_path: Path) -> None:
    settings = Settings(models=("timbre-pca",), clusterers=("kmeans",), k=(2,))
    run(music, tmp_path, settings, workers=1)
    document = tmp_path / "results" / "experiment.json"
    recorded = json.loads(document.read_text(encoding="utf-8"))
    recorded["compare"] = {"settings": {"unknown": 1}, "command": []}
    for text in ("{", "[]", json.dumps(recorded)):
        document.write_text(text, encoding="utf-8")
        assert run(music, tmp_path, settings, workers=1).report.exists()


def test_the_labels_of_a_run_hold_the_titles_that_pages_show():
    from types import SimpleNamespace

    from songscape.columns import find_roles
    from songscape.experiment.outputs import _named

    def named(shown: tuple[str, ...], columns: list[str]) -> list[str]:
        dataset = SimpleNamespace(roles=find_roles(columns))
        return _named(SimpleNamespace(shown=shown, dataset=dataset))  # type: ignore[arg-type]

    assert named(("genre",), ["genre", "Track Title", "url"]) == ["genre", "Track Title"]
    assert named(("title",), ["title"]) == ["title"]
    assert named(("genre",), ["genre"]) == ["genre"]
