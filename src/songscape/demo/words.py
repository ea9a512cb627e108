"""Writes the lyrics of a demo song: verses, a refrain that returns, and a title."""

from dataclasses import dataclass

import numpy as np

from songscape.demo.vocabulary import LANGUAGES, Language

__all__ = ["Lyrics", "to_lrc", "write_lyrics"]


@dataclass(frozen=True)
class Lyrics:
    """A title and the stanzas as sung; a stanza is a tuple of lines."""

    title: str
    stanzas: tuple[tuple[str, ...], ...]

    def to_text(self) -> str:
        """Return the plain text of a ``.txt`` sidecar: an empty line between stanzas."""
        return "\n\n".join("\n".join(stanza) for stanza in self.stanzas) + "\n"


def write_lyrics(rng: np.random.Generator, languages: tuple[str, ...], theme: str) -> Lyrics:
    """Write the lyrics of one song.

    Parameters
    ----------
    rng
        Source of every choice.
    languages
        One language, or two: the verses are in the first and the refrain in the second.
    theme
        One of :data:`songscape.demo.vocabulary.THEMES`.

    Returns
    -------
    Lyrics
        Two or three verses of four lines with a refrain of two to four lines after each.
    """
    verse_language = LANGUAGES[languages[0]]
    refrain_language = LANGUAGES[languages[-1]]
    n_refrain = int(rng.integers(2, 5))
    refrain = _lines(rng, refrain_language, theme, refrain_language.refrain, n_refrain)
    stanzas: list[tuple[str, ...]] = []
    for _ in range(int(rng.integers(2, 4))):
        stanzas.append(_lines(rng, verse_language, theme, verse_language.verse, 4))
        stanzas.append(refrain)
    phrases = verse_language.themes[theme]
    titles = phrases.objects + phrases.subjects
    title = _capitalised(titles[int(rng.integers(len(titles)))])
    return Lyrics(title, tuple(stanzas))


def to_lrc(lyrics: Lyrics, artist: str, start: float, end: float) -> str:
    """Return the lyrics as LRC: tags, then lines stamped evenly from ``start`` to ``end`` (s)."""
    lines = [line for stanza in lyrics.stanzas for line in stanza]
    rows = [f"[ti:{lyrics.title}]", f"[ar:{artist}]"]
    for index, line in enumerate(lines):
        hundredths = round(100 * (start + (end - start) * index / len(lines)))
        rows.append(
            f"[{hundredths // 6000:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}]{line}"
        )
    return "\n".join(rows) + "\n"


def _lines(
    rng: np.random.Generator, language: Language, theme: str, templates: tuple[str, ...], count: int
) -> tuple[str, ...]:
    phrases = language.themes[theme]
    lines = []
    for pick in rng.permutation(len(templates))[:count]:
        s, s2 = rng.permutation(len(phrases.subjects))[:2]
        v, v2 = rng.permutation(len(phrases.verbs))[:2]
        line = templates[pick].format(
            s=phrases.subjects[s],
            s2=phrases.subjects[s2],
            v=phrases.verbs[v],
            v2=phrases.verbs[v2],
            a=phrases.adverbials[int(rng.integers(len(phrases.adverbials)))],
            o=phrases.objects[int(rng.integers(len(phrases.objects)))],
        )
        lines.append(_capitalised(line))
    return tuple(lines)


def _capitalised(line: str) -> str:
    return line[:1].upper() + line[1:]
