"""Formats of lyric files -> the words in them: karaoke, subtitles, chords, markup, time codes."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any

import regex

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
    ChordPro, chords and tablature above the words, HTML, and JSON of lyric services. Other text
    stays as it is.
    """
    if "{" in text:
        text = _from_json(text)
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


_LYRIC_KEYS = ("plainLyrics", "lyrics", "lyrics_body", "lyric", "text", "syncedLyrics", "words")


def _from_json(text: str) -> str:
    """The lyrics in an answer of a lyric service; lines of JSON among others are credits."""
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        try:
            found = _find_lyrics(json.loads(stripped))
        except (ValueError, RecursionError):
            found = None
        if found is not None:
            return found
    return "\n".join("" if line.startswith('{"t":') else line for line in text.split("\n"))


def _find_lyrics(value: Any, depth: int = 6) -> str | None:
    if depth and isinstance(value, dict):
        for key in _LYRIC_KEYS:
            if isinstance(value.get(key), str) and value[key].strip():
                return str(value[key])
        if value.get("instrumental") is True:
            return "[Instrumental]"
        parts = [_find_lyrics(each, depth - 1) for each in value.values()]
        return next((part for part in parts if part), None)
    if depth and isinstance(value, list):
        parts = [each if isinstance(each, str) else _find_lyrics(each, depth - 1) for each in value]
        return "\n".join(part for part in parts if part) or None
    return None


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
    drop: Callable[[int], bool] = lambda i: (  # noqa: E731
        (sure and chords[i]) or tabs[i] or bool(_PLAYING.fullmatch(lines[i]))
    )
    return "\n".join(line for i, line in enumerate(lines) if not drop(i))
