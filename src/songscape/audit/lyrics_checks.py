"""Detects lyrics in another language than tagged, and generated or templated lyrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songscape.features.text import tokenize

MIN_TRACKS = 5
"""Tracks in one language alone that are needed to compare other tracks with it."""
MIN_NGRAMS = 60
"""Character n-grams that lyrics need before they are judged (about five words)."""
MIN_MARGIN = 0.08
"""Nats per n-gram by which another language must fit better: a tie casts no doubt on a tag."""
_N_FEATURES = 2**15
_SMOOTHING = 0.01
"""Added to the count of every n-gram: more holds unseen words against a language of few songs."""


def language_mismatches(
    texts: Sequence[str | None], languages: Sequence[Sequence[str]]
) -> list[tuple[float, int, str, str]]:
    """Lyrics that look like another language of the same collection, the clearest first.

    Minus the margin (nats per n-gram), the row, the language tagged and the one that fits better.

    Multinomial naive Bayes over character n-grams (1 to 3, with word boundaries), as Cavnar and
    Trenkle (1994) and many after them told languages apart; no track is judged by a model that has
    seen it (five folds). Languages learn from tracks in that language alone; a song in two is at
    home in both.
    """
    counts = _ngrams(texts)
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    alone = [
        tags[0] if len(set(tags)) == 1 and length > 0 else None
        for tags, length in zip(languages, lengths)
    ]
    enough = sorted(k for k, v in Counter(alone).items() if k is not None and v >= MIN_TRACKS)
    if len(enough) < 2:
        return []
    scores = _scores(counts, np.array([tag if tag in enough else "" for tag in alone]), texts)
    found = []
    for row in np.flatnonzero(lengths >= MIN_NGRAMS).tolist():
        own = [enough.index(tag) for tag in languages[row] if tag in enough]
        # A language with too few tracks can't be compared with.
        if not own or len(own) < len(set(languages[row])):
            continue
        best = int(np.argmax(scores[row]))
        margin = float(scores[row, best] - scores[row, own].max()) / lengths[row]
        if margin >= MIN_MARGIN:
            tagged = " and ".join(dict.fromkeys(languages[row]))
            found.append((-margin, row, tagged, enough[best]))
    return sorted(found)


def _ngrams(texts: Sequence[str | None]) -> Any:
    import scipy.sparse as sp
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(1, 3),
        n_features=_N_FEATURES,
        norm=None,
        alternate_sign=False,
        dtype=np.float64,
    )
    return sp.csr_array(hashing.transform(" ".join(tokenize(t)) if t else "" for t in texts))


def _scores(counts: Any, tags: NDArray[np.str_], texts: Sequence[str | None]) -> NDArray[Any]:
    """Log probability of each language, in sorted order, but for a constant per track."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.naive_bayes import MultinomialNB

    # In the order of the texts, so that the folds do not depend on the order of the tracks.
    order = np.argsort([text or "" for text in texts], kind="stable")
    known, others = (order[mask] for mask in (tags[order] != "", tags[order] == ""))
    model = MultinomialNB(alpha=_SMOOTHING, fit_prior=False)
    scores = np.empty((len(tags), len(set(tags[known]))))
    scores[known] = cross_val_predict(
        model,
        counts[known],
        tags[known],
        cv=StratifiedKFold(MIN_TRACKS),
        method="predict_log_proba",
    )
    if len(others):
        fitted = model.fit(counts[known], tags[known])
        scores[others] = fitted.predict_log_proba(counts[others])
    return scores


def hapax_share(texts: Sequence[str | None]) -> tuple[float, int]:
    """Share of the distinct words that occur in one text only, and how many words there are.

    In people's lyrics it is about half, and more in few of them (Zipf's law); words drawn from a
    list come back in text after text, and the share falls to nothing. NaN without words.
    """
    frequency: Counter[str] = Counter()
    for text in texts:
        if text:
            frequency.update(set(tokenize(text)))
    if not frequency:
        return float("nan"), 0
    return sum(1 for n in frequency.values() if n == 1) / len(frequency), len(frequency)
