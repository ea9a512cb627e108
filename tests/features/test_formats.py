"""Every format that the page of formats names: channels, rates, sample types, containers."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from audio_files import write_tagged

from songscape.features.analyse import analyse_file
from songscape.features.decode import Decoder, load_mono

SECONDS = 1.5


def tone(rate: int, channels: int, hz: float = 440.0) -> np.ndarray:
    """The same tone in every channel, (n, channels)."""
    time = np.arange(int(SECONDS * rate)) / rate
    return np.repeat((0.5 * np.sin(2 * np.pi * hz * time))[:, None], channels, axis=1)


def check(path, rate: int, channels: int, tolerance: float = 0.01) -> None:
    """The tone comes back: its length, its pitch, its level."""
    decoder = Decoder(path)
    samples = np.concatenate([block.copy() for block in decoder.blocks()])
    assert (decoder.first.sample_rate, decoder.first.channels) == (rate, channels)
    assert len(samples) == pytest.approx(SECONDS * 22_050, rel=0.1)
    middle = samples[4096:-4096]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * 22_050 / len(middle) == pytest.approx(440.0, abs=2.0)
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5, rel=tolerance)


@pytest.mark.parametrize("channels", [1, 2, 4, 6, 8])
@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_mono_to_seven_one_at_any_rate(tmp_path, channels, rate):
    path = tmp_path / "x.flac"
    soundfile.write(path, tone(rate, channels), rate)
    check(path, rate, channels)


@pytest.mark.parametrize(
    ("name", "container", "subtype"),
    [
        ("x.wav", "WAV", "PCM_U8"),
        ("x.wav", "WAV", "PCM_24"),
        ("x.wav", "WAV", "PCM_32"),
        ("x.wav", "WAV", "FLOAT"),
        ("x.wav", "WAV", "DOUBLE"),
        ("x.wav", "WAVEX", "PCM_24"),
        ("x.wav", "RF64", "PCM_16"),
        ("x.rf64", "RF64", "PCM_24"),
        ("x.w64", "W64", "PCM_16"),
        ("x.aiff", "AIFF", "PCM_24"),
        ("x.aifc", "AIFF", "FLOAT"),
        ("x.caf", "CAF", "PCM_16"),
        ("x.au", "AU", "PCM_16"),
        ("x.flac", "FLAC", "PCM_24"),
        ("x.mp3", "MP3", "MPEG_LAYER_III"),
        ("x.ogg", "OGG", "VORBIS"),
    ],
)
def test_sample_types_and_containers(tmp_path, name, container, subtype):
    path = tmp_path / name
    soundfile.write(path, tone(44_100, 2), 44_100, format=container, subtype=subtype)
    check(path, 44_100, 2, 0.05)


@pytest.mark.parametrize("suffix", ["m4a", "wma", "wv", "mka", "opus"])
def test_what_the_second_decoder_reads(tmp_path, suffix):
    path = write_tagged(tmp_path / f"x.{suffix}", {}, SECONDS)
    samples = load_mono(path)
    assert len(samples) == pytest.approx(SECONDS * 22_050, rel=0.1)
    assert np.sqrt(np.mean(samples[4096:-4096] ** 2)) > 0.02
    assert analyse_file(str(path)).failure is None


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("x.m4a", b"\0\0\0\x20ftypM4A \0\0\0\0"),
        ("x.wma", b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa\0b\xcel"),
        ("x.wv", b"wvpk\0\1\2\0\x10\4\0\0"),
        ("x.ape", b"MAC \x96\x0f\0\0\x34\0\0\0"),
        ("x.mka", b"\x1aE\xdf\xa3\x93B\x82\x88matroska"),
    ],
)
def test_what_is_not_installed_is_named(tmp_path, monkeypatch, name, head):
    path = tmp_path / name
    path.write_bytes(head + bytes(range(256)) * 40)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    failure = analyse_file(str(path)).failure or ""
    assert 'pip install "songscape[m4a]"' in failure
    assert len(failure.splitlines()) == 1
