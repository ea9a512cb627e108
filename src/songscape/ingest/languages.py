"""Which languages lyrics are in, line by line: by script, then by a bundled model, else unknown."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection
from functools import lru_cache
from typing import Any

import regex

from songscape.ingest.cleaning import clean_lyrics
from songscape.language_codes import NAMES, SCRIPTS

RECIPE = 1
"""Raised when the same lyrics give other languages: stored languages are then identified again."""
MIN_CONFIDENCE = 0.7
"""Probability from which the model decides a line alone. `benchmarks/languages.py` measures it: of
15,000 real lines in eleven languages, those of 12 letters or more are right from there on in 99.4 %
(the shortest) to 100 %, and romanised Bangla and Hindi stay below."""
MIN_LETTERS = 12
"""Letters that the model needs to decide a line alone."""
MIN_SUPPORT = 0.25
"""Probability from which a shorter or doubtful line joins a language that the song is known for."""
MIN_SUPPORT_LETTERS = 4
MIN_LINES, MIN_SHARE = 2, 0.25
"""A language of the song has two different lines or a quarter of the letters: a quoted line is no
second language."""
MIN_IDENTIFIED = 1 / 3
"""Share of its letters that a song must have identified before anything is said of it."""
MAX_LINES, MAX_LINE = 2000, 2000
"""Different lines, and characters of a line, that are looked at: more is no song."""

LATIN = "Latin"
ACUTE = "\u0301"
_LETTER = regex.compile(r"\p{L}")
_SCRIPT = {name: regex.compile(rf"\p{{{name}}}") for name in (*SCRIPTS, "Han")}
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_ASSAMESE = regex.compile("[\u09f0\u09f1]")
_IN_SCRIPT = "".join(f"\\p{{{name}}}" for name in _SCRIPT)
# U+30FC, the long-vowel mark of Japanese, belongs to no script in Unicode's table.
_DECIDED = regex.compile(f"[{_IN_SCRIPT}\u30fc]+")


Letters = Counter[str | None]
"""Letters of a line per language, under None those of no known one.

A line in two scripts is in two languages.
"""


def lyric_lines(text: str) -> list[str]:
    """The different lines of lyrics that have letters, without what is not sung.

    A line that returns counts once, also in other letter case.
    """
    lines: dict[str, str] = {}
    for line in clean_lyrics(text).text.split("\n"):
        plain = " ".join(line[:MAX_LINE].split())
        if _LETTER.search(plain):
            lines.setdefault(plain.casefold(), plain)
            if len(lines) == MAX_LINES:
                break
    return list(lines.values())


def identify_lines(text: str, among: Collection[str] | None = None) -> list[Letters]:
    """The languages of every different line of some lyrics, of those in `among` where it is given.

    Letters of a script that one main language is written in decide by themselves. Other lines go to
    the model of py3langid (Lui and Baldwin 2011); lines that it can't tell alone join a language
    that other lines of the same lyrics are surely in, if it fits them.
    """
    kana = bool(_KANA.search(text))
    first = [_alone(line, kana=kana, among=among) for line in lyric_lines(text)]
    letters = sum((its for its, _, _ in first), Letters())
    votes = Counter(name for its, _, _ in first for name in its)
    enough = MIN_SHARE * max(letters.total(), 1)
    spoken = {
        name
        for name in votes
        if name is not None and (votes[name] >= MIN_LINES or letters[name] >= enough)
    }
    return [_together(its, rest, sure, spoken, among) for its, rest, sure in first]


def language_composition(
    text: str | None, among: Collection[str] | None = None
) -> dict[str, float]:
    """Shares of the languages of lyrics, by letters of their different lines; `among` as there.

    Language name to share, sorted by name, adding up to 1; empty where nothing can be said: no
    words, or two thirds of the letters in no language that was recognised.
    """
    letters = sum(identify_lines(text or "", among), Letters())
    total = letters.total()
    known = total - letters.pop(None, 0)
    if known <= 0 or known < MIN_IDENTIFIED * total:
        return {}
    return {name: letters[name] / known for name in sorted(map(str, letters))}


def _alone(
    text: str, *, kana: bool, among: Collection[str] | None
) -> tuple[Letters, str, str | None]:
    """A line by itself; the part of it that only the model can tell; what the model is sure of."""
    letters = Letters()
    rest = text
    assamese = bool(_ASSAMESE.search(text))
    for script, language in (*SCRIPTS.items(), ("Han", "Japanese" if kana else "Chinese")):
        count = len(_LETTER.findall("".join(_SCRIPT[script].findall(text))))
        if count and not (assamese and script == "Bengali"):
            letters[language] += count
    if letters:
        rest = " ".join(_DECIDED.sub(" ", text).split())
    left = len(_LETTER.findall(rest))
    sure = None
    if left:
        sure = _best(rest, among, MIN_CONFIDENCE) if left >= MIN_LETTERS else None
        letters[sure] += left
    return letters, rest if left else "", sure


def _together(
    letters: Letters, rest: str, sure: str | None, spoken: set[str], among: Collection[str] | None
) -> Letters:
    """The letters of a line again, given what languages the song is in."""
    if rest and sure not in spoken:
        left = len(_LETTER.findall(rest))
        joined = None
        if sure is None and left >= MIN_SUPPORT_LETTERS:
            joined = _best(rest, among, MIN_SUPPORT, spoken)
        letters = letters - Letters({sure: left}) + Letters({joined: left})
    return letters


def _best(
    text: str, among: Collection[str] | None, least: float, allowed: set[str] | None = None
) -> str | None:
    found = language_probabilities(text)
    if among is not None:
        whole = sum(found.get(name, 0.0) for name in among)
        found = {name: found.get(name, 0.0) / whole for name in among} if whole > 0 else {}
    if allowed is not None:
        found = {name: p for name, p in found.items() if name in allowed}
    name = min(found, key=lambda name: (-found[name], name), default=None)
    return name if name is not None and found[name] >= least else None


@lru_cache(maxsize=256)
def language_probabilities(text: str) -> dict[str, float]:
    """Probability of every language that the model knows, by English name."""
    found = _ranked(text)
    plain = _without_stress(text)
    if plain != text:
        # Chant books mark the stress of Latin words, which the model never saw.
        latin, before = _ranked(plain)[LATIN], found[LATIN]
        if latin > before:
            rest = (1 - latin) / max(1 - before, 1e-9)
            found = {name: latin if name == LATIN else p * rest for name, p in found.items()}
    return found


def _ranked(text: str) -> dict[str, float]:
    found: Counter[str] = Counter()
    for code, probability in _model().rank(text):
        if code in NAMES:
            found[NAMES[code]] += probability
    return dict(found)


def _without_stress(text: str) -> str:
    spread = unicodedata.normalize("NFD", text).replace(ACUTE, "")
    for ligature, letters in (("æ", "ae"), ("œ", "oe"), ("Æ", "Ae"), ("Œ", "Oe")):
        spread = spread.replace(ligature, letters)
    return unicodedata.normalize("NFC", spread)


@lru_cache(maxsize=1)
def _model() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
