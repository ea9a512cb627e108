"""Bytes -> text: Unicode by its marks and rules, older encodings by what their letters look like.

Decoders of one-byte encodings accept nearly everything, so an older encoding is believed only where
its text passes a test that rubbish fails: letters of one script, whole words, the usual letters of
that script. Else there is no text.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable
from functools import partial

import regex

from songscape.data_tables import read_table
from songscape.ingest.file_kinds import control_share, looks_like, printable
from songscape.ingest.files import nfc
from songscape.ingest.languages import language_probabilities

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # The UTF-32 mark begins with the UTF-16 one, so it is tried first.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FORMATS = ("a PDF", "an RTF document", "a web page")
_SAMPLE = 20_000
"""Bytes of the lines with foreign letters that an encoding is judged by."""
MAX_BROKEN_SHARE = 0.02
"""Of the characters beyond ASCII, those that may be broken in a text that counts as UTF-8."""
_NAMES = {
    "koi8_u": "KOI8-U",
    "cp932": "Shift JIS",
    "cp949": "EUC-KR",
    "euc_jp": "EUC-JP",
    "iso2022_jp_2": "ISO-2022-JP",
    "mac_roman": "Mac Roman",
}

MIN_SCRIPT_SCORE, MIN_LEAD = 0.45, 0.08
"""Share of a script's usual letters that its text has, and the lead over any other reading: a true
one has 0.55 to 0.7, the letters of a wrong one are spread evenly (0.3 to 0.5)."""
MIN_LATIN_SCORE, MIN_LATIN_LEAD = 0.34, 0.05

_ALONE = regex.compile(r"(?<![^\x00-\x7f])[^\x00-\x7f](?![^\x00-\x7f])")
_WRITING = regex.compile(r"[\p{L}\p{M}]")
_FOREIGN_LETTER = regex.compile(r"(?V1)[\p{L}--[\x00-\x7f]]")
_FOREIGN_SIGN = regex.compile(r"(?V1)[[^\x00-\x7f]--[\p{L}\p{M}]]")
_USUAL_SIGNS = frozenset("‘’‚“”„«»‹›–—…¡¿·•°©®™´′″ª  、。，！？：；「」『』（）・ー～〜《》　♪♫♬")
_MIXED_WORD = regex.compile(r"(?V1)[A-Za-z][[\p{L}]--[\p{Latin}]]|[[\p{L}]--[\p{Latin}]][A-Za-z]")
_OTHER_SCRIPT = regex.compile(r"(?V1)[\p{L}--\p{Latin}]")
_SIGN_INSIDE = regex.compile(r"(?V1)\p{Ll}[[^\x00-\x7f]--[\p{L}\p{M}’]](?=\p{Ll})")
_CAPITAL = regex.compile(r"\p{Lu}")
_FINAL_INSIDE = regex.compile(r"[ςךםןףץ](?=\p{L})")
_CAPITAL_INSIDE = regex.compile(r"(?V1)\p{Ll}[\p{Lu}--[A-Z]]")


class NotTextError(ValueError):
    """The bytes are no text that can be read; the message says what they look like."""

    mend = "rename or remove it"


class UnknownEncodingError(NotTextError):
    """They may be text."""

    mend = "convert it to UTF-8"


def decode_text(data: bytes, *, mend: bool = False) -> tuple[str, str]:
    """Bytes -> text and a remark, which is empty for UTF-8 and for text with a byte order mark.

    A mark decides; without one, UTF-16 where bytes are zero, then UTF-8, then an older encoding
    whose letters look right. With `mend`, text that was encoded as UTF-8 twice is read once. Raises
    `NotTextError` for a known binary signature, NUL bytes or many control characters, or bytes that
    fit no encoding convincingly.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return _checked(data.decode(encoding).lstrip("\ufeff")), ""
            except UnicodeDecodeError:
                raise NotTextError(f"not text (marked as {encoding}, but broken)") from None
    kind = looks_like(data[:512])
    # "FORM" or "MAC " may also be how a song begins.
    if kind in _FORMATS or (kind is not None and not printable(data[:512])):
        raise NotTextError(f"not text (looks like {kind})")
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd") if text.encode() != data else 0
    foreign = len(text) - len(text.encode("ascii", "ignore")) - broken
    if b"\0" in data:
        encoding = _wide(data)
    elif b"\x1b$" in data:
        encoding = "iso2022_jp_2"
    elif not broken:
        once = _encoded_once(text) if foreign and mend else None
        return (_checked(text), "") if once is None else (_checked(once), "UTF-8 twice; read once")
    elif foreign >= 8 and broken <= max(1, MAX_BROKEN_SHARE * foreign):
        return _checked(text), f"broken UTF-8; damaged characters: {broken}"
    else:
        encoding = _older(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise UnknownEncodingError("not UTF-8, and not in one other encoding throughout") from None
    name = _NAMES.get(encoding, encoding.replace("cp", "Windows-").replace("_", "-").upper())
    return _checked(text), f"not UTF-8; read as {name.replace('WINDOWS', 'Windows')}"


def _checked(text: str) -> str:
    if "\0" in text or control_share(text) > 0.01:
        raise NotTextError("not text (many control characters)")
    return text


def _wide(data: bytes) -> str:
    """The byte order of UTF-16 without a mark: the one that has blanks, line ends and letters."""
    start = data[:_SAMPLE]
    rest = _decoded(start.replace(b"\0", b""), "utf-8")
    if rest is not None and 5 * start.count(0) < len(start) and control_share(rest) < 0.2:
        raise NotTextError("not text (has NUL bytes)")  # and would be text without them
    for encoding, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[0::2])):
        sample = _decoded(data[:_SAMPLE], encoding) or ""
        blanks = sum(sample.count(blank) for blank in " \n\r")
        if (
            zeros.count(0) > max(0.8 * data.count(0), len(data) / 200)
            and blanks > len(sample) / 100
            and len(_WRITING.findall(sample)) > len(sample) / 2
        ):
            return encoding
    raise UnknownEncodingError("not text (has NUL bytes), or UTF-16 without a mark")


