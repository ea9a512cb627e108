"""The map in one file, and the table for other programs."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from songscape.cli import DONE, FAILED, main
from songscape.clustering.portraits import Scale
from songscape.errors import SongscapeError
from songscape.results import ResultsFolder
from songscape.web.atlas import Atlas, Division, Layout, load_atlas
from songscape.web.export import (
    STATIC,
    joined_modules,
    make_previews,
    write_atlas_table,
    write_map,
)


def written_in(path: Path) -> dict[str, object]:
    """The data that a file holds."""
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="written">(.*?)</script>', text, re.S)
    assert found is not None
    return dict(json.loads(found[1]))


def large_atlas(n: int) -> Atlas:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(n, 16)).astype(np.float32)
    places = (vectors[:, :2] / 5).clip(-1, 1)
    member = (np.arange(n) % 40).astype(np.int32)
    genres = [f"genre {i % 30}" for i in range(n)]
    names = (f"Slow, acoustic, mostly number {i}" for i in range(40))
    groups = tuple({"id": str(i), "name": name, "size": n // 40} for i, name in enumerate(names))
    none = np.full(n, -1, np.int32)
    sounds = {
        Scale(name, "low", "high", "lower than", "higher than"): vectors[:, i].astype(float)
        for i, name in enumerate(("tempo", "loudness", "beat", "dynamics", "brightness", "key"))
    }
    return Atlas(
        title="Many",
        sounds=sounds,
        ids=tuple(f"Some Artist {i % 700}/Some Album/{i:06} A Song Title.mp3" for i in range(n)),
        titles=tuple(f"A Song Title of the Usual Length {i}" for i in range(n)),
        artists=tuple(f"Some Artist {i % 700}" for i in range(n)),
        audio=(None,) * n,
        lyrics=("words " * 200,) * n,
        columns=pd.DataFrame({"genre": genres, "bpm": vectors[:, 3]}),
        layouts=(Layout("a", places, vectors), Layout("b", places, vectors)),
        levels=(Division("region", groups, member, np.full(n, 0.5, np.float32), none),),
    )


def test_ten_thousand_songs_take_less_than_15_megabytes(tmp_path: Path) -> None:
    atlas = large_atlas(10_000)
    assert write_map(atlas, tmp_path / "map.html").stat().st_size < 15e6


def test_equal_collections_give_equal_bytes(folder: ResultsFolder, tmp_path: Path) -> None:
    one, other = (write_map(load_atlas(folder), tmp_path / f"{n}.html") for n in "ab")
    assert one.read_bytes() == other.read_bytes()


def test_the_file_has_no_lyrics_and_no_paths(folder: ResultsFolder, tmp_path: Path) -> None:
    path = write_map(load_atlas(folder), tmp_path / "map.html")
    text = path.read_text(encoding="utf-8")
    assert "lighthouse" not in text
    assert str(folder.root.parent) not in text
    assert len(written_in(path)["map"]["ids"]) == 36  # type: ignore[index]


def test_the_file_asks_for_nothing_from_elsewhere(folder: ResultsFolder, tmp_path: Path) -> None:
    text = write_map(load_atlas(folder), tmp_path / "map.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r'(src|href)="(?!data:|#|/report)', text)


def test_modules_can_be_joined_because_no_name_is_exported_twice() -> None:
    names: Counter[str] = Counter()
    for path in Path(str(STATIC)).glob("*.js"):
        text = path.read_text(encoding="utf-8")
        names.update(re.findall(r"^export (?:async )?(?:function|const) (\w+)", text, re.M))
        assert len(re.findall(r"^export ", text, re.M)) == len(
            re.findall(r"^export (?:async )?(?:function|const) \w+", text, re.M)
        )
        assert "innerHTML" not in text
        assert " as " not in "".join(re.findall(r"^import .*$", text, re.M))
        assert path.name == "main.js" or f"// {path.name}\n" in joined_modules("main.js")
    assert max(names.values()) == 1
    assert not re.search(r"^(import|export) ", joined_modules("main.js"), re.M)


def test_the_table_has_places_groups_and_columns(folder: ResultsFolder, tmp_path: Path) -> None:
    atlas = load_atlas(folder)
    previews = make_previews(atlas, 1.0)
    found = pd.read_parquet(write_atlas_table(atlas, tmp_path / "x.parquet", previews))
    assert len(found) == 36
    preview = found["preview"][0]  # an object with bytes, as embedding-atlas plays it
    samples, rate = soundfile.read(io.BytesIO(preview["bytes"]))
    assert len(samples) / rate == pytest.approx(1.0, abs=0.1)
    assert {"track_id", "title", "artist", "x", "y", "x_2", "y_2", "genre"} <= set(found.columns)
    assert found["x"].between(-1, 1).all()


def test_the_command_writes_both(
    folder: ResultsFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, table = tmp_path / "a b.html", tmp_path / "t.parquet"
    assert main(["export", "map", str(page), str(folder.root), "--atlas", str(table)]) == DONE
    assert page.resolve().as_uri() in capsys.readouterr().out
    assert table.exists()
    assert main(["export", "map", str(page), str(tmp_path)]) == FAILED
    assert "songscape run" in capsys.readouterr().err


def test_without_a_map_there_is_nothing_to_write(folder: ResultsFolder, tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(SongscapeError, match="songscape run"):
        write_map(replace(load_atlas(folder), layouts=()), tmp_path / "map.html")
