"""Formats of lyric files -> the words in them: with times, subtitles, karaoke, chords, markup.

Translations and transcriptions of lines with times (LRC, TTML, Lyricsfile) are kept apart: they are
not sung.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import regex

_STAMP = r"\[\s*(\d{1,3}):(\d{1,2})(?:[.,:](\d{1,3}))?\s*\]"
_TIMED = regex.compile(rf"\s*(?P<stamps>(?:{_STAMP}\s*)+)(?P<text>.*)")
_ONE_STAMP = regex.compile(_STAMP)
_HEADER = regex.compile(r"\s*\[[#a-z_]{1,20}:[^\]]*\]\s*", regex.IGNORECASE)
# What stands before is looked at once, from its first blank on: a file may be nothing but blanks.
_BACKGROUND = regex.compile(r"(?<!\s)\s*+\[bg:\s*+([^\[\]]*)\]", regex.IGNORECASE)
_VOICE = regex.compile(r"(?:v\d{1,2}|[FMD])\s*:\s*(?=\S)")
_MIN_PAIRS, _MIN_PAIRED, _MOST = 2, 0.4, 3
"""Of the times at which a line begins, those that must have two lines for a translation; more than
three at one time (with a transcription) are no translation but wrong times."""
_UNSUNG_ROLES = ("x-translation", "x-roman", "x-transliteration")
_LYRICSFILE = regex.compile(r"^(?:version|metadata|lines|plain):", regex.MULTILINE)
_DEEPEST = 20
"""Levels of a Lyricsfile, which has five. PyYAML builds each within a call of the level above it,
without a limit: 50,000 brackets overflow the stack and end the process."""
_CLAIM = regex.compile(
    r"^[ \t]*\[(?:la|lang|language)\s*:\s*([\w-]{2,20})\s*\]"
    r"|<tt\b[^>]*\bxml:lang\s*=\s*[\"']([\w-]{2,20})"
    r"|^[ \t]+language:\s*[\"']?([\w-]{2,20})[\"']?\s*$",
    regex.IGNORECASE | regex.MULTILINE,
)


def claimed_language(text: str) -> str | None:
    """The code of the language that a lyric file says it is in."""
    found = _CLAIM.search(text[:20_000])
    return next(filter(None, found.groups()), None) if found else None


def main_lines(text: str) -> tuple[str, int]:
    """The lines that are sung, and how many of translation were left out; other text as it is.

    Known are LRC (a line may have several times, and times of its words), TTML as Apple Music has
    it, and LRCGET's Lyricsfile (YAML).
    """
    if "<tt" in text:
        return _from_ttml(text) or (text, 0)
    text = _from_lyricsfile(text)
    return _from_lrc(text) if "[" in text else (text, 0)


def _from_lrc(text: str) -> tuple[str, int]:
    text = _BACKGROUND.sub(r" (\1)", text) if "[bg:" in text.casefold() else text
    lines = text.split("\n")
    found = [_TIMED.fullmatch(line) for line in lines]
    n_timed = sum(map(bool, found))
    plain = [line for line in lines if line.strip() and not _HEADER.fullmatch(line)]
    if n_timed < 2 or 2 * n_timed < len(plain):
        return text, 0
    head: list[str] = []
    sung: list[tuple[int, str, bool]] = []
    times: list[int] = []
    for line, match in zip(lines, found):
        if match:
            times = [_milliseconds(stamp) for stamp in _ONE_STAMP.finditer(match["stamps"])]
            sung += [(time, _VOICE.sub("", match["text"], count=1), True) for time in times]
        elif times:
            sung += [(time, line, False) for time in times]  # a line that goes on, or ends a verse
        else:
            head.append(line)
    sung.sort(key=lambda pair: pair[0])
    kept, n_apart = _without_translations(sung)
    return "\n".join([*head, *kept]), n_apart


def _milliseconds(stamp: regex.Match[str]) -> int:
    minutes, seconds, rest = stamp[1], stamp[2], stamp[3] or "0"
    return 60_000 * int(minutes) + 1000 * int(seconds) + int(1000 * float(f"0.{rest}"))


def _without_translations(sung: list[tuple[int, str, bool]]) -> tuple[list[str], int]:
    """Lines without those that repeat another of the same time in another language.

    A line without a time of its own (False) goes on with the one before it, and stays if that does.
    """
    timed = dict.fromkeys((time, text) for time, text, stamped in sung if stamped)
    different = Counter(time for time, text in timed if text.strip())
    n_pairs = sum(n > 1 for n in different.values())
    enough = n_pairs >= max(_MIN_PAIRS, _MIN_PAIRED * len(different))
    if not enough or max(different.values()) > _MOST:
        return [text for _, text, _ in sung], 0
    kept: list[str] = []
    seen: set[int] = set()
    stays = True
    for time, text, stamped in sung:
        if stamped and text.strip():
            stays = time not in seen
            seen.add(time)
        if stays or not text.strip():
            kept.append(text)
    return kept, len(sung) - len(kept)


def _from_ttml(text: str) -> tuple[str, int] | None:
    """None for what is no TTML, and for documents with entities of their own, perhaps bombs."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return None
    body = next((each for each in root if _local(each.tag) == "body"), None)
    if _local(root.tag) != "tt" or body is None:
        return None
    lines, n_apart = [], 0
    for paragraph in body.iter():
        if _local(paragraph.tag) == "p":
            pieces: list[str] = []
            n_apart += _add_sung(paragraph, pieces)
            lines += [" ".join(line.split()) for line in "".join(pieces).split("\n")]
    return "\n".join(lines), n_apart


