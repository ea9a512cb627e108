"""Likelihoods, divergences and products of experts against scipy, torch.distributions, algebra."""

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from songscape.models.likelihoods import (
    gaussian_log_likelihood,
    multinomial_log_likelihood,
    von_mises_fisher_log_likelihood,
)
from songscape.models.networks import product_of_experts
from songscape.models.priors import MixturePrior, normal_kl, normal_log_density


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def tensor(array: object) -> torch.Tensor:
    return torch.as_tensor(np.asarray(array, dtype=np.float64))


def test_gaussian_agrees_with_scipy_and_skips_what_is_not_data(rng: np.random.Generator) -> None:
    x, mean = rng.standard_normal((2, 4, 3, 5))
    log_scale = rng.standard_normal((3, 1)) * 0.3
    weight = rng.integers(0, 2, (4, 1, 5))
    expected = (scipy.stats.norm.logpdf(x, mean, np.exp(log_scale)) * weight).sum(axis=(1, 2))
    ours = gaussian_log_likelihood(tensor(x), tensor(mean), tensor(log_scale), tensor(weight))
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_multinomial_agrees_with_scipy_up_to_its_coefficient(rng: np.random.Generator) -> None:
    counts = rng.integers(0, 6, (5, 7))
    first, second = rng.standard_normal((2, 5, 7))

    def reference(logits: np.ndarray) -> np.ndarray:
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        return scipy.stats.multinomial.logpmf(counts, counts.sum(1), p)

    def ours(logits: np.ndarray) -> np.ndarray:
        weight = torch.ones(5, 1)
        return multinomial_log_likelihood(tensor(counts), tensor(logits), weight).numpy()

    np.testing.assert_allclose(
        ours(first) - ours(second), reference(first) - reference(second), rtol=1e-9
    )


def test_multinomial_total_makes_every_lyric_count_the_same(rng: np.random.Generator) -> None:
    words, logits = rng.random((3, 7)), rng.standard_normal((3, 7))
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = 200 * (words / words.sum(1, keepdims=True) * log_p).sum(1)
    for factor in (1.0, 40.0):
        ours = multinomial_log_likelihood(
            tensor(words * factor), tensor(logits), torch.ones(3, 1), 200.0
        )
        np.testing.assert_allclose(ours, expected, rtol=1e-9)


def test_absent_lyrics_have_no_likelihood() -> None:
    zero = torch.zeros(2, 4)
    logits = torch.randn(2, 4, generator=torch.Generator().manual_seed(0))
    assert multinomial_log_likelihood(zero, logits, torch.zeros(2, 1), 200.0).tolist() == [0, 0]


def test_kl_agrees_with_torch_distributions_and_with_sampling(rng: np.random.Generator) -> None:
    mean, log_variance = tensor(rng.standard_normal((3, 4))), tensor(rng.standard_normal((3, 4)))
    posterior = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(posterior, prior)
    torch.testing.assert_close(normal_kl(mean, log_variance), expected)
    noise = tensor(rng.standard_normal((40_000, 3, 4)))
    z = mean + noise * posterior.stddev
    sampled = (posterior.log_prob(z) - prior.log_prob(z)).mean(0)
    torch.testing.assert_close(sampled, expected, rtol=0.05, atol=0.05)


def test_log_density_agrees_with_torch_distributions(rng: np.random.Generator) -> None:
    z, mean, log_variance = (tensor(a) for a in rng.standard_normal((3, 6, 4)))
    reference = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    torch.testing.assert_close(
        normal_log_density(z, mean, log_variance), reference.log_prob(z).sum(-1)
    )


def test_mixture_prior_agrees_with_torch_distributions(rng: np.random.Generator) -> None:
    prior = MixturePrior(5, 3).double()
    with torch.no_grad():
        prior.logits.copy_(tensor(rng.standard_normal(5)))
        prior.means.copy_(tensor(rng.standard_normal((5, 3))))
        prior.log_variances.copy_(tensor(rng.standard_normal((5, 3))))
    components = torch.distributions.Independent(
        torch.distributions.Normal(prior.means, torch.exp(0.5 * prior.log_variances)), 1
    )
    weights = torch.distributions.Categorical(logits=prior.logits)
    reference = torch.distributions.MixtureSameFamily(weights, components)
    z = tensor(rng.standard_normal((9, 3)))
    torch.testing.assert_close(prior.log_density(z), reference.log_prob(z))
    responsibilities = prior.responsibilities(z)
    torch.testing.assert_close(responsibilities.sum(1), torch.ones(9).double())
    joint = weights.logits + components.log_prob(z[:, None])
    torch.testing.assert_close(responsibilities, torch.exp(joint - reference.log_prob(z)[:, None]))


def test_an_untrained_mixture_is_the_standard_normal(rng: np.random.Generator) -> None:
    z = tensor(rng.standard_normal((9, 3)))
    reference = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1)
    torch.testing.assert_close(MixturePrior(4, 3).double().log_density(z), reference)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(0, 10_000))
def test_product_of_experts_is_the_normalised_product_of_densities(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    means, log_variances = rng.standard_normal((2, 1, n, 1))
    weights = rng.integers(0, 2, (1, n))
    mean, log_variance = product_of_experts(tensor(means), tensor(log_variances), tensor(weights))
    grid = np.linspace(-12, 12, 20_001)
    log_density = scipy.stats.norm.logpdf(grid)
    for i in np.flatnonzero(weights[0]):
        log_density += scipy.stats.norm.logpdf(
            grid, means[0, i, 0], np.exp(0.5 * log_variances[0, i, 0])
        )
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    expected = (density * grid).sum()
    np.testing.assert_allclose(mean.item(), expected, atol=1e-6)
    variance = (density * (grid - expected) ** 2).sum()
    np.testing.assert_allclose(np.exp(log_variance.item()), variance, rtol=1e-5)


@pytest.mark.parametrize("size", [4, 7, 64, 768])
@pytest.mark.parametrize("log_scale", [-1.0, 0.0, 0.7])
def test_von_mises_fisher_agrees_with_scipy(
    rng: np.random.Generator, size: int, log_scale: float
) -> None:
    x, mean = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in rng.normal(size=(2, 5, size))
    )
    reference = scipy.stats.vonmises_fisher
    kappa = size * np.exp(-2 * log_scale)
    expected = [reference(m, kappa).logpdf(row) for row, m in zip(x, mean)]
    ours = von_mises_fisher_log_likelihood(
        tensor(3 * x), tensor(0.2 * mean), tensor([log_scale]), torch.ones(5, 1)
    )
    # Of the truncated expansion of the Bessel function 1e-3 is left at the lowest order.
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=3e-3)


def test_absent_directions_say_nothing(rng: np.random.Generator) -> None:
    weight = tensor([[1.0], [0.0]])
    x = tensor(np.stack([rng.normal(size=8), np.zeros(8)]))
    ours = von_mises_fisher_log_likelihood(
        x, tensor(rng.normal(size=(2, 8))), tensor([0.0]), weight
    )
    assert ours[1] == 0
    assert torch.isfinite(ours).all()
