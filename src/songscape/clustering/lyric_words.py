"""Words that set the lyrics of a group apart from others in the same language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import regex
import scipy.sparse as sp
from numpy.typing import NDArray

from songscape.features.text import tokenize
from songscape.features.views import View
from songscape.language_codes import NAMES

Booleans = NDArray[np.bool_]

LEAST_SONGS = 5
"""Least number of songs in a language, inside a group and outside it, to compare their words."""
MOST_COMMON = 0.15
"""A word in a larger share of a language's other songs is grammar, or a subject of most songs."""
_LEAST_Z, _LEAST_RATIO, _LEAST_IN = 2.0, 2.0, 3
_LEAST_REPEATED = 1.2
_LEAST_LIFT, _SURE_P = 3.0, 0.05
_PRIOR = 10.0
_ALPHABETIC = regex.compile(r"^[\p{Latin}\p{Greek}\p{Cyrillic}\p{Armenian}\p{Georgian}]+$")
_LEAST_LETTERS = 4


def words_within_languages(
    groups: NDArray[np.int64],
    counts: View,
    languages: Sequence[str | None],
    titles: Sequence[str],
    n_words: int = 6,
) -> dict[int, dict[str, tuple[str, ...]]]:
    """Per group and language, the words that its songs have more often than others in it.

    A word counts once a song. Songs of the group are compared with the other songs in the same
    language (log odds with a Dirichlet prior; Monroe, Colaresi & Quinn 2008), so no language's
    grammar sets anything apart. What is left is grammar that songs of one kind prefer, such as
    "thee" in hymns. So a word must be one that songs in its language are about: titles of songs
    that have it have it surely more often than words drawn from their lyrics would (three times;
    p < 0.05, Poisson), and it is repeated within songs (Church & Gale 1995). Neither is it in the
    lists of stopwords-iso, or in many songs.

    `counts` is the view `lyrics-counts`; a group of -1 is none. The surest words come first, and
    the languages with most songs in the group; those without such words are left out.
    """
    spoken = np.array([one or "" for one in languages], dtype=object)
    matrix = sp.csr_array(counts.values)
    words = np.array(counts.feature_names, dtype=object)
    grammar = words_of_grammar(set(spoken) - {""})
    readable = np.array([_can_be_shown(w) and w not in grammar for w in words], dtype=bool)
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for language in sorted(set(spoken) - {""}):
        rows = np.flatnonzero((spoken == language) & counts.present)
        if len(rows) < 2 * LEAST_SONGS:
            continue
        here = matrix[rows]
        present = here.sign()
        total = present.sum(axis=0)
        about = _in_titles(here, present, counts.feature_names, [titles[i] for i in rows.tolist()])
        repeats = here.sum(axis=0) / np.maximum(total, 1)
        usable = readable & about & (repeats >= _LEAST_REPEATED)
        for group in sorted(set(groups[rows].tolist()) - {-1}):
            inside = groups[rows] == group
            n_in, n_out = int(inside.sum()), int((~inside).sum())
            if min(n_in, n_out) < LEAST_SONGS:
                continue
            count = present[inside].sum(axis=0)
            order = _surest(count, total, n_in, n_out, usable)[:n_words]
            if len(order):
                found.setdefault(group, {})[language] = tuple(words[order].tolist())
    for group, by in found.items():
        size = Counter(spoken[groups == group])
        found[group] = {one: by[one] for one in sorted(by, key=lambda one: (-size[one], one))}
    return found


def _in_titles(counts: Any, present: Any, words: Sequence[str], titles: Sequence[str]) -> Booleans:
    """Words that titles have more often than words drawn from the lyrics would be there."""
    from scipy.stats import poisson

    place = {word: i for i, word in enumerate(words)}
    found = [{place[w] for w in tokenize(title) if w in place} for title in titles]
    ends = np.cumsum([0, *map(len, found)])
    columns = np.array([i for its in found for i in its], np.int64)
    shape = counts.shape
    named = sp.csr_array((np.ones(len(columns)), columns, ends), shape=shape).multiply(present)
    seen, length = named.sum(axis=0), named.sum(axis=1)
    rows = np.repeat(np.arange(shape[0]), np.diff(counts.indptr))
    missed = (1 - counts.data / counts.sum(axis=1)[rows]) ** length[rows]
    expected = np.bincount(counts.indices, 1 - missed, minlength=shape[1])
    surely = poisson.sf(seen - 1, expected) < _SURE_P
    return np.asarray(surely & (seen >= np.maximum(1, _LEAST_LIFT * expected)))


def words_of_grammar(languages: Iterable[str]) -> frozenset[str]:
    """Words of grammar in languages, by their English names; those without a list give none."""
    from stopwordsiso import langs, stopwords

    wanted = set(languages)
    codes = [code for code in langs() if NAMES.get(code) in wanted]
    texts = (text for code in codes for text in stopwords(code))
    return frozenset(word for text in texts for word in tokenize(text))


def _surest(
    count: NDArray[np.float64], total: NDArray[np.float64], n_in: int, n_out: int, usable: Booleans
) -> NDArray[np.int64]:
    """Words that are surely more common inside, by their z value."""
    share = total / (n_in + n_out)
    prior, other = _PRIOR * share + 0.01, _PRIOR * (1 - share) + 0.01
    inside, outside = count + prior, total - count + prior
    odds = np.log(inside / (n_in - count + other))
    odds -= np.log(outside / (n_out - (total - count) + other))
    z = odds / np.sqrt(1.0 / inside + 1.0 / outside)
    elsewhere = (total - count) / n_out
    ratio = (count / n_in) / np.maximum(elsewhere, 0.5 / n_out)
    surely = (z >= _LEAST_Z) & (ratio >= _LEAST_RATIO) & (count >= _LEAST_IN)
    rows = np.flatnonzero(usable & (elsewhere <= MOST_COMMON) & surely)
    return rows[np.argsort(-z[rows], kind="stable")]


def _can_be_shown(word: str) -> bool:
    """Not a number, and not too short for its script."""
    if any(map(str.isdigit, word)):
        return False
    return len(word) >= (_LEAST_LETTERS if _ALPHABETIC.match(word) else 2)
