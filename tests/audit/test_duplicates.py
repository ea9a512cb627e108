"""Copies are found whatever their format; songs by the same instruments are not copies."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics.pairwise import cosine_similarity

from songscape.audit.duplicates import duplicate_groups, duplicate_lyrics_groups, split_groups
from songscape.features.analyse import analyse_file
from songscape.features.text import lyrics_view
from songscape.features.views import View, Views
from songscape.library import Analysis
from songscape.spellings import known_artists

SR = 22_050
N_SONGS = 12


def song(seed: int, seconds: float = 9.0) -> NDArray[np.float32]:
    """A tune over a bass on the same two instruments: only the notes tell songs apart."""
    rng = np.random.default_rng(seed)
    n = int(seconds * SR)
    y = np.zeros(n)
    for low, length, harmonics in ((60, 0.25, 6), (40, 0.5, 4)):
        at = 0.0
        while at < seconds:
            held = length * rng.choice([1, 1, 2])
            f = 440 * 2 ** ((low + rng.choice([0, 2, 4, 5, 7, 9, 11]) - 69) / 12)
            t = np.arange(min(int(held * SR), n - int(at * SR))) / SR
            tone = sum(np.sin(2 * np.pi * h * f * t) / h for h in range(1, harmonics + 1))
            y[int(at * SR) :][: len(t)] += tone * np.exp(-3 * t)
            at += held
    return (0.25 * y / np.abs(y).max()).astype(np.float32)


def as_views(analyses: list[Analysis]) -> tuple[Views, pd.DataFrame]:
    n = len(analyses)
    mfcc = np.zeros((n, 40, 300), np.float32)
    mask = np.zeros((n, 300), bool)
    for row, analysis in enumerate(analyses):
        assert analysis.failure is None
        frames = analysis.features["mfcc"]
        mfcc[row, :, : frames.shape[1]] = frames
        mask[row, : frames.shape[1]] = True
    there = np.ones(n, bool)
    segments = np.stack([a.features["segments"] for a in analyses])
    ids = tuple(f"t{i:02d}" for i in range(n))
    blocks = {
        "mfcc": View(mfcc, there, mask, step_axis=2),
        "segments": View(segments, there),
    }
    return Views(ids, blocks), pd.DataFrame([a.facts for a in analyses], index=list(ids))


def analysed(path: Path, y: NDArray[Any], sr: int = SR, **options: Any) -> Analysis:
    sf.write(path, y, sr, **options)
    return analyse_file(str(path))


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Analysis]:
    folder = tmp_path_factory.mktemp("songs")
    return [analysed(folder / f"{i}.flac", song(i)) for i in range(N_SONGS)]


def test_songs_of_the_same_instruments_are_not_copies(songs: list[Analysis]) -> None:
    groups = duplicate_groups(*as_views(songs))
    assert groups.tolist() == list(range(N_SONGS))


COPIES: dict[str, Any] = {
    "same": lambda y, p: analysed(p / "x.wav", y, subtype="FLOAT"),
    "quiet": lambda y, p: analysed(p / "x.flac", 0.2 * y),
    "small mp3": lambda y, p: analysed(p / "x.mp3", y, format="MP3", compression_level=0.9),
    "large mp3": lambda y, p: analysed(p / "x.mp3", y, format="MP3", compression_level=0.1),
    "ogg": lambda y, p: analysed(
        p / "x.ogg", 0.5 * y, format="OGG", subtype="VORBIS", compression_level=0.7
    ),
    "starts later": lambda y, p: analysed(p / "x.flac", y[int(0.37 * SR) :]),
    "half the rate": lambda y, p: analysed(p / "x.flac", y[::2], SR // 2),
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found(songs: list[Analysis], tmp_path: Path, kind: str) -> None:
    copies = [COPIES[kind](song(i), tmp_path) for i in (0, 5)]
    groups = duplicate_groups(*as_views([*songs, *copies])).tolist()
    assert groups == [*range(N_SONGS), 0, 5]


def test_songs_that_only_begin_alike_are_not_copies(songs: list[Analysis], tmp_path: Path) -> None:
    opening = song(3)
    opening[int(3.5 * SR) :] = song(99)[int(3.5 * SR) :]
    views, facts = as_views([*songs, analysed(tmp_path / "x.flac", opening)])
    assert len(set(duplicate_groups(views, facts).tolist())) == N_SONGS + 1


def test_equal_digests_are_copies_without_any_view() -> None:
    views = Views(("a", "b", "c", "d"), {})
    facts = pd.DataFrame({"digest": ["x", None, "x", None]}, index=["a", "b", "c", "d"])
    assert duplicate_groups(views, facts).tolist() == [0, 1, 0, 2]


def test_silence_and_short_clips_are_nobodys_copy() -> None:
    mask = np.zeros((6, 300), bool)
    mask[:3, :300] = True
    mask[3:, :60] = True
    mfcc = np.zeros((6, 40, 300), np.float32)
    mfcc[3:, :, :60] = np.random.default_rng(0).normal(size=(40, 60))
    views = Views(tuple("abcdef"), {"mfcc": View(mfcc, np.ones(6, bool), mask, step_axis=2)})
    facts = pd.DataFrame(index=list("abcdef"))
    assert duplicate_groups(views, facts).tolist() == [0, 1, 2, 3, 4, 5]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 0.6, 0.8]))
def test_lyrics_groups_are_the_components_of_all_cosines(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.6 / np.arange(1, 41), (60, 40)).astype(float)
    counts[:20] = counts[20:40] + (rng.random((20, 40)) < 0.03)
    counts[:, :8] += 1
    unit = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    view = View(sp.csr_array(unit.astype(np.float32)), np.ones(60, bool))
    found = duplicate_lyrics_groups(
        Views(tuple(f"{i:02d}" for i in range(60)), {"lyrics": view}), threshold=threshold
    )
    cosines = cosine_similarity(unit)
    if np.abs(cosines - threshold).min() < 1e-4:
        return
    _, expected = sp.csgraph.connected_components(sp.csr_array(cosines >= threshold))
    same = found[:, None] == found[None, :]
    np.testing.assert_array_equal(same, expected[:, None] == expected[None, :])


def test_nearly_equal_lyrics_are_grouped_and_missing_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    words = [f"word{i}" for i in range(400)]
    texts: list[str | None] = [" ".join(rng.choice(words, 60)) for _ in range(20)]
    texts += [f"{texts[4]} refrain again", str(texts[7]).upper(), None, None, "la", "la"]
    views = Views(tuple(f"{i:02d}" for i in range(26)), {"lyrics": lyrics_view(texts)})
    groups = duplicate_lyrics_groups(views)
    assert groups[20] == groups[4]
    assert groups[21] == groups[7]
    assert len(set(groups.tolist())) == 24


def test_placeholders_are_nobody() -> None:
    cells = ["Anonymous", "(Anonim)", "[Anonim]", "Traditional", "Trad.", "traditional (Irish)"]
    cells += ["Unknown", "Various Artists", "", "?", " - ", "Unknown Artist"]
    assert known_artists([*cells, None, float("nan")]) == [None] * (len(cells) + 2)
    names = ["Franz Schubert", "P!nk", "Va Bene", "Anonymous 4", "椎名林檎", "The Unknown"]
    assert known_artists(names) == names


def test_splits_keep_copies_and_artists_together() -> None:
    copies = [0, 1, 2, 0, 4, 5]
    artists = ["A", "a ", "Traditional", "B", "b", "Traditional"]
    groups = split_groups(copies, artists)
    # 0 and 1 share an artist, 0 and 3 are copies, 3 and 4 share another artist.
    assert groups.tolist() == [0, 0, 1, 0, 0, 2]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["A", "B", "C", "D", None])),
        min_size=1,
        max_size=25,
    )
)
def test_no_split_group_separates_what_belongs_together(rows: list[tuple[int, Any]]) -> None:
    copies, artists = [r[0] for r in rows], [r[1] for r in rows]
    groups = split_groups(copies, artists)
    for i in range(len(rows)):
        for j in range(i):
            if copies[i] == copies[j] or (artists[i] is not None and artists[i] == artists[j]):
                assert groups[i] == groups[j]
    backwards = split_groups(copies[::-1], artists[::-1])[::-1]
    same = groups[:, None] == groups[None, :]
    np.testing.assert_array_equal(same, backwards[:, None] == backwards[None, :])
