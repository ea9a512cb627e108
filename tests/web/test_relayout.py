"""The slider between sound and words lays the map out again."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from songscape.neighbours.space import Space
from songscape.web.relayout import laid_out_again


def clouds(of: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(of.max() + 1, 12))[of] * 3 + rng.normal(size=(len(of), 12))


@pytest.mark.parametrize("n", [300, 5_000])  # the second are more than are moved step by step
def test_near_songs_lie_together_where_the_old_map_had_them_apart(n: int) -> None:
    by_sound, by_words = np.arange(n) % 5, np.arange(n) // 3 % 4
    sound, words = clouds(by_sound, 0), clouds(by_words, 1)
    old = (sound[:, :2] / np.abs(sound[:, :2]).max()).astype(np.float32)
    space = Space({"sound": sound, "words": words})
    for weights, vectors in (({"words": 1.0}, words), ({"sound": 0.3, "words": 0.7}, words)):
        new = laid_out_again(old, space, weights)
        assert np.abs(new).max() <= 1
        some = slice(0, 1500)
        before, after = (trustworthiness(vectors[some], p[some]) for p in (old, new))
        assert after > 0.85 > before
        assert np.array_equal(new, laid_out_again(old, space, weights))


def test_songs_without_what_is_weighed_stay_where_they_are() -> None:
    of = np.arange(90) % 3
    sound, words = clouds(of, 0), clouds(of, 1)
    words[60:] = np.nan
    old = np.random.default_rng(2).uniform(-1, 1, size=(90, 2)).astype(np.float32)
    space = Space({"sound": sound, "words": words})
    new = laid_out_again(old, space, {"words": 1.0})
    scale = new[60:] / old[60:]
    assert scale == pytest.approx(scale[0, 0])  # all of the map may be drawn a little smaller
    assert not np.allclose(new[:60], old[:60], atol=0.05)


def test_a_map_that_is_right_already_is_neither_turned_nor_moved() -> None:
    of = np.arange(400) % 4
    sound = clouds(of, 0)
    middles = np.array([[-0.7, -0.6], [-0.5, 0.7], [0.6, 0.6], [0.7, -0.7]], np.float32)
    chance = np.random.default_rng(3).normal(scale=0.08, size=(400, 2))
    old = (middles[of] + chance).astype(np.float32)
    new = laid_out_again(old, Space({"sound": sound}), {"sound": 1.0})
    for group in range(4):
        assert np.linalg.norm(new[of == group].mean(axis=0) - middles[group]) < 0.15


def test_two_songs_are_left_alone() -> None:
    old = np.array([[0, 0], [1, 1]], np.float32)
    space = Space({"sound": np.eye(2)})
    assert np.array_equal(laid_out_again(old, space, {"sound": 1.0}), old)
