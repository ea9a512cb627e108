"""Values of a table in one spelling: "en" and "English", "Hip-Hop" and "hip hop" are one."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from songscape.columns import ColumnRoles, Role, bare, find_roles
from songscape.language_codes import is_mixed, language_name

if TYPE_CHECKING:
    import pandas as pd

_SEPARATOR = re.compile(r"\s*[;,/|+]\s*")
_JOINT = re.compile(r"(?<=\w)[\s_‐-―-]+(?=\w)")
_AND = re.compile(r"\s*&\s*|\W+(?:and|n|und|et)\W+")
MIXED = "mixed"
_PLACEHOLDERS = frozenset(
    {
        *("?", "-", "n/a", "na", "none", "null", "nil", "va", "v.a", "trad", "anon", "folk"),
        *("unknown", "unbekannt", "inconnu", "desconocido", "bilinmiyor", "not known"),
        *("anonymous", "anonym", "anonyme", "anonim", "anonimo", "anónimo", "anonymus"),
        *("traditional", "traditionnel", "traditionell", "tradicional", "volkslied"),
        *("various", "various artists", "various artist", "diverse", "divers"),
        *("unknown artist", "unknown composer", "artist unknown", "no artist"),
        *("folk song", "folksong", "public domain"),
    }
)


def normalised(columns: pd.DataFrame, roles: ColumnRoles | None = None) -> pd.DataFrame:
    """The table with one spelling for every value, so that everything counts the same categories.

    Languages get their English names ("en", "eng", "en-US" and "englisch" are "English"), several
    in one cell in the order of the alphabet; unknown ones become None. Genres differ by more than
    letter case, spaces and punctuation ("Hip-Hop" is "hip hop"), other values by more than letter
    case, white space and Unicode form; each is called what it is most often called. Titles and
    bookkeeping stay as they are, and so does every cell that is not text.
    """
    roles = roles or find_roles(columns.columns)
    result = columns.copy()
    for name in map(str, columns.columns):
        role = roles.by_column.get(name)
        values = [v if isinstance(v, str) else None for v in columns[name]]
        if role in (Role.TITLE, Role.ID) or not any(values):
            continue
        if role is Role.LANGUAGE:
            values = [None if v is None else _language_cell(v) for v in values]
        spelled = one_spelling(values, _genre_key if role is Role.GENRE else _key)
        is_text = [isinstance(v, str) for v in columns[name]]
        result[name] = columns[name].astype(object)
        result.loc[is_text, name] = [v for v, text in zip(spelled, is_text) if text]
    return result


def known_artists(column: Iterable[Any]) -> list[str | None]:
    """Names as they are; None for placeholders that stand for many people.

    Empty cells, "Anonymous", "(Anonim)", "Traditional", "Traditional (Irish)", "Unknown artist",
    "Various Artists", "?" and the like say that nobody is known.
    """
    return [_known(value) for value in column]


def split_cell(cell: str | None) -> list[str]:
    """The categories of a cell: separated by ``;``, ``,``, ``/``, ``|`` or ``+``."""
    return [part for part in _SEPARATOR.split((cell or "").strip()) if part]


def one_spelling(values: Iterable[str | None], key: Callable[[str], str]) -> list[str | None]:
    """Values with one key in the spelling that is commonest among them; empty ones are None."""
    clean = [" ".join(unicodedata.normalize("NFC", v).split()) if v else "" for v in values]
    spellings: dict[str, Counter[str]] = {}
    keys = {value: key(value) or value for value in set(clean)}
    for value in clean:
        spellings.setdefault(keys[value], Counter())[value] += 1

    def shown(found: Counter[str]) -> str:
        # Of equally common ones rather "Hip-Hop" than "HIPHOP" or "hip hop".
        return min(found, key=lambda s: (-found[s], s.isupper(), s.islower(), s))

    called = {key: shown(found) for key, found in spellings.items()}
    return [called[keys[value]] or None for value in clean]


def _language_cell(cell: str) -> str | None:
    parts = split_cell(cell)
    if is_mixed(cell) or any(map(is_mixed, parts)):
        return MIXED
    names = {language_name(part) for part in parts} - {None}
    return "; ".join(sorted(map(str, names))) or None


def _key(value: str) -> str:
    plain = unicodedata.normalize("NFKC", value)
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf").replace("’", "'")
    # "C" and "c" are two keys of music.
    plain = plain.casefold() if len(plain) > 2 else plain
    return _JOINT.sub(" ", plain).strip()


def _genre_key(value: str) -> str:
    parts = split_cell(_AND.sub("&", _key(value).casefold()))
    return ";".join(filter(None, (bare(part.replace("&", "n")) for part in parts)))


def _known(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    name = " ".join(value.split())
    bare = name.casefold().strip("()[]<>{}.,;:* ").strip()
    head = bare.split("(")[0].split(",")[0].strip(" .:")
    unknown = not any(c.isalnum() for c in bare) or bare in _PLACEHOLDERS or head in _PLACEHOLDERS
    return None if unknown else name
