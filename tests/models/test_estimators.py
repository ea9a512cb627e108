"""scikit-learn's own checks: a single dense view makes an ordinary transformer."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from song_vae import song_vae

from songscape.models.linear import BlockPCA
from songscape.models.references import ViewOnly

ESTIMATORS = [
    song_vae(epochs=2, latent_dim=2, hidden=(8,)),
    BlockPCA(n_components=3),
    BlockPCA(n_components=None, joint=True),
    ViewOnly("x"),
    ViewOnly("x", presence=True),
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_check(estimator: Any, check: Any) -> None:
    check(estimator)