def _encoded_once(text: str) -> str | None:
    """Text whose UTF-8 bytes were read as Windows-1252 and written again, mended; else None."""
    if _ALONE.search(text):  # in such text letters beyond ASCII come in pairs or more
        return None
    try:
        return b"".join(
            bytes([ord(c)]) if "\x80" <= c <= "\x9f" else c.encode("cp1252") for c in text
        ).decode("utf-8")
    except UnicodeError:
        return None


# -- older encodings ---------------------------------------------------------------------------

_TABLE = read_table("ingest/data", "encodings")
_LATIN = (
    *("cp1252", "cp1250", "iso8859_2", "cp1254", "cp1257", "iso8859_15"),
    *("mac_roman", "cp850", "cp852"),
    *("cp932", "gb18030"),  # words in ASCII whose quotation marks were typed in East Asia
)
_ALPHABETS = {name: frozenset(letters) for name, letters in _TABLE["alphabets"].items()}


def _older(data: bytes) -> str:
    """The encoding of text that is no Unicode."""
    lines = (line for line in data.splitlines() if not line.isascii())
    sample = b"\n".join(lines)[:_SAMPLE]
    runs = regex.findall(rb"[\x80-\xff]+", sample)
    # A letter with an accent stands alone; words of other scripts have none between.
    latin = sum(map(len, runs)) < 1.8 * len(runs)
    encoding = _best_latin(sample) if latin else _best_script(sample)
    if encoding is None:
        raise UnknownEncodingError("not UTF-8, and its encoding is not clear")
    return encoding


def _decoded(data: bytes, encoding: str) -> str | None:
    """Text of bytes that may end within a character."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return None


def _sample(data: bytes, encoding: str) -> str | None:
    """The bytes in an encoding, None where they don't fit or the text is odd."""
    decoded = _decoded(data, encoding)
    sample = nfc(decoded or "")
    letters = len(_FOREIGN_LETTER.findall(sample))
    signs = [sign for sign in _FOREIGN_SIGN.findall(sample) if sign not in _USUAL_SIGNS]
    odd = len(signs) + len(_CAPITAL_INSIDE.findall(sample))
    return None if not sample or odd > 0.02 * (letters + len(sample) / 20) else sample


