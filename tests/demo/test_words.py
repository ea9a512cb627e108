"""The words of the demo songs: right script, whole grammar slots, refrains that return."""

import re
import string
import unicodedata

import numpy as np
import pytest

from songscape.demo.words import LANGUAGES, THEMES, to_lrc, write_lyrics


def texts(language: dict) -> list[str]:
    slots = re.compile(r"\{\w+\}")
    found = [slots.sub("", template) for template in language["verse"] + language["refrain"]]
    for phrases in language["themes"].values():
        found += [
            *phrases["subjects"], *phrases["verbs"], *phrases["adverbials"], *phrases["objects"],
        ]  # fmt: skip
    return found


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_every_letter_is_in_the_language_s_script(language):
    for text in texts(language):
        for character in text:
            category = unicodedata.category(character)
            if category[0] in "LM" and unicodedata.name(character) not in (
                "KATAKANA-HIRAGANA PROLONGED SOUND MARK",
            ):
                assert unicodedata.name(character).startswith(language["script"]), (text, character)
            elif category[0] not in "LM":
                assert character in " ,'　ー", (text, character)


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_texts_are_in_normal_form_c_without_stray_spaces(language):
    # Bangla and Hindi letters with a dot can be written in two ways; words must be equal as bytes.
    for phrases in language["themes"].values():
        for text in (
            *phrases["subjects"],
            *phrases["verbs"],
            *phrases["adverbials"],
            *phrases["objects"],
        ):
            assert unicodedata.is_normalized("NFC", text)
            assert text == " ".join(text.split())


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_every_theme_has_its_own_words(language):
    assert set(language["themes"]) == set(THEMES)
    for theme, phrases in language["themes"].items():
        lists = (phrases["subjects"], phrases["verbs"], phrases["adverbials"], phrases["objects"])
        assert all(len(set(items)) == len(items) >= 4 for items in lists), theme
        assert all(all(items) for items in lists)
        for other, theirs in language["themes"].items():
            if other != theme:
                assert not set(phrases["objects"]) & set(theirs["objects"])


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)
def test_templates_use_known_slots(language):
    for template in language["verse"] + language["refrain"]:
        slots = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        assert slots
        assert slots <= {"s", "s2", "v", "v2", "a", "o"}


def test_there_are_six_languages_in_four_scripts():
    assert len(LANGUAGES) >= 6
    assert len({language["script"] for language in LANGUAGES.values()}) >= 4


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
def test_lyrics_have_verses_and_one_refrain_that_returns(language, theme):
    lyrics = write_lyrics(np.random.default_rng(3), (language,), theme)
    verses, refrains = lyrics.stanzas[::2], lyrics.stanzas[1::2]
    assert len(verses) >= 2
    assert len(set(verses)) == len(verses)
    assert len(set(refrains)) == 1
    assert lyrics.title
    assert "{" not in lyrics.to_text()
    assert "  " not in lyrics.to_text()


def test_bilingual_songs_keep_the_second_language_for_the_refrain():
    lyrics = write_lyrics(np.random.default_rng(0), ("English", "Bangla"), "sea")
    verse, refrain = ("".join(lyrics.stanzas[k]) for k in (0, 1))
    assert re.search("[a-z]", verse)
    assert not re.search("[\u0980-\u09ff]", verse)
    assert re.search("[\u0980-\u09ff]", refrain)
    assert not re.search("[a-zA-Z]", refrain)


def test_lrc_stamps_rise_within_the_song():
    lyrics = write_lyrics(np.random.default_rng(1), ("German",), "love")
    rows = to_lrc(lyrics, "Somebody", 58.0, 83.5).splitlines()
    stamps = [re.match(r"\[(\d\d):(\d\d\.\d\d)\]\S", row) for row in rows[2:]]
    seconds = [60 * int(match[1]) + float(match[2]) for match in stamps]
    assert rows[:2] == [f"[ti:{lyrics.title}]", "[ar:Somebody]"]
    assert seconds == sorted(seconds)
    assert seconds[0] == 58.0
    assert seconds[-1] < 83.5
    assert len(seconds) == sum(len(stanza) for stanza in lyrics.stanzas)
