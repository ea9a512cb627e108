"""Decoding against librosa, and everything that can be wrong with a file."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import bare_mp3, write_with_av

from songscape.features.analyse import analyse_file
from songscape.features.container import Contents, read_contents
from songscape.features.decode import DecodeError, Decoder, load_mono

REAL = Path(__file__).parents[3] / "shared" / "data"


def librosa_load(path: Path) -> np.ndarray:
    import librosa

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return librosa.load(path, sr=22_050)[0]


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac", "wav", "aiff", "opus"])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_are_librosas_bit_for_bit(write_song, tmp_path, suffix, channels):
    sr = 48_000 if suffix == "opus" else 44_100
    path = write_song(tmp_path / f"x.{suffix}", 7.0, sr, channels=channels)
    np.testing.assert_array_equal(load_mono(path), librosa_load(path))


@pytest.mark.parametrize("sr", [8_000, 22_050, 24_000, 32_000, 96_000])
def test_every_rate_gives_librosas_samples(write_song, tmp_path, sr):
    path = write_song(tmp_path / "x.wav", 3.1, sr, channels=3)
    np.testing.assert_array_equal(load_mono(path), librosa_load(path))


def test_real_recordings_give_librosas_samples():
    files = sorted(REAL.glob("recorded/audio/*.mp3"))[::20]
    if not files:
        pytest.skip("no example songs here")
    for path in files:
        np.testing.assert_array_equal(load_mono(path), librosa_load(path), err_msg=path.name)


@pytest.mark.parametrize("name", ["x.m4a", "x.aac"])
def test_aac_comes_through_the_second_decoder_at_the_same_loudness(song, tmp_path, name):
    y = song(5.0)
    path = write_with_av(tmp_path / name, y, 44_100, "aac")
    decoder = Decoder(path)
    samples = np.concatenate([block.copy() for block in decoder.blocks()])
    assert decoder.first.codec == "AAC"
    expected = y.mean(axis=1)
    gain = np.sqrt(np.mean(samples**2)) / np.sqrt(np.mean(expected**2))
    assert abs(20 * np.log10(gain)) < 0.2  # FFmpeg's own downmix would be 3 dB louder
    assert len(samples) == pytest.approx(5.0 * 22_050, rel=0.02)


def test_without_the_second_decoder_the_reason_names_the_extra(song, tmp_path, monkeypatch):
    path = write_with_av(tmp_path / "x.m4a", song(2.0), 44_100, "aac")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert 'pip install "songscape[m4a]"' in (analyse_file(str(path)).failure or "")


def test_sixteen_bit_integers_reach_full_scale_once(tmp_path):
    # ALAC gives integer samples; both decoders must agree on what 1.0 is.
    import av

    y = (np.sin(np.arange(44_100 * 2) * 0.05) * 20_000).astype("<i2")
    path = tmp_path / "x.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("alac", rate=44_100, layout="mono")
        for start in range(0, len(y), 4096):
            frame = av.AudioFrame.from_ndarray(
                y[None, start : start + 4096], format="s16p", layout="mono"
            )
            frame.sample_rate = 44_100
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    soundfile.write(tmp_path / "x.wav", y, 44_100)
    np.testing.assert_array_equal(load_mono(path), load_mono(tmp_path / "x.wav"))


def failure(path: Path) -> str:
    analysis = analyse_file(str(path))
    assert analysis.failure is not None
    assert not analysis.features
    assert "\n" not in analysis.failure
    return analysis.failure


def test_empty_file(tmp_path):
    (tmp_path / "x.mp3").touch()
    assert failure(tmp_path / "x.mp3").startswith("empty file (0 bytes); ")


def test_missing_file(tmp_path):
    assert "No such file" in failure(tmp_path / "x.mp3")


@pytest.mark.parametrize("suffix", ["mp3", "wav", "ogg", "m4a"])
def test_text_named_as_audio(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    path.write_text("la la la, das Lied ist aus, গান\n" * 300, encoding="utf-8")
    assert failure(path).startswith("not audio (looks like text); ")


@pytest.mark.parametrize("seed", range(3))
def test_noise_named_as_audio(tmp_path, seed):
    path = tmp_path / "x.mp3"
    path.write_bytes(np.random.default_rng(seed).bytes(20_000))
    failure(path)


def test_zip_named_as_audio(tmp_path):
    (tmp_path / "x.mp3").write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)
    assert "looks like a ZIP" in failure(tmp_path / "x.mp3")


def test_a_tenth_of_a_second_is_too_short(write_song, tmp_path):
    reason = failure(write_song(tmp_path / "x.wav", 0.1))
    assert reason.startswith("too short: 0.10 s of audio, at least 1 s")


@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac"])
def test_silence(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    soundfile.write(path, np.zeros((44_100 * 2, 2)), 44_100)
    assert failure(path).startswith("silent")


def test_nan_and_infinite_samples_are_counted(song, tmp_path):
    y = song(2.0)
    y[1000:1100, 0] = np.nan
    y[50_000, 1] = np.inf
    soundfile.write(tmp_path / "x.wav", y, 44_100, subtype="FLOAT")
    assert failure(tmp_path / "x.wav").startswith("101 of 176,400 samples are NaN")


def test_opposite_infinities_do_not_cancel(song, tmp_path):
    y = song(2.0)
    y[10] = (np.inf, -np.inf)
    soundfile.write(tmp_path / "x.wav", y, 44_100, subtype="FLOAT")
    assert failure(tmp_path / "x.wav").startswith("2 of")


@pytest.mark.parametrize("rate", [1, 3_999, 4_000_000])
def test_absurd_sample_rate(tmp_path, rate):
    soundfile.write(tmp_path / "x.wav", np.ones(1000) * 0.1, rate)
    assert f"sample rate of {rate} Hz" in failure(tmp_path / "x.wav")


def test_absurd_levels(song, tmp_path):
    soundfile.write(tmp_path / "x.wav", song(2.0) * 1e20, 44_100, subtype="FLOAT")
    assert "expected -1 to 1" in failure(tmp_path / "x.wav")


def contents(path: Path) -> Contents:
    with path.open("rb") as file:
        return read_contents(file)


def cut(path: Path, share: float, name: str) -> Path:
    data = path.read_bytes()
    shorter = path.with_name(name + path.suffix)
    shorter.write_bytes(data[: int(len(data) * share)])
    return shorter


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "flac", "wav", "aiff", "opus"])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_truncated_files_are_decoded_as_far_as_they_go_and_named(
    write_song, tmp_path, suffix, share
):
    sr = 48_000 if suffix == "opus" else 44_100
    whole = write_song(tmp_path / f"whole.{suffix}", 8.0, sr)
    assert analyse_file(str(whole)).warnings == ()
    analysis = analyse_file(str(cut(whole, share, "cut")))
    assert analysis.failure is None
    assert any(text.startswith("truncated: ") for text in analysis.warnings)
    assert analysis.facts["duration_s"] == pytest.approx(8.0 * share, rel=0.25)


def test_truncation_shows_in_an_mp3_without_a_length_header(write_song, tmp_path):
    bare = bare_mp3(write_song(tmp_path / "x.mp3", 6.0))
    assert contents(bare).parts[0].cut is False
    assert analyse_file(str(bare)).warnings == ()
    analysis = analyse_file(str(cut(bare, 0.4, "cut")))
    assert analysis.warnings[0].startswith("truncated: the file ends in the middle")


def test_tags_around_an_mp3_are_no_truncation(write_song, tmp_path):
    bare = bare_mp3(write_song(tmp_path / "x.mp3", 3.0))
    size = 3000
    id3 = b"ID3\x04\0\0" + bytes([0, 0, size >> 7, size & 127]) + bytes(size)
    bare.write_bytes(id3 + bare.read_bytes() + b"TAG" + bytes(125))
    assert analyse_file(str(bare)).warnings == ()


@pytest.mark.parametrize("folder", ["artsong", "recorded", "songtraditions"])
def test_real_songs_cut_short_are_named_and_whole_ones_are_not(tmp_path, folder):
    files = sorted((REAL / folder / "audio").glob("*.mp3"))[:: 70 if folder != "recorded" else 23]
    if not files:
        pytest.skip("no example songs here")
    for path in files:
        assert analyse_file(str(path)).warnings == (), path.name
        shorter = tmp_path / path.name
        shorter.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 5])
        analysis = analyse_file(str(shorter))
        assert analysis.failure is None
        assert any(text.startswith("truncated: ") for text in analysis.warnings), path.name


def test_a_recorder_that_never_filled_in_the_wav_length_is_no_truncation(write_song, tmp_path):
    path = write_song(tmp_path / "x.wav", 3.0)
    data = bytearray(path.read_bytes())
    at = data.find(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(data)
    assert contents(path).parts[0].cut is False


def test_facts_come_from_the_file(song, tmp_path):
    y = song(3.0)
    soundfile.write(tmp_path / "x.flac", y, 44_100)
    facts = analyse_file(str(tmp_path / "x.flac")).facts
    mono = soundfile.read(tmp_path / "x.flac")[0].mean(axis=1)
    assert facts["duration_s"] == 3.0
    assert (facts["sample_rate"], facts["channels"]) == (44_100, 2)
    assert (facts["container"], facts["codec"]) == ("FLAC", "PCM_16")
    assert facts["size_bytes"] == (tmp_path / "x.flac").stat().st_size
    assert facts["loudness_dbfs"] == pytest.approx(10 * np.log10(np.mean(mono**2)), abs=1e-4)
    assert facts["peak_dbfs"] == pytest.approx(20 * np.log10(np.abs(mono).max()), abs=1e-4)


def test_lossless_copies_share_a_digest_and_other_songs_do_not(song, tmp_path):
    y = (song(2.0) * 32767).astype("<i2")
    for name in ("a.wav", "b.flac", "c.aiff"):
        soundfile.write(tmp_path / name, y, 44_100, subtype="PCM_16")
    soundfile.write(tmp_path / "d.wav", song(2.0, seed=9), 44_100)
    digests = [
        analyse_file(str(tmp_path / name)).facts["digest"]
        for name in ("a.wav", "b.flac", "c.aiff", "d.wav")
    ]
    assert len(set(digests[:3])) == 1
    assert digests[3] != digests[0]


def test_unreadable_sample_rate_is_refused_before_decoding(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.ones(10), 7)
    with pytest.raises(DecodeError, match="header is broken"):
        Decoder(tmp_path / "x.wav")


@pytest.mark.parametrize("suffix", ["flac", "wav", "aiff", "ogg", "opus", "mp3", "m4a"])
def test_a_part_of_a_file_is_the_same_to_the_bit_without_all_before_it(
    song, tmp_path, suffix, monkeypatch
):
    path, rate = tmp_path / f"a.{suffix}", 48_000 if suffix == "opus" else 44_100
    y = song(20.0, rate)
    if suffix == "m4a":
        write_with_av(path, y, rate, "aac")
    else:
        options = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
        soundfile.write(path, y, rate, **options)
    whole = load_mono(path, rate)
    decoded: list[int] = []
    everything = Decoder._everything

    def counted(self):
        for number, its_rate, block in everything(self):
            decoded.append(len(block))
            yield number, its_rate, block

    monkeypatch.setattr(Decoder, "_everything", counted)
    for start, end in ((12.25, 14.5), (12.25, None), (0.5, 2.0)):
        decoded.clear()
        blocks = [b.copy() for b in Decoder(path, rate, span=(start, end)).blocks()]
        expected = whole[round(start * rate) : None if end is None else round(end * rate)]
        np.testing.assert_array_equal(np.concatenate(blocks), expected)
        if suffix != "m4a":  # FFmpeg reads from the front
            assert sum(decoded) <= len(expected) + 4.5 * rate
