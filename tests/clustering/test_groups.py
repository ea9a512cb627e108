"""Groups have names, portraits and ids that stay."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from by_path import load_module
from numpy.typing import NDArray

from songscape.cli.groups_text import described
from songscape.clustering.groups import Groups, group
from songscape.clustering.identity import changes, match_groups
from songscape.clustering.lyric_words import words_of_grammar, words_within_languages
from songscape.clustering.names import name_groups
from songscape.clustering.portraits import Portrait, Share, Trait
from songscape.errors import SongscapeError
from songscape.features.descriptors import DESCRIPTORS
from songscape.features.encoders import musicnn
from songscape.features.text import counts_view
from songscape.features.views import View, Views
from songscape.packed import pack, unpack

N, K = 300, 5
FUNCTION_WORDS = load_module(Path(__file__).with_name("function_words.py")).FUNCTION_WORDS
OWN = {"English": "river", "German": "fenster", "Spanish": "noche", "Bangla": "জানালা"}


def song(language: str, group_: int, rng: np.random.Generator) -> tuple[str, str]:
    """Title and lyrics: grammar, of which kinds of songs prefer different words, and repeat them.

    Titles are words of the lyrics; in one group, most are what its songs are about.
    """
    grammar = FUNCTION_WORDS[language].split()
    liked = grammar[group_ % 3 :: 3]
    words = [*rng.choice(grammar, 30), *rng.choice(liked, 30), *np.repeat(rng.choice(liked, 8), 3)]
    title = list(rng.choice(words, 2))
    if group_ == 1 and language in OWN:
        words += [OWN[language]] * 3
        title += [OWN[language]] * int(rng.integers(3) > 0)
    return " ".join(title), " ".join(words)


@pytest.fixture(scope="module")
def collection() -> tuple[NDArray[np.float64], Views, pd.DataFrame]:
    rng = np.random.default_rng(0)
    truth = rng.integers(K, size=N)
    X = rng.normal(size=(N, 8)) + 5.0 * rng.normal(size=(K, 8))[truth]
    described = rng.normal(size=(N, len(DESCRIPTORS)))
    described[:, DESCRIPTORS.index("tempo_confidence")] = 0.9
    described[:, DESCRIPTORS.index("key_confidence")] = 0.9
    described[truth == 2, DESCRIPTORS.index("tempo_bpm")] -= 4.0
    languages = rng.choice(["English", "German", "Spanish"], N)
    songs = [song(language, one, rng) for language, one in zip(languages, truth)]
    titles, texts = zip(*songs)
    ids = tuple(f"t{i:03}" for i in range(N))
    views = Views(
        ids,
        {
            "descriptors": View(described.astype(np.float32), np.ones(N, bool)),
            "lyrics-counts": counts_view(texts),
        },
        None,
    )
    columns = pd.DataFrame(
        {
            "title": titles,
            "artist": [f"Artist {i % 40}" for i in range(N)],
            "genre": np.where(truth == 3, "folk", rng.choice(["rock", "pop"], N)),
            "year": np.where(truth == 4, "1974-05-01", "2011"),
            "language": languages,
        },
        index=list(ids),
    )
    return X, views, columns


@pytest.fixture(scope="module")
def found(collection: tuple[NDArray[np.float64], Views, pd.DataFrame]) -> Groups:
    return group(*collection)


def test_what_sets_a_group_apart_is_found_and_nothing_else(found: Groups) -> None:
    words = [trait.word for one in found.regions for trait in one.portrait.traits]
    assert words == ["slow"]
    (slow,) = [one for one in found.regions if one.portrait.traits]
    trait = slow.portrait.traits[0]
    assert trait.sentence.startswith("slower than")
    assert trait.sentence.endswith("% of your music")
    assert trait.effect < -0.9
    assert slow.name.startswith("slow")
    labels = [s for one in found.regions for s in one.portrait.labels if s.lift > 2]
    assert [s.label for s in labels] == ["folk"]
    assert any("folk" in one.name for one in found.regions)
    old = [one for one in found.regions if one.portrait.decades[0].value == "1970s"]
    assert len(old) == 1


def test_words_of_a_group_are_its_own_in_every_language_and_never_grammar(found: Groups) -> None:
    said = {lang: words for one in found.regions for lang, words in one.portrait.words.items()}
    assert said == {"English": ("river",), "German": ("fenster",), "Spanish": ("noche",)}


@pytest.mark.parametrize("language", FUNCTION_WORDS)
def test_words_of_grammar_never_describe_a_group(language: str) -> None:
    rng = np.random.default_rng(1)
    groups = np.arange(240) % 3
    titles, texts = zip(*(song(language, int(one), rng) for one in groups))
    languages = [language.removeprefix("early modern ")] * 240
    said = words_within_languages(groups, counts_view(texts), languages, titles)
    used = {word for by in said.values() for words in by.values() for word in words}
    assert used == ({OWN[language]} if language in OWN else set())


def test_the_contrast_is_within_a_language_not_between() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat([0, 1], 60)
    languages = ["German" if one else "English" for one in groups]
    titles, texts = zip(*(song(language, 0, rng) for language in languages))
    assert words_within_languages(groups, counts_view(texts), languages, titles) == {}


def test_languages_without_a_list_of_grammar_are_no_error() -> None:
    assert words_of_grammar(["Klingon", "Aragonese"]) == frozenset()
    assert "und" in words_of_grammar(["German"])


def test_a_voice_is_told_where_the_encoder_hears_one_in_most_songs(
    collection: tuple[NDArray[np.float64], Views, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, views, columns = collection
    folk = columns["genre"].to_numpy() == "folk"
    segments = View(np.zeros((N, 10, 1506), np.float32), np.ones(N, bool), np.ones((N, 10), bool))
    monkeypatch.setattr(musicnn, "heard_voices", lambda vectors, mask: folk)
    blocks = {**{name: views[name] for name in views}, "musicnn": segments}
    found = group(X, Views(views.track_ids, blocks, None), columns)
    traits = {one.name: one.portrait.traits for one in found.regions if one.portrait.traits}
    assert any("sung" in name and "folk" in name for name in traits)
    sentences = [t.sentence for its in traits.values() for t in its if t.name == "voice"]
    assert sentences == ["100 % with a voice, elsewhere 0 %"]
    # The package is not there: nothing is said of voices.
    monkeypatch.setattr(musicnn, "heard_voices", raising)
    found = group(X, Views(views.track_ids, blocks, None), columns)
    assert not [t for one in found.regions for t in one.portrait.traits if t.name == "voice"]


def raising(vectors: object, mask: object) -> None:
    raise SongscapeError("musicnn: its package is not installed")


def test_typical_songs_are_of_different_artists(found: Groups) -> None:
    for one in found.regions:
        artists = [found.titles[row].partition(" – ")[0] for row in one.portrait.typical]
        assert len(set(artists)) == len(artists) == 5


def portrait(*words: str, language: str | None = None, typical: int = 0) -> Portrait:
    traits = tuple(Trait(word, word, 0.2, -0.5, word) for word in words)
    languages = () if language is None else (Share(language, 0.9, 0.3),)
    return Portrait((typical,), (typical,), traits, (), languages, (), {})


def test_names_are_short_and_say_the_language_where_it_is_unusual() -> None:
    assert name_groups([portrait("slow", "soft", "dark", language="Spanish")], ["A – B"]) == (
        "slow, mostly Spanish, soft",
    )


def test_names_are_unique_and_the_same_again() -> None:
    groups = [portrait("slow"), portrait("slow", typical=1), portrait(), portrait()]
    names = name_groups(groups, ["A – B", "C – D"])
    assert len(set(names)) == 4
    assert names[1] == "slow, like C – D"
    assert names[2] == "like A – B"
    assert names == name_groups(groups, ["A – B", "C – D"])


def test_groups_keep_their_ids_when_a_tenth_of_the_songs_goes(
    collection: tuple[NDArray[np.float64], Views, pd.DataFrame], found: Groups
) -> None:
    X, views, columns = collection
    kept = np.sort(np.random.default_rng(3).permutation(N)[: N * 9 // 10])
    before = json.loads(json.dumps(found.as_dict()))
    after = group(X[kept], views.take(kept), columns.iloc[kept], before=before)
    assert {one.id for one in after.regions} == {one.id for one in found.regions}
    same = [after.of(i)[0].id == found.of(i)[0].id for i in after.track_ids]
    assert np.mean(same) > 0.95
    old = {one.id for one in found.neighbourhoods}
    assert np.mean([one.id in old for one in after.neighbourhoods]) >= 0.8
    assert after.changes == ()


def test_given_names_survive_a_refit(
    collection: tuple[NDArray[np.float64], Views, pd.DataFrame], found: Groups
) -> None:
    X, views, columns = collection
    name = {found.regions[1].id: "Sunday morning"}
    kept = np.arange(20, N)
    again = group(X[kept], views.take(kept), columns.iloc[kept], before=found.as_dict())
    renamed = {one.id: one.name for one in again.named(name).regions}
    assert renamed[found.regions[1].id] == "Sunday morning"
    assert list(renamed.values()).count("Sunday morning") == 1


def test_groups_can_be_stored_as_they_are(found: Groups) -> None:
    again = unpack(pack(found))
    assert json.dumps(again.as_dict()) == json.dumps(found.as_dict())
    assert again.table().equals(found.table())
    assert described(again) == described(found)


@pytest.mark.parametrize("damaged", [{}, {"levels": []}, {"levels": [1, 2], "tracks": None}])
def test_damaged_earlier_groups_are_as_good_as_none(
    damaged: dict[str, object],
    collection: tuple[NDArray[np.float64], Views, pd.DataFrame],
    found: Groups,
) -> None:
    again = group(*collection, before=damaged)
    assert (again.levels.regions == found.levels.regions).all()


def test_groups_without_columns_words_or_descriptors() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    ids = tuple(f"folder/{i:02} Name {chr(97 + i % 26)}{i}.mp3" for i in range(60))
    blank = View(sp.csr_array((60, 3), dtype=np.float32), np.zeros(60, bool))
    found = group(X, Views(ids, {"lyrics": blank}, None))
    assert all(one.name.startswith("like ") for one in found.regions)
    assert len({one.name for one in found.regions}) == len(found.regions)
    table = found.table()
    assert list(table["track_id"]) == list(ids)
    assert set(table["group"]) == {one.id for one in found.regions}


def test_names_are_normal_text(found: Groups) -> None:
    for one in (*found.regions, *found.neighbourhoods):
        assert one.name == unicodedata.normalize("NFC", one.name).strip()


def test_matching_finds_the_largest_overlap_not_the_first() -> None:
    before = np.array([0] * 10 + [1] * 10 + [2] * 10)
    after = np.array([1] * 9 + [2] + [2] * 10 + [0] * 10)
    assert match_groups(before, after) == {0: 2, 1: 0, 2: 1}


def test_changes_name_what_was_split_merged_born_and_gone() -> None:
    whole, halves = np.zeros(40, int), np.repeat([0, 1], 20)
    assert changes(whole, halves, ["All"], ["One", "Two"]) == ["“Two” has split off from “All”"]
    assert changes(halves, whole, ["One", "Two"], ["All"]) == ["“Two” is now part of “All”"]
    new = np.repeat([0, 1], [40, 20])
    old = np.repeat([0, -1], [40, 20])
    assert changes(old, new, ["A"], ["A", "B"]) == ["“B” is new"]
    assert changes(halves, halves, ["A", "B"], ["A", "B"]) == []
    # Every song of B, the last group, was deleted.
    assert changes(whole, whole, ["A", "B"], ["A"]) == ["“B” is gone"]
