"""Of long files a part may be read: that part and no other, chosen by the clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.errors import UsageError
from songscape.features.analyse import RECIPES, analyse_file, recipes_for
from songscape.features.decode import EXCERPT_S, Decoder, load_mono, pieces_of
from songscape.features.extract import extract
from songscape.ingest import read_collection
from songscape.library import Library
from songscape.settings import EXCERPTS, FeatureSettings, Settings

RATE = 22_050
LENGTH = 150.0
PARTS = [name for name in EXCERPTS if name != "whole"]
WHERE = {
    "start": [(0.0, 30.0)],
    "middle": [(60.0, 90.0)],
    "spread": [(20.0, 30.0), (70.0, 80.0), (120.0, 130.0)],
}


def sound(seconds: float = LENGTH) -> np.ndarray:
    """Noise, louder between 1:45 and 2:15."""
    y = np.random.default_rng(0).normal(0, 0.05, int(seconds * RATE)).astype(np.float32)
    y[int(105 * RATE) : int(135 * RATE)] *= 4
    return y


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    for suffix in ("flac", "mp3", "ogg", "wav"):
        with soundfile.SoundFile(folder / f"long.{suffix}", "w", RATE, 1) as file:
            for block in np.split(sound(), int(LENGTH)):  # libsndfile writes no long Ogg at once
                file.write(block)
    return folder


@pytest.mark.parametrize("kind", PARTS)
def test_the_parts_are_where_their_names_say(kind):
    found = pieces_of(kind, 0.0, LENGTH)
    assert np.array(found) == pytest.approx(np.array(WHERE[kind]))
    moved = pieces_of(kind, 1000.0, 1000 + LENGTH)
    assert np.array(moved) - 1000 == pytest.approx(np.array(WHERE[kind]))


@pytest.mark.parametrize("suffix", ["flac", "wav", "mp3", "ogg"])
@pytest.mark.parametrize("kind", PARTS)
def test_what_is_read_is_that_part_of_the_file(files, kind, suffix):
    path = files / f"long.{suffix}"
    decoder = Decoder(path, excerpt=kind)
    got = np.concatenate([block.copy() for block in decoder.blocks()])
    decoder.check(1.0)
    whole = load_mono(path)
    expected = np.concatenate([whole[round(a * RATE) : round(b * RATE)] for a, b in WHERE[kind]])
    assert len(got) == len(expected)
    if suffix in ("flac", "wav"):
        np.testing.assert_array_equal(got, expected)
    else:  # lossy frames lean on those before them
        assert np.abs(got - expected).max() < 0.02
    assert decoder.seconds == pytest.approx(EXCERPT_S)
    assert decoder.whole_seconds == pytest.approx(LENGTH, abs=0.1)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.m4a", "aac"), ("b.m4a", "alac"), ("c.wv", "wavpack")],
)
@pytest.mark.parametrize("kind", PARTS)
def test_parts_of_what_ffmpeg_reads_are_found_too(tmp_path, kind, name, codec):
    av = pytest.importorskip("av")
    path, y = tmp_path / name, (sound() * 32767).astype(np.int16)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE, layout="mono")
        stream.codec_context.open()
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.codec_context.format, "mono", RATE, size)
        frame = av.AudioFrame.from_ndarray(y[None], format="s16p", layout="mono")
        frame.sample_rate = RATE
        for each in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(each))
        out.mux(stream.encode(None))
    decoder = Decoder(path, excerpt=kind)
    assert np.array(decoder.pieces) == pytest.approx(np.array(WHERE[kind]), abs=0.1)
    got = np.concatenate([block.copy() for block in decoder.blocks()])
    whole = load_mono(path)
    parts = [whole[round(a * RATE) : round(b * RATE)] for a, b in decoder.pieces]
    expected = np.concatenate(parts)
    assert len(got) == len(expected)
    assert np.abs(got - expected).max() < (0.01 if codec == "aac" else 1e-6)
    analysis = analyse_file(str(path), RECIPES, kind)
    assert (analysis.failure, analysis.warnings) == (None, ())


def test_no_more_than_the_part_and_a_little_before_it_is_decoded(files, monkeypatch):
    read = []
    whole = soundfile.SoundFile.read

    def count(self, *given, **keywords):
        block = whole(self, *given, **keywords)
        read.append(len(block))
        return block

    monkeypatch.setattr(soundfile.SoundFile, "read", count)
    for kind in ("start", "middle", "spread"):
        read.clear()
        list(Decoder(files / "long.mp3", excerpt=kind).blocks())
        assert sum(read) / RATE < EXCERPT_S + len(WHERE[kind]) * 13.0  # blocks are 12 s long


@pytest.mark.parametrize("kind", PARTS)
def test_a_part_of_a_file_is_cut_as_a_file_is(files, kind):
    """A track of an album in one file."""
    span = (10.0, 145.0)
    decoder = Decoder(files / "long.flac", span=span, excerpt=kind)
    assert decoder.whole_seconds == pytest.approx(135.0)
    for start, end in decoder.pieces:
        assert 10.0 <= start < end <= 145.0
    got = np.concatenate([block.copy() for block in decoder.blocks()])
    assert len(got) == pytest.approx(EXCERPT_S * RATE, abs=2)


def test_short_files_are_read_whole(tmp_path):
    soundfile.write(tmp_path / "a.flac", sound(59.0), RATE)
    whole = analyse_file(str(tmp_path / "a.flac"))
    for kind in PARTS:
        part = analyse_file(str(tmp_path / "a.flac"), RECIPES, kind)
        assert part.facts == whole.facts
        for name in RECIPES:
            np.testing.assert_array_equal(part.features[name], whole.features[name])


def test_the_length_of_the_whole_is_known_and_features_are_of_the_part(files):
    whole = analyse_file(str(files / "long.flac"))
    part = analyse_file(str(files / "long.flac"), RECIPES, "start")
    assert part.facts["duration_s"] == whole.facts["duration_s"]
    assert part.facts["bitrate_kbps"] == whole.facts["bitrate_kbps"]
    assert part.facts["loudness_dbfs"] == pytest.approx(20 * np.log10(0.05), abs=0.1)
    assert part.facts["file_digest"] == whole.facts["file_digest"]


def test_where_the_part_is_silent_the_whole_is_read(tmp_path):
    y = sound()
    y[int(50 * RATE) : int(100 * RATE)] = 0
    soundfile.write(tmp_path / "a.flac", y, RATE)
    whole = analyse_file(str(tmp_path / "a.flac"))
    part = analyse_file(str(tmp_path / "a.flac"), RECIPES, "middle")
    assert part.failure is None
    assert part.facts == whole.facts


def test_a_file_that_ends_too_soon_is_read_whole_and_says_so(files, tmp_path):
    data = (files / "long.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(data[: len(data) * 2 // 3])
    part = analyse_file(str(tmp_path / "cut.flac"), RECIPES, "spread")
    assert part.failure is None
    assert any("truncated" in warning for warning in part.warnings)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
@pytest.mark.parametrize("start", [1.0, 9.0])
def test_a_track_of_a_sheet_that_goes_on_behind_the_file_is_what_is_there(tmp_path, subtype, start):
    soundfile.write(tmp_path / "a.wav", sound()[: 4 * RATE], RATE, subtype=subtype)
    analysis = analyse_file(str(tmp_path / "a.wav"), RECIPES, "spread", (start, 64.0))
    if start < 4.0:
        assert analysis.facts["duration_s"] == 3.0
    else:
        assert (analysis.failure or "").startswith("too short: 0.00 s of audio")


def test_joined_recordings_are_read_whole(files, tmp_path):
    data = (files / "long.ogg").read_bytes()
    (tmp_path / "two.ogg").write_bytes(data * 2)
    analysis = analyse_file(str(tmp_path / "two.ogg"), RECIPES, "middle")
    assert analysis.facts["duration_s"] == pytest.approx(2 * LENGTH, abs=0.2)
    assert any("joined" in warning for warning in analysis.warnings)


def test_another_part_is_another_recipe_of_long_files_alone():
    kinds = {recipes_for(kind, 61.0)["mfcc"] for kind in EXCERPTS}
    assert len(kinds) == len(EXCERPTS)
    assert all(recipes_for(kind, 60.0) == RECIPES for kind in EXCERPTS)
    assert recipes_for("whole", 300.0) == RECIPES


def test_another_choice_reads_long_files_again_and_no_others(files, tmp_path):
    folder = tmp_path / "c"
    folder.mkdir()
    soundfile.write(folder / "short.flac", sound(5.0), RATE)
    soundfile.write(folder / "long.flac", sound(), RATE)
    collection = read_collection(folder)
    done: list[str] = []

    def run(excerpt: str = "") -> list[str]:
        done.clear()
        with Library.open(tmp_path / "a.db") as library:
            counts = extract(
                library,
                collection,
                excerpt=excerpt,
                workers=1,
                progress=lambda *now: done.append(now[2]),
            )
            assert counts.analysed == 2
            peaks.append(float(library.features("timbre")["long"][0]))
        return sorted(filter(None, done))

    peaks: list[float] = []
    assert run() == ["long", "short"]
    assert run("whole") == []
    assert run("spread") == ["long"]
    assert run() == []  # as before
    assert run("start") == ["long"]
    assert run("whole") == ["long"]
    assert peaks[0] == peaks[-1]
    assert len(set(peaks)) == 3


def test_the_settings_file_and_the_command_line_name_a_choice(tmp_path):
    from songscape.cli.command import make_parser
    from songscape.cli.options import with_options

    (tmp_path / "s.toml").write_text('[features]\nexcerpt = "middle"\nmax_words = 7\n')
    options = ["run", "x", "--config", str(tmp_path / "s.toml")]
    for more, excerpt in (([], "middle"), (["--excerpt", "spread"], "spread")):
        settings = with_options(Settings(), make_parser().parse_args([*options, *more]))
        assert settings.features == FeatureSettings(excerpt=excerpt, max_words=7)


def test_only_what_there_is_can_be_chosen():
    with pytest.raises(UsageError, match="excerpt = 'end'; one of whole, start"):
        Settings(features=FeatureSettings(excerpt="end"))
