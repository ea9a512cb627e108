"""The languages and themes of the demo songs, read from ``data/lyrics.toml``."""

from dataclasses import dataclass

from songscape.demo.tables import read_table

__all__ = ["LANGUAGES", "THEMES", "Language", "Phrases"]

THEMES = ("love", "sea", "city", "harvest", "journey", "freedom")


@dataclass(frozen=True)
class Phrases:
    """Phrases of one theme in one language, by their place in a line."""

    subjects: tuple[str, ...]
    verbs: tuple[str, ...]
    adverbials: tuple[str, ...]
    objects: tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """One language: prefixes of its letters' Unicode names, line templates, phrases by theme."""

    script: tuple[str, ...]
    verse: tuple[str, ...]
    refrain: tuple[str, ...]
    themes: dict[str, Phrases]


LANGUAGES = {
    name: Language(
        language["script"],
        language["verse"],
        language["refrain"],
        {theme: Phrases(**language["themes"][theme]) for theme in THEMES},
    )
    for name, language in read_table("lyrics").items()
}
