"""What is no audio, no file or no honest file: refused with a reason, at bounded cost."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import write_with_av

from songscape.features import decode
from songscape.features.analyse import analyse_file
from songscape.features.decode import load_mono

# Names by which a decoder would take anything for sound without a head, and usual ones.
NAMES = (
    "x.au",
    "x.snd",
    "x.gsm",
    "x.vox",
    "x.raw",
    "x.g722",
    "x.sln",
    "x.sb",
    "x.mp3",
    "x.wav",
    "x",
)


def failure(path: Path) -> str:
    analysis = analyse_file(str(path))
    assert analysis.failure is not None
    assert not analysis.features
    assert len(analysis.failure.splitlines()) == 1
    return analysis.failure


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("notes", np.random.default_rng(0).bytes(60_000))
    return buffer.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_makes_nothing_audio(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(zipped())
    assert failure(path) == "not audio (looks like a ZIP); rename or remove it"
    path.write_bytes(np.random.default_rng(1).bytes(60_000))
    assert failure(path)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_hides_no_audio(write_song, tmp_path, name):
    path = write_song(tmp_path / "a.flac", 2.0, 22_050)
    named = tmp_path / name
    named.write_bytes(path.read_bytes())
    np.testing.assert_array_equal(load_mono(named), load_mono(path))


@pytest.mark.parametrize(
    "start", [b"\x01\x04" + bytes(60), b"\0\0\0\x64\0\x01\x86\xa0\0\x02\0\x09", b"PVF1\n"]
)
def test_heads_of_two_bytes_make_nothing_audio(tmp_path, start):
    # Akai, HTK and their like: libsndfile takes them for sound.
    path = tmp_path / "x.wav"
    path.write_bytes(start + np.random.default_rng(0).bytes(50_000))
    assert failure(path)


def test_a_codec_nobody_knows_is_named(song, tmp_path):
    path = write_with_av(tmp_path / "x.mka", song(2.0), 44_100, "aac")
    data = path.read_bytes()
    assert data.count(b"A_AAC") == 1
    path.write_bytes(data.replace(b"A_AAC", b"A_XYZ"))
    assert failure(path).startswith("its audio is in a codec that FFmpeg cannot decode")
    assert failure(path).endswith("convert it")


def test_a_film_without_sound_is_named(tmp_path):
    import av

    path = tmp_path / "x.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        for _ in range(30):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert failure(path).startswith("no audio track in it")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff", "m4a"])
@pytest.mark.parametrize("size", [1, 5, 13, 50, 120])
def test_a_head_and_nothing_else(write_song, song, tmp_path, suffix, size):
    path = tmp_path / f"x.{suffix}"
    if suffix == "m4a":
        write_with_av(path, song(2.0), 44_100, "aac")
    else:
        write_song(path, 2.0)
    path.write_bytes(path.read_bytes()[:size])
    assert failure(path)


def test_a_playlist_opens_no_other_file(write_song, tmp_path):
    other = write_song(tmp_path / "other.mp3", 3.0)
    path = tmp_path / "x.mp3"
    for text in (f"#EXTM3U\n#EXTINF:3,\n{other}\n", f"ffconcat version 1.0\nfile {other}\n"):
        path.write_bytes(text.encode() + bytes(3000))
        assert failure(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_what_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "folder.mp3").mkdir()
    (tmp_path / "zero.mp3").symlink_to("/dev/zero")
    assert "not a regular file" in failure(tmp_path / "pipe.mp3")
    assert "not a regular file" in failure(tmp_path / "zero.mp3")
    assert "directory" in failure(tmp_path / "folder.mp3")


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs /proc")
def test_a_file_that_says_it_is_empty_is_looked_into(tmp_path):
    (tmp_path / "x.mp3").symlink_to("/proc/version")
    assert failure(tmp_path / "x.mp3").startswith("not audio (looks like text)")


MEMORY = """if True:
    import sys
    sys.path.insert(0, {here!r})
    from crashing import analyse_file, peak_memory
    before = peak_memory()
    analysis = analyse_file(sys.argv[1])
    assert analysis.failure is None, analysis.failure
    print(peak_memory() - before)
"""


def memory_of(path: Path) -> int:
    code = MEMORY.format(here=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_follow_the_channels_that_a_header_claims(tmp_path):
    y = np.random.default_rng(0).integers(-9000, 9000, (30_000, 64), dtype=np.int16)
    path = tmp_path / "x.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1024)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.tile(y[:10_000], 16).tobytes())
    assert memory_of(path) < 60e6


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_grows_little_with_the_length(tmp_path):
    # 40 minutes: 212 MB as float32 at that rate, 53 MB of mel spectra; the rest is blocks of 6 s.
    path = tmp_path / "x.flac"
    block = np.random.default_rng(0).integers(-3, 3, 22_050 * 60, dtype=np.int16)
    block[::50] = 5000
    with soundfile.SoundFile(path, "w", 22_050, 1) as file:
        for _ in range(40):
            file.write(block)
    assert memory_of(path) < 140e6


def test_a_file_that_is_too_long_is_read_up_to_the_limit(write_song, tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "LONGEST_S", 10.0)
    path = write_song(tmp_path / "x.flac", 40.0, 22_050)
    analysis = analyse_file(str(path))
    assert analysis.facts["duration_s"] == 40.0
    assert analysis.warnings[0].startswith("longer than ")
    assert len(load_mono(path)) < 17 * 22_050