def _add_sung(paragraph: ElementTree.Element, pieces: list[str]) -> int:
    """Add the text of a paragraph but for its translations; returns how many these are."""
    n_apart = 0
    waiting: list[ElementTree.Element | str | None] = [paragraph]
    while waiting:
        part = waiting.pop()
        if part is None or isinstance(part, str):
            pieces.append(" ".join((part or "").split("\n")))
            continue
        roles = [value for name, value in part.items() if _local(name) == "role"]
        if any(role.startswith(_UNSUNG_ROLES) for role in roles):
            n_apart += 1
            continue
        if _local(part.tag) == "br":
            pieces.append("\n")
        if "x-bg" in roles:
            pieces.append(" ")
        waiting += reversed([part.text, *(each for child in part for each in (child, child.tail))])
    return n_apart


def _local(name: Any) -> str:
    return str(name).rpartition("}")[2]


def _from_lyricsfile(text: str) -> str:
    if len(set(_LYRICSFILE.findall(text))) < 2:
        return text
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                return text
        document = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    return "\n".join(_lyricsfile_lines(document)) if isinstance(document, dict) else text


def _lyricsfile_lines(document: dict[Any, Any]) -> Iterator[str]:
    metadata, lines = document.get("metadata"), document.get("lines")
    if isinstance(metadata, dict) and metadata.get("instrumental") is True:
        yield "[Instrumental]"
    lines = lines if isinstance(lines, list) else []
    timed = [line.get("text") for line in lines if isinstance(line, dict)]
    if any(timed):
        # Not of a list: its parts may be aliases of aliases, endless when they are written out.
        yield from (str(line) for line in timed if not isinstance(line, list | dict | None))
    elif isinstance(document.get("plain"), str):
        yield document["plain"]


# -- what stands around the words -----------------------------------------------------------------

_TIME = r"[+-]?\d{1,3}:\d{1,2}(?::\d{1,2})?(?:[.,:]\d{1,3})?"
_STAMPS = regex.compile(
    rf"\[\s*{_TIME}\s*\]|<\s*{_TIME}\s*>"  # LRC, its word stamps
    r"|\[\d+,\d+\]|\(\d+,\d+(?:,\d+)?\)|<\d+,\d+,\d+>|<\d+>"  # QRC, YRC, KRC, TRC
)
_ARROW_LINE = regex.compile(rf"\s*(?:\d+:)?{_TIME}\s*(?:-->|,)\s*(?:\d+:)?{_TIME}(?:\s.*)?")
_TIME_LINE = regex.compile(rf"\s*[(\[]?{_TIME}[)\]]?(?:\s+|$)")
_ENTITY = regex.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_UNSEEN = {"<!--": "-->"} | {f"<{n}": f"</{n}" for n in ("script", "style", "rt", "rp", "head")}
_UNSEEN_START = regex.compile("<!--|<(?:script|style|rt|rp|head)(?=[ >])", regex.IGNORECASE)
_BLOCK_TAG = regex.compile(
    r"</?(?:br|p|div|li|ul|ol|h[1-6]|tr|td|table|body|html|lg?|verse|line)\b[^<>\n]*>",
    regex.IGNORECASE,
)
_TAG = regex.compile(r"</?[a-zA-Z][\w:.-]*(?:\s[^<>]*)?/?>|<[?!][^<>]*>")
_ASS_LINE = regex.compile(r"Dialogue:(?:[^,\n]*,){9}(.*)")

_NOTE = regex.compile(r"[:*FRG]\s+-?\d+\s+\d+\s+-?\d+ ?(.*)", regex.DOTALL)
_NOTE_BREAK = regex.compile(r"-\s+-?\d+(?:\s+-?\d+)?\s*")
_NOTE_OTHER = regex.compile(r"#[A-Z0-9]+:.*|P\s?\d|E|B\s+\d.*")

_CHORD = (
    r"[A-H](?:##?|bb?|[♯♭])?(?:maj|min|dim|aug|sus|add|m|M|Δ|°|ø|\+|-)?\d{0,2}"
    r"(?:\(?(?:maj|sus|add|b|#|\+|-)?\d{1,2}\)?){0,3}(?:/[A-H](?:#|b|[♯♭])?)?"
)
_INLINE_CHORD = regex.compile(rf"\[{_CHORD}\*?\]")
_CHORD_LINE = regex.compile(rf"[\s|(:]*(?:(?:{_CHORD}|N\.?C\.?|%|[x×]\d)[\s|)(:,.\-–]*)+")
_SURE_CHORD = regex.compile(r"\b[A-H](?:[#b♯♭]|m\b|maj|min|dim|aug|sus|add|\d)|\S {2,}\S|\|")
_TABLATURE = regex.compile(r"\s*[A-Ga-gh]?[#b]?\s*\|[-\d\shpbrtx/\\~^|().*=]{4,}")
_PLAYING = regex.compile(
    r"\s*(?:capo|tuning|strumming|tempo|bpm)\b[ \t:]*.{0,40}", regex.IGNORECASE
)
_DIRECTIVE = regex.compile(r"\{[^{}\n]*\}")


