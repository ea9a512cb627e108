"""The command line as a person uses it: what is printed where, and the exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from songscape.cli import DONE, FAILED, INTERRUPTED, USAGE, main


def test_no_verb_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == USAGE
    assert capsys.readouterr().out == ""


def test_version_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == DONE
    assert capsys.readouterr().out.startswith("songscape ")


def test_an_unknown_option_prints_the_usage_of_its_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["status", "somewhere", "--no-such"])
    assert caught.value.code == USAGE
    error = capsys.readouterr().err
    assert error.startswith("usage: songscape status ")
    assert error.endswith("songscape status: error: unrecognized arguments: --no-such\n")


def test_a_folder_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["run", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")])
    captured = capsys.readouterr()
    assert code in (FAILED, USAGE)
    assert captured.out == ""
    assert "nowhere" in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--models", "pcaa"], "no model 'pcaa'"),
        (["--clusterers", "k-means"], "no clusterer 'k-means'"),
        (["--k", "1"], "at least 2 clusters"),
        (["--config", "none.toml"], "no such settings file"),
        (["--workers", "0"], "--workers: at least 1"),
        (["--measures", "ilsi"], "no measure 'ilsi'; known: ilisi, kbet"),
        (["--seeds", "-1"], "whole numbers from 0"),
    ],
)
def test_a_mistake_is_found_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    code = main(["run", str(tmp_path), "--out", str(tmp_path / "out"), *options])
    assert code == USAGE
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_models_lists_every_preset_once_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    from songscape.models.presets import PRESETS

    assert main(["models", "--json"]) == DONE
    listed = json.loads(capsys.readouterr().out)
    names = [model["name"] for model in listed["models"]]
    assert len(names) == len(set(names))
    assert set(names) == {preset.name for preset in PRESETS.values()}


def test_an_interrupt_exits_130(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import songscape.experiment.experiment as pipeline

    def interrupted(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "run", interrupted)
    assert main(["run", str(tmp_path)]) == INTERRUPTED
    assert "continues from here" in capsys.readouterr().err


def test_module_and_command_are_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "songscape", "--help"], capture_output=True, text=True, check=True
    )
    assert "exit codes: 0 done" in done.stdout


def test_an_empty_path_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run", ""])
    assert caught.value.code == USAGE
    assert "unset variable" in capsys.readouterr().err
