"""Names, codes and scripts of languages: one English name for every way to write one down."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from songscape.data_tables import read_table

_TABLES = read_table("data", "languages")
SCRIPTS: Mapping[str, str] = _TABLES["scripts"]
"""Script -> the one main language that is written in it."""
NAMES: Mapping[str, str] = _TABLES["codes"]
"""ISO 639 code -> English name, as the identifier of `ingest.languages` knows them."""
_VARIETIES, _UNKNOWN, _MIXED = (frozenset(_TABLES[n]) for n in ("varieties", "unknown", "several"))
_LOCALE = re.compile(r"[a-z]{2,3}( [a-z]{4})?( [a-z]{2}| \d{3})?( x .*)?")


def language_name(tag: str | None) -> str | None:
    """English name of a language, from a name or a code: "de", "ger", "de-AT", "Deutsch".

    Letter case, width, underscores, regions and scripts make no difference. None where the tag says
    that the language is unknown, or that there are several. A name that is not in the table stays
    as it is.
    """
    written = " ".join(unicodedata.normalize("NFC", tag or "").split())
    return None if is_mixed(written) else _lookup(_folded(written), written)


def is_mixed(tag: str | None) -> bool:
    """Whether a tag says "several languages" without naming them."""
    return _folded(tag or "") in _MIXED


@lru_cache(maxsize=4_096)
def _folded(tag: str) -> str:
    plain = unicodedata.normalize("NFKC", tag).casefold().replace("i\u0307", "i")  # Turkish I
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
    plain = plain.strip("[]() ").split("@")[0].removesuffix(".utf-8")
    return " ".join(re.split(r"[\s_\-‐-―]+", plain)).strip()


def _lookup(key: str, written: str) -> str | None:
    if key in _UNKNOWN:
        return None
    names = _names_by_tag()
    bare = re.sub(r"\s*[(\[].*", "", key)
    words = bare.split()
    if key in names or bare in names:
        return names.get(key) or names[bare]
    if len(words) > 1 and (len(words[0]) > 3 or _LOCALE.fullmatch(bare)) and words[0] in names:
        return names[words[0]]
    if len(words) > 1 and set(words[:-1]) <= _VARIETIES and words[-1] in names:
        return names[words[-1]]
    return written


@lru_cache(maxsize=1)
def _names_by_tag() -> dict[str, str]:
    found = {_folded(code): name for code, name in NAMES.items()}
    for name, tags in _TABLES["also"].items():
        found |= {_folded(tag): name for tag in (*tags, name)}
    return found | {_folded(name): name for name in NAMES.values()}
