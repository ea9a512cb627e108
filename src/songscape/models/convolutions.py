"""Convolutions over time: the way into and out of a network for a sequence of feature vectors."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

__all__ = ["ConvEntry", "ConvHead"]

CONV_CHANNELS = (32, 64, 64)
KERNEL, STRIDE = 5, 2


class ConvEntry(nn.Module):
    """Strided convolutions over time, then a dense layer."""

    def __init__(self, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        channels = (shape[0], *CONV_CHANNELS)
        layers: list[nn.Module] = []
        for before, after in pairwise(channels):
            layers += [nn.Conv1d(before, after, KERNEL, STRIDE, KERNEL // 2), nn.SiLU()]
        self.convolutions = nn.Sequential(*layers)
        self.out = nn.Linear(channels[-1] * _lengths(shape[1])[-1], width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.convolutions(x).flatten(1))  # type: ignore[no-any-return]


class ConvHead(nn.Module):
    """A dense layer, then transposed convolutions back to the length of the input."""

    def __init__(self, width: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        channels = (*reversed(CONV_CHANNELS), shape[0])
        lengths = _lengths(shape[1])[::-1]
        self.start = (channels[0], lengths[0])
        self.into = nn.Linear(width, channels[0] * lengths[0])
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(channels)):
            extra = lengths[i + 1] - (STRIDE * (lengths[i] - 1) + 1)
            layers += [
                nn.SiLU(),
                nn.ConvTranspose1d(before, after, KERNEL, STRIDE, KERNEL // 2, extra),
            ]
        self.convolutions = nn.Sequential(*layers)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.convolutions(self.into(hidden).unflatten(1, self.start))  # type: ignore[no-any-return]


def _lengths(n_steps: int) -> list[int]:
    """Lengths of a sequence before and after each strided convolution."""
    lengths = [n_steps]
    for _ in CONV_CHANNELS:
        lengths.append((lengths[-1] - 1) // STRIDE + 1)
    return lengths
