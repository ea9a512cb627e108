"""What a person wants to know of a group: how it sounds, what is common in it, typical songs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.clustering.describe import LabelShare, label_shares
from songscape.clustering.lyric_words import words_within_languages
from songscape.columns import ColumnRoles, Role, display_title
from songscape.errors import SongscapeError
from songscape.features.descriptors import DESCRIPTORS
from songscape.features.views import Views

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

CLEAR_EFFECT = 0.33
"""Cliff's delta from which a difference is more than small (Romano et al. 2006)."""
MOST_TRAITS, MOST_LABELS, MOST_TYPICAL = 3, 4, 5
_LEAST_LIFT, _SURE_P = 1.3, 0.001
_SURE_TEMPO, _SURE_KEY = 0.1, 0.2


@dataclass(frozen=True)
class Scale:
    """A descriptor in words: its name, the two ends, and how they are compared."""

    name: str
    low: str
    high: str
    lower: str
    higher: str


_SCALES: Mapping[str, Scale] = {
    "tempo_bpm": Scale("tempo", "slow", "fast", "slower than", "faster than"),
    "percussive": Scale(
        "percussion", "gentle", "percussive", "less percussive than", "more percussive than"
    ),
    "loudness_db": Scale("loudness", "soft", "loud", "softer than", "louder than"),
    "brightness_hz": Scale("brightness", "dark", "bright", "darker than", "brighter than"),
    "dynamics_db": Scale("dynamics", "even", "dynamic", "more even than", "more dynamic than"),
    "steadiness": Scale("beat", "free rhythm", "steady", "less steady than", "steadier than"),
}


@dataclass(frozen=True)
class Trait:
    """A property of the sound that sets a group apart: "tempo", and in a word "slow".

    `place` says where the group's median lies among the other songs, 0 (below all) to 1 (above
    all), `effect` is Cliff's delta of the group and the other songs, -1 to 1, and `sentence` such
    as "slower than 85 % of your music".
    """

    name: str
    word: str
    place: float
    effect: float
    sentence: str


@dataclass(frozen=True)
class Share:
    """A value (a language, a decade): its share of the group and of the whole collection."""

    value: str
    share: float
    usual: float

    def rounded(self) -> list[Any]:
        """For `groups.json`."""
        return [self.value, round(self.share, 4), round(self.usual, 4)]


@dataclass(frozen=True)
class Portrait:
    """One group.

    `rows` are its songs, the most typical first, and `typical` at most five of them, one per
    artist. `traits` are the clearest differences in sound, at most three; `labels` are genres and
    others that are surely more common than elsewhere; `languages` and `decades` have the most
    common first, and are empty where the collection does not say. `words` are those that set the
    lyrics apart from others in their language.
    """

    rows: tuple[int, ...]
    typical: tuple[int, ...]
    traits: tuple[Trait, ...]
    labels: tuple[LabelShare, ...]
    languages: tuple[Share, ...]
    decades: tuple[Share, ...]
    words: Mapping[str, tuple[str, ...]]

    @property
    def size(self) -> int:
        return len(self.rows)


def portraits(
    groups: Integers,
    X: ArrayLike,
    views: Views,
    columns: pd.DataFrame,
    roles: ColumnRoles,
    labels: Sequence[str] = (),
) -> tuple[Portrait, ...]:
    """Describe every group, 0 ... n_groups - 1.

    Typical songs are those in the middle of the group in `X`, (n_tracks, n_dimensions), the space
    that was grouped. Of the views, `descriptors`, `lyrics-counts`, `language` and `musicnn` are
    used where present; `labels` are columns that may describe a group, such as the genre.
    """
    space = np.asarray(X, np.float32)
    traits = _traits(groups, views)
    spoken, decades = primary_languages(views, columns, roles), _decades(columns, roles)
    words = {}
    if "lyrics-counts" in views:
        cells = values_of(columns, roles.column(Role.TITLE))
        titles = [display_title(i, cell) for i, cell in zip(views.track_ids, cells)]
        words = words_within_languages(groups, views["lyrics-counts"], spoken, titles)
    shares = [label_shares(groups, columns[name], name) for name in labels]
    artists = values_of(columns, roles.artist)
    found = []
    for group in range(int(groups.max(initial=-1)) + 1):
        inside = np.flatnonzero(groups == group)
        away = np.linalg.norm(space[inside] - space[inside].mean(axis=0), axis=1)
        rows = inside[np.argsort(away, kind="stable")].tolist()
        typical: dict[Any, int] = {}
        for row in rows:
            typical.setdefault(artists[row] or row, row)
        sure = [
            share
            for column in shares
            for share in column[group]
            if share.p_value < _SURE_P and share.lift >= _LEAST_LIFT
        ]
        sure.sort(key=lambda s: (s.p_value, -s.lift, s.label))
        found.append(
            Portrait(
                tuple(rows),
                tuple(list(typical.values())[:MOST_TYPICAL]),
                traits[group],
                tuple(sure[:MOST_LABELS]),
                mix(spoken, inside),
                mix(decades, inside),
                words.get(group, {}),
            )
        )
    return tuple(found)


def values_of(columns: pd.DataFrame, name: str | None) -> list[Any]:
    """A column's values; None for every track where the table has no such column."""
    return [None] * len(columns) if name is None else list(columns[name])


