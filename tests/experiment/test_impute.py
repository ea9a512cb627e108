"""Imputation on a finished run: as the command does it."""

from pathlib import Path

import pytest

from songscape.cli import DONE, main
from songscape.errors import SongscapeError, UsageError
from songscape.experiment.experiment import run
from songscape.experiment.impute import impute
from songscape.settings import Settings

QUICK = {"epochs": 5, "hidden": (16,), "latent_dim": 4}


@pytest.fixture(scope="module")
def out(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("impute")
    settings = Settings(
        models=("song-vae", "random"),
        clusterers=("kmeans",),
        k=(2,),
        model_options={"song-vae": QUICK},
    )
    run(collection, out, settings, workers=1)
    return out


def test_named_tracks_get_their_nearest(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wanted in ("lyrics", "audio"):
        asked = ["impute", str(out), "--wanted", wanted, "--tracks", "t00,t03", "--neighbors", "2"]
        assert main(asked) == DONE
        lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        assert lines[0] == ["track_id", "rank", "nearest", "distance"]
        assert [line[:2] for line in lines[1:]] == [
            ["t00", "1"],
            ["t00", "2"],
            ["t03", "1"],
            ["t03", "2"],
        ]
        assert all(line[0] != line[2] for line in lines[1:])


def test_mistakes_are_named(out: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="every track has lyrics"):
        impute(out)
    with pytest.raises(UsageError, match="no track 'nobody'"):
        impute(out, tracks=["nobody"])
    with pytest.raises(SongscapeError, match="--models vade trains one"):
        impute(out, model="vade")
    with pytest.raises(SongscapeError, match="was trained without lyrics"):
        impute(out, model="random")
    with pytest.raises(SongscapeError, match="trains one"):
        impute(tmp_path)
