"""The dataset: found out once, kept in the library, read as it is needed."""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from songscape.audit import duplicates
from songscape.errors import SongscapeError, UsageError
from songscape.experiment.dataset import EVIDENCE_VIEWS, Dataset, load_dataset, read_library
from songscape.experiment.trial_inputs import targets_of
from songscape.features.analyse import RECIPES
from songscape.features.loading import LazyBlocks, load_views
from songscape.ingest import languages
from songscape.library import Analysis, Collection, FileStamp, Library, Track
from songscape.settings import FeatureSettings, Settings

GERMAN = "Wir gehen am Fluss entlang, wenn die Lichter ausgehen\nUnd heute Nacht singe ich für dich"
ENGLISH = "We walk along the river when the lights go down\nAnd I will sing for you tonight"
N = 12


def write_library(
    path: Path,
    columns: dict[str, Sequence[str | None]] | None = None,
    texts: Sequence[str | None] | None = None,
) -> Path:
    """A library of 12 tracks with made-up sound; tracks 0 and 1 are the same audio."""
    rng = np.random.default_rng(0)
    columns = columns or {}
    words = texts or [f"{GERMAN if i % 2 else ENGLISH}\nline {i}" for i in range(N)]
    tracks = tuple(
        Track(
            f"t{i:02}",
            path.parent / f"t{i:02}.wav",
            words[i],
            {name: str(values[i]) for name, values in columns.items() if values[i] is not None},
        )
        for i in range(N)
    )
    with Library.open(path) as library:
        library.update(Collection(path.parent, tracks, (), tuple(columns)))
        for i, track in enumerate(tracks):
            features = {
                "timbre": rng.normal(size=160),
                "mfcc": rng.normal(size=(40, 100 + i)),
                "segments": rng.normal(size=(10, 120)),
                "descriptors": rng.normal(size=10),
            }
            library.store(
                track.id,
                Analysis(
                    {name: array.astype(np.float32) for name, array in features.items()},
                    {"duration_s": 3.0 + i, "digest": f"audio {max(i, 1)}"},
                ),
                stamp=FileStamp(str(track.audio), 1, 1, 1),
                recipe=RECIPES["timbre"],
                recipes=RECIPES,
            )
    return path


