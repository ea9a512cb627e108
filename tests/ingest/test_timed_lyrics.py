"""Lyrics with times and in several languages, and lyrics that may not be those of their song."""

from __future__ import annotations

from itertools import pairwise

import pytest

from songscape.ingest.lyric_formats import claimed_language, main_lines
from songscape.ingest.lyrics import checked, doubt, lyrics_in, script_doubt
from songscape.library import Lyrics
from songscape.workers import run_limited

LRC = """[ti:A Song]
[ar:Somebody]
[offset:+500]
[lang:ja]
[00:10.00]夜の海でふたり
[00:10.00]two of us at the sea at night
[00:20.00][00:40.00]見わたす限り
[bg: <00:21.00>雲か]
[00:20.00][00:40.00]as far as I can see
"""
TTML = """<?xml version="1.0" encoding="utf-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xml:lang="es">
<head><metadata><iTunesMetadata xmlns="http://music.apple.com/lyric-ttml-internal"><translations>
<translation xml:lang="en"><text for="L1">Auntie asks me</text></translation></translations>
</iTunesMetadata></metadata></head>
<body><div><p begin="1"><span begin="1">Ti</span><span>tí</span> <span>me</span>
<span>preguntó</span><span ttm:role="x-bg">(<span>ey</span>)</span>
<span ttm:role="x-translation" xml:lang="en">Auntie asked me</span>
<span ttm:role="x-roman">ti ti</span></p><p>dos<br/>tres</p></div></body></tt>"""
LYRICSFILE = """version: '1.0'
metadata:
  title: 'Midnight'
  language: 'en'
  instrumental: false
lines:
  - text: 'Waiting in a car'
    start_ms: 23500
    words: [{text: 'Waiting ', start_ms: 23500}]
  - text: 'Waiting in the dark'
    start_ms: 26800
plain: |
  MIDNIGHT
"""


@pytest.mark.parametrize(
    ("text", "words", "n_apart", "language"),
    [
        (LRC, "夜の海でふたり\n見わたす限り (雲か)\n\n見わたす限り (雲か)", 3, "ja"),
        (TTML, "Tití me preguntó (ey)\ndos\ntres", 2, "es"),
        (LYRICSFILE, "Waiting in a car\nWaiting in the dark", 0, "en"),
        ("version: '1.0'\nmetadata: {}\nlines: []\nplain: |\n  [Verse]\n  la la", "la la", 0, None),
    ],
)
def test_what_is_sung_is_told_from_translations(text, words, n_apart, language):
    lyrics = lyrics_in(text, "x")
    assert lyrics.text == words
    assert lyrics.status == "ok"
    reason = f"x: lines of a translation, left out: {n_apart}"
    assert lyrics.reason == (reason if n_apart else "")
    assert claimed_language(text) == language


def test_a_line_with_several_times_is_sung_as_often_and_in_their_order():
    text = "[00:01.00][00:05.00]chorus\n[00:03.00]verse one\n[01:00.5]end\n[00:04.999]verse two"
    assert main_lines(text) == ("chorus\nverse one\nverse two\nchorus\nend", 0)


def test_a_few_voices_at_once_are_no_translation():
    lines = [f"[00:{i:02d}.00]line {i}" for i in range(10)]
    text = "\n".join([*lines, "[00:03.00]another voice", "[00:04.00]another"])
    assert main_lines(text)[0].count("another") == 2
    wrong = "\n".join(f"[00:0{i % 2}.00]line {i}" for i in range(10))
    assert main_lines(wrong) == (
        "\n".join(f"line {i}" for i in [*range(0, 10, 2), *range(1, 10, 2)]),
        0,
    )


def test_lines_without_a_time_go_on_with_the_one_before_and_are_no_translation():
    text = "[00:01.00]we walk\nalong the river\n[00:05.00]the lights\ngo down"
    assert main_lines(text) == ("we walk\nalong the river\nthe lights\ngo down", 0)
    german = "[00:01.00]wir gehen\nam fluss entlang\n[00:05.00]die lichter"
    assert main_lines(f"{text}\n{german}") == (main_lines(text)[0], 3)