def plain_words(text: str) -> str:
    """Text as it is sung, line by line, from any format that lyrics are kept in.

    Known are LRC (with word stamps), QRC, YRC, KRC, TRC, SRT, VTT, SBV, ASS, TTML, UltraStar,
    ChordPro, chords and tablature above the words, and HTML. Other text stays as it is.
    """
    if '{"t":' in text:  # credits of NetEase, a line of JSON each
        text = "\n".join("" if line.startswith('{"t":') else line for line in text.split("\n"))
    if "\n" not in text.strip() and "\\n" in text:  # a cell that was escaped once too often
        text = text.replace("\\r", "").replace("\\n", "\n")
    if "#" in text:
        text = _from_ultrastar(text)
    if "&" in text:
        text = _unescaped(_unescaped(text))
    if "<" in text:
        text = _STAMPS.sub("", text)
        text = _BLOCK_TAG.sub("\n", _without_unseen(text))
        text = _TAG.sub("", text)
    text = _untimed(text)
    text = _INLINE_CHORD.sub("", text) if "[" in text else text
    if "{" in text:  # subtitles switch between syllables, ChordPro and others between words
        text = _DIRECTIVE.sub(lambda found: "" if found.group()[1] == "\\" else " ", text)
    return _without_chords(text)


def _unescaped(text: str) -> str:
    return str(_ENTITY.sub(lambda found: html.unescape(found.group()), text))


def _without_unseen(text: str) -> str:
    """Without comments, scripts, and the small print above characters (ruby)."""
    lowered, kept, at = text.lower(), [], 0
    for start in _UNSEEN_START.finditer(text):
        if start.start() >= at:
            end = lowered.find(_UNSEEN[start.group().lower()], start.end())
            if end < 0:
                break
            kept.append(text[at : start.start()])
            at = end
    return "".join([*kept, text[at:]]) if len(lowered) == len(text) else text


def _untimed(text: str) -> str:
    """Without time codes, the numbers of subtitles and their headers."""
    if ":" not in text and "," not in text:
        return text
    text = _STAMPS.sub("", text)
    lines = text.split("\n")
    if lines[0].startswith("WEBVTT"):
        end = next((i for i, line in enumerate(lines) if not line.strip()), len(lines))
        lines = lines[end:]
    if "Dialogue:" in text:
        spoken = [found[1].replace("\\N", "\n") for found in map(_ASS_LINE.match, lines) if found]
        lines = "\n".join(spoken).split("\n") if spoken else lines
    timed = [bool(_ARROW_LINE.fullmatch(line)) for line in lines]
    if any(timed):
        numbers = [not line.strip() or line.strip().isdigit() for line in lines]
        lines = [
            line
            for i, line in enumerate(lines)
            if not timed[i] and not (numbers[i] and i + 1 < len(lines) and timed[i + 1])
        ]
    found = [_TIME_LINE.match(line) for line in lines]
    if 2 * sum(map(bool, found)) >= sum(bool(line.strip()) for line in lines):
        lines = [line[each.end() :] if each else line for line, each in zip(lines, found)]
    return "\n".join(lines)


def _from_ultrastar(text: str) -> str:
    """Syllables with their beats, joined to words and lines; other text as it is."""
    lines = text.split("\n")
    notes = [_NOTE.fullmatch(line) for line in lines]
    if sum(map(bool, notes)) < 2 or not any(line.startswith("#") for line in lines):
        return text
    words: list[str] = []
    for line, note in zip(lines, notes):
        if note:
            words.append(note[1].replace("~", ""))
        elif _NOTE_BREAK.fullmatch(line):
            words.append("\n")
        elif not _NOTE_OTHER.fullmatch(line.strip()):
            words.append(f"\n{line}\n")
    return "".join(words)


def _without_chords(text: str) -> str:
    """Without lines of chords and tablature."""
    lines = text.split("\n")
    chords = [len(line) < 200 and bool(_CHORD_LINE.fullmatch(line)) for line in lines]
    many = [line for line, is_chords in zip(lines, chords) if is_chords and len(line.split()) > 1]
    several = len(many) > 1 and len(set("".join(many)) & set("ABCDEFGH")) > 1
    sure = several and any(_SURE_CHORD.search(line) for line in many)
    tabs = [bool(_TABLATURE.fullmatch(line)) for line in lines]
    if not sure and not any(tabs):
        return text
    return "\n".join(
        line
        for line, is_chords, is_tab in zip(lines, chords, tabs)
        if not ((sure and is_chords) or is_tab or _PLAYING.fullmatch(line))
    )
