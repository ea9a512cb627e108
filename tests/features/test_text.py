"""Words and TF-IDF: whole words in every script, and scikit-learn's numbers."""

from __future__ import annotations

import unicodedata

import pytest
import regex

from songscape.features.text import (
    tokenize,
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
