"""Songs near a song: exact, filtered, without copies; ways between songs."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

import songscape as ss
from songscape.errors import UsageError
from songscape.neighbours.index import Index, lowest
from songscape.neighbours.songs import Songs


def ids_of(found: object) -> list[str]:
    return [one.id for one in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize("offset", [0.0, 3_000.0])
def test_neighbours_are_those_of_scikit_learn_in_double_precision(offset: float) -> None:
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(3_000, 16)) + offset).astype(np.float32)
    ids = [f"{i:04}" for i in range(3_000)]
    reference = NearestNeighbors(n_neighbors=21, algorithm="brute").fit(vectors.astype(float))
    far, rows = reference.kneighbors(vectors[:20].astype(float))
    index = Index(ids, vectors, correct_hubs=False)
    for row in range(20):
        found = index.similar(ids[row], 20)
        assert ids_of(found) == [ids[i] for i in rows[row][1:]]
        assert [one.distance for one in found] == pytest.approx(far[row][1:], rel=1e-4)


@pytest.mark.parametrize("blocks", [False, True])
def test_what_is_near_to_everything_is_moved_away(blocks: bool) -> None:
    """Distances of all pairs by the root of the product of both songs' root mean squares."""
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(800, 24)) * rng.gamma(4, size=(800, 1)) + 5
    ids = [f"{i:03}" for i in range(800)]
    far = cdist(vectors, vectors)
    usual = np.sqrt(np.square(far).mean(axis=1))
    fair = far / np.sqrt(np.outer(usual, usual)) * (1 if blocks else np.sqrt((usual**2).mean()))
    index = Index(ids, {"all": vectors} if blocks else vectors)
    for row in range(0, 800, 40):
        found = index.similar(ids[row], 20)
        near = np.argsort(fair[row], kind="stable")[1:21]
        assert ids_of(found) == [ids[i] for i in near]
        assert [one.distance for one in found] == pytest.approx(fair[row][near], rel=1e-4)
        at_its_place = ids_of(index.similar(vectors[row], 3))
        assert at_its_place == [ids[row], *ids_of(found)[:2]]
    near_to_none = [800 - len(np.unique(np.argsort(D)[:, 1:11])) for D in (far, fair)]
    assert near_to_none[1] < near_to_none[0] / 2


