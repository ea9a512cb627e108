"""Corrections hold by their definition, and verdicts follow them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from songscape.statistics.intervals import Difference, paired_difference
from songscape.statistics.multiple_tests import holm, verdicts


def test_equal_methods_are_not_distinguishable():
    values = np.random.default_rng(0).normal(size=(3, 50))
    found = paired_difference(values, values)
    assert (found.estimate, found.p_value) == (0.0, 1.0)
    verdict = verdicts({"pca": found}, "balanced-pca")["pca"]
    assert str(verdict) == "not distinguishable from balanced-pca"


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


def test_verdicts_turn_round_where_less_is_better():
    less = Difference(-0.2, -0.3, -0.1, 0.001, 50)
    assert verdicts({"m": less}, "b")["m"].word == "worse than"
    assert verdicts({"m": less}, "b", higher_is_better=False)["m"].word == "better than"
    unsure = Difference(-0.2, -0.5, 0.1, 0.001, 50)
    assert verdicts({"m": unsure}, "b")["m"].word == "not distinguishable from"
