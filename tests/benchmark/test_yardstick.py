"""The yardstick is the strongest training-free method, over draws of artists."""

import numpy as np
from numpy.typing import NDArray

from songscape.benchmark.evidence import Evidence
from songscape.benchmark.keys import SampleKey
from songscape.benchmark.targets import Targets
from songscape.benchmark.yardstick import yardstick

N = 120
GENRE = np.array(["rock", "pop", "rap"] * 40)
LABELS = ("genre", "mood")
ARTIST = np.repeat(np.arange(30), 4)


def method(
    name: str, genre: NDArray[np.float64], hit: float = 0.5, kind: str = "baseline"
) -> Evidence:
    hits = (np.arange(N) % 10 < 10 * hit).astype(float)
    samples = {SampleKey("hit", "artist"): hits[None]}
    samples |= {SampleKey("knn", label): genre[None] for label in LABELS}
    return Evidence(name, kind, [], samples, {})


def targets() -> Targets:
    columns = dict.fromkeys(LABELS, GENRE) | {"artist": [f"artist {i}" for i in ARTIST]}
    return Targets.from_columns(columns, labels=LABELS, artist="artist")


def test_the_strongest_training_free_method_is_the_yardstick() -> None:
    rng = np.random.default_rng(0)
    shares = rng.uniform(0.3, 0.7, N)
    evidence = [
        method("balanced-pca", shares),
        method("better", shares + 0.1, hit=0.7),
        method("trained", shares + 0.3, hit=0.9, kind="vae"),
        method("known", shares + 0.3, hit=0.9, kind="reference"),
    ]
    assert yardstick(evidence, targets()) == "better"
    assert yardstick(evidence[::-1], targets()) == "better"


def test_a_lead_on_one_figure_alone_makes_no_yardstick() -> None:
    shares = np.random.default_rng(0).uniform(0.3, 0.7, N)
    evidence = [method("finds artists", shares - 0.02, hit=1.0), method("steady", shares)]
    assert yardstick(evidence, targets()) == "steady"


def test_equal_methods_go_by_their_order() -> None:
    shares = np.full(N, 0.5)
    evidence = [method("first", shares), method("second", shares)]
    assert yardstick(evidence, targets()) == "first"


def test_without_a_training_free_method_there_is_no_yardstick() -> None:
    shares = np.full(N, 0.5)
    assert yardstick([method("trained", shares, kind="vae")], targets()) is None
    assert yardstick([method("only", shares)], targets()) == "only"
