"""Songs whose neighbourhoods are known."""

from __future__ import annotations

import numpy as np
import pytest

from songscape.neighbours.index import Index
from songscape.neighbours.songs import Songs


@pytest.fixture
def line() -> Index:
    """Twelve songs on a line, one apart; two languages and four artists in turns."""
    ids = [f"s{i:02}" for i in range(12)]
    columns = {
        "title": [f"Song {i}" for i in range(12)],
        "artist": [f"Artist {i % 4}" for i in range(12)],
        "language": ["German" if i % 2 else "English" for i in range(12)],
    }
    vectors = np.column_stack([np.arange(12.0), np.zeros(12)])
    return Index(ids, vectors, Songs(ids, columns))
