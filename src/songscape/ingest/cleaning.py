"""Lyrics as they come -> the words of the song, in the one form that every view and check reads.

What sites, editors and players add is taken out: headings, credits, adverts, notices, time codes,
chords and markup; letters of another script that only look right are replaced. The words by which
it is known are in `data/lyric_notes.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import regex

from songscape.data_tables import read_table
from songscape.ingest.files import nfc
from songscape.ingest.lyric_formats import main_lines, plain_words

_LONGEST_NOTE = 200
"""Characters; lines that sites add are shorter."""
_LONGEST_HEADING = 80
_MARGIN = 12
"""Lines at the beginning and the end of a text among which credits stand."""
_SUNG_IN_BRACKETS = 9
"""Words from which a line in brackets is more than a heading."""

_TABLE = read_table("ingest/data", "lyric_notes")
_ANY = {
    name: "(?:" + words.replace("\n", "").strip() + ")"
    for name, words in _TABLE.items()
    if isinstance(words, str)
}
_HEAD, _VAGUE_HEAD, _ASIDE = _ANY["headings"], _ANY["vague"], _ANY["directions"]


class _Pattern:
    """A pattern in any case, compiled when it is first used: compiling all of them is slow."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Any:
        method = getattr(regex.compile(self._text, regex.IGNORECASE), name)
        setattr(self, name, method)  # the next time it is there
        return method


def _words(name: str) -> tuple[str, ...]:
    return tuple(_TABLE[name].replace("\n", "").split("|"))


_BREAK = regex.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = regex.compile(
    "[\xad\u2060\ufeff]|(?<=[\\p{Latin}\\p{Cyrillic}\\p{Greek}])[\u200b-\u200f]+(?=\\p{L})"
)
_LETTER = regex.compile(r"\p{L}")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_EAST_ASIAN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")

_EDGE = r"[\s\[\](){}<>（）【】《》〈〉*_:：#=~.\-–—\"“”|/•·♪♫]*"
_NUMBER = r"(?:\d{1,2}|[ivx]{1,4}|one|two|three|four|[a-d])\b"
_TIMES = r"(?:[x×]\s?\d{1,2}|\d{1,2}\s?[x×]|\d{1,2} times)"
_FIRST = rf"(?:(?:{_ASIDE}|\d{{1,2}}(?:st|nd|rd|th|er|re|e|[eè]me|ª|º|°|\.))\s+){{0,2}}"
_MORE = rf"(?:[\s&+/,.()\-–:]*(?:{_HEAD}|{_VAGUE_HEAD}|{_ASIDE}|{_TIMES}|\d{{1,2}})){{0,6}}"
_HEADING = _Pattern(rf"{_EDGE}{_FIRST}{_HEAD}(?:[\s.#:\-]*{_NUMBER})?{_MORE}{_EDGE}")
_VAGUE = _Pattern(rf"{_EDGE}{_FIRST}{_VAGUE_HEAD}([\s.#:\-]*{_NUMBER})?{_MORE}{_EDGE}")
_MARKED = regex.compile(r"\s*[\[(（【*{<=#~\-–—]|.*[:：*\])）】=~]\s*$")
_DIRECTION = _Pattern(
    rf"{_EDGE}(?:{_TIMES}|repeat\w*|fad(?:e|es|ing)|fade[- ]out|bis|ter|da capo)"
    rf"(?:[\s,]*(?:{_ASIDE}|{_TIMES})){{0,4}}{_EDGE}"
)
_ONE_WORD = regex.compile(r"\p{L}+")
_PREFIX = _Pattern(
    rf"\s*(?:(?P<sure>{_HEAD})|{_VAGUE_HEAD})(?P<number>[\s.#]*{_NUMBER})?"
    rf"\s*{_TIMES}?\s*[:：]\s*(?=\S)"
)
_TIMES_AT_END = _Pattern(
    rf"\s*[(\[（]\s*(?:{_TIMES}|bis|ter|repeat(?:\s*{_TIMES})?)\s*[)\]）]\s*$"
    r"|(?<!\d)\s+[x×]\s?\d{1,2}\s*$"
)
_BRACKETS = regex.compile(r"\[([^\[\]\n]*)\]|【([^【】\n]*)】")
_HEADING_WORD = _Pattern(rf"\b(?:{_HEAD}|letra|lyrics)\b")

