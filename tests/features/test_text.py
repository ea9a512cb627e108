"""Words and TF-IDF: whole words in every script, and scikit-learn's numbers."""

from __future__ import annotations

import string
import unicodedata

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from songscape.features.text import (
    chars_view,
    counts_view,
    lyrics_view,
    ngrams,
    tfidf_view,
    tokenize,
    vocabulary,
)


def test_bangla_and_hindi_words_stay_whole():
    assert tokenize("আমার সোনার বাংলা, আমি তোমায় ভালোবাসি।") == [
        *("আমার", "সোনার", "বাংলা", "আমি"),
        *(unicodedata.normalize("NFC", word) for word in ("তোমায়", "ভালোবাসি")),
    ]
    assert tokenize("मेरा दिल ज़िन्दगी") == ["मेरा", "दिल", unicodedata.normalize("NFC", "ज़िन्दगी")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Die STRASSE, die Straße", ["die", "strasse", "die", "strasse"]),
        ("L’amour, l'été", ["amour", "été"]),
        ("a I ab", ["ab"]),
        ("Привет, мир!", ["привет", "мир"]),
        ("يا حبيبي", ["يا", "حبيبي"]),
        ("می‌خواهم", ["می‌خواهم"]),
        ("사랑해 너를", ["사랑해", "너를"]),
        ("çok güzel", ["çok", "güzel"]),
        ("x\u0301y e\u0301tude", ["x\u0301y", "\u00e9tude"]),
    ],
)
def test_words_of_many_languages(text, words):
    assert tokenize(text) == words


def test_scripts_without_spaces_give_character_pairs():
    assert tokenize("東京へ行く") == ["東京", "京へ", "へ行", "行く"]
    assert tokenize("ラーメン") == ["ラー", "ーメ", "メン"]
    assert tokenize("我爱你 I love you 愛") == ["我爱", "爱你", "love", "you", "愛"]
    assert tokenize("loveは強い") == ["love", "は強", "強い"]


def test_thai_vowel_signs_stay_with_their_consonants():
    pairs = tokenize("ฉันรักเธอ")
    assert pairs
    for pair in pairs:
        assert len(regex.findall(r"\X", pair)) == 2
    assert pairs[0] == "ฉัน"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=string.ascii_letters + string.digits + " .,;:!?-'\n", max_size=200))
def test_on_plain_ascii_the_words_are_scikit_learns(text):
    assert tokenize(text) == TfidfVectorizer().build_analyzer()(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_tokens_hold_only_letters_marks_and_digits(text):
    for token in tokenize(text):
        assert regex.fullmatch(r"[\p{L}\p{M}\p{N}\u200c\u200d]+", token)
        assert token == unicodedata.normalize("NFC", token)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_composed_and_decomposed_text_give_the_same_words(text):
    assert tokenize(unicodedata.normalize("NFC", text)) == tokenize(
        unicodedata.normalize("NFD", text)
    )


WORDS = ["sun", "moon", "river", "love", "night", "day", "rain", "home"]
documents = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), min_size=2, max_size=8
)


@settings(max_examples=50, deadline=None)
@given(documents, st.booleans())
def test_tfidf_is_scikit_learns(texts, once):
    view = (lyrics_view if once else tfidf_view)(texts)
    vectorizer = TfidfVectorizer(binary=once)
    expected = vectorizer.fit_transform(texts)
    assert view.feature_names == tuple(vectorizer.get_feature_names_out())
    np.testing.assert_allclose(view.values.toarray(), expected.toarray(), atol=1e-6)
    assert view.values.dtype == np.float32


def test_tfidf_of_two_songs_by_hand():
    # "sun" in both: idf ln(3/3) + 1 = 1; "moon" in one: idf ln(3/2) + 1.
    view = lyrics_view(["sun moon", "sun sun"])
    idf = np.log(1.5) + 1
    norm = np.hypot(1, idf)
    np.testing.assert_allclose(view.values.toarray(), [[idf / norm, 1 / norm], [0, 1]], rtol=1e-6)


