"""Lyric files -> clean text: encodings, LRC time stamps, and what is not text at all."""

from __future__ import annotations

import codecs
import re
import unicodedata
from pathlib import Path

from songscape.ingest.file_signatures import control_share, looks_like, printable
from songscape.library.records import Lyrics

__all__ = ["NotTextError", "decode_text", "read_lyrics", "strip_lrc"]

MAX_BYTES = 2_000_000
"""A lyric file over this is something else: the longest song texts are a few hundred kB."""

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # The UTF-32 mark begins with the UTF-16 one, so it is tried first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TIME = r"\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?"
_LINE_STAMP = re.compile(rf"\[{_TIME}\]")
_WORD_STAMP = re.compile(rf"<{_TIME}>")
_ID_TAG = re.compile(
    r"^\s*\[(?:al|ar|au|by|encoding|id|la|length|lr|offset|re|ti|tool|ve|#)\s*:[^\]\n]*\][ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_TEXT_LIKE = ("a PDF", "an RTF document", "a web page")


class NotTextError(ValueError):
    """The bytes are not text; the message says what they look like."""


def decode_text(data: bytes) -> tuple[str, str]:
    """Bytes -> text and the encoding used.

    A byte order mark decides; without one, strict UTF-8, then Windows-1252 (a superset of
    printable Latin-1).

    Raises
    ------
    NotTextError
        When the bytes carry a known binary signature, NUL bytes or many control characters.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return _checked(data.decode(encoding)), encoding
            except UnicodeDecodeError:
                raise NotTextError(f"not text (marked as {encoding}, but broken)") from None
    kind = looks_like(data[:512])
    # "FORM" or "MAC " may also be how a song begins.
    if kind in _TEXT_LIKE or (kind is not None and not printable(data[:512])):
        raise NotTextError(f"not text (looks like {kind})")
    if b"\0" in data:
        raise NotTextError("not text (has NUL bytes)")
    for encoding in ("utf-8", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return _checked(text), encoding
    raise NotTextError("neither UTF-8 nor Windows-1252")


def _checked(text: str) -> str:
    if "\0" in text or control_share(text) > 0.01:
        raise NotTextError("not text (many control characters)")
    return text


def strip_lrc(text: str) -> str:
    """Take LRC time stamps (`[00:12.30]`, `<00:12.3>`) and ID tags (`[ar:...]`) out of a text."""
    text = _ID_TAG.sub("", text)
    text = _LINE_STAMP.sub("", text)
    return _WORD_STAMP.sub("", text)


def clean(text: str) -> str:
    """NFC, LF line ends, no time stamps, no white space around lines, no blank lines around."""
    text = strip_lrc(text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line.strip() for line in unicodedata.normalize("NFC", text).split("\n")]
    return "\n".join(lines).strip()


def read_lyrics(path: Path, shown: str) -> Lyrics:
    """Read one lyric file; whatever is wrong comes back as a status with its reason.

    Parameters
    ----------
    path : Path
    shown : str
        The name used in the reason, as the user knows it (relative to the collection).
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            return Lyrics(
                None, "failed", f"{shown}: {size / 1e6:.0f} MB is no lyric file; remove it"
            )
        data = path.read_bytes()
    except OSError as error:
        return Lyrics(None, "failed", f"{shown}: cannot be read ({error.strerror}); check the file")
    try:
        text, encoding = decode_text(data)
    except NotTextError as error:
        mend = "convert it to UTF-8" if "neither" in str(error) else "rename or remove it"
        return Lyrics(None, "failed", f"{shown}: {error}; {mend}")
    text = clean(text)
    if not text:
        return Lyrics(None, "warning", f"{shown}: empty; read as no lyrics")
    if encoding == "cp1252":
        return Lyrics(text, "warning", f"{shown}: not UTF-8; read as Windows-1252")
    return Lyrics(text)