_CREDIT = _Pattern(
    rf"\W*{_ANY['credits']}(?:\s*(?:[&/,、+]|and|und|et|y|e|и)\s*{_ANY['credits']})*(?:\(s\))?\s*"
    r"(?:[:：]\s*\S.*|(?-i:by|By|BY)[:\s]+(?-i:[^\p{Ll}\s]).*)"
)
_CONTRIBUTORS = regex.compile(r"\d+ ?Contributors?")
_TITLE_LINE = regex.compile(
    r".{1,120}\s(?:Lyrics|LYRICS|Songtext|Paroles)(?=\[|$)"
    r"|(?i:lyrics (?:to|for|of)|paroles de|songtext (?:von|zu)|testo di|текст песни)\s.{1,100}$"
)
_GLUED = regex.compile(
    r"You might also like(?=\s*$|\[|\p{Lu})|See [^\n]{1,80} LiveGet tickets as low as \$\d+",
    regex.MULTILINE,
)
_EMBED = regex.compile(r"(?:\d{1,3}(?:\.\d)?K?)?Embed(?:Share ?(?:URL|Url):?CopyEmbed:?Copy)?\s*\Z")
_ADVERT = _Pattern("|".join(_TABLE["adverts"]))
_ADVERT_HINTS = _words("advert_hints")

_SILENT = _Pattern(_ANY["instrumental"])
_SILENT_HINTS = _words("instrumental_hints")
_LYRICS_HINTS = _words("lyrics_hints")
_LYRICS = _Pattern(rf"\b{_ANY['lyrics']}\b|歌[词詞]|가사")
_MISSING = _Pattern(rf"\b{_ANY['missing']}(?:\b|$)|[无無没沒未缺]|なし|見つかり|없")
_AVAILABLE = _Pattern(rf"\b{_ANY['available']}\b")
_NOTICE_WORDS = frozenset(_words("notice"))
_EMPTY = frozenset({"na", "n a", "none", "null", "nan", "tbd", "tba", "unknown", "404"})


@dataclass(frozen=True)
class Cleaned:
    """Lyrics, a line of the song a line, NFC, trimmed; "" where no words are left.

    `silence` says why there are none: the text says that the song is "instrumental", or that its
    lyrics are "missing". `n_apart` lines of a translation or transcription were left out.
    """

    text: str
    silence: str | None = None
    n_apart: int = 0


def clean_lyrics(text: str) -> Cleaned:
    """Take out of a text, in any format that `main_lines` and `plain_words` know, what is not sung.

    Every step takes time proportional to the length of the text.
    """
    text = _BREAK.sub("\n", nfc(text))
    text = without_look_alikes(_INVISIBLE.sub("", text))
    notes: set[str] = set()
    kept: list[str] = []
    text, n_apart = main_lines(_without_frame(text))
    for line in plain_words(text).split("\n"):
        plain = _without_brackets(line, notes)
        if plain != line and not plain.strip():
            continue
        plain = plain.strip()
        note = None
        if 0 < len(plain) <= _LONGEST_NOTE:
            note = _note_in(plain, after_blank=not kept or not kept[-1])
            plain = _without_marks(plain)
        if note is None:
            kept.append(plain)
        else:
            notes.add(note)
    words = "\n".join(_without_credits(kept)).strip()
    if _is_notice_of_nothing(words):
        return Cleaned("", "missing")
    if not _LETTER.search(words):
        return Cleaned("", next((n for n in ("instrumental", "missing") if n in notes), None))
    return Cleaned(words, n_apart=n_apart)


def _without_frame(text: str) -> str:
    """Without what Genius and other sites add before, after and within the text."""
    first, _, rest = text.lstrip().partition("\n")
    if len(first) < 1000 and _CONTRIBUTORS.match(first):
        end = first.find("Lyrics[") if "Lyrics[" in first else first.rfind("Lyrics")
        text = f"{first[end + len('Lyrics') :] if end >= 0 else ''}\n{rest}"
        blurb = text[:3000].find("Read More")
        text = text[blurb + len("Read More") :] if blurb >= 0 else text
    elif len(first) < _LONGEST_NOTE and not _MISSING.search(first):
        title = _TITLE_LINE.match(first)
        text = f"{first[title.end() :]}\n{rest}" if title else text
    text = _GLUED.sub("\n", text) if "You might" in text or "LiveGet" in text else text
    tail = text[-100:]
    return text[: len(text) - len(tail)] + _EMBED.sub("", tail) if "Embed" in tail else text