def test_a_chorus_that_is_sung_again_changes_no_word():
    verse, chorus = "morning river", "love tonight"
    texts = [f"{verse} {chorus}", f"{verse} {f'{chorus} ' * 4}"]
    once, often = lyrics_view(texts).values.toarray()
    np.testing.assert_array_equal(once, often)
    plain = tfidf_view(texts).values.toarray()
    assert plain[0] @ plain[1] < 0.9


def test_songs_without_words_are_absent_and_do_not_count():
    view = lyrics_view(["sun moon", None, "", "...!", "sun sun"])
    assert view.present.tolist() == [True, False, False, False, True]
    alone = lyrics_view(["sun moon", "sun sun"])
    np.testing.assert_array_equal(view.values.toarray()[[0, 4]], alone.values.toarray())
    assert view.values[[1, 2, 3]].nnz == 0


def test_a_collection_without_lyrics_has_an_empty_view():
    view = lyrics_view([None, None])
    assert view.shape == (2, 0)
    assert not view.present.any()


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 8))
def test_ties_at_the_limit_do_not_depend_on_the_order(random, limit):
    texts = [["one", "two"], ["three", "four"], ["one", "five"], ["six", "seven"]]
    shuffled = [random.sample(tokens, len(tokens)) for tokens in texts]
    random.shuffle(shuffled)
    assert vocabulary(shuffled, limit) == vocabulary(texts, limit)
    assert "one" in vocabulary(texts, limit)


def test_the_most_frequent_words_are_kept():
    view = lyrics_view(["aa aa aa bb", "aa bb cc", "cc bb dd"], max_words=2)
    assert view.feature_names == ("aa", "bb")
    assert view.is_sparse


@settings(max_examples=50, deadline=None)
@given(documents)
def test_counts_are_scikit_learns(texts):
    view = counts_view(texts)
    vectorizer = CountVectorizer()
    expected = vectorizer.fit_transform(texts)
    assert view.feature_names == tuple(vectorizer.get_feature_names_out())
    np.testing.assert_array_equal(view.values.toarray(), expected.toarray())


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=string.ascii_letters + string.digits + "  \n", max_size=100))
def test_on_plain_ascii_the_ngrams_are_scikit_learns(text):
    reference = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).build_analyzer()
    assert sorted(ngrams(text)) == sorted(reference(text))


@settings(max_examples=50, deadline=None)
@given(documents)
def test_weights_of_ngrams_are_scikit_learns(texts):
    view = chars_view(texts, max_ngrams=10_000)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    expected = vectorizer.fit_transform(texts)
    assert view.feature_names == tuple(vectorizer.get_feature_names_out())
    np.testing.assert_allclose(view.values.toarray(), expected.toarray(), atol=1e-6)
    assert view.values.dtype == np.float32


def test_ngrams_of_any_script_keep_marks_with_their_letters():
    assert ngrams("Élan!", 2, 2) == [" é", "él", "la", "an", "n "]
    assert ngrams("e\u0301te", 2, 2) == [" é", "ét", "te", "e "]
    assert ngrams("সোনা", 2, 2) == [" সো", "সোনা", "না "]
    assert ngrams("愛の歌", 3, 3) == [" 愛の", "愛の歌", "の歌 "]
    assert ngrams("Straße", 2, 2) == ngrams("STRASSE", 2, 2)
    assert ngrams("... ?!") == []


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_composed_and_decomposed_text_give_the_same_ngrams(text):
    assert ngrams(unicodedata.normalize("NFC", text)) == ngrams(unicodedata.normalize("NFD", text))


def test_inflected_words_share_ngrams_though_not_words():
    texts = ["gesungen singend", "gesungener singende", "blau rot"]
    near, far = (chars_view(texts).values.toarray()[i] for i in (1, 2))
    first = chars_view(texts).values.toarray()[0]
    assert first @ near > 0.5
    assert first @ far < 0.05
    words = lyrics_view(texts).values.toarray()
    assert words[0] @ words[1] == 0