def _best_script(data: bytes) -> str | None:
    """The encoding under which the words are of one script and have its usual letters."""
    scores = {
        encoding: (judge(sample), sample)
        for encoding, judge in _JUDGES.items()
        if (sample := _sample(data, encoding)) is not None
    }
    ranked = sorted(scores, key=lambda name: (-scores[name][0], name))
    if not ranked or scores[ranked[0]][0] < MIN_SCRIPT_SCORE:
        return None
    best, text = scores[ranked[0]]
    rivals = [scores[name][0] for name in ranked if scores[name][1] != text]
    return ranked[0] if best - max(rivals, default=0) >= MIN_LEAD else None


def _script_score(script: str, usual: str, sample: str) -> float:
    folded = unicodedata.normalize("NFD", sample.lower())
    own = rf"(?V1)[\p{{L}}&&\p{{{script}}}]"
    letters = regex.findall(own, folded)
    others = len(_FOREIGN_LETTER.findall(sample)) - len(regex.findall(own, sample))
    misplaced = len(_MIXED_WORD.findall(sample)) + len(_FINAL_INSIDE.findall(sample))
    if len(letters) < 8 or others + misplaced > 0.03 * len(letters):
        return 0.0
    # Small letters of one code page are the capitals of another.
    shouted = 0.1 * (len(_CAPITAL.findall(sample)) > 0.5 * len(letters))
    return sum(letter in usual for letter in letters) / len(letters) - shouted


def _east_asian_score(encoding: str, sample: str) -> float:
    """What speaks for a Japanese, Korean or Chinese text: kana, or the usual characters."""
    letters = _FOREIGN_LETTER.findall(sample)
    if len(letters) < 8 or len(_MIXED_WORD.findall(sample)) >= 0.3 * len(letters):
        return 0.0
    if encoding not in _USUAL:
        kana = len(regex.findall(r"[\p{Hiragana}\p{Katakana}ー]", sample))
        small = len(regex.findall(r"[\uff61-\uff9f]", sample))
        share = kana / len(letters)
        return 0.0 if share < 0.25 or small > kana / 4 else 0.75 + 0.25 * share
    codec, first, last, least, weight = _USUAL[encoding]
    codes = [letter.encode(codec, "replace") for letter in letters]
    usual = sum(len(code) == 2 and first <= int.from_bytes(code, "big") <= last for code in codes)
    return weight * usual / len(letters) if usual > least * len(letters) else 0.0


_USUAL = {
    "cp949": ("euc_kr", 0xB0A1, 0xC8FE, 0.95, 1.0),
    "gb18030": ("gb18030", 0xB0A1, 0xD7F9, 0.9, 0.85),
    "big5": ("big5", 0xA440, 0xC67E, 0.9, 0.85),
}
"""The characters of the national standard (of its first level), which are nearly all of a text: the
first and the last of them, the share that a text has at least, and what that counts."""
_JUDGES: dict[str, Callable[[str], float]] = {
    **{
        encoding: partial(_script_score, script, usual)
        for script, (usual, *encodings) in _TABLE["scripts"].items()
        for encoding in encodings
    },
    **{name: partial(_east_asian_score, name) for name in ("cp932", "euc_jp", *_USUAL)},
}


def _best_latin(data: bytes) -> str | None:
    """The encoding whose letters are those of the language that the words are in."""
    scores: dict[str, tuple[float, str]] = {}
    for encoding in _LATIN:
        sample = _sample(data, encoding)
        if sample is None or _OTHER_SCRIPT.search(sample):
            continue
        foreign = [c.lower() for c in _FOREIGN_LETTER.findall(sample)]
        inside = len(_SIGN_INSIDE.findall(sample))
        languages = language_probabilities(sample[:2000].lower())
        score = sum(
            languages.get(name, 0.0) * (1 + sum(c in alphabet for c in foreign))
            for name, alphabet in _ALPHABETS.items()
        )
        scores[encoding] = score / (1 + len(foreign) + inside), sample
    if not scores:
        return None
    # Without a clear sign of another, the most widespread one.
    first, best = next(iter(scores)), max(scores, key=lambda name: scores[name][0])
    same_text = scores[best][1] == scores[first][1]
    if same_text or scores[best][0] - scores[first][0] < MIN_LATIN_LEAD:
        best = first
    return best if scores[best][0] >= MIN_LATIN_SCORE else None
