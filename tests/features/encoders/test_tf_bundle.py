"""Checkpoints of TensorFlow, written here as its format says, and what is no such thing."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tiny_encoders import write_bundle

from songscape.errors import SongscapeError
from songscape.features.encoders.tf_bundle import read_tensors

NAMES = st.text("abc/_1", min_size=1, max_size=300)
VALUES = arrays.arrays(np.float32, arrays.array_shapes(min_dims=0, max_side=4), elements=st.just(1))


def read(folder):
    return read_tensors(folder / ".index", folder / ".data-00000-of-00001")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, VALUES, max_size=20), st.integers(1, 9), st.integers(0, 99))
def test_what_was_written_is_read(tmp_path, shapes, names_per_block, seed):
    rng = np.random.default_rng(seed)
    weights = {n: rng.standard_normal(v.shape).astype(np.float32) for n, v in shapes.items()}
    step = {"step": np.array([3], np.int64)}
    found = read(write_bundle(tmp_path / "x", weights | step, names_per_block))
    assert found.keys() == weights.keys() - step.keys()
    for name, values in found.items():
        np.testing.assert_array_equal(values, weights[name])


def test_damage_is_told_in_one_line(tmp_path):
    folder = write_bundle(tmp_path, {f"layer/{i}": np.ones(5, np.float32) for i in range(30)})
    index, data = folder / ".index", folder / ".data-00000-of-00001"
    whole = index.read_bytes()
    for damaged, reason in (
        (whole[:-1], "not the index of a TensorFlow checkpoint"),
        (b"", "not the index"),
        (whole[200:], "damaged"),
        (bytes(len(whole) - 60) + whole[-60:], "damaged"),
    ):
        index.write_bytes(damaged)
        with pytest.raises(SongscapeError, match=reason) as caught:
            read(folder)
        assert "\n" not in str(caught.value)
    index.write_bytes(whole)
    data.write_bytes(data.read_bytes()[:50])
    with pytest.raises(SongscapeError, match="not of the numbers in"):
        read(folder)
    data.unlink()
    with pytest.raises(SongscapeError, match="cannot be read"):
        read(folder)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_damage_gets_past(tmp_path, data):
    folder = write_bundle(tmp_path, {f"layer/{i}": np.ones(3, np.float32) for i in range(9)})
    index = bytearray((folder / ".index").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        index[data.draw(st.integers(0, len(index) - 9))] = data.draw(st.integers(0, 255))
    (folder / ".index").write_bytes(bytes(index))
    with suppress(SongscapeError):  # and no other error
        read(folder)
