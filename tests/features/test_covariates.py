"""Language composition: shares that sum to one, unknown stays unknown."""

import numpy as np
import pandas as pd
import pytest

from songscape.errors import SongscapeError
from songscape.features.covariates import (
    composition_view,
    covariate_views,
    language_view,
    with_language,
)


def test_a_song_in_two_languages_lies_between_them() -> None:
    view = composition_view(["German", "English; German", None, "", "French/English"])
    assert view.feature_names == ("English", "French", "German")
    np.testing.assert_array_equal(view.present, [True, True, False, False, True])
    np.testing.assert_allclose(
        view.values, [[0, 0, 1], [0.5, 0, 0.5], [0, 0, 0], [0, 0, 0], [0.5, 0.5, 0]]
    )


def test_languages_comes_before_language_and_falls_back_to_it() -> None:
    labels = pd.DataFrame(
        {"language": ["German", "English", None], "languages": ["German; French", None, None]}
    )
    view = language_view(labels)
    assert view is not None
    assert view.feature_names == ("English", "French", "German")
    np.testing.assert_allclose(view.values[0], [0, 0.5, 0.5])
    np.testing.assert_allclose(view.values[1], [1, 0, 0])
    assert not view.present[2]


@pytest.mark.parametrize(
    "labels", [pd.DataFrame(index=range(3)), pd.DataFrame({"language": [None, None]})]
)
def test_a_collection_without_languages_has_no_such_view(labels: pd.DataFrame) -> None:
    assert language_view(labels) is None


GERMAN = "Wir gehen am Fluss entlang, wenn die Lichter ausgehen\nUnd heute Nacht singe ich für dich"
ENGLISH = "We walk along the river when the lights go down\nAnd I will sing for you tonight"


def shares(labels: pd.DataFrame, texts: list[str | None] | None = None) -> list[dict[str, float]]:
    view = language_view(labels, texts)
    assert view is not None
    np.testing.assert_allclose(view.values.sum(axis=1), view.present, atol=1e-6)
    names = view.feature_names
    return [{names[i]: float(row[i]) for i in np.flatnonzero(row)} for row in view.values]


def test_lyrics_tell_the_language_where_there_is_no_column() -> None:
    texts = [GERMAN, ENGLISH, GERMAN + "\n" + ENGLISH, None, "la la la"]
    german, english, both, instrumental, nothing = shares(pd.DataFrame(index=range(5)), texts)
    assert german == {"German": 1.0}
    assert english == {"English": 1.0}
    assert set(both) == {"English", "German"}
    assert 0.4 < both["German"] < 0.6
    assert instrumental == nothing == {}


def test_lyrics_fill_in_for_missing_tags_and_for_mixed() -> None:
    labels = pd.DataFrame({"language": ["English", None, "mixed", "und", "mixed"]})
    texts = [GERMAN, GERMAN, GERMAN + "\n" + ENGLISH, ENGLISH, None]
    tagged, missing, mixed, unknown, mute = shares(labels, texts)
    assert tagged == {"English": 1.0}, "a tag goes first; that it does not fit is another check"
    assert missing == {"German": 1.0}
    assert set(mixed) == {"English", "German"}
    assert unknown == {"English": 1.0}
    assert mute == {}


def test_codes_and_names_are_one_language() -> None:
    labels = pd.DataFrame({"language": ["de", "de", "German", "de-AT", None, "de;en"]})
    found = shares(labels, [None, None, None, None, GERMAN, None])
    assert found == [{"German": 1.0}] * 5 + [{"German": 0.5, "English": 0.5}]


def test_a_tag_of_two_languages_takes_their_shares_from_the_lyrics() -> None:
    labels = pd.DataFrame({"languages": ["German; English"] * 3})
    long = GERMAN + "\nDer Mond steht über dem Wasser und niemand sagt ein Wort\n" + ENGLISH
    measured, unseen, silent = shares(labels, [long, GERMAN, None])
    assert measured["German"] > 0.6
    assert unseen == silent == {"English": 0.5, "German": 0.5}


def test_codes_in_the_column_and_lyrics_in_code_switching_lie_between() -> None:
    labels = pd.DataFrame({"language": ["de", "en", "de;en", "mixed"]})
    both = GERMAN + "\n" + ENGLISH
    view = language_view(labels, [None, None, both, both])
    assert view is not None
    german, english = view.values[0], view.values[1]
    for row in view.values[2:]:
        distance = np.linalg.norm(row - german), np.linalg.norm(row - english)
        assert max(distance) < 0.8 * np.linalg.norm(german - english)


def test_other_covariates_are_whole_cells() -> None:
    labels = pd.DataFrame({"source": ["A; B", "C", None, ""], "language": ["de", "en", "de", "de"]})
    facts = pd.DataFrame({"codec": ["mp3", "flac", "mp3", float("nan")]})
    views = covariate_views(["source", "codec"], labels, facts)
    assert list(views) == ["source", "codec"]
    assert views["source"].feature_names == ("A; B", "C")
    np.testing.assert_array_equal(views["source"].present, [True, True, False, False])
    np.testing.assert_array_equal(views["codec"].values[:, 1], [1, 0, 1, 0])


def test_covariates_that_cannot_be_held_say_why() -> None:
    labels = pd.DataFrame({"language": [None, None], "title": ["a", "b"]})
    with pytest.raises(SongscapeError, match=r"no column 'codec'.*language, title"):
        covariate_views(["codec"], labels, pd.DataFrame())
    with pytest.raises(SongscapeError, match="unknown for every track"):
        covariate_views(["language"], labels, pd.DataFrame())
    many = pd.DataFrame({"title": [str(i) for i in range(60)]})
    with pytest.raises(SongscapeError, match="60 categories"):
        covariate_views(["title"], many, pd.DataFrame())


def test_a_language_column_is_told_from_lyrics_only_where_there_is_none() -> None:
    german = "Der Mond ist aufgegangen über dem stillen Wald\nund die goldnen Sternlein prangen"
    english = "The evening star is rising over the quiet hills\nand all the birds are sleeping now"
    labels = pd.DataFrame({"genre": ["a", "b", "c", "d"]})
    texts = [german, english, None, f"{german}\n{english}"]
    composition = language_view(labels, texts)
    assert composition is not None
    told = with_language(labels, composition)["language"].tolist()
    assert told[:3] == ["German", "English", None]
    assert set(told[3].split("; ")) <= {"German", "English"}
    tagged = labels.assign(language=["fr", None, None, None])
    assert with_language(tagged, composition) is tagged
