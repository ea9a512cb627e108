"""Plans the truth table of a demo collection: a balanced design, drawn before any sound is made."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from songscape.demo.vocabulary import LANGUAGES, THEMES

__all__ = ["OWN_LANGUAGE", "STYLES", "SongPlan", "plan_collection"]

STYLES = ("waltz", "house", "ballad", "reggae", "raga", "chorale", "blues")

OWN_LANGUAGE = {
    "waltz": "Spanish",
    "house": "Japanese",
    "ballad": "Bangla",
    "reggae": "Arabic",
    "raga": "Hindi",
    "chorale": "German",
    "blues": "English",
}
"""The language that ``confound`` ties to each style. Arbitrary: the music knows nothing of it."""

_SONGS_PER_ARTIST = 5
_CROSSOVER_EVERY = 7
_FIRST = (
    "Amber",
    "Copper",
    "Quiet",
    "Paper",
    "Velvet",
    "Northern",
    "Hollow",
    "Silver",
    "Winter",
    "Crimson",
    "Distant",
    "Golden",
    "Little",
    "Midnight",
    "Open",
    "Scarlet",
)
_SECOND = (
    "Lanterns",
    "Foxes",
    "Harbour",
    "Orchard",
    "Kites",
    "Mirrors",
    "Sparrows",
    "Parade",
    "Machines",
    "Wolves",
    "Gardens",
    "Company",
    "Rivers",
    "Pilots",
    "Bells",
    "Letters",
)

_T = TypeVar("_T")


@dataclass(frozen=True)
class SongPlan:
    """What one demo song is: a row of the truth table and the choices behind its file.

    ``theme`` is what the words are about and ``mood`` the theme the music was composed to; they
    differ exactly where ``lyrics_match`` is false. An instrumental song has no languages and no
    words, so its ``theme`` is empty.
    """

    index: int
    id: str
    style: str
    artist: int
    artist_name: str
    languages: tuple[str, ...]
    theme: str
    mood: str
    lyrics_match: bool
    container: str
    sample_rate: int
    channels: int
    timed: bool

    @property
    def instrumental(self) -> bool:
        """Whether the song has neither a singer nor lyrics."""
        return not self.languages

    @property
    def audio_path(self) -> str:
        """Path of the audio file, relative to the collection."""
        return f"audio/{self.id}.{self.container.lower()}"

    @property
    def lyrics_path(self) -> str:
        """Path of the lyric sidecar, relative to the collection; empty for an instrumental."""
        if self.instrumental:
            return ""
        return f"lyrics/{self.id}.{'lrc' if self.timed else 'txt'}"


def plan_collection(n_songs: int = 240, seed: int = 0, confound: float = 0.0) -> list[SongPlan]:
    """Draw the truth table of a collection.

    Style and language walk along the diagonals of a Latin square and the theme shifts with every
    square, so at ``confound=0`` each pair of them is balanced beyond chance. Artists, file formats
    and the rarer kinds of songs are dealt like cards over the songs sorted by style and language,
    which keeps them independent of both.

    Parameters
    ----------
    n_songs
        Number of songs.
    seed
        Same seed, same table.
    confound
        Probability, 0 to 1, that a song's language is replaced by the own language of its style
        (:data:`OWN_LANGUAGE`).

    Returns
    -------
    list of SongPlan
        One plan per song, in order of ``id``.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    style, language, theme = _balanced_design(rng, n_songs)
    # Before the confound: who sings and in what file must not depend on it.
    cells = list(zip(style, language))
    artist = _cast(rng, style, language)
    instrumental = _deal(rng, cells, [True] + [False] * 16)
    bilingual = _deal(rng, cells, [True] + [False] * 11)
    mismatched = _deal(rng, cells, [True] + [False] * 19)
    timed = _deal(rng, cells, [True] + [False] * 9)
    container = _deal(rng, cells, ["MP3"] * 6 + ["OGG"] * 7 + ["FLAC"] * 5 + ["WAV"] * 2)
    # Stereo only at the higher rate, as in most collections.
    signal = _deal(rng, cells, [(22050, 1)] * 7 + [(44100, 1)] * 2 + [(44100, 2)])
    names = _artist_names(rng, max(artist) + 1)
    width = max(3, len(str(n_songs)))
    languages = list(LANGUAGES)

    plans = []
    for index in range(n_songs):
        second = int(rng.integers(1, len(languages)))
        other_theme = THEMES[(theme[index] + int(rng.integers(1, len(THEMES)))) % len(THEMES)]
        tied = bool(rng.random() < confound)
        style_name = STYLES[style[index]]
        first = OWN_LANGUAGE[style_name] if tied else languages[language[index]]
        mood = THEMES[theme[index]]
        plan = SongPlan(
            index=index,
            id=f"song-{index + 1:0{width}d}",
            style=style_name,
            artist=artist[index],
            artist_name=names[artist[index]],
            languages=(first,),
            theme=mood,
            mood=mood,
            lyrics_match=True,
            container=container[index],
            sample_rate=signal[index][0],
            channels=signal[index][1],
            timed=timed[index],
        )
        if instrumental[index]:
            plan = replace(plan, languages=(), theme="", timed=False)
        else:
            if mismatched[index]:
                plan = replace(plan, theme=other_theme, lyrics_match=False)
            if bilingual[index]:
                refrain = languages[(languages.index(first) + second) % len(languages)]
                plan = replace(plan, languages=(first, refrain))
        plans.append(plan)
    return plans


