"""musicnn: a convolutional tagger of music, from the weights in the package of that name.

Pons and Serra (2019), "musicnn: pre-trained convolutional neural networks for music audio
tagging". The weights are those of MagnaTagATune: songs that collections hold were not in it. The
network is written again in torch; the package's own needs TensorFlow and an old NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songscape.errors import SongscapeError
from songscape.features.encoders.registry import load_network
from songscape.features.encoders.sound import Sound
from songscape.features.encoders.tf_bundle import read_tensors

if TYPE_CHECKING:
    from torch import Tensor

SOUND = Sound(n_fft=512, hop=256, n_mels=96, n_frames=187)
_VOICES = [13, 15, 18, 19, 20, 26, 27, 33, 36, 39, 40, 48]
"""Of the network's 50 tags: "vocal", "female", "male", "singing", "man", "voice", and so on."""
_LEAST_LIKELY = 0.15
_EPSILON = 1e-3
_ROWS_AT_ONCE = 16  # frames: their spectra for all filters (1.3 MB) stay in the second-level cache

Array = NDArray[np.float32]


def load(folder: Path) -> Musicnn:
    """The network with the package's weights; raises `SongscapeError` if they are not whole."""
    weights = folder / "MTT_musicnn"
    return Musicnn(read_tensors(weights / ".index", weights / ".data-00000-of-00001"))