@given(st.integers(1, 700), st.integers(1, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_lowest_values_are_among_those_found(n: int, k: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 50, n).astype(np.float32)
    k = min(k, n)
    found = lowest(values, k)
    assert sorted(values[found])[:k] == sorted(values)[:k]


def test_the_order_of_the_input_changes_nothing_also_among_equals() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.integers(0, 2, (200, 4)).astype(float)  # many songs at the same place
    ids = [f"{i:03}" for i in range(200)]
    order = rng.permutation(200)
    other = Index([ids[i] for i in order], vectors[order])
    assert ids_of(Index(ids, vectors).similar("007", 50)) == ids_of(other.similar("007", 50))


def test_a_vector_has_neighbours_like_a_song(line: Index) -> None:
    assert ids_of(line.similar([3.2, 0.0], 3)) == ["s03", "s04", "s02"]


def test_of_several_songs_the_nearest_counts(line: Index) -> None:
    assert set(ids_of(line.similar(["s00", "s11"], 2))) == {"s01", "s10"}


def test_only_songs_in_a_language(line: Index) -> None:
    found = line.similar("s00", 5, language="de")
    assert ids_of(found) == ["s01", "s03", "s05", "s07", "s09"]
    assert line.similar("s00", 5, another_language=True) == found
    with pytest.raises(UsageError, match="no songs in French; there are English, German"):
        line.similar("s00", language="fr")


def test_without_songs_of_its_artist_and_few_of_each(line: Index) -> None:
    assert not {"s04", "s08"} & set(ids_of(line.similar("s00", 11, not_same_artist=True)))
    capped = line.similar("s00", 11, max_per_artist=1)
    assert ids_of(capped) == ["s01", "s02", "s03"]  # its own artist has had one song


def test_an_unknown_artist_is_nobody() -> None:
    ids = [f"s{i}" for i in range(5)]
    songs = Songs(ids, {"artist": ["Various Artists"] * 5})
    index = Index(ids, np.arange(5.0)[:, None], songs)
    assert len(index.similar("s0", 4, not_same_artist=True, max_per_artist=1)) == 4


def test_copies_and_versions_are_listed_once() -> None:
    titles = ["River", "River (Live in Köln)", "Hill", "Hill - Remastered 2009", "Hill", "Sea"]
    ids = [f"s{i}" for i in range(6)]
    artists = ["A", "A feat. B", "C", "C", "D", ""]
    songs = Songs(ids, {"title": titles, "artist": artists, "copies": [0, 1, 2, 3, 4, 2]})
    index = Index(ids, np.arange(6.0)[:, None], songs)
    assert ids_of(index.similar("s0", 5)) == ["s2", "s4"]  # s4 is another artist's song
    assert len(index.similar("s0", 5, versions=True)) == 5


def test_artists_come_from_the_collections_table() -> None:
    table = pd.DataFrame({"Track Title": ["a", "b", "c"], "Artist": ["X", "x ", None]}, list("abc"))
    index = ss.Index(list("abc"), np.arange(3.0)[:, None], table)
    assert ids_of(index.similar("a", not_same_artist=True)) == ["c"]
    assert index.similar("a")[0].song.name == "x – b"


def test_without_a_table_the_artist_is_the_first_folder() -> None:
    index = ss.Index(["A/1", "A/2", "B/1"], np.arange(3.0)[:, None])
    assert ids_of(index.similar("A/1", not_same_artist=True)) == ["B/1"]


def test_blocks_weigh_as_asked_and_lacking_one_is_neither_near_nor_far() -> None:
    rng = np.random.default_rng(2)
    sound, words = rng.normal(size=(300, 5)) * 100, rng.normal(size=(300, 3)) + 7
    words[::3] = np.nan
    ids = [f"{i:03}" for i in range(300)]
    index = Index(ids, {"sound": sound, "words": words}, correct_hubs=False)
    by_sound = Index(ids, sound, correct_hubs=False)
    by_words = Index(ids, np.nan_to_num(words, nan=1e6), correct_hubs=False)
    asked = index.similar("001", 9, weights={"sound": 1})
    assert ids_of(asked) == ids_of(by_sound.similar("001", 9))
    asked = index.similar("001", 9, weights={"sound": 0, "words": 2})
    assert ids_of(asked) == ids_of(by_words.similar("001", 9))
    # Two blocks of the usual distance 1: half and half is 1 on average, with holes too.
    assert np.square(index.distances("001")).mean() == pytest.approx(1, abs=0.5)
    assert index.distances("000", {"words": 1}) == pytest.approx(np.ones(300))
    with pytest.raises(UsageError, match="weights: above 0, of sound, words"):
        index.similar("001", weights={"tempo": 1})


def test_a_path_leads_straight_from_one_song_to_the_other(line: Index) -> None:
    path = line.path("s00", "s11", 12)
    assert path.ids[0] == "s00"
    assert path.ids[-1] == "s11"
    assert len(set(path.ids)) == len(path) == 12
    assert path.ids == sorted(path.ids)


@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
@settings(max_examples=30, deadline=None)
def test_a_path_has_no_song_twice_and_moves_on(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(60, 3))
    ids = [f"{i % 5}/{i:02}" for i in range(60)]
    path = Index(ids, vectors).path(ids[0], ids[1], n, max_per_artist=4)
    assert (path.ids[0], path.ids[-1]) == (ids[0], ids[1])
    assert len(set(path.ids)) == len(path) <= n
    artists = [i[0] for i in path.ids]
    assert all(artists.count(a) <= 4 for a in artists)


def test_a_path_keeps_songs_of_one_artist_apart() -> None:
    rng = np.random.default_rng(3)
    vectors = np.column_stack([np.linspace(0, 1, 40), rng.normal(size=40) / 50])
    ids = [f"{'AAB'[i % 3]}/{i:02}" for i in range(40)]
    path = Index(ids, vectors).path("A/00", "A/39", 12)
    pairs = [one[0] == other[0] for one, other in itertools.pairwise(path.ids)]
    assert sum(pairs) < 5


@pytest.mark.parametrize(
    ("vectors", "reason"),
    [
        (np.zeros((2, 3)), "3 ids for 2 vectors"),
        (np.zeros(3), "shape"),
        (np.full((3, 2), np.nan), "NaN"),
        (np.full((3, 2), np.inf), "infinite"),
        ({"a": np.zeros((3, 2)), "b": np.zeros((2, 2))}, "as many rows"),
    ],
)
def test_what_can_be_no_index_says_why(vectors: object, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Index(["a", "b", "c"], vectors)  # type: ignore[arg-type]


def test_what_can_not_be_asked_says_why(line: Index) -> None:
    for ask in (
        lambda: line.similar("x"),
        lambda: line.similar([1.0, 2.0, 3.0]),
        lambda: line.similar([np.nan, 0.0]),
        lambda: line.similar("s00", 0),
        lambda: line.path("s00", "s00"),
        lambda: line.path("s00", "x"),
    ):
        with pytest.raises(UsageError):
            ask()
    with pytest.raises(UsageError, match="twice"):
        Index(["a", "a"], np.zeros((2, 1)))
