"""Inputs: what a view's standardisation is computed from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from songscape.features.views import View
from songscape.models.standardisation import fit_input


@pytest.mark.parametrize("step_axis", [1, 2])
def test_sequence_without_a_mask_is_standardised_as_one_whose_steps_are_all_valid(
    step_axis: int,
) -> None:
    values = 3 + 2 * np.random.default_rng(0).standard_normal((50, 4, 30)).astype(np.float32)
    view = View(values, np.arange(50) != 7, step_axis=step_axis)
    masked = replace(view, mask=np.ones((50, values.shape[step_axis]), bool))
    plain, whole = fit_input("x", view), fit_input("x", masked)
    np.testing.assert_allclose(plain.mean, whole.mean, rtol=1e-6)
    np.testing.assert_allclose(plain.scale, whole.scale, rtol=1e-6)
    read = plain.read(view, np.flatnonzero(view.present))[0]
    np.testing.assert_allclose(read.std(), 1.0, rtol=1e-3)