def load(path: Path, settings: Settings | None = None, views: Sequence[str] = ()) -> Dataset:
    with Library.open(path, must_exist=True) as library:
        return load_dataset(library, settings or Settings(), views or (*EVIDENCE_VIEWS, "language"))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often languages are identified, copies looked for, views read and words counted."""
    counts: dict[str, int] = {}

    def count(where: object, name: str) -> None:
        function = getattr(where, name)

        def counting(*arguments: object, **keywords: object) -> object:
            counts[name] = counts.get(name, 0) + 1
            return function(*arguments, **keywords)

        monkeypatch.setattr(where, name, counting)

    from songscape.features import text

    count(languages, "language_composition")
    count(duplicates, "duplicate_groups")
    count(Library, "each_feature")
    count(text, "lyrics_view")
    return counts


def test_nothing_is_found_out_twice(tmp_path: Path, counted: dict[str, int]) -> None:
    path = write_library(tmp_path / "songscape.db")
    first = load(path)
    first.views["lyrics"]
    # Only the search for copies reads features.
    assert counted == {
        "language_composition": N,
        "duplicate_groups": 1,
        "each_feature": 2,
        "lyrics_view": 1,
    }
    counted.clear()
    second = load(path)
    second.views["lyrics"]
    assert counted == {}
    assert second.digest == first.digest
    assert second.digests == first.digests
    assert second.views.digest() == first.views.digest()
    assert second.copies is not None
    assert second.copies[:3].tolist() == [0, 0, 1]


def test_only_what_changed_is_found_out_anew(tmp_path: Path, counted: dict[str, int]) -> None:
    path = write_library(tmp_path / "songscape.db")
    before = load(path)
    counted.clear()
    with Library.open(path) as library:
        tracks = library.tracks()
        tracks[3] = Track("t03", tracks[3].audio, f"{ENGLISH}\nother words")
        library.update(Collection(tmp_path, tuple(tracks)))
    after = load(path)
    assert counted == {"language_composition": 1}
    changed = {n for n in before.digests if before.digests[n] != after.digests[n]}
    assert changed == {"lyrics", "lyrics-counts", "language"}
    with Library.open(path) as library:
        library.add_features("t05", {"segments": np.zeros((10, 120), np.float32)}, RECIPES)
    last = load(path)
    assert counted == {"language_composition": 1, "duplicate_groups": 1, "each_feature": 2}
    assert {n for n in last.digests if last.digests[n] != after.digests[n]} == {"segments"}
    assert len({before.digest, after.digest, last.digest}) == 3


def test_views_are_read_when_they_are_asked_for(tmp_path: Path, counted: dict[str, int]) -> None:
    path = write_library(tmp_path / "songscape.db")
    load(path)
    counted.clear()
    dataset = load(path)
    some = dataset.views.select(["timbre", "mfcc"])
    assert list(some) == ["timbre", "mfcc"]
    assert counted == {}
    assert some["timbre"] is dataset.views["timbre"] is dataset.views["timbre"]
    assert counted == {"each_feature": 1}
    with Library.open(path) as library:
        eager = load_views(library, EVIDENCE_VIEWS)
    for name in EVIDENCE_VIEWS:
        assert (
            dataset.views.select([name]).digest()
            == type(eager)(eager.track_ids, {name: eager[name]}, dataset.views.groups).digest()
        )


def test_words_that_the_library_kept_are_those_that_were_counted(tmp_path: Path) -> None:
    path = write_library(tmp_path / "songscape.db")
    for name in ("lyrics", "lyrics-tfidf", "lyrics-counts"):
        with Library.open(path) as library:
            made, kept = load_views(library, [name]), load_views(library, [name])
            assert made.digest() == kept.digest()
            assert made[name].feature_names == kept[name].feature_names
            few = load_views(library, [name], max_words=3)[name]
            assert few.shape == (N, 3)


def test_digests_follow_the_settings_that_the_views_follow(tmp_path: Path) -> None:
    path = write_library(tmp_path / "songscape.db")
    usual = load(path)
    other = load(path, Settings(features=FeatureSettings(max_frames=50, max_words=7)))
    changed = {n for n in usual.digests if usual.digests[n] != other.digests[n]}
    assert changed == {"mfcc", "lyrics", "lyrics-counts"}
    assert other.views["mfcc"].shape == (N, 40, 50)
    assert np.array_equal(usual.copies, other.copies), "copies are facts of the library"


def test_views_that_no_track_has_have_no_digest(tmp_path: Path) -> None:
    path = write_library(tmp_path / "songscape.db", texts=[None, "!", "..."] * 4)
    assert set(load(path).digests) == {"timbre", "mfcc", "segments", "descriptors"}


def test_a_library_that_cannot_be_written_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: dict[str, int]
) -> None:
    path = write_library(tmp_path / "songscape.db")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        read_only = load(path)
        read_only.views["lyrics"]
    assert counted["language_composition"] == N
    dataset = load(path)
    assert counted["language_composition"] == 2 * N, "nothing could be kept"
    assert dataset.digest == read_only.digest


# -- columns -----------------------------------------------------------------------------------

GENRES = ["Hip-Hop", "hip hop", "HIPHOP", "Hip-Hop", "Rock", "rock"] * 2
SPELLINGS = ["en", "eng", "en-US", "English", "ENGLISH", "englisch"]
OTHERS = [
    "pt_BR",
    " Portuguese ",
    unicodedata.normalize("NFD", "Português"),
    "ｐｔ",
    "por",
    "PT-pt",
]


def test_spellings_of_one_language_are_one_everywhere(tmp_path: Path) -> None:
    mixed = write_library(tmp_path / "a.db", {"lang": SPELLINGS + OTHERS, "Genre": GENRES})
    plain = {"lang": ["English"] * 6 + ["Portuguese"] * 6, "Genre": ["Hip-Hop"] * 4 + ["Rock"] * 2}
    plain["Genre"] *= 2
    other = load(write_library(tmp_path / "b.db", plain))
    dataset = load(mixed)
    pd.testing.assert_frame_equal(dataset.columns, other.columns)
    assert dataset.views["language"].feature_names == ("English", "Portuguese")
    assert dataset.digests["language"] == other.digests["language"]
    ours, theirs = targets_of(dataset), targets_of(other)
    assert list(ours.labels) == ["Genre"]
    assert set(ours.labels["Genre"]) == {"Hip-Hop", "Rock"}
    assert set(ours.nuisances["language"]) == {"English", "Portuguese"}
    assert ours.nuisances.keys() == theirs.nuisances.keys()


def test_several_languages_in_a_cell_are_shares_and_one_category(tmp_path: Path) -> None:
    cells = ["de; en", "en/de", "German, English", "de"] * 3
    dataset = load(write_library(tmp_path / "a.db", {"languages": cells}))
    assert set(dataset.columns["languages"]) == {"English; German", "German"}
    assert dataset.views["language"].feature_names == ("English", "German")
    assert np.ptp(dataset.views["language"].values.sum(axis=1)) < 1e-6


@pytest.mark.parametrize("name", ["albumartist", "Album Artist", "artist", "composer"])
def test_who_made_a_track_keeps_its_tracks_together(tmp_path: Path, name: str) -> None:
    people = [f"somebody {i // 4}" for i in range(N)]
    people[3] = "  SOMEBODY 0 "
    dataset = load(write_library(tmp_path / "a.db", {name: people, "mood": ["a", "b", "c"] * 4}))
    assert dataset.views.groups is not None
    assert dataset.views.groups.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    subject = targets_of(dataset)
    assert list(subject.labels) == ["mood"]
    assert name not in subject.labels
    assert subject.artists is not None


def test_an_empty_column_is_nobodys_artist(tmp_path: Path) -> None:
    people = [f"somebody {i // 4}" for i in range(N)]
    table = {
        "artist": [None] * N,
        "albumartist": people,
        "language": [None] * N,
        "lang": ["de"] * N,
    }
    dataset = load(write_library(tmp_path / "a.db", table))
    assert (dataset.roles.artist, dataset.roles.language) == ("albumartist", "lang")
    assert dataset.artists == people
    assert list(dataset.columns) == list(table)
    table.pop("lang")
    dataset = load(write_library(tmp_path / "b.db", table))
    assert dataset.columns["language"].tolist() == ["English", "German"] * 6
    assert dataset.roles.language == "language"


def test_settings_give_a_column_its_role(tmp_path: Path) -> None:
    table = {"tongue": ["de", "en"] * 6, "band": ["x", "y", "z"] * 4, "mood": ["a", "b"] * 6}
    path = write_library(tmp_path / "a.db", table)
    settings = Settings(roles={"language": "tongue", "artist": "Band"}, nuisances=("Mood",))
    dataset = load(path, settings)
    assert dataset.nuisance_columns == ("mood",)
    assert dataset.views["language"].feature_names == ("English", "German")
    assert "language" not in dataset.columns
    assert dataset.artists == ["x", "y", "z"] * 4
    assert dataset.label_columns == ()
    assert load(path, Settings(roles={"language": "tongue", "artist": "Band"})).label_columns == (
        "mood",
    )
    assert load(path, Settings(labels=("Tongue",))).label_columns == ("tongue",)
    with pytest.raises(UsageError, match="no language column 'x'; the collection has: tongue"):
        load(path, Settings(roles={"language": "x"}))
    with pytest.raises(UsageError, match="no nuisance column 'y'"):
        load(path, Settings(nuisances=("y",)))


def test_a_language_that_nobody_tagged_is_told_from_the_lyrics(tmp_path: Path) -> None:
    dataset = load(write_library(tmp_path / "a.db", {"mood": ["a", "b"] * 6}))
    assert dataset.columns["language"].tolist() == ["English", "German"] * 6
    assert dataset.roles.language == "language"


def test_too_few_tracks_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Library.open(path) as library:
        library.update(Collection(tmp_path, (Track("a", tmp_path / "a.wav"),)))
    with pytest.raises(SongscapeError, match="0 of 1 tracks could be analysed, and clustering"):
        load(path)


def test_covariates_are_views_and_digested(tmp_path: Path) -> None:
    path = write_library(tmp_path / "a.db", {"source": ["one", "two"] * 6})
    settings = Settings(
        models=("neutral-vae",),
        model_options={"neutral-vae": {"covariates": ("language", "source")}},
    )
    dataset = load(path, settings)
    assert dataset.views["source"].feature_names == ("one", "two")
    assert {"source", "language"} <= set(dataset.digests)
    assert isinstance(dataset.views.blocks, LazyBlocks)


# -- reading a collection ----------------------------------------------------------------------


def test_unchanged_lyrics_are_not_read_again(
    write_collection: Callable[[Path, list[int]], Path], tmp_path: Path
) -> None:
    folder = write_collection(tmp_path / "music", list(range(6)))
    path = tmp_path / "songscape.db"

    def read() -> list[str | None]:
        with read_library(folder, path, Settings(), workers=1) as library:
            return list(library.texts().values())

    assert all(read())
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        # Whatever was read from the files then: it would be mended if they were read again.
        value = '{"text": "as it was", "status": "ok", "reason": ""}'
        db.execute("UPDATE file_facts SET value = ? WHERE name = 'lyrics'", (value,))
    assert read() == ["as it was"] * 6
    sidecar = min(folder.rglob("*.txt"))
    status = sidecar.stat()
    sidecar.write_text("x" * status.st_size, encoding="utf-8")
    os.utime(sidecar, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert read() == ["x" * status.st_size, *["as it was"] * 5]
