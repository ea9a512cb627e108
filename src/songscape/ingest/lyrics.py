"""A lyric file -> the words of its song, or why there are none, or why they may be others."""

from __future__ import annotations

import os
from collections import Counter

import regex

from songscape.data_tables import read_table
from songscape.ingest.cleaning import clean_lyrics
from songscape.ingest.encodings import NotTextError, decode_text
from songscape.ingest.files import TooLargeError, UnreadableError, read_bytes
from songscape.ingest.lyric_formats import claimed_language
from songscape.language_codes import language_name
from songscape.library.records import Lyrics

MAX_BYTES = 1_000_000
"""A lyric file over this is something else: the longest song texts are a few hundred kB."""
_DOUBTFUL = "doubtful words: "
_SILENCE = {
    "instrumental": ("ok", "says that the song is instrumental"),
    "missing": ("warning", "says that there are no lyrics; read as none"),
    None: ("warning", "no words; read as no lyrics"),
}


def lyrics_in(text: str, shown: str, remark: str = "") -> Lyrics:
    """The words in a decoded text; `remark` is what decoding had to say."""
    cleaned = clean_lyrics(text)
    if not cleaned.text:
        status, reason = _SILENCE[cleaned.silence] if text.strip() else ("warning", "empty")
        return Lyrics(None, status, f"{shown}: {reason}")
    why = doubt(text, cleaned.text) or script_doubt(cleaned.text, claimed_language(text))
    reason = "; ".join(filter(None, [remark, why and _DOUBTFUL + why]))
    if reason:
        return Lyrics(cleaned.text, "warning", f"{shown}: {reason}")
    apart = f"{shown}: lines of a translation, left out: {cleaned.n_apart}"
    return Lyrics(cleaned.text, "ok", apart if cleaned.n_apart else "")


def checked(lyrics: Lyrics, language: str | None, shown: str) -> Lyrics:
    """Lyrics, marked as doubtful where they are not in the script of the song's language."""
    why = lyrics.text and script_doubt(lyrics.text, language)
    return Lyrics(lyrics.text, "warning", f"{shown}: {_DOUBTFUL}{why}") if why else lyrics


def read_lyrics(path: str | os.PathLike[str], shown: str) -> Lyrics:
    """Read one lyric file; whatever is wrong comes back as a status with its reason.

    In the reason the file has the name as the user knows it, `shown`.
    """
    try:
        text, remark = decode_text(read_bytes(path, MAX_BYTES), mend=True)
    except TooLargeError as error:
        return Lyrics(None, "failed", f"{shown}: {error}; lyric files are never so long, remove it")
    except UnreadableError as error:
        return Lyrics(None, "failed", f"{shown}: {error}")
    except NotTextError as error:
        return Lyrics(None, "failed", f"{shown}: {error}; {error.mend}")
    return lyrics_in(text, shown, remark)


# -- doubts ---------------------------------------------------------------------------------------

_TABLE = read_table("ingest/data", "lyric_doubts")
_SCRIPTS = {
    language: regex.compile("|".join(rf"\p{{{name}}}" for name in scripts.split()))
    for scripts, languages in _TABLE["scripts"].items()
    for language in languages.split(", ")
}
_LATIN = frozenset(_TABLE["scripts"]["Latin"].split(", "))
_LETTER = regex.compile(r"\p{L}")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}'’]+")
_SAMPLE = 2000
"""Characters at the beginning of a text from which its script is judged."""
MIN_LETTERS, MIN_IN_SCRIPT = 40, 0.1
"""A text with this many letters has at least this share of them in a script of its language."""
MIN_LINES, MOST_ONE_LINE = 20, 0.8
MIN_WORDS, MIN_DISTINCT = 150, 0.02
"""Bounds of repetition: lines, and the share of one of them; words, and the share that differ."""
MIN_PAGE_HINTS = 3
_GENERATED = regex.compile("|".join(_TABLE["generated"]), regex.IGNORECASE | regex.MULTILINE)
_GENERATED_HINTS = _TABLE["generated_hints"].split("|")
_PAGE = _TABLE["page"].split("|")


def doubt(raw: str, words: str) -> str:
    """Why lyrics are doubtful, by the text as it came and the words in it; "" where they aren't."""
    low = raw.casefold()
    hinted = any(hint in low for hint in _GENERATED_HINTS)
    if hinted and (found := _GENERATED.search(raw)):
        return f"reads like the text of a program ({' '.join(found.group().split())[:40]!r})"
    if sum(hint in low for hint in _PAGE) >= MIN_PAGE_HINTS:
        return "a whole web page"
    small = words.casefold()
    lines = [line for line in small.split("\n") if line]
    if len(lines) >= MIN_LINES:
        (_, most), *_ = Counter(lines).most_common(1)
        if most >= MOST_ONE_LINE * len(lines):
            return f"one line {most} times in {len(lines)} lines"
    found_words = _WORD.findall(small) if len(small) > MIN_WORDS else []
    if len(found_words) >= MIN_WORDS and len(set(found_words)) <= MIN_DISTINCT * len(found_words):
        return f"{len(found_words)} words, {len(set(found_words))} of them different"
    return ""


def script_doubt(words: str, language: str | None) -> str:
    """Whether a text is hardly in the script of its language, given by a name or code; else ""."""
    name = language_name(language)
    pattern = _SCRIPTS.get(name or "")
    sample = words[:_SAMPLE]
    if pattern is None or (sample.isascii() and name in _LATIN):
        return ""
    n_letters = len(_LETTER.findall(sample))
    if n_letters < MIN_LETTERS or len(pattern.findall(sample)) >= MIN_IN_SCRIPT * n_letters:
        return ""
    return f"said to be {name}, but hardly any letter is in the script of that language"
