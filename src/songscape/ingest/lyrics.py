"""A lyric file -> the words of its song, or the reason why there are none."""

from __future__ import annotations

import os

from songscape.ingest.cleaning import clean_lyrics
from songscape.ingest.doubts import doubt, script_doubt
from songscape.ingest.encodings import NotTextError, decode_text
from songscape.ingest.files import UnreadableError, read_bytes
from songscape.ingest.timed_lyrics import claimed_language
from songscape.library.records import Lyrics

MAX_BYTES = 1_000_000
"""A lyric file over this is something else: the longest song texts are a few hundred kB."""

DOUBTFUL = "doubtful words: "
"""Before the reason why lyrics may not be the words of their song."""
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
    reason = "; ".join(filter(None, [remark, why and DOUBTFUL + why]))
    if reason:
        return Lyrics(cleaned.text, "warning", f"{shown}: {reason}")
    apart = f"{shown}: lines of a translation, left out: {cleaned.n_apart}"
    return Lyrics(cleaned.text, "ok", apart if cleaned.n_apart else "")


def checked(lyrics: Lyrics, language: str | None, shown: str) -> Lyrics:
    """Lyrics, marked as doubtful where they are not in the script of the song's language."""
    why = (
        script_doubt(lyrics.text, language) if lyrics.text and DOUBTFUL not in lyrics.reason else ""
    )
    return Lyrics(lyrics.text, "warning", f"{shown}: {DOUBTFUL}{why}") if why else lyrics


def read_lyrics(path: str | os.PathLike[str], shown: str) -> Lyrics:
    """Read one lyric file; whatever is wrong comes back as a status with its reason.

    In the reason the file has the name as the user knows it, `shown`.
    """
    try:
        text, remark = decode_text(read_bytes(path, MAX_BYTES), mend=True)
    except UnreadableError as error:
        mend = "; lyric files are never so long, remove it" if "over" in str(error) else ""
        return Lyrics(None, "failed", f"{shown}: {error}{mend}")
    except NotTextError as error:
        mend = "convert it to UTF-8" if "UTF-" in str(error) else "rename or remove it"
        return Lyrics(None, "failed", f"{shown}: {error}; {mend}")
    return lyrics_in(text, shown, remark)
