"""One English name for every way to write a language down."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songscape.language_codes import NAMES, SCRIPTS, is_mixed, language_name


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ("en eng en-US en_GB English ENGLISH englisch anglais İngilizce inglês", "English"),
        ("de DE deu ger de-AT German german Deutsch DEUTSCH Almanca allemand gsw", "German"),
        ("pt_BR pt-PT por português Portugiesisch pt_BR.UTF-8", "Portuguese"),
        ("zh zh_Hans zh-Hant-TW chi zho cmn yue 中文 Mandarin", "Chinese"),
        ("bn ben Bengali Bangla bn-IN", "Bangla"),
        ("el ell gre grc Greek", "Greek"),
        ("he iw heb", "Hebrew"),
        ("no nb nn nor nob nno nb-NO", "Norwegian"),
        ("sr-Latn sr_Cyrl_RS srp", "Serbian"),
        ("fil tgl tl Filipino", "Tagalog"),
        ("ｅｎ Ｅｎｇｌｉｓｈ", "English"),
    ],
)
def test_codes_and_names_in_any_spelling_are_one_language(tags: str, name: str) -> None:
    assert {tag: language_name(tag) for tag in tags.split()} == dict.fromkeys(tags.split(), name)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("  English ", "English"),
        ("English (US)", "English"),
        ("American English", "English"),
        ("Portuguese (Brazil)", "Portuguese"),
        ("Brazilian Portuguese", "Portuguese"),
        ("Modern Greek (1453-)", "Greek"),
        ("Haitian_Creole", "Haitian Creole"),
        ("scottish-gaelic", "Scottish Gaelic"),
        ("tiếng Việt", "Vietnamese"),
        (unicodedata.normalize("NFD", "Português"), "Portuguese"),
        (unicodedata.normalize("NFD", "Français"), "French"),
        ("Low German dialects", "Low German dialects"),
        ("Klingon", "Klingon"),
        ("Old English", "Old English"),
        ("und", None),
        ("Instrumental", None),
        ("no-lyrics", None),
        ("[No lyrics]", None),
        ("[Multiple languages]", None),
        ("(English)", "English"),
        ("No vocals", None),
        ("mixed", None),
        ("-", None),
        ("", None),
        (None, None),
    ],
)
def test_tags_have_names(tag: str | None, name: str | None) -> None:
    assert language_name(tag) == name


def test_mixed_is_not_unknown() -> None:
    assert is_mixed("Mixed")
    assert is_mixed("mul")
    assert is_mixed("multiple_languages")
    assert is_mixed("[Multiple languages]")
    assert not is_mixed("und")
    assert not is_mixed(None)


def test_every_name_is_its_own() -> None:
    names = {*NAMES.values(), *SCRIPTS.values()}
    assert {name: language_name(name) for name in names} == {name: name for name in names}


@given(st.text(max_size=40))
def test_a_name_is_named_by_itself(tag: str) -> None:
    name = language_name(tag)
    assert name is None or language_name(name) == name
