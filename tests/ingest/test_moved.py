"""Files are renamed and moved: what a table says of them, and what was computed, goes with them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.experiment.dataset import scan
from songscape.features.extract import extract
from songscape.library import Library
from songscape.library.upkeep import group_by_reason

RATE = 22_050
NAMES = ("one", "two", "three")


def write(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, 0.1, 2 * RATE)
    soundfile.write(path, noise, RATE)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate(NAMES):
        write(tmp_path / "Music" / "old" / f"{name}.flac", seed)
        (tmp_path / "Music" / "old" / f"{name}.txt").write_text(f"words of song {name}")
    return tmp_path / "Music"


def table(folder: Path, name: str = "tracks.csv", lyrics: bool = False) -> None:
    rows = ["audio,title" + ",lyrics" * lyrics]
    rows += [f"old/{n}.flac,Title {n}" + f",old/{n}.txt" * lyrics for n in NAMES]
    (folder / name).write_text("\n".join(rows) + "\n")


class Read:
    """One run over the folder; `library` is what it left."""

    def __init__(self, folder: Path) -> None:
        self.done: list[str] = []
        path = folder.parent / "songscape.db"
        collection = scan(folder, path)
        with Library.open(path) as library:
            extract(library, collection, workers=1, progress=lambda *now: self.done.append(now[2]))
            self.timbre = {i: x.tobytes() for i, x in library.features("timbre").items()}
            tracks = library.tracks("analysed")
            self.titles = {t.id: t.labels.get("title") for t in tracks}
            self.files = {t.id: t.audio.relative_to(folder).as_posix() for t in tracks}
            self.words = {t.id: t.lyrics for t in tracks}
            self.rows = [r for r in library.ledger("warning") if r.stage == "scan"]
            self.remarks = [row.reason for row in self.rows]
            self.counts = library.counts()
        self.done = sorted(filter(None, self.done))


def test_a_row_goes_with_a_file_that_was_renamed(folder):
    table(folder)
    before = Read(folder)
    os.rename(folder / "old/one.flac", folder / "old/uno.flac")
    for after in (Read(folder), Read(folder)):  # and it stays so
        assert after.done == []
        assert after.titles == before.titles
        assert after.timbre == before.timbre
        assert after.files == before.files | {"old/one": "old/uno.flac"}
        assert after.remarks == [
            "old/uno.flac (old/one.flac in tracks.csv): renamed, and its row follows it; "
            "write the new name in the table"
        ]
        assert (after.counts.found, after.counts.analysed) == (3, 3)


@pytest.mark.parametrize("lyrics", [False, True])
def test_rows_go_with_a_folder_that_was_renamed(folder, lyrics):
    table(folder, lyrics=lyrics)
    before = Read(folder)
    os.rename(folder / "old", folder / "new")
    after = Read(folder)
    assert after.done == []
    assert (after.titles, after.timbre, after.words) == (before.titles, before.timbre, before.words)
    assert after.files == {f"old/{name}": f"new/{name}.flac" for name in NAMES}
    assert len(after.remarks) == 3
    assert after.counts.complete


def swap(folder: Path) -> None:
    os.rename(folder / "old/one.flac", folder / "x")
    os.rename(folder / "old/two.flac", folder / "old/one.flac")
    os.rename(folder / "x", folder / "old/two.flac")


def test_rows_go_with_two_files_that_changed_names(folder):
    table(folder)
    before = Read(folder)
    swap(folder)
    for after in (Read(folder), Read(folder)):
        assert after.done == []
        assert (after.titles, after.timbre) == (before.titles, before.timbre)
        swapped = {"old/one": "old/two.flac", "old/two": "old/one.flac"}
        assert after.files == before.files | swapped
        assert len(after.remarks) == 2
        (group,) = group_by_reason(after.rows)
        assert group.track_ids[0] == "old/two.flac (old/one.flac in tracks.csv)"


def test_a_row_that_was_edited_means_what_it_says(folder):
    table(folder)
    before = Read(folder)
    swap(folder)
    text = (folder / "tracks.csv").read_text()
    edited = text.replace("Title one", "x").replace("Title two", "Title one")
    (folder / "tracks.csv").write_text(edited.replace(",x", ",Title two"))
    after = Read(folder)
    assert after.done == []
    assert after.files == before.files
    assert after.titles == before.titles | {"old/one": "Title two", "old/two": "Title one"}
    assert after.timbre["old/one"] == before.timbre["old/two"]
    assert after.remarks == []


def test_a_row_stays_with_a_file_that_was_replaced(folder):
    table(folder)
    Read(folder)
    write(folder / "old/one.flac", 99)
    after = Read(folder)
    assert after.done == ["old/one"]
    assert after.titles["old/one"] == "Title one"
    assert after.remarks == []


def test_a_row_is_given_up_for_no_other_sound(folder):
    table(folder)
    Read(folder)
    (folder / "old/one.flac").unlink()
    write(folder / "old/uno.flac", 99)
    after = Read(folder)
    assert sorted(after.titles) == ["old/three", "old/two"]
    assert after.remarks == []
    assert after.counts.failed == 1


def test_rows_of_another_programs_table_go_along_too(folder):
    table(folder)
    text = (folder / "tracks.csv").read_text().replace("audio,title", "File path,title")
    (folder / "tracks.csv").write_text(text.replace("old/", "D:\\Music\\old\\"))
    before = Read(folder)
    assert before.titles["old/one"] == "Title one"
    os.rename(folder / "old/one.flac", folder / "uno.flac")
    for after in (Read(folder), Read(folder)):
        assert after.done == []
        assert after.titles["uno"] == "Title one"
        assert any(r.startswith("uno.flac (D:\\Music\\old\\one.flac in tr") for r in after.remarks)


def test_without_a_table_features_go_with_names_that_changed_places(folder):
    before = Read(folder)
    swap(folder)
    os.rename(folder / "old/three.flac", folder / "drei.flac")
    after = Read(folder)
    assert after.done == []
    timbre = before.timbre
    assert after.timbre == {
        "old/one": timbre["old/two"],
        "old/two": timbre["old/one"],
        "drei": timbre["old/three"],
    }
    assert (after.counts.found, after.counts.gone) == (3, 0)
    assert Read(folder).done == []


def test_a_name_that_passed_to_another_file_takes_nothing_from_it(folder):
    before = Read(folder)
    os.rename(folder / "old/one.flac", folder / "old/two.flac")  # two is gone
    write(folder / "old/one.flac", 99)
    after = Read(folder)
    assert after.done == ["old/one"]
    assert after.timbre["old/two"] == before.timbre["old/one"]
    assert after.timbre["old/one"] not in before.timbre.values()


def test_earlier_ids_are_known_by_their_present_ones(folder):
    Read(folder)
    for before, name in (("old/one", "b"), ("b", "c")):
        os.rename(folder / f"{before}.flac", folder / f"{name}.flac")
        Read(folder)
    with Library.open(folder.parent / "songscape.db") as library:
        assert library.present_ids(["old/one", "b", "c", "old/two", "x"]) == [
            *("c", "c", "c"),
            *("old/two", "x"),
        ]
