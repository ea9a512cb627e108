"""A small collection with known structure: six hidden factors behind every view."""

import numpy as np
import pytest
import scipy.sparse as sp

from songscape.features.views import View, Views

N_TRACKS, N_WORDS = 60, 30


def make_views(n: int = N_TRACKS, seed: int = 0) -> Views:
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((n, 6))

    def block(*shape: int) -> np.ndarray:
        mixing = rng.standard_normal((6, int(np.prod(shape))))
        signal = factors @ mixing + rng.standard_normal((n, mixing.shape[1]))
        return (5.0 + 3.0 * signal.reshape(n, *shape)).astype(np.float32)

    everywhere = np.ones(n, dtype=bool)
    has_lyrics = np.arange(n) % 5 != 0
    lengths = np.where(np.arange(n) % 7 == 0, 17, 24)
    frames = np.arange(24) < lengths[:, None]
    mfcc = block(8, 24) * frames[:, None, :]
    segments = block(1, 12) + rng.standard_normal((n, 4, 12)).astype(np.float32)
    rates = np.exp(factors @ rng.standard_normal((6, N_WORDS)) - 1.0)
    counts = rng.poisson(rates) * has_lyrics[:, None]
    counts[has_lyrics & (counts.sum(1) == 0), 0] = 1
    norms = np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1.0)
    words = tuple(f"word{i}" for i in range(N_WORDS))
    lyrics = View(
        sp.csr_array((counts / norms).astype(np.float32)), has_lyrics, feature_names=words
    )
    beats = factors @ np.random.default_rng(seed + 1).standard_normal((6, 9))
    languages = np.eye(3, dtype=np.float32)[rng.integers(0, 3, n)]
    known = has_lyrics.copy()
    return Views(
        tuple(f"track{i:03d}" for i in range(n)),
        {
            "timbre": View(block(20), everywhere),
            "rhythm": View(beats.astype(np.float32), everywhere),
            "mfcc": View(mfcc.astype(np.float32), everywhere, frames, step_axis=2),
            "segments": View(segments, everywhere, np.ones((n, 4), bool), step_axis=1),
            "lyrics": lyrics,
            "lyrics-tfidf": lyrics,
            "language": View(languages * known[:, None], known, feature_names=("bn", "de", "en")),
        },
    )


@pytest.fixture(scope="session")
def views() -> Views:
    return make_views()