def _without_brackets(line: str, notes: set[str]) -> str:
    """Without text in brackets, unless it is sung; what was removed is added to `notes`."""
    if "[" not in line and "【" not in line:
        return line
    if len(line) > 10 * _LONGEST_NOTE:
        return str(_BRACKETS.sub(" ", line))

    def inside(found: regex.Match[str]) -> str:
        words = found[1] or found[2] or ""
        before = _LETTER.search(line[: found.start()])
        after = _LETTER.search(line[found.end() :])
        amid = before and after and words[:1].islower() and not _DIRECTION.fullmatch(words)
        alone = not before and not after and len(words.split()) >= _SUNG_IN_BRACKETS
        if amid or (alone and not _HEADING_WORD.search(words)):
            return words
        silent = "instrumental" if _SILENT.search(words) else None
        notes.add(silent or _note_in(words, after_blank=True) or "heading")
        return " "

    return str(_BRACKETS.sub(inside, line))


def _note_in(line: str, *, after_blank: bool) -> str | None:
    """What a line is if it is nothing sung: a heading, an advert, or a notice."""
    low = line.casefold()
    if any(hint in low for hint in _SILENT_HINTS) and _says_instrumental(low):
        return "instrumental"
    if len(line) <= _LONGEST_HEADING:
        vague = _VAGUE.fullmatch(line)
        if (
            _HEADING.fullmatch(line)
            or (_DIRECTION.fullmatch(line) and not _ONE_WORD.fullmatch(line))
            or (vague and (vague[1] or after_blank or _MARKED.match(line)))
        ):
            return "heading"
    if any(hint in low for hint in _LYRICS_HINTS) and _says_missing(low):
        return "missing"
    is_advert = any(hint in low for hint in _ADVERT_HINTS) and _ADVERT.fullmatch(line)
    return "advert" if is_advert else None


def _says_instrumental(line: str) -> bool:
    found = _SILENT.search(line)
    if found and _EAST_ASIAN.search(found.group()):
        return len(line) <= 24
    rest = _WORD.findall(f"{line[: found.start()]} {line[found.end() :]}") if found else ()
    return bool(found) and len(rest) <= 12 and set(rest) <= _NOTICE_WORDS


def _says_missing(line: str) -> bool:
    if not (_MISSING.search(line) and _LYRICS.search(line)):
        return False
    if _EAST_ASIAN.search(line):
        return len(line) <= 16
    words = _WORD.findall(line)
    return set(words) <= _NOTICE_WORDS or (len(words) <= 12 and bool(_AVAILABLE.search(line)))


def _without_marks(line: str) -> str:
    """A sung line without "Chorus:" before it and "(x2)" behind it."""
    if ":" in line or "：" in line:
        found = _PREFIX.match(line)
        line = line[found.end() :] if found and (found["sure"] or found["number"]) else line
    ends = line[-1:] in ")]）" or line[-1:].isdigit()
    return str(_TIMES_AT_END.sub("", line)).strip() if ends else line


def _without_credits(lines: list[str]) -> list[str]:
    """Without lines such as "Music: A. Author" near the beginning or the end."""
    credits = {
        i for i, line in enumerate(lines) if len(line) <= _LONGEST_NOTE and _CREDIT.fullmatch(line)
    }
    sung = [i for i, line in enumerate(lines) if line and i not in credits]
    head, foot = (sung[:_MARGIN] or [0])[-1], (sung[-_MARGIN:] or [0])[0]
    return [line for i, line in enumerate(lines) if i not in credits or head < i < foot]


def _is_notice_of_nothing(words: str) -> bool:
    """Whether a short text as a whole says that there are no lyrics."""
    if not words or len(words) > 300 or words.count("\n") > 2:
        return False
    if " ".join(_WORD.findall(words.casefold())) in _EMPTY:
        return True
    return bool(_LYRICS.search(words) and _MISSING.search(words))


# -- letters of another script that only look right (Cyrillic е in English words) ----------------

_TABLES = {
    tuple(pair.split("-")): dict(zip(map(ord, one), two))
    for pair, (one, two) in read_table("ingest/data", "look_alikes").items()
}
_SCRIPTS = ("Latin", "Cyrillic", "Greek")
_OF_SCRIPT = {name: regex.compile(rf"(?V1)[\p{{L}}&&\p{{{name}}}]") for name in _SCRIPTS}
_OTHERS = regex.compile(r"[\p{Cyrillic}\p{Greek}]")
_WHOLE_WORD = regex.compile(r"[\p{L}\p{M}]+")
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
    return str(_WHOLE_WORD.sub(lambda found: _in_one_script(found.group(), main), text))


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
