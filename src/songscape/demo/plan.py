"""Plans the truth table of a demo collection: a balanced design, drawn before any sound is made."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from songscape.data_tables import read_table
from songscape.demo.words import LANGUAGES, THEMES

LANGUAGE_OF_STYLE: dict[str, str] = read_table("demo/data", "artists")["languages"]
"""The language that ``confound`` ties to each style: arbitrary, the music does not depend on it."""

_STYLES = tuple(LANGUAGE_OF_STYLE)
_SONGS_PER_ARTIST = 5
_CROSSOVER_EVERY = 7

_T = TypeVar("_T")


@dataclass(frozen=True)
class SongPlan:
    """What one demo song is: a row of the truth table and the choices behind its file.

    ``theme`` is what the words are about and ``mood`` the theme the music was composed to; they
    differ exactly where ``lyrics_match`` is false. An instrumental song has no languages and no
    words, so its ``theme`` is empty. ``sample_rate`` is in Hz; ``timed`` lyrics are LRC.
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
        suffix = "lrc" if self.timed else "txt"
        return "" if self.instrumental else f"lyrics/{self.id}.{suffix}"


def plan_collection(n_songs: int = 240, seed: int = 0, confound: float = 0.0) -> list[SongPlan]:
    """Draw the truth table of a collection.

    Style and language walk along the diagonals of a Latin square and the theme shifts with every
    square, so at ``confound=0`` each pair of them is balanced beyond chance. Artists, file formats
    and the rarer kinds of songs are dealt like cards over the songs sorted by style and language,
    which keeps them independent of both.

    ``confound``, 0 to 1, is the probability that a song's language is replaced by the one that
    belongs to its style (:data:`LANGUAGE_OF_STYLE`).
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    style, language, theme = _balanced_design(rng, n_songs)
    # Before the confound: who sings and in what file must not depend on it.
    strata = list(zip(style, language))
    artist = _assign_artists(rng, style, language)
    instrumental = _deal(rng, strata, [True] + [False] * 16)
    bilingual = _deal(rng, strata, [True] + [False] * 11)
    mismatched = _deal(rng, strata, [True] + [False] * 19)
    timed = _deal(rng, strata, [True] + [False] * 9)
    container = _deal(rng, strata, ["MP3"] * 6 + ["OGG"] * 7 + ["FLAC"] * 5 + ["WAV"] * 2)
    # Stereo only at the higher rate, as in most collections.
    signal = _deal(rng, strata, [(22050, 1)] * 7 + [(44100, 1)] * 2 + [(44100, 2)])
    names = _artist_names(rng, max(artist) + 1)
    width = max(3, len(str(n_songs)))
    spoken = list(LANGUAGES)

    plans = []
    for index in range(n_songs):
        second = int(rng.integers(1, len(spoken)))
        mood = THEMES[theme[index]]
        other = THEMES[(theme[index] + int(rng.integers(1, len(THEMES)))) % len(THEMES)]
        tied = bool(rng.random() < confound)
        style_name = _STYLES[style[index]]
        first = LANGUAGE_OF_STYLE[style_name] if tied else spoken[language[index]]
        languages: tuple[str, ...] = (first,)
        if bilingual[index]:
            languages = (first, spoken[(spoken.index(first) + second) % len(spoken)])
        words = not instrumental[index]
        matched = not (words and mismatched[index])
        plans.append(
            SongPlan(
                index=index,
                id=f"song-{index + 1:0{width}d}",
                style=style_name,
                artist=artist[index],
                artist_name=names[artist[index]],
                languages=languages if words else (),
                theme=(mood if matched else other) if words else "",
                mood=mood,
                lyrics_match=matched,
                container=container[index],
                sample_rate=signal[index][0],
                channels=signal[index][1],
                timed=words and timed[index],
            )
        )
    return plans


def _balanced_design(
    rng: np.random.Generator, n_songs: int
) -> tuple[list[int], list[int], list[int]]:
    """Return style, language and theme codes, balanced in pairs, in shuffled order."""
    n_styles, n_languages, n_themes = len(_STYLES), len(LANGUAGES), len(THEMES)
    codes = []
    square = n_styles * n_languages
    for start in range(0, n_songs, square):
        styles, languages = rng.permutation(n_styles), rng.permutation(n_languages)
        themes = rng.permutation(n_themes)
        for k in range(min(square, n_songs - start)):
            row, diagonal = k % n_styles, k // n_styles
            column = (row + diagonal) % n_languages
            theme = themes[(row + column) % n_themes]
            codes.append((int(styles[row]), int(languages[column]), int(theme)))
    shuffled = [codes[i] for i in rng.permutation(n_songs)]
    style, language, theme_code = (list(column) for column in zip(*shuffled))
    return style, language, theme_code


def _deal(
    rng: np.random.Generator, strata: Sequence[tuple[int, int]], deck: Sequence[_T]
) -> list[_T]:
    """Deal shuffled decks over the songs sorted by stratum, so none gets more than its share."""
    dealt: dict[int, _T] = {}
    hand: list[_T] = []
    for index in _sorted_with_random_ties(rng, strata):
        if not hand:
            hand = [deck[i] for i in rng.permutation(len(deck))]
        dealt[index] = hand.pop()
    return [dealt[index] for index in range(len(strata))]


def _assign_artists(rng: np.random.Generator, style: list[int], language: list[int]) -> list[int]:
    """Give every song an artist.

    Within a style artists take turns through the songs sorted by language, so each sings in
    several. Then every seventh song trades artists with songs of the same language in other
    styles: those are the crossovers, and the trade leaves artist and language independent.
    """
    artist = [-1] * len(style)
    n_artists = 0
    for code in range(len(_STYLES)):
        songs = [i for i, value in enumerate(style) if value == code]
        if not songs:
            continue
        n_here = max(1, round(len(songs) / _SONGS_PER_ARTIST))
        order = _sorted_with_random_ties(rng, [(language[i], 0) for i in songs])
        for turn, place in enumerate(order):
            artist[songs[place]] = n_artists + turn % n_here
        n_artists += n_here
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
    words = read_table("demo/data", "artists")
    pairs = [f"{first} {second}" for first in words["first"] for second in words["second"]]
    names = [pairs[i] for i in rng.permutation(len(pairs))[:count]]
    # A collection of thousands needs more names than there are pairs.
    return names + [
        f"{pairs[i % len(pairs)]} {i // len(pairs) + 1}" for i in range(len(names), count)
    ]
