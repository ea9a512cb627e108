"""Letters of another script that only look right (Cyrillic е in English words), put right."""

from __future__ import annotations

import regex

from songscape.data_tables import read_table

_TABLES = {
    tuple(pair.split("-")): dict(zip(map(ord, one), two))
    for pair, (one, two) in read_table("ingest/data", "look_alikes").items()
}
_SCRIPTS = ("Latin", "Cyrillic", "Greek")
_OF_SCRIPT = {name: regex.compile(rf"(?V1)[\p{{L}}&&\p{{{name}}}]") for name in _SCRIPTS}
_OTHERS = regex.compile(r"[\p{Cyrillic}\p{Greek}]")
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_RARE = 0.2


def without_look_alikes(text: str) -> str:
    """Write every word in one script.

    A word of letters of two scripts is put into the one whose look-alikes explain it, the commoner
    in the word first. Where a script has no letter in the whole text but look-alikes of the main
    one, and few of these, its whole words are too.
    """
    if text.isascii() or not _OTHERS.search(text):
        return text
    counts = {name: len(pattern.findall(text)) for name, pattern in _OF_SCRIPT.items()}
    main = max(_SCRIPTS, key=lambda name: counts[name])
    if sum(map(bool, counts.values())) < 2:
        return text
    for name in _SCRIPTS:
        table = _TABLES.get((name, main), {})
        if 0 < counts[name] < _RARE * counts[main] and name != "Latin":
            letters = set(_OF_SCRIPT[name].findall(text))
            if all(ord(letter) in table for letter in letters):
                text = text.translate(table)
    return str(_WORD.sub(lambda found: _in_one_script(found.group(), main), text))


def _in_one_script(word: str, main: str) -> str:
    if word.isascii():
        return word
    letters = {name: _OF_SCRIPT[name].findall(word) for name in _SCRIPTS}
    present = [name for name in _SCRIPTS if letters[name]]
    if len(present) < 2:
        return word
    for target in sorted(present, key=lambda name: (-len(letters[name]), name != main)):
        others = [name for name in present if name != target]
        if all(ord(letter) in _TABLES[name, target] for name in others for letter in letters[name]):
            for name in others:
                word = word.translate(_TABLES[name, target])
            return word
    return word
