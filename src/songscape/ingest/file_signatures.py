"""What a file really is, told from its first bytes, for messages that help."""

from __future__ import annotations

__all__ = ["control_share", "looks_like", "printable"]

# First bytes -> the name people know the format by (Gary Kessler's file signature table).
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP"),
    (b"PK\x05\x06", "a ZIP"),
    (b"%PDF-", "a PDF"),
    (b"ID3", "an MP3"),
    (b"\xff\xfb", "an MP3"),
    (b"\xff\xf3", "an MP3"),
    (b"OggS", "an OGG"),
    (b"fLaC", "a FLAC"),
    (b"RIFF", "a WAV or AVI"),
    (b"FORM", "an AIFF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"0&\xb2u\x8ef\xcf\x11", "a WMA"),
    (b"MAC ", "an APE"),
    (b"wvpk", "a WavPack"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM"),
)
_TEXT_CONTROLS = frozenset("\t\n\r\f\v")


def looks_like(head: bytes) -> str | None:
    """The format whose signature the bytes carry, with its article ("a ZIP"), or None."""
    if head[4:8] == b"ftyp":
        return "an M4A or MP4"
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    start = head.lstrip()[:64].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    return None


def control_share(text: str) -> float:
    """Share of characters that are control characters and not white space, 0 to 1."""
    controls = sum(
        1 for c in text if (c < " " or "\x7f" <= c <= "\x9f") and c not in _TEXT_CONTROLS
    )
    return controls / max(len(text), 1)


def printable(head: bytes) -> bool:
    """Whether the bytes read as UTF-8 text (a character cut at the end is forgiven)."""
    if not head or b"\0" in head:
        return False
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text) and control_share(text) < 0.01
