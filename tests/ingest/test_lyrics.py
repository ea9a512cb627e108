"""Lyric files: encodings, LRC stamps, and what is not text."""

from __future__ import annotations

import codecs
import gzip
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songscape.ingest.lyrics import NotTextError, decode_text, read_lyrics, strip_lrc

WORDS = "Ich grolle nicht\nআমি তোমায় ভালোবাসি\n東京へ行く"


def read(tmp_path: Path, data: bytes):
    path = tmp_path / "x.txt"
    path.write_bytes(data)
    return read_lyrics(path, "lyrics/x.txt")


@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode(),
        codecs.BOM_UTF8 + WORDS.encode(),
        WORDS.encode("utf-16"),
        codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"),
        WORDS.encode("utf-32"),
        WORDS.replace("\n", "\r\n").encode(),
        unicodedata.normalize("NFD", WORDS).encode(),
    ],
)
def test_unicode_in_any_dress_gives_the_same_text(tmp_path, data):
    lyrics = read(tmp_path, data)
    assert lyrics.status == "ok"
    assert lyrics.text == unicodedata.normalize("NFC", WORDS)


def test_latin_1_is_read_with_a_warning(tmp_path):
    lyrics = read(tmp_path, "Für Élise – “là”".encode("cp1252"))
    assert lyrics.text == "Für Élise – “là”"
    assert (lyrics.status, lyrics.reason) == (
        "warning",
        "lyrics/x.txt: not UTF-8; read as Windows-1252",
    )


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04\x14\0\0\0", "a ZIP"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3", "a PDF"),
        (b"%PDF-1.4\nplain", "a PDF"),
        (b"ID3\x03\0\0\0\0\0\0", "an MP3"),
        (gzip.compress(b"la la", mtime=0), "a gzip archive"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG picture"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"{\\rtf1 la la}", "an RTF document"),
    ],
)
def test_other_formats_are_named(tmp_path, data, kind):
    lyrics = read(tmp_path, data)
    assert lyrics.text is None
    assert (lyrics.status, lyrics.reason) == (
        "failed",
        f"lyrics/x.txt: not text (looks like {kind}); rename or remove it",
    )


def test_nul_bytes_and_control_characters_are_not_text(tmp_path):
    assert "NUL bytes" in read(tmp_path, b"la\0la la").reason
    assert "control characters" in read(tmp_path, b"\x01\x02\x03la" * 10).reason


def test_words_that_begin_like_a_signature_are_words(tmp_path):
    assert read(tmp_path, b"FORM a line, my friend").text == "FORM a line, my friend"
    assert read(tmp_path, b"MAC the knife").status == "ok"


def test_neither_encoding(tmp_path):
    assert "convert it to UTF-8" in read(tmp_path, "歌を歌う、君と".encode("shift-jis")).reason


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"[ar:Nobody]\n[00:01.00]\n"])
def test_empty_files_are_no_lyrics(tmp_path, data):
    lyrics = read(tmp_path, data)
    assert (lyrics.text, lyrics.status) == (None, "warning")


def test_a_huge_file_is_refused(tmp_path):
    assert "no lyric file" in read(tmp_path, b"la " * 1_000_000).reason


def test_a_missing_file_is_a_reason(tmp_path):
    assert read_lyrics(tmp_path / "no.txt", "no.txt").status == "failed"


def test_lrc_stamps_and_tags_go_and_words_stay(tmp_path):
    text = (
        "[ar: Jane Doe]\n[ti:Song]\n[offset:+250]\n[length: 03:12]\n"
        "[00:12.30][01:02.50]Hello <00:12.90>my <00:13.1>friend\n[01:15]again\n[Chorus: Jane] oh\n"
    )
    assert read(tmp_path, text.encode()).text == "Hello my friend\nagain\n[Chorus: Jane] oh"


stamps = st.builds(
    "[{:02d}:{:02d}{}]".format,
    st.integers(0, 199),
    st.integers(0, 59),
    st.sampled_from(["", ".1", ".25", ".123", ":50"]),
)
lines = st.text(
    st.characters(exclude_characters="[]<>\r\n", exclude_categories=["Cs", "Cc"]), max_size=30
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(stamps, max_size=3), lines), max_size=10))
def test_stamps_can_be_taken_out_of_any_words(rows):
    stamped = "\n".join("".join(marks) + line for marks, line in rows)
    assert strip_lrc(stamped) == "\n".join(line for _, line in rows)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_text_or_refused(data):
    try:
        text, encoding = decode_text(data)
    except NotTextError:
        return
    assert "\0" not in text
    assert encoding in {"utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"}


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_utf_8_is_always_itself(text):
    if text.startswith(("\ufeff", "%PDF-", "{\\rtf")):
        return
    assert decode_text(text.encode()) == (text, "utf-8")