def _balanced_design(
    rng: np.random.Generator, n_songs: int
) -> tuple[list[int], list[int], list[int]]:
    """Return style, language and theme codes, balanced in pairs, in shuffled order."""
    n_styles, n_languages, n_themes = len(STYLES), len(LANGUAGES), len(THEMES)
    style, language, theme = [], [], []
    square = n_styles * n_languages
    for start in range(0, n_songs, square):
        styles, tongues = rng.permutation(n_styles), rng.permutation(n_languages)
        themes = rng.permutation(n_themes)
        for k in range(min(square, n_songs - start)):
            row, diagonal = k % n_styles, k // n_styles
            column = (row + diagonal) % n_languages
            style.append(int(styles[row]))
            language.append(int(tongues[column]))
            theme.append(int(themes[(row + column) % n_themes]))
    order = rng.permutation(n_songs)
    return [style[i] for i in order], [language[i] for i in order], [theme[i] for i in order]


def _deal(
    rng: np.random.Generator, cells: Sequence[tuple[int, int]], deck: Sequence[_T]
) -> list[_T]:
    """Deal shuffled decks over the songs sorted by cell, so no cell gets more than its share."""
    dealt: dict[int, _T] = {}
    hand: list[_T] = []
    for index in _sorted_with_random_ties(rng, cells):
        if not hand:
            hand = [deck[i] for i in rng.permutation(len(deck))]
        dealt[index] = hand.pop()
    return [dealt[index] for index in range(len(cells))]


def _cast(rng: np.random.Generator, style: list[int], language: list[int]) -> list[int]:
    """Give every song an artist.

    Within a style artists take turns through the songs sorted by language, so each sings in
    several. Then every seventh song trades artists with songs of the same language in other
    styles: those are the crossovers, and the trade leaves artist and language untied.
    """
    artist = [-1] * len(style)
    n_artists = 0
    for code in range(len(STYLES)):
        songs = [i for i, value in enumerate(style) if value == code]
        if not songs:
            continue
        cast = max(1, round(len(songs) / _SONGS_PER_ARTIST))
        for position, at in enumerate(
            _sorted_with_random_ties(rng, [(language[i], 0) for i in songs])
        ):
            artist[songs[at]] = n_artists + position % cast
        n_artists += cast
    crossing = rng.permutation(len(style))[: len(style) // _CROSSOVER_EVERY]
    for code in range(len(LANGUAGES)):
        songs = [int(i) for i in crossing if language[i] == code]
        moved = [artist[i] for i in songs[1:] + songs[:1]]
        for i, new in zip(songs, moved):
            artist[i] = new
    return artist


def _sorted_with_random_ties(rng: np.random.Generator, keys: Sequence[Hashable]) -> list[int]:
    ties = rng.random(len(keys))
    return sorted(range(len(keys)), key=lambda i: (keys[i], ties[i]))


def _artist_names(rng: np.random.Generator, count: int) -> list[str]:
    pairs = [f"{first} {second}" for first in _FIRST for second in _SECOND]
    names = [pairs[i] for i in rng.permutation(len(pairs))[:count]]
    # A collection of thousands needs more names than there are pairs.
    return names + [
        f"{pairs[i % len(pairs)]} {i // len(pairs) + 1}" for i in range(len(names), count)
    ]
