"""Lyrics that may not be the words of their song: why they are doubtful."""

from __future__ import annotations

from collections import Counter

import regex

from songscape.data_tables import read_table
from songscape.language_codes import language_name

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
