"""Values in one spelling: languages, genres, people; and what stays as it is."""

import unicodedata

import pandas as pd
import pytest

from songscape.spellings import normalised

PORTUGUESE = ["pt", "por", "pt_BR", "Português", unicodedata.normalize("NFD", "Português")]
PORTUGUESE += ["ｐｔ", " PORTUGUESE ", "portugiesisch", "pt-PT", "Portuguese (Brazil)"]


def one(name: str, values: list[object]) -> list[object]:
    return list(normalised(pd.DataFrame({name: values}, dtype=object))[name])


def test_a_language_in_many_spellings_is_one_value() -> None:
    assert set(one("lang", list(PORTUGUESE))) == {"Portuguese"}
    spellings = ["en", "eng", "en-US", "English", "ENGLISH", "englisch"]
    assert set(one("Language", list(spellings))) == {"English"}


def test_several_languages_in_a_cell_are_named_in_one_order() -> None:
    assert one("languages", ["en; de", "de/en", "German, English", "de"]) == [
        *["English; German"] * 3,
        "German",
    ]
    assert one("lang", ["und", "mul", "Mixed", "", None, "?", "en;und"]) == [
        *(None, "mixed", "mixed", None, None, None, "English")
    ]


@pytest.mark.parametrize(
    ("spellings", "shown"),
    [
        ("Hip-Hop|Hip-Hop|hip hop|HIPHOP|Hip_Hop|hip–hop|ｈｉｐ－ｈｏｐ| hip  hop ", "Hip-Hop"),
        ("R&B|R&B|RnB|R'n'B|r and b|R & B|R’n’B", "R&B"),
        ("Drum & Bass|Drum & Bass|drum and bass|Drum'n'Bass|DRUM N BASS", "Drum & Bass"),
        ("Synth-Pop|synthpop|SYNTHPOP|synth pop", "Synth-Pop"),
        ("Rock; Pop|Rock; Pop|rock/pop|ROCK|Rock", None),
    ],
)
def test_a_genre_is_called_what_it_is_mostly_called(spellings: str, shown: str | None) -> None:
    found = set(one("genre", list(spellings.split("|"))))
    assert found == ({shown} if shown else {"Rock; Pop", "Rock"})


def test_accents_tell_genres_apart_and_their_form_does_not() -> None:
    nfd = unicodedata.normalize("NFD", "Música")
    assert one("genre", ["Música", nfd, "Música"]) == ["Música"] * 3
    assert one("genre", ["কীর্তন", "কর্তন", "???", "?"]) == ["কীর্তন", "কর্তন", "???", "?"]


def test_artists_and_moods_differ_by_more_than_case_and_white_space() -> None:
    assert one("artist", ["Björk", "björk", unicodedata.normalize("NFD", "Björk"), "BJÖRK "]) == [
        *["Björk"] * 4
    ]
    assert one("artist", ["AC/DC", "AC DC", "P!nk", "Pnk"]) == ["AC/DC", "AC DC", "P!nk", "Pnk"]
    assert one("mood", ["very_sad", "very sad", "Very Sad", "very sad"]) == ["very sad"] * 4


def test_keys_of_music_and_numbers_keep_their_differences() -> None:
    keys: list[object] = ["C", "c", "C#", "Cm", "cm", "-5", "5", "1990-2000"]
    assert one("key", list(keys)) == keys


def test_titles_ids_numbers_and_missing_cells_stay_as_they_are() -> None:
    titles: list[object] = ["One", "ONE", "one "]
    assert one("title", list(titles)) == titles
    assert one("track_id", list(titles)) == titles
    mixed: list[object] = [1, 2.5, None, "Rock", "rock", "Rock"]
    assert one("style", list(mixed)) == [1, 2.5, None, "Rock", "Rock", "Rock"]


def test_the_order_of_tracks_decides_no_spelling() -> None:
    values: list[object] = ["HIPHOP", "hip hop", "Hip-Hop"]
    assert {str(v) for v in one("genre", values)} == {"Hip-Hop"}
    assert {str(v) for v in one("genre", values[::-1])} == {"Hip-Hop"}


def test_normalised_values_are_normalised() -> None:
    frame = pd.DataFrame(
        {"lang": PORTUGUESE, "genre": ["Hip Hop", "hiphop"] * 5, "artist": ["A b", "a B"] * 5}
    )
    once = normalised(frame)
    pd.testing.assert_frame_equal(normalised(once), once)
    assert list(frame["lang"]) == PORTUGUESE
