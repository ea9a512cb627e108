"""The networks: against their plain definitions, and against what the original packages gave."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from tiny_encoders import musicnn_weights, voice_weights

from songscape.errors import SongscapeError
from songscape.features.encoders import musicnn, voice
from songscape.features.encoders.registry import load_network
from songscape.features.encoders.sound import PatchStream
from songscape.features.encoders.text import encode_lyrics


def plain_musicnn(weights, mel):
    """The network as its paper draws it: every convolution in two dimensions, then its norm."""
    import torch
    import torch.nn.functional as F

    def norm(x, number):
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        parts = ("moving_mean", "moving_variance", "gamma", "beta")
        mean, variance, gamma, beta = (torch.tensor(weights[f"{name}/{p}"]) for p in parts)
        return F.batch_norm(x, mean, variance, gamma, beta, eps=1e-3)

    def conv(x, number, padding):
        name = f"conv2d_{number}" if number else "conv2d"
        kernel = torch.tensor(weights[f"{name}/kernel"]).permute(3, 2, 0, 1)
        return F.relu(F.conv2d(F.pad(x, padding), kernel, torch.tensor(weights[f"{name}/bias"])))

    x = norm(torch.log10(1 + 10_000 * torch.tensor(mel))[:, None], 0)
    front = []
    for number, length in enumerate((7, 7, 128, 64, 32)):
        around = (0, 0, (length - 1) // 2, length // 2)
        front.append(norm(conv(x, number, around), number + 1).amax(dim=3))
    channels = [torch.cat(front, dim=1)]
    for number in (5, 6, 7):
        image = channels[-1].transpose(1, 2)[:, None]
        found = norm(conv(image, number, (0, 0, 3, 3)), number + 1)[..., 0]
        channels.append(found + channels[-1] if number > 5 else found)
    every = torch.cat(channels, dim=1)
    return torch.cat([every.mean(dim=2), every.amax(dim=2)], dim=1).numpy()


def test_musicnn_is_its_plain_definition():
    weights = musicnn_weights(seed=3)
    assert (weights["batch_normalization_1/gamma"] < 0).any()
    mel = np.random.default_rng(0).exponential(1e-3, (2, 187, 96)).astype(np.float32)
    floats = {name: values for name, values in weights.items() if values.dtype == np.float32}
    found = musicnn.Musicnn(floats)(mel)
    expected = plain_musicnn(weights, mel)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_weights_that_lack_a_layer_are_named():
    weights = musicnn_weights()
    del weights["conv2d_3/kernel"], weights["global_step"]
    with pytest.raises(SongscapeError, match="no conv2d_3/kernel of 4 axes"):
        musicnn.Musicnn(weights)


def test_voice_is_a_recurrent_network_of_three_layers():
    state = voice_weights()
    rng = np.random.default_rng(0)
    mel = rng.exponential(1.0, (2, 12, 40)).astype(np.float32)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    steps = list(mel.transpose(1, 0, 2).astype(float))
    for layer in range(3):
        own = [state[f"lstm.{k}_l{layer}"].double().numpy() for k in ("weight_ih", "weight_hh")]
        bias = sum(state[f"lstm.bias_{k}_l{layer}"].double().numpy() for k in ("ih", "hh"))
        hidden = cell = np.zeros((2, 256))
        for at, x in enumerate(steps):
            i, f, g, o = np.split(x @ own[0].T + hidden @ own[1].T + bias, 4, axis=1)
            cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
            hidden = sigmoid(o) * np.tanh(cell)
            steps[at] = hidden
    weight, bias = (state[f"linear.{k}"].double().numpy() for k in ("weight", "bias"))
    expected = np.maximum(hidden @ weight.T + bias, 0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    network = voice.Voice(state)
    np.testing.assert_allclose(network(mel, 1.0), expected, atol=1e-6)
    quiet = network(mel * np.float32(1e-4), 10 ** (-30 / 20) / 100)
    np.testing.assert_allclose(quiet, expected, atol=1e-5, err_msg="raised by 40 dB")


def test_a_file_of_weights_runs_no_code(tmp_path):
    import torch

    class Evil:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    file = tmp_path / "pretrained.pt"
    torch.save({"model_state": Evil()}, file)
    with pytest.raises(SongscapeError, match="holds more than numbers"):
        voice.load(tmp_path)
    file.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(SongscapeError, match="holds more than numbers"):
        voice.load(tmp_path)
    assert not (tmp_path / "ran").exists()
    state = voice_weights()
    del state["lstm.weight_hh_l2"]
    torch.save({"model_state": state}, file)
    with pytest.raises(SongscapeError, match="no weights of this encoder") as caught:
        voice.load(tmp_path)
    assert "\n" not in str(caught.value)
    file.unlink()
    with pytest.raises(SongscapeError, match="No such file"):
        voice.load(tmp_path)


@pytest.mark.encoders
@pytest.mark.parametrize("name", ["musicnn", "voice"])
def test_sound_is_heard_as_the_original_package_hears_it(name, originals, references):
    network, samples = load_network(name), originals.clip()
    stream = PatchStream(network.sound)
    for part in np.array_split(samples, 37):
        stream.push(part)
    found = network(stream.finish(), float(np.sqrt(np.mean(samples.astype(float) ** 2))))
    error = np.linalg.norm(found - references[name], axis=1)
    assert found.shape == references[name].shape
    assert (error < 1e-3 * np.linalg.norm(references[name], axis=1)).all()


@pytest.mark.encoders
def test_tags_are_those_of_the_original_package(references):
    vectors, tags = np.split(references["musicnn_tags"], [1506], axis=1)
    np.testing.assert_allclose(load_network("musicnn").tags(vectors), tags, atol=1e-5)


@pytest.mark.encoders
@pytest.mark.parametrize("name", ["e5", "use"])
def test_words_are_read_as_the_original_package_reads_them(name, originals, references):
    found = encode_lyrics(name, originals.SONGS).features["vectors"]
    np.testing.assert_allclose(found, references[name], atol=1e-3)
