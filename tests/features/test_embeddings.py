"""Embeddings from tiny models made here: what is stored, when it is made anew, what fails."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from songscape.errors import SongscapeError, UsageError
from songscape.features.encoders import hub
from songscape.features.encoders.sound import WindowStream, read_windows
from songscape.features.extract import complete, extract
from songscape.features.loading import load_views
from songscape.ingest import read_collection
from songscape.library import Library

WORDS = ["[UNK]", "sun", "moon", "river", "rain"]
SR = 16_000


@pytest.fixture
def folder(write_song, tmp_path) -> Path:
    lyrics = ["sun sun moon", "moon", None, "river\n\nrain"]
    for number, text in enumerate(lyrics):
        write_song(tmp_path / "songs" / f"s{number}.flac", 2.0 + number, 22_050, seed=number)
        if text is not None:
            (tmp_path / "songs" / f"s{number}.txt").write_text(text)
    return tmp_path / "songs"


def tokenizer() -> Any:
    import tokenizers

    level = tokenizers.models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]")
    made = tokenizers.Tokenizer(level)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return made


def make_static(path: Path, scale: float = 1.0) -> Path:
    import model2vec

    vectors = scale * np.eye(len(WORDS), 6, dtype=np.float32)
    model2vec.StaticModel(vectors, tokenizer()).save_pretrained(str(path))
    return path


def make_wav2vec(path: Path) -> Path:
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8, 8),
        conv_stride=(40, 8),
        conv_kernel=(80, 16),
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    transformers.Wav2Vec2Model(config).save_pretrained(path)
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=SR).save_pretrained(path)
    return path


def run(folder: Path, db: Path, view: str) -> list[str]:
    """Bring the library up to date; returns the tracks that were worked on."""
    seen: list[str] = []

    def note(_: int, __: int, track_id: str) -> None:
        seen.append(track_id)

    with Library.open(db) as library:
        extract(library, read_collection(folder), views=[view], workers=1, progress=note)
    return sorted(filter(None, seen))


def test_a_static_text_model_gives_the_mean_of_its_words(folder, tmp_path):
    view = f"embedding:{make_static(tmp_path / 'model')}"
    run(folder, tmp_path / "a.db", view)
    with Library.open(tmp_path / "a.db") as library:
        block = load_views(library, [view])[view]
    assert block.present.tolist() == [True, True, False, True]
    expected = np.zeros((4, 6))
    expected[0, [1, 2]] = np.array([2, 1]) / np.sqrt(5)
    expected[1, 2] = 1
    expected[3, [3, 4]] = 1 / np.sqrt(2)
    np.testing.assert_allclose(block.values, expected, atol=1e-3)
    assert block.values.dtype == np.float32


def test_only_what_changed_is_embedded_again(folder, tmp_path):
    model = make_static(tmp_path / "model")
    view, db = f"embedding:{model}", tmp_path / "a.db"
    run(folder, db, view)
    assert run(folder, db, view) == []
    (folder / "s1.txt").write_text("river")
    with Library.open(db) as library:
        library.update(read_collection(folder))
        assert not load_views(library, [view])[view].present[1], "of words that it no longer has"
    assert run(folder, db, view) == ["s1"]
    with Library.open(db) as library:
        assert load_views(library, [view])[view].values[1, 3] == 1
    shutil.rmtree(model)
    make_static(model, scale=2.0)
    assert run(folder, db, view) == ["s0", "s1", "s3"]
    shutil.rmtree(model)
    with Library.open(db) as library:
        complete(library, [view])
        assert load_views(library, [view])[view].present.sum() == 3
        with pytest.raises(SongscapeError, match="no such folder"):
            complete(library, ["embedding:nobody/nothing"])


def test_a_sentence_transformer_reads_all_lines(folder, tmp_path):
    import sentence_transformers
    import transformers

    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=32,
    )
    transformers.BertModel(config).save_pretrained(tmp_path / "bert")
    words = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer(), unk_token="[UNK]", pad_token="[UNK]"
    )
    words.save_pretrained(tmp_path / "bert")
    made = sentence_transformers.SentenceTransformer(str(tmp_path / "bert"))
    made.save(str(tmp_path / "model"))
    found = hub.find_model(str(tmp_path / "model"))
    assert found.kind == "sentence-transformers"
    encode = hub.load_text_encoder(found.path, found.kind)
    np.testing.assert_allclose(encode(["sun moon"])[0], made.encode("sun moon"), atol=1e-6)


def test_an_audio_encoder_gives_the_mean_of_its_layers(folder, tmp_path):
    import torch
    import transformers

    path = make_wav2vec(tmp_path / "model")
    (folder / "s3.flac").rename(folder / "s3.wav")
    view, db = f"embedding:{path}", tmp_path / "a.db"
    run(folder, db, view)
    model = transformers.Wav2Vec2Model.from_pretrained(path).eval()
    windows = read_windows(str(folder / "s1.flac"), SR).features["windows"]
    assert windows.shape == (1, 3 * SR)
    scaled = (windows - windows.mean()) / np.sqrt(windows.var() + 1e-7)
    with torch.no_grad():
        hidden = model(torch.as_tensor(scaled), output_hidden_states=True).hidden_states
    expected = torch.stack(hidden).mean(dim=(0, 2))[0].numpy()
    with Library.open(db) as library:
        block = load_views(library, [view])[view]
    assert block.present.all()
    np.testing.assert_allclose(block.values[1], expected / np.linalg.norm(expected), atol=1e-4)
    assert run(folder, db, view) == []


def test_clap_gives_its_own_audio_embedding(tmp_path):
    import torch
    import transformers

    config = transformers.ClapConfig(
        text_config={
            "vocab_size": 20,
            "hidden_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "intermediate_size": 8,
        },
        audio_config={
            "spec_size": 256,
            "hidden_size": 64,
            "patch_embeds_hidden_size": 8,
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [1, 1, 1, 1],
        },
        projection_dim=12,
    )
    transformers.ClapModel(config).save_pretrained(tmp_path / "clap")
    transformers.ClapFeatureExtractor(truncation="rand_trunc").save_pretrained(tmp_path / "clap")
    assert hub.find_model(str(tmp_path / "clap")).kind == "audio"
    encode, sample_rate = hub.load_audio_encoder(tmp_path / "clap")
    assert sample_rate == 48_000
    windows = 0.1 * np.random.default_rng(0).standard_normal((2, 480_000)).astype(np.float32)
    vectors = encode(windows)
    assert vectors.shape == (2, 12)
    assert torch.isfinite(torch.as_tensor(vectors)).all()
    np.testing.assert_allclose(encode(windows[1:]), vectors[1:], atol=1e-5)


def test_a_file_that_cannot_be_read_is_noted_and_the_rest_goes_on(folder, tmp_path):
    view, db = f"embedding:{make_wav2vec(tmp_path / 'model')}", tmp_path / "a.db"
    with Library.open(db) as library:
        extract(library, read_collection(folder), workers=1)
    (folder / "s2.flac").write_bytes(b"")
    with Library.open(db) as library:
        complete(library, [view], workers=1)
        assert load_views(library, [view])[view].present.tolist() == [True, True, False, True]
        rows = [row for row in library.ledger("warning") if row.stage == view]
    assert [row.track_id for row in rows] == ["s2"]
    assert rows[0].reason.startswith("empty file (0 bytes)")


def test_models_are_found_in_the_hub_cache(tmp_path, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(SongscapeError) as caught:
        hub.find_model("someone/tiny")
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / "hub") in message
    assert "hf download someone/tiny" in message
    repository = tmp_path / "hub" / "models--someone--tiny"
    make_static(repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    found = hub.find_model("someone/tiny")
    assert found.kind == "model2vec"
    assert found.digest == hub.find_model(str(repository / "snapshots" / "abc")).digest


def test_other_folders_and_missing_packages_are_told_in_one_line(tmp_path, monkeypatch):
    with pytest.raises(SongscapeError, match="neither a text model"):
        hub.find_model(str(tmp_path))
    with pytest.raises(SongscapeError, match="without a name"):
        hub.find_model("")
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(SongscapeError, match="neither a text model"):
        hub.find_model(str(tmp_path))

    def absent(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr("importlib.import_module", absent)
    for load in (
        lambda: hub.load_text_encoder(tmp_path, "model2vec"),
        lambda: hub.load_audio_encoder(tmp_path),
    ):
        with pytest.raises(SongscapeError, match=r"pip install \"songscape\[embeddings\]\""):
            load()


def test_code_that_comes_with_a_model_is_not_run_unasked(tmp_path, monkeypatch):
    path = make_wav2vec(tmp_path / "model")
    config = json.loads((path / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "evil.Model"}
    (path / "config.json").write_text(json.dumps(config))
    (path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.delenv(hub.TRUST, raising=False)
    with pytest.raises(SongscapeError, match=f"set {hub.TRUST}=1"):
        hub.load_audio_encoder(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("damaged", ["model.safetensors", "config.json"])
def test_a_damaged_model_is_told_in_one_line(tmp_path, damaged):
    path = make_wav2vec(tmp_path / "model")
    (path / damaged).write_bytes(b"nothing")
    with pytest.raises(SongscapeError, match="cannot be loaded") as caught:
        hub.load_audio_encoder(path)
    assert "\n" not in str(caught.value)


def test_a_missing_model_stops_the_run_before_any_audio_is_read(folder, tmp_path):
    with pytest.raises(SongscapeError, match="embedding:nobody/nothing: no such folder"):
        run(folder, tmp_path / "a.db", "embedding:nobody/nothing")
    with Library.open(tmp_path / "a.db") as library:
        assert library.counts().found == 0
        with pytest.raises(UsageError, match="and embedding:NAME"):
            load_views(library, ["embeddings:x"])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.lists(st.integers(0, 40), max_size=30), st.integers(1, 20))
def test_windows_are_evenly_spread_and_few(n_samples, cuts, size):
    samples = np.arange(n_samples, dtype=np.float32)
    stream = WindowStream(size)
    for part in np.split(samples, np.minimum(np.cumsum(cuts), n_samples)):
        stream.push(part)
    windows = stream.finish()
    if n_samples < size:
        np.testing.assert_array_equal(windows, samples[None])
        return
    assert 1 <= len(windows) <= 8
    np.testing.assert_array_equal(
        windows - windows[:, :1], np.tile(np.arange(size), (len(windows), 1))
    )
    starts = windows[:, 0].astype(int)
    assert starts[0] == 0
    assert len(set(np.diff(starts))) <= 1
    step = starts[1] - starts[0] if len(starts) > 1 else max(1, size // 2)
    assert starts[-1] + step + size > n_samples or len(starts) == 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=3000))
def test_no_line_of_a_lyric_is_lost(text):
    chunks = hub.text_chunks(text)
    assert "\n".join(chunks).split("\n") == [
        *(line.strip() for line in text.splitlines() if line.strip()),
        *([""] if not text.strip() else []),
    ]
    assert all(len(c) <= hub.CHUNK_CHARACTERS or "\n" not in c for c in chunks)


def test_a_long_clip_in_blocks_is_read_at_the_encoders_rate(tmp_path):
    y = 0.1 * np.sin(2 * np.pi * 440 * np.arange(SR * 31) / SR).astype(np.float32)
    soundfile.write(tmp_path / "x.wav", y, SR, subtype="FLOAT")
    windows = read_windows(str(tmp_path / "x.wav"), SR).features["windows"]
    assert windows.shape == (5, 10 * SR)
    np.testing.assert_array_equal(windows[3], y[15 * SR : 25 * SR])