def primary_languages(views: Views, columns: pd.DataFrame, roles: ColumnRoles) -> list[str | None]:
    """The language that each song has most of, None where it is not known."""
    if "language" in views:
        view = views["language"]
        return [
            str(view.feature_names[row.argmax()]) if there and row.max() > 0 else None
            for row, there in zip(np.asarray(view.values), view.present)
        ]
    return [v if isinstance(v, str) and v else None for v in values_of(columns, roles.language)]


def heard(descriptors: ArrayLike, present: NDArray[np.bool_]) -> dict[Scale, Floats]:
    """What a person would hear, of rows of the view `descriptors`: (n_tracks,), NaN if unknown."""
    values = np.asarray(descriptors, np.float64)
    sure = values[:, DESCRIPTORS.index("tempo_confidence")] >= _SURE_TEMPO
    return {
        scale: np.where(
            present & (sure | (name != "tempo_bpm")), values[:, DESCRIPTORS.index(name)], np.nan
        )
        for name, scale in _SCALES.items()
    }


def _traits(groups: Integers, views: Views) -> list[tuple[Trait, ...]]:
    """For every group its clearest differences in sound."""
    found: list[dict[int, Trait]] = []
    if "descriptors" in views:
        view = views["descriptors"]
        values = np.asarray(view.values, np.float64)
        found += [_graded(groups, *one) for one in heard(values, view.present).items()]
        known = view.present & (values[:, DESCRIPTORS.index("key_confidence")] >= _SURE_KEY)
        major = values[:, DESCRIPTORS.index("mode")] > 0.5
        words = ("major", "in a major key"), ("minor", "in a minor key")
        found.append(_two_valued(groups, known, major, "key", words))
        if (sung := _sung(views)) is not None:
            words = ("sung", "with a voice"), ("instrumental", "without a voice")
            found.append(_two_valued(groups, views["musicnn"].present, sung, "voice", words))
    every = [[its[i] for its in found if i in its] for i in range(int(groups.max(initial=-1)) + 1)]
    return [tuple(sorted(its, key=lambda t: -abs(t.effect))[:MOST_TRAITS]) for its in every]


def _beside_others(
    groups: Integers, known: Booleans, least: int
) -> Iterator[tuple[int, Booleans, Booleans]]:
    """Groups, their known songs and those outside, where both are at least that many."""
    for group in range(int(groups.max(initial=-1)) + 1):
        inside = known & (groups == group)
        if min(inside.sum(), known.sum() - inside.sum()) >= least:
            yield group, inside, known & ~inside


def _graded(groups: Integers, scale: Scale, column: Floats) -> dict[int, Trait]:
    """Groups whose songs surely have more of a descriptor, or less, than the others."""
    from scipy.stats import rankdata

    known = ~np.isnan(column)
    ranks = np.zeros(len(column))
    ranks[known] = rankdata(column[known])
    found = {}
    for group, inside, outside in _beside_others(groups, known, 3):
        m, n = int(inside.sum()), int(outside.sum())
        # The Mann-Whitney statistic as a share of all pairs.
        effect = 2.0 * float((ranks[inside].sum() - m * (m + 1) / 2) / (m * n)) - 1.0
        if abs(effect) >= CLEAR_EFFECT:
            median, others = float(np.median(column[inside])), column[outside]
            place = float(((others < median).mean() + (others <= median).mean()) / 2)
            word, text, share = scale.low, scale.lower, 1 - place
            if effect > 0:
                word, text, share = scale.high, scale.higher, place
            sentence = f"{text} {round(100 * share)} % of your music"
            found[group] = Trait(scale.name, word, place, effect, sentence)
    return found


def _sung(views: Views) -> Booleans | None:
    """In which songs the encoder `musicnn` hears a voice; None where it is not asked or gone."""
    if "musicnn" not in views:
        return None
    from songscape.features.encoders.musicnn import heard_voices

    try:
        return heard_voices(views["musicnn"].values, np.asarray(views["musicnn"].mask))
    except SongscapeError:
        return None


def _two_valued(
    groups: Integers, known: Booleans, has: Booleans, name: str, words: Sequence[tuple[str, str]]
) -> dict[int, Trait]:
    """Groups whose songs surely have something more often, or less, than the others.

    `words` are a word for the name and one for the sentence: of having it, and of not having it.
    """
    found = {}
    for group, inside, outside in _beside_others(groups, known, 10):
        share, usual = float(has[inside].mean()), float(has[outside].mean())
        effect = share - usual  # Cliff's delta of two-valued data
        if abs(effect) >= CLEAR_EFFECT:
            word, phrase = words[effect < 0]
            part, usually = (share, usual) if effect > 0 else (1 - share, 1 - usual)
            text = f"{100 * part:.0f} % {phrase}, elsewhere {100 * usually:.0f} %"
            found[group] = Trait(name, word, share, effect, text)
    return found


def _decades(columns: pd.DataFrame, roles: ColumnRoles) -> list[str | None]:
    """The decade of each song, as "1970s"."""
    values = map(str, values_of(columns, roles.column(Role.YEAR)))
    years = [re.search(r"(?<!\d)(1[4-9]|20)\d\d(?!\d)", value) for value in values]
    return [None if year is None else f"{year.group()[:3]}0s" for year in years]


def mix(values: Sequence[str | None], inside: Integers) -> tuple[Share, ...]:
    """Shares of the known values, the most common first; empty where few are known."""
    whole = Counter(value for value in values if value)
    here = Counter(value for row in inside if (value := values[row]))
    known = sum(here.values())
    if known < len(inside) / 2:
        return ()
    total = sum(whole.values())
    ranked = sorted(here.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Share(value, n / known, whole[value] / total) for value, n in ranked)
