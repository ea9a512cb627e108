"""Corrections hold by their definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from songscape.statistics.intervals import holm


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_by_its_definition(p_values):
    adjusted = holm(p_values)
    for alpha in (0.01, 0.05, 0.3):
        rejected = set()
        for rank, index in enumerate(np.argsort(p_values, kind="stable")):
            if p_values[index] * (len(p_values) - rank) > alpha:
                break
            rejected.add(int(index))
        assert {i for i, p in enumerate(adjusted) if p <= alpha} == rejected


def test_untested_methods_do_not_count_as_tests():
    adjusted = holm([0.03, np.nan])
    assert adjusted[0] == 0.03
    assert np.isnan(adjusted[1])
