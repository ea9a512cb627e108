"""Lyrics -> words -> TF-IDF, for any script."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import regex

from songscape.features.views import View

__all__ = ["lyrics_view", "tokenize", "vocabulary"]

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

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
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


def vocabulary(documents: Sequence[Sequence[str]], max_words: int) -> list[str]:
    """The most frequent words, sorted; ties go to the alphabetically first, in any input order.

    Parameters
    ----------
    documents : sequence of token lists
    max_words : int
    """
    totals: Counter[str] = Counter()
    for tokens in documents:
        totals.update(tokens)
    ranked = sorted(totals, key=lambda word: (-totals[word], word))
    return sorted(ranked[:max_words])


def lyrics_view(texts: Sequence[str | None], *, max_words: int = 5000) -> View:
    """TF-IDF of lyrics as a sparse view.

    Term counts times ln((1 + n) / (1 + df)) + 1, rows scaled to unit length: scikit-learn's
    `TfidfVectorizer` over `tokenize`, on the tracks that have words. No stop list: there is
    none for every language, and inverse document frequency plays the part.

    Parameters
    ----------
    texts : sequence of str or None
        One per track; None for a track without lyrics.
    max_words : int

    Returns
    -------
    View
        csr_array of shape (n_tracks, n_words); a track is present if it has a word of the
        vocabulary.
    """
    import scipy.sparse as sp
    from sklearn.feature_extraction.text import TfidfVectorizer

    documents = [tokenize(text) if text else [] for text in texts]
    words = vocabulary(documents, max_words)
    index = {word: position for position, word in enumerate(words)}
    present = np.array([any(word in index for word in tokens) for tokens in documents], bool)
    if not present.any():
        empty = sp.csr_array((len(documents), 0), dtype=np.float32)
        return View(empty, present)
    vectorizer = TfidfVectorizer(analyzer=list, vocabulary=index, dtype=np.float32)
    used = [tokens for tokens, there in zip(documents, present) if there]
    weights = sp.csr_array(vectorizer.fit_transform(used))
    weights.sort_indices()
    lengths = np.zeros(len(documents), np.int64)
    lengths[present] = np.diff(weights.indptr)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    values = sp.csr_array(
        (weights.data, weights.indices, starts), shape=(len(documents), len(words))
    )
    return View(values, present, feature_names=tuple(words))
