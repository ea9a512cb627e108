"""The collection on disk: same bytes for a seed, whole, and never over somebody's files."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.demo import compose_collection, plan_collection
from songscape.errors import SongscapeError, UsageError

N = 24
SMALL = {"n_songs": N, "seconds": (2.0, 3.0), "seed": 7, "workers": 1}


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_table(folder: Path) -> list[dict[str, str]]:
    with (folder / "tracks.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def collection(tmp_path_factory) -> Path:
    seen = []
    folder = tmp_path_factory.mktemp("demo ü") / "songs"
    result = compose_collection(folder, **SMALL, progress=lambda *at: seen.append(at))
    assert result == folder
    assert seen == [(k, N) for k in range(1, N + 1)]
    return folder


def test_same_seed_gives_the_same_bytes_in_two_processes(collection, tmp_path):
    again = compose_collection(tmp_path / "again", **(SMALL | {"workers": 2}))
    assert digests(again) == digests(collection)


def test_another_seed_gives_other_songs(collection, tmp_path):
    other = compose_collection(tmp_path, **(SMALL | {"seed": 8, "n_songs": 2}))
    ours, theirs = digests(collection), digests(other)
    assert not set(ours.values()) & set(theirs.values())


def test_the_table_says_what_was_planned(collection):
    rows = read_table(collection)
    assert ",".join(rows[0]) == (
        "id,audio,lyrics,title,artist,language,languages,genre,theme,tempo,instrumental,lyrics_match"
    )
    for row, plan in zip(rows, plan_collection(N, 7), strict=True):
        assert row["id"] == plan.id
        assert row["genre"] == plan.style
        assert tuple(filter(None, row["languages"].split("; "))) == plan.languages
        assert row["language"] == (plan.languages[0] if plan.languages else "")
        assert row["theme"] == plan.theme
        assert row["artist"] == plan.artist_name
        assert row["title"]
        assert float(row["tempo"]) > 40
        expected = "" if plan.instrumental else "yes" if plan.lyrics_match else "no"
        assert row["lyrics_match"] == expected


def test_every_file_is_named_in_the_table(collection):
    named = {"tracks.csv", "demo.json"}
    for row in read_table(collection):
        named |= {row["audio"], row["lyrics"]} - {""}
    assert set(digests(collection)) == named


def test_every_file_decodes_at_its_planned_format_and_length(collection):
    containers = set()
    for plan in plan_collection(N, 7):
        info = soundfile.info(collection / plan.audio_path)
        samples, rate = soundfile.read(collection / plan.audio_path)
        assert info.format == plan.container
        assert (rate, info.channels) == (plan.sample_rate, plan.channels)
        assert len(samples) == info.frames
        assert 2.0 - 1e-3 <= len(samples) / rate <= 3.0 + 1e-3
        assert np.isfinite(samples).all()
        assert 0.15 < np.abs(samples).max() < 1.0
        containers.add(info.format)
    assert containers == {"MP3", "OGG", "FLAC", "WAV"}


def test_instrumentals_have_no_lyrics_and_all_others_have(collection):
    rows = read_table(collection)
    assert {row["instrumental"] for row in rows} == {"yes", "no"}
    for row in rows:
        if row["instrumental"] == "yes":
            assert row["lyrics"] == row["language"] == row["theme"] == row["lyrics_match"] == ""
        else:
            text = (collection / row["lyrics"]).read_text(encoding="utf-8")
            assert len(text.splitlines()) >= 12
            assert row["lyrics"].endswith(".lrc") == text.startswith("[ti:")


def test_a_complete_collection_is_left_as_it_is(collection):
    before = {path: path.stat().st_mtime_ns for path in collection.rglob("*")}
    calls = []
    compose_collection(collection, **SMALL, progress=lambda *at: calls.append(at))
    assert {path: path.stat().st_mtime_ns for path in collection.rglob("*")} == before
    assert calls == []


class Stop(Exception):
    pass


def test_an_interrupted_collection_is_completed(collection, tmp_path):
    def stop_after_three(done: int, total: int) -> None:
        if done == 3:
            raise Stop

    folder = tmp_path / "cut short"
    with pytest.raises(Stop):
        compose_collection(folder, **SMALL, progress=stop_after_three)
    assert not (folder / "tracks.csv").exists()
    assert json.loads((folder / "demo.json").read_text())["complete"] is False
    counts = []
    compose_collection(folder, **SMALL, progress=lambda *at: counts.append(at))
    assert counts[0] == (4, N)
    assert digests(folder) == digests(collection)


def test_a_folder_with_other_files_is_refused_and_untouched(tmp_path):
    (tmp_path / "holiday.txt").write_text("mine")
    with pytest.raises(SongscapeError, match="no demo collection"):
        compose_collection(tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


def test_another_collection_is_refused(collection):
    before = digests(collection)
    with pytest.raises(SongscapeError, match="composed with seed 7"):
        compose_collection(collection, **(SMALL | {"seed": 9}))
    assert digests(collection) == before


@pytest.mark.parametrize("content", ["not json", "[]", '{"name": "my game demo"}'])
def test_a_foreign_demo_json_is_refused(tmp_path, content):
    (tmp_path / "demo.json").write_text(content)
    with pytest.raises(SongscapeError, match="not written by the demo composer"):
        compose_collection(tmp_path, **SMALL)
    assert (tmp_path / "demo.json").read_text() == content


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "songs").write_text("")
    with pytest.raises(SongscapeError, match="is a file"):
        compose_collection(tmp_path / "songs", **SMALL)


def test_what_cannot_be_written_is_an_error_in_one_line(tmp_path):
    name = plan_collection(1, 7)[0].audio_path
    (tmp_path / "songs" / "audio").mkdir(parents=True)
    compose_collection(tmp_path / "other", **(SMALL | {"n_songs": 1}))
    (tmp_path / "other" / "demo.json").rename(tmp_path / "songs" / "demo.json")
    audio = tmp_path / "songs" / name
    audio.with_name(f".{audio.stem}.partial{audio.suffix}").mkdir()
    with pytest.raises(SongscapeError, match="songs: can't write the demo collection") as caught:
        compose_collection(tmp_path / "songs", **(SMALL | {"n_songs": 1}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_songs": 0},
        {"seed": -1},
        {"confound": 1.5},
        {"confound": float("nan")},
        {"seconds": (3.0, 2.0)},
        {"seconds": (0.1, 2.0)},
        {"workers": 0},
    ],
)
def test_wrong_parameters_are_named(tmp_path, wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        compose_collection(tmp_path / "songs", **(SMALL | wrong))
    assert not (tmp_path / "songs").exists()
