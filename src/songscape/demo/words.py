"""Writes the lyrics of a demo song: verses, a refrain that returns, and a title."""

from dataclasses import dataclass

import numpy as np

from songscape.data_tables import Row, read_table

LANGUAGES: dict[str, Row] = read_table("demo/data", "lyrics")
THEMES = ("love", "sea", "city", "harvest", "journey", "freedom")


@dataclass(frozen=True)
class SongText:
    """A title and the stanzas as sung; a stanza is a tuple of lines."""

    title: str
    stanzas: tuple[tuple[str, ...], ...]

    def to_text(self) -> str:
        """Return the plain text of a ``.txt`` sidecar: an empty line between stanzas."""
        return "\n\n".join("\n".join(stanza) for stanza in self.stanzas) + "\n"


def write_lyrics(rng: np.random.Generator, languages: tuple[str, ...], theme: str) -> SongText:
    """Write two or three verses of four lines, each followed by a refrain of two to four lines.

    ``languages`` holds one language, or two: the verses' and the refrain's.
    """
    verse, refrain = LANGUAGES[languages[0]], LANGUAGES[languages[-1]]
    n_refrain = int(rng.integers(2, 5))
    repeated = _lines(rng, refrain["themes"][theme], refrain["refrain"], n_refrain)
    stanzas: list[tuple[str, ...]] = []
    for _ in range(int(rng.integers(2, 4))):
        stanzas += [_lines(rng, verse["themes"][theme], verse["verse"], 4), repeated]
    titles = verse["themes"][theme]["objects"] + verse["themes"][theme]["subjects"]
    return SongText(_capitalised(titles[int(rng.integers(len(titles)))]), tuple(stanzas))


def to_lrc(lyrics: SongText, artist: str, start: float, end: float) -> str:
    """Return the lyrics as LRC: tags, then lines stamped evenly from ``start`` to ``end`` (s)."""
    lines = [line for stanza in lyrics.stanzas for line in stanza]
    rows = [f"[ti:{lyrics.title}]", f"[ar:{artist}]"]
    for index, line in enumerate(lines):
        hundredths = round(100 * (start + (end - start) * index / len(lines)))
        minutes, rest = divmod(hundredths, 6000)
        rows.append(f"[{minutes:02d}:{rest // 100:02d}.{rest % 100:02d}]{line}")
    return "\n".join(rows) + "\n"


def _lines(
    rng: np.random.Generator, phrases: Row, templates: tuple[str, ...], count: int
) -> tuple[str, ...]:
    subjects, verbs = phrases["subjects"], phrases["verbs"]
    lines = []
    for pick in rng.permutation(len(templates))[:count]:
        s, s2 = rng.permutation(len(subjects))[:2]
        v, v2 = rng.permutation(len(verbs))[:2]
        slots = {"s": subjects[s], "s2": subjects[s2], "v": verbs[v], "v2": verbs[v2]}
        slots["a"] = phrases["adverbials"][int(rng.integers(len(phrases["adverbials"])))]
        slots["o"] = phrases["objects"][int(rng.integers(len(phrases["objects"])))]
        lines.append(_capitalised(templates[pick].format(**slots)))
    return tuple(lines)


def _capitalised(line: str) -> str:
    return line[:1].upper() + line[1:]