class Musicnn:
    """Patches of mel power (n, 187, 96) -> means and maxima over time, (n, 1506).

    Five kinds of filters (two of timbre: 7 frames by 38 and 67 bands; three of time: 128, 64 and 32
    frames of one band), the largest value over frequency of each, three convolutions over time, and
    of all 753 channels the mean and then the maximum over the patch: `mean_pool` and `max_pool` of
    the package.

    Parameters
    ----------
    weights : mapping of name to ndarray
        As they are called in the checkpoint.
    """

    sound = SOUND

    def __init__(self, weights: Mapping[str, Array]) -> None:
        import torch

        self._tensors = {name: torch.from_numpy(values) for name, values in weights.items()}
        self._norms = [self._norm(number) for number in range(9)]
        kernels = [self._kernel(number) for number in range(8)]
        self._front = [
            (_Timbre if number < 2 else _Time)(*kernels[number], *self._norms[number + 1])
            for number in range(5)
        ]
        # The last three go over (time, channels), as if those were bands.
        self._middle = [(k[:, 0].transpose(1, 2).contiguous(), bias) for k, bias in kernels[5:]]

    def __call__(self, patches: Array, _: float = 1.0) -> Array:
        """Describe patches; how loud the clip is does not count."""
        import torch

        mel = torch.from_numpy(np.log10(np.float32(10_000.0) * patches + np.float32(1.0)))
        with torch.inference_mode():
            found = [self._patch(one) for one in mel]
        return np.stack([one.numpy() for one in found])

    def tags(self, vectors: Array) -> Array:
        """How likely its 50 tags are, (n, 50), of what it made of patches, (n, 1506)."""
        import torch

        mean, largest = torch.from_numpy(np.asarray(vectors, np.float32)).chunk(2, dim=1)
        found = torch.stack([largest, mean], 2).flatten(1)
        for name, (factor, shift) in zip(("dense", "dense_1"), (self._norm(9), self._norm(10))):
            found = found.relu() if name == "dense_1" else found
            kernel, bias = self._tensor(f"{name}/kernel", 2), self._tensor(f"{name}/bias", 1)
            found = (found * factor + shift) @ kernel + bias
        return np.asarray(found.sigmoid().numpy())

    def _patch(self, mel: Tensor) -> Tensor:
        from torch import cat
        from torch.nn.functional import conv1d, pad, relu

        factor, shift = self._norms[0]
        mel = mel * factor + shift
        channels = [cat([filters(mel) for filters in self._front])]
        for (kernel, bias), (factor, shift) in zip(self._middle, self._norms[6:]):
            found = relu(conv1d(pad(channels[-1], (3, 3)), kernel, bias))
            found = found * factor[:, None] + shift[:, None]
            channels.append(found + channels[-1] if len(channels) > 1 else found)
        every = cat(channels)
        return cat([every.mean(dim=1), every.amax(dim=1)])

    def _kernel(self, number: int) -> tuple[Tensor, Tensor]:
        """Filters (n, 1, time, frequency) and their biases."""
        name = f"conv2d_{number}" if number else "conv2d"
        kernel = self._tensor(f"{name}/kernel", 4)
        return kernel.permute(3, 2, 0, 1).contiguous(), self._tensor(f"{name}/bias", 1)

    def _norm(self, number: int) -> tuple[Tensor, Tensor]:
        """Factors and shifts of a batch normalisation."""
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        gamma, beta, mean, variance = (
            self._tensor(f"{name}/{part}", 1)
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        factor = gamma / (variance + _EPSILON).sqrt()
        return factor, beta - mean * factor

    def _tensor(self, name: str, n_axes: int) -> Tensor:
        found = self._tensors.get(name)
        if found is None or found.ndim != n_axes:
            raise SongscapeError(f"the weights of musicnn have no {name} of {n_axes} axes")
        return found


def heard_voices(vectors: Array, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the tagger hears a voice in tracks: (n_tracks,), of segments and their mask.

    Raises `SongscapeError` if the package of the weights is not there, or not whole.
    """
    network: Musicnn = load_network("musicnn")
    tags = [network.tags(some[there]).mean(axis=0) for some, there in zip(vectors, mask)]
    return np.array([one[_VOICES].max() >= _LEAST_LIKELY for one in tags], bool)


class _Largest:
    """The largest value over frequency of what filters give, rectified and normalised."""

    def __init__(self, bias: Tensor, factor: Tensor, shift: Tensor) -> None:
        # Where the factor is negative the smallest value becomes the largest, and that is the
        # largest of what the filter turned round gives.
        self.sign = factor.sign()
        self._bias, self._factor, self._shift = bias, factor, shift

    def __call__(self, found: Tensor) -> Tensor:
        """Maxima (n_frames, n_filters) before all that -> (n_filters, n_frames)."""
        end = (found * self.sign + self._bias).relu()
        return (end * self._factor + self._shift).T


class _Time:
    """Filters of many frames by one band: (n_frames, 96) -> (n_filters, n_frames)."""

    def __init__(self, kernel: Tensor, *norm: Tensor) -> None:
        self._largest = _Largest(*norm)
        self._kernel = kernel.flatten(1)[:, None] * self._largest.sign[:, None, None]

    def __call__(self, mel: Tensor) -> Tensor:
        from torch.nn.functional import conv1d, pad

        size = self._kernel.shape[2]
        bands = pad(mel.T, ((size - 1) // 2, size // 2))[:, None]
        return self._largest(conv1d(bands, self._kernel).amax(dim=0).T)


class _Timbre:
    """Filters of a few frames by many bands: (n_frames, 96) -> (n_filters, n_frames).

    Products of spectra instead of sums of products: by a discrete Fourier transform of the 96 bands
    it needs 2.6 times fewer multiplications, and gives the same (but for rounding).
    """

    def __init__(self, kernel: Tensor, *norm: Tensor) -> None:
        import torch

        n_bands, width = SOUND.n_mels, kernel.shape[3]
        n_bins, n_places = n_bands // 2 + 1, n_bands - width + 1
        self._largest = _Largest(*norm)
        bins = torch.arange(n_bins, dtype=torch.float64)
        turns = bins[:, None] * torch.arange(n_bands) * (2 * np.pi / n_bands)
        self._transform = torch.cat([turns.cos(), -turns.sin()]).T.float().contiguous()
        # Each bin counts twice, as it stands for its mirror image too, but for the first and last.
        weight = torch.where((bins == 0) | (bins == n_bins - 1), 1.0, 2.0)[:, None] / n_bands
        back = torch.cat([turns.cos() * weight, -turns.sin() * weight])[:, :n_places]
        self._back = back.T.float().contiguous()
        signed = kernel[:, 0].double() * self._largest.sign[:, None, None]
        spectra = torch.fft.rfft(signed, n=n_bands).conj().permute(2, 1, 0)
        real, imaginary = spectra.real, spectra.imag  # (bins, frames, filters)
        both = [torch.cat([real, -imaginary], 1), torch.cat([imaginary, real], 1)]
        self._products = torch.stack(both).float().contiguous()

    def __call__(self, mel: Tensor) -> Tensor:
        import torch

        _, n_bins, length, n_filters = self._products.shape
        around = length // 4
        padded = torch.nn.functional.pad(mel, (0, 0, around, around))
        spectra = (padded @ self._transform).unfold(0, length // 2, 1)
        rows = spectra.reshape(len(mel), 2, n_bins, -1).permute(2, 0, 1, 3).flatten(2)
        found = torch.empty(len(mel), n_filters)
        for start in range(0, len(mel), _ROWS_AT_ONCE):
            some = rows[:, start : start + _ROWS_AT_ONCE]
            product = torch.empty(2, n_bins, some.shape[1], n_filters)
            for part, factors in zip(product, self._products):
                torch.bmm(some, factors, out=part)
            places = self._back @ product.view(2 * n_bins, -1)
            found[start : start + _ROWS_AT_ONCE] = places.amax(dim=0).view(-1, n_filters)
        return self._largest(found)
