"""What neutralising hides: poor overlap is found, and figures on shared labels ignore the rest."""

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from songscape.audit.overlap import (
    overlap_findings,
    overlaps,
    shared_label_agreement,
    within_category_agreement,
)
from songscape.features.covariates import composition_view

RNG = np.random.default_rng(0)
LANGUAGES = ["de", "en", "tr"]


def table(n: int = 120) -> tuple[pd.DataFrame, list[str]]:
    language = [LANGUAGES[i % 3] for i in range(n)]
    mood = [("calm", "wild")[i // 3 % 2] for i in range(n)]
    genre = [{"de": "lied", "en": "hymn", "tr": "makam"}[tag] for tag in language]
    labels = pd.DataFrame({"language": language, "mood": mood, "genre": genre})
    labels["poet"] = [f"poet {i % 60}" for i in range(n)]
    return labels, language


def test_only_the_label_that_follows_from_the_language_is_found() -> None:
    labels, language = table()
    view = composition_view(language)
    found = overlap_findings(labels, list(labels), view)
    assert [finding.values["column"] for finding in found] == ["genre"]
    assert found[0].severity == "warning"
    assert "lower bound" in found[0].message
    assert [o.label for o in overlaps(labels, list(labels), view)] == ["mood", "genre"]


def test_shared_labels_are_named_where_there_are_some() -> None:
    labels, language = table()
    genre = list(labels["genre"])
    for row in range(18):
        genre[row] = "folk"
    labels["genre"] = genre
    (finding,) = overlap_findings(labels, ["genre"], composition_view(language))
    assert "on the shared ones (folk)" in finding.message


def test_agreement_on_shared_labels_is_that_of_the_subset() -> None:
    labels, language = table()
    genre = np.where(np.arange(120) % 4 == 0, "makam", labels["mood"])
    language = ["tr" if g == "makam" else tag for g, tag in zip(genre, language)]
    X = RNG.standard_normal((120, 4)) + 2 * (genre == "wild")[:, None]
    found = shared_label_agreement(X, list(genre), composition_view(language))
    inside = genre != "makam"
    near = NearestNeighbors(n_neighbors=10).fit(X[inside]).kneighbors(return_distance=False)
    expected = (genre[inside][near] == genre[inside][:, None]).mean()
    assert found["mean"] == pytest.approx(expected)
    assert found["n_tracks"] == inside.sum()
    assert found["n_values"] == 2


def test_nothing_shared_gives_nothing_to_report() -> None:
    labels, language = table()
    found = shared_label_agreement(
        RNG.standard_normal((120, 2)), list(labels["genre"]), composition_view(language)
    )
    assert np.isnan(found["mean"])
    assert found["n_tracks"] == 0


def test_knowing_the_language_earns_nothing_within_a_language() -> None:
    _, language = table()
    # Most German songs are calm, most others wild: the language alone tells much of the mood.
    mood = ["calm" if (tag == "de") != (i % 7 == 0) else "wild" for i, tag in enumerate(language)]
    noise = RNG.standard_normal((120, 2))
    tells = noise + 100.0 * np.array([LANGUAGES.index(tag) for tag in language])[:, None]
    view = composition_view(language)
    knowing, blind = (shared_label_agreement(X, mood, view)["mean"] for X in (tells, noise))
    assert knowing > blind + 0.1
    within = within_category_agreement(tells, mood, view)
    assert within == within_category_agreement(noise, mood, view)
    by_hand = []
    for tag in LANGUAGES:
        rows = [i for i, t in enumerate(language) if t == tag]
        near = NearestNeighbors(n_neighbors=10).fit(tells[rows]).kneighbors(return_distance=False)
        mine = np.array(mood)[rows]
        by_hand.append((mine[near] == mine[:, None]).mean())
    assert within["mean"] == pytest.approx(np.mean(by_hand))
    assert within["n_used"] == 120


def test_small_categories_are_left_out() -> None:
    language = ["de"] * 30 + ["en"] * 5 + [None] * 5
    X = RNG.standard_normal((40, 2))
    found = within_category_agreement(X, ["a", "b"] * 20, composition_view(language))
    assert found["n_used"] == 30