def test_voices_and_genders_are_not_sung():
    assert main_lines("[00:01.00]v1: hello\n[00:02.00]F: you\n[00:03.00]v2:v1: x")[0] == (
        "hello\nyou\nv1: x"
    )


ALIASES = list(pairwise("abcdefghi"))


def test_a_silent_lyricsfile_says_so():
    text = "version: '1.0'\nmetadata:\n  instrumental: true\nlines: []\nplain: ''"
    assert lyrics_in(text, "x") == Lyrics(None, "ok", "x: says that the song is instrumental")


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE tt [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        "<tt><body><p>&b;</p></body></tt>",
        "<tt><body><p>not closed</body>",
        "<tt>" + "<div>" * 50_000,
        "version: 1\nmetadata: &a [*a]\nlines: {{{",
        "version: !!python/object/apply:os.system ['true']\nlines: 3\nmetadata: 4",
        "version: 1\nlines: 3\nmetadata: [1",
        "version: 1\nlines: 3\nplain: words",
        "version: 1\nlines: [" + "[" * 500 + "]" * 501,
        "version: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        + "".join(f"x{i}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for i, (a, b) in enumerate(ALIASES))
        + "lines: [{text: *i}, {text: *a}]",
        "[00:00.00]" * 100_000,
        "[00:01.00]a\n[00:02.00]b" + "\n" * 300_000 + "[bg: c",
    ],
)
def test_broken_and_hostile_documents_are_read_as_plain_text(text):
    lyrics = lyrics_in(text, "x")
    assert lyrics.status in ("ok", "warning")
    assert len(lyrics.text or "") <= len(text)


def test_a_document_of_many_levels_does_not_end_the_process():
    text = "version: 1\nlines: " + "[" * 100_000
    assert run_limited(main_lines, text) == [text, 0]


PAGE = "Skip to content\nWe use cookies to improve\nthe words of a song\nPrivacy Policy"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("la la\n" * 30 + "other", "one line 30 times in 31 lines"),
        ("na " * 200, "200 words, 1 of them different"),
        (PAGE, "a whole web page"),
        ("Sure! Here are the lyrics:\nla la", "reads like the text of a program"),
        ("la la\nThank you for watching!", "reads like the text of a program"),
        ("As an AI language model I cannot", "reads like the text of a program"),
    ],
)
def test_doubtful_lyrics_are_marked_with_the_reason(raw, why):
    assert doubt(raw, raw).startswith(why)
    lyrics = lyrics_in(raw, "x.txt")
    assert lyrics.text
    assert lyrics.status == "warning"
    assert lyrics.reason.startswith(f"x.txt: doubtful words: {why}")


@pytest.mark.parametrize(
    "raw",
    [
        "Hey Jude\n" + "na na na nananana\n" * 12 + "Hey Jude\ndon't make it bad",
        "You are watching me, thanks for nothing\nI'm watching you",
        "Sure as the sun will rise\nI'll sing my song to you",
        "I read the terms of your goodbye\nI lost my privacy",
    ],
)
def test_songs_are_not_doubtful(raw):
    assert doubt(raw, raw) == ""


ROMAJI = "yoru no umi de futari utatte iru miwatasu kagiri kasumi ka kumo ka"


@pytest.mark.parametrize(
    ("words", "language", "fits"),
    [
        (ROMAJI, "ja", False),
        (ROMAJI, "English", True),
        (ROMAJI, None, True),
        (ROMAJI, "Serbian", True),
        ("夜の海でふたり歌っている" * 5, "Japanese", True),
        ("夜の海でふたり歌っている" * 5, "de", False),
        ("夜の海", "de", True),
        ("Во поле берёза стояла, во поле кудрявая стояла", "rus", True),
        ("Во поле берёза стояла, во поле кудрявая стояла" * 2, "fr", False),
        ("oh baby baby " * 10 + "오늘 밤 너와 함께 걷고 싶어 오늘 밤 너와", "Korean", True),
    ],
)
def test_words_in_another_script_than_their_language_are_doubtful(words, language, fits):
    assert (script_doubt(words, language) == "") is fits
    lyrics = checked(Lyrics(words), language, "x.lrc")
    assert lyrics.text == words
    assert (lyrics == Lyrics(words)) is fits
