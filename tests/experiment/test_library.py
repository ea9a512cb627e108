"""The library in Python: a folder in, views out, and the same again costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import songscape as ss


def test_a_folder_becomes_views_with_languages(collection: Path, tmp_path: Path) -> None:
    with ss.Library.scan(collection, tmp_path / "songs.db") as library:
        assert library.counts().analysed == 0
        counts = library.extract(workers=1)
        assert counts.complete
        views = library.views()
    assert {"segments", "timbre", "rhythm", "harmony", "descriptors", "lyrics"} <= set(views)
    assert views["language"].feature_names == ("English", "German")
    assert len(views.track_ids) == counts.analysed
    latents = ss.make_model("balanced-pca").fit_transform(views)
    groups = ss.group(latents, views)
    assert repr(groups).startswith(f"<{counts.analysed} songs: ")


def test_a_library_that_grew_is_scanned_again_and_reads_what_is_new(
    tmp_path: Path, write_collection: Callable[[Path, list[int]], Path]
) -> None:
    path = tmp_path / "songs.db"
    folder = write_collection(tmp_path / "songs", [0, 1, 2, 3])
    with ss.Library.scan(folder, path) as library:
        library.extract(workers=1)
    (folder / "audio" / "t03.wav").rename(tmp_path / "t03.wav")
    with ss.Library.scan(folder, path) as library:
        assert library.counts().analysed == 3
    (tmp_path / "t03.wav").rename(folder / "audio" / "t03.wav")
    with ss.Library.scan(folder, path) as library:
        assert library.extract(workers=1).analysed == 4


def test_views_before_anything_was_analysed_are_one_line(collection: Path, tmp_path: Path) -> None:
    with (
        ss.Library.scan(collection, tmp_path / "songs.db") as library,
        pytest.raises(ss.SongscapeError, match="no analysed tracks"),
    ):
        library.views()
