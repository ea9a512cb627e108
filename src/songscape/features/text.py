"""Lyrics -> words -> counts and TF-IDF, for any script."""

from __future__ import annotations

import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import regex

from songscape.features.views import View

RECIPE = 2
"""Raised when the same lyrics give other views: stored views are then computed again."""

# Scripts written without spaces between words. U+30FC, the long-vowel mark of Japanese, belongs
# to no script in Unicode's table.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\u30fc"
_UNSPACED_ASIA = r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_TOKEN = regex.compile(
    rf"(?V1)(?P<kana>[{_UNSPACED}](?:[{_UNSPACED}]|\p{{M}})*)"
    rf"|(?P<asia>[[{_UNSPACED_ASIA}]&&[\p{{L}}\p{{M}}]]+)"
    # Marks keep Bangla and Hindi words whole; zero-width joiners do in Persian and Bangla.
    rf"|(?P<word>[[\p{{L}}\p{{N}}]--[{_UNSPACED}{_UNSPACED_ASIA}]]"
    rf"[[\p{{L}}\p{{M}}\p{{N}}\u200c\u200d]--[{_UNSPACED}{_UNSPACED_ASIA}]]*)"
)
_CLUSTER = regex.compile(r"\X")
_JOINERS = "\u200c\u200d"


def tokenize(text: str) -> list[str]:
    """Words of two or more characters, case-folded; character bigrams where no spaces are written.

    Letters, combining marks and digits make words, so Bangla and Hindi words stay whole;
    anything else, an apostrophe too, ends one. Chinese, Japanese, Thai, Lao, Khmer and Burmese
    come as overlapping pairs of characters (a vowel sign counts with its letter), and a
    character that stands alone comes as itself.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    tokens: list[str] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFC", folded)):
        run = match.group()
        if match.lastgroup == "word":
            word = run.rstrip(_JOINERS)
            if len(word) > 1:
                tokens.append(word)
            continue
        characters = _CLUSTER.findall(run)
        if len(characters) == 1:
            tokens.append(run)
        tokens += [first + second for first, second in pairwise(characters)]
    return tokens


def vocabulary(documents: Iterable[Sequence[str]], max_words: int) -> list[str]:
    """The most frequent words, sorted; ties go to the alphabetically first, in any input order.

    `documents` are lists of tokens.
    """
    totals: Counter[str] = Counter()
    for tokens in documents:
        totals.update(tokens)
    ranked = sorted(totals, key=lambda word: (-totals[word], word))
    return sorted(ranked[:max_words])


def lyrics_view(texts: Sequence[str | None], *, max_words: int = 5000) -> View:
    """TF-IDF of lyrics (None: a track without) as a sparse view, every word counted once a song.

    ln((1 + n) / (1 + df)) + 1 of each word that occurs, rows scaled to unit length: scikit-learn's
    `TfidfVectorizer(binary=True)` over `tokenize`, on the tracks that have words. Songs repeat
    their choruses: with plain counts the repetition decides what is near. No stop
    list: there is none for every language, and inverse document frequency plays the part. The view
    is a csr_array (n_tracks, n_words); a track is present if it has a word of the vocabulary.
    """
    return weigh_words(counts_view(texts, max_words=max_words), once=True)


def counts_view(texts: Sequence[str | None], *, max_words: int = 5000) -> View:
    """How often each word occurs, as a sparse view with the columns of `lyrics_view`."""
    # Texts are split twice, because their words would not fit in memory.
    import scipy.sparse as sp

    words = vocabulary((tokenize(text) for text in texts if text), max_words)
    index = {word: position for position, word in enumerate(words)}
    starts, columns, counts = [0], array("i"), array("f")
    for text in texts:
        found = Counter(index[term] for term in (tokenize(text) if text else []) if term in index)
        columns.extend(sorted(found))
        counts.extend(found[column] for column in sorted(found))
        starts.append(len(columns))
    parts = (np.asarray(counts, np.float32), np.asarray(columns, np.int32), np.asarray(starts))
    values = sp.csr_array(parts, shape=(len(texts), len(words)))
    return View(values, np.diff(starts) > 0, feature_names=tuple(words))


def weigh_words(counts: View, *, once: bool = False) -> View:
    """TF-IDF of a view of counts, of every term as often as it occurs or `once` a song."""
    import scipy.sparse as sp
    from sklearn.feature_extraction.text import TfidfTransformer

    if not counts.present.any():
        return counts
    values = counts.values.sign() if once else counts.values
    transformer = TfidfTransformer().fit(values[counts.present])
    weights = sp.csr_array(transformer.transform(values), dtype=np.float32)
    weights.sort_indices()
    return replace(counts, values=weights)
