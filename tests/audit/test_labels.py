"""Which columns count as labels."""

import pandas as pd
import pytest

from songscape.audit.labels import label_columns
from songscape.errors import UsageError


def table() -> pd.DataFrame:
    n = 60
    return pd.DataFrame(
        {
            "title": ["same"] * 30 + ["other"] * 30,
            "language": ["de", "en", "tr"] * 20,
            "artist": [f"artist {i // 6}" for i in range(n)],
            "unique": [f"value {i}" for i in range(n)],
            "year": [str(1900 + i // 2) for i in range(n)],
            "decade": [str(10 * (i // 20)) for i in range(n)],
            "constant": ["x"] * n,
            "rare": ["a", "b"] + [None] * (n - 2),
            "source_url": ["http://a", "http://b"] * 30,
        }
    )


def test_columns_that_group_tracks_are_labels_and_others_are_not() -> None:
    assert label_columns(table()) == ["language", "artist", "decade"]


def test_named_columns_are_used_as_they_are() -> None:
    assert label_columns(table(), ["rare", "title"]) == ["rare", "title"]


def test_an_unknown_column_is_a_usage_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no label column 'genre'; the collection has: title"):
        label_columns(table(), ["genre"])
