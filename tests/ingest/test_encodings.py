"""Encodings: Unicode in every dress, older ones by their letters, refusal where none is clear."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songscape.ingest.encodings import NotTextError, decode_text

SONGS = tomllib.loads(Path(__file__).with_name("songs.toml").read_text(encoding="utf-8"))
ENCODINGS = [
    *(("Russian", name) for name in ("cp1251", "koi8_r", "cp866", "iso8859_5")),
    *(("Ukrainian", name) for name in ("cp1251", "koi8_u")),
    *(("Bulgarian", name) for name in ("cp1251", "iso8859_5")),
    *(("Greek", name) for name in ("cp1253", "iso8859_7")),
    *(("Hebrew", name) for name in ("cp1255", "iso8859_8")),
    *(("Arabic", name) for name in ("cp1256", "iso8859_6")),
    ("Thai", "cp874"),
    *(("Japanese", name) for name in ("cp932", "euc_jp", "iso2022_jp")),
    *(("Korean", name) for name in ("cp949", "euc_kr")),
    *(("Chinese", name) for name in ("gb2312", "gbk", "gb18030")),
    ("Traditional", "big5"),
    *(("German", name) for name in ("cp1252", "cp850", "mac_roman")),
    *(("French", name) for name in ("cp1252", "cp1254", "mac_roman")),
    *(("Spanish", name) for name in ("cp1252", "iso8859_1", "cp850")),
    *(
        (name, code)
        for name in ("Polish", "Czech", "Hungarian")
        for code in ("cp1250", "iso8859_2")
    ),
    *(("Turkish", name) for name in ("cp1254", "iso8859_9")),
    ("Lithuanian", "cp1257"),
    ("Icelandic", "cp1252"),
]


def bytes_of(text: str, encoding: str) -> tuple[str, bytes]:
    kept = text if "1" in encoding[:4] or "mac" in encoding else text.replace("’", "'")
    return kept, kept.encode(encoding)


@pytest.mark.parametrize(("song", "encoding"), ENCODINGS)
def test_older_encodings_are_told_by_their_letters(song, encoding):
    text, data = bytes_of(SONGS[song], encoding)
    decoded, remark = decode_text(data)
    assert decoded == text
    assert remark.startswith("not UTF-8; read as ")


@pytest.mark.parametrize("song", sorted(SONGS))
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_needs_no_mark(song, encoding):
    text = SONGS[song] + "\n" + SONGS[song] + "\n"
    assert decode_text(text.encode(encoding))[0] == text


@pytest.mark.parametrize("song", sorted(SONGS))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_with_its_mark_needs_no_remark(song, encoding):
    assert decode_text(SONGS[song].encode(encoding)) == (SONGS[song], "")


@pytest.mark.parametrize("song", ["Russian", "German", "French", "Polish", "Chinese"])
def test_text_that_was_encoded_twice_is_read_once(song):
    text = SONGS[song]
    wrong = "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in text.encode())
    assert decode_text(wrong.encode(), mend=True) == (text, "UTF-8 twice; read once")


def test_names_of_files_in_a_table_stay_as_they_are():
    assert decode_text("FrÃ¼hling.mp3".encode()) == ("FrÃ¼hling.mp3", "")


def test_a_cut_or_broken_character_costs_only_itself():
    data = SONGS["Russian"].encode()
    for broken in (data[:-2], data[:40] + b"\x92" + data[40:]):
        text, remark = decode_text(broken)
        assert text.replace("\ufffd", "")[:20] == SONGS["Russian"][:20]
        assert remark == "broken UTF-8; damaged characters: 1"


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(128, 256)),
        b"\x81\x8d\x8f\x90\x9d" * 20,
        "歌を歌う".encode("shift-jis"),  # too short to tell
        b"\xff\xfe\xfd",
        bytes(b ^ 0xA5 for b in SONGS["German"].encode()),
    ],
)
def test_what_fits_no_encoding_is_refused(data):
    with pytest.raises(NotTextError):
        decode_text(data)


def test_a_word_in_an_older_encoding_is_enough_in_a_table():
    data = "id,audio,title\n1,1.mp3,Frühling\n".encode("cp1252")
    assert decode_text(data)[0].endswith("Frühling\n")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_text_or_refused(data):
    try:
        text, _ = decode_text(data)
    except NotTextError:
        return
    assert "\0" not in text


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_utf_8_is_always_itself(text):
    if text.startswith(("\ufeff", "%PDF-", "{\\rtf")):
        return
    assert decode_text(text.encode()) == (text, "")
