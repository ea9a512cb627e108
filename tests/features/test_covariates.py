"""Language composition: shares that sum to one, unknown stays unknown."""

import numpy as np
import pandas as pd
import pytest

from songscape.features.covariates import composition_view, language_view


def test_a_song_in_two_languages_lies_between_them() -> None:
    view = composition_view(["German", "English; German", None, "", "French/English"])
    assert view.feature_names == ("English", "French", "German")
    np.testing.assert_array_equal(view.present, [True, True, False, False, True])
    np.testing.assert_allclose(
        view.values, [[0, 0, 1], [0.5, 0, 0.5], [0, 0, 0], [0, 0, 0], [0.5, 0.5, 0]]
    )


def test_languages_comes_before_language_and_falls_back_to_it() -> None:
    labels = pd.DataFrame(
        {"language": ["German", "English", None], "languages": ["German; French", None, None]}
    )
    view = language_view(labels)
    assert view is not None
    assert view.feature_names == ("English", "French", "German")
    np.testing.assert_allclose(view.values[0], [0, 0.5, 0.5])
    np.testing.assert_allclose(view.values[1], [1, 0, 0])
    assert not view.present[2]


@pytest.mark.parametrize(
    "labels", [pd.DataFrame(index=range(3)), pd.DataFrame({"language": [None, None]})]
)
def test_a_collection_without_languages_has_no_such_view(labels: pd.DataFrame) -> None:
    assert language_view(labels) is None
