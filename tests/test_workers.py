"""Worker processes: values come back whole, and whatever goes wrong costs one call."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from songscape.errors import SongscapeError
from songscape.library import Analysis
from songscape.packed import pack, unpack
from songscape.workers import IsolatingExecutor, WorkerError, run_limited

HERE = Path(__file__).parent


@pytest.fixture
def tasks(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module("worker_tasks")


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
arrays = stn.arrays(
    st.sampled_from(["<f4", "<f8", "<i8", "|b1"]),
    stn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@settings(max_examples=50, deadline=None)
@given(st.recursive(scalars | arrays, lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
def test_values_travel_unchanged(value):
    def equal(a, b):
        if isinstance(a, np.ndarray):
            return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        if isinstance(a, list):
            return len(a) == len(b) and all(map(equal, a, b))
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
        return type(a) is type(b) and a == b

    assert equal(unpack(pack(value)), value)


def test_an_analysis_travels_as_what_it_is():
    sent = Analysis({"timbre": np.arange(3, dtype=np.float32)}, {"codec": "é"}, ("one", "two"))
    came = unpack(pack(sent))
    assert isinstance(came, Analysis)
    np.testing.assert_array_equal(came.features["timbre"], sent.features["timbre"])
    assert (came.facts, came.warnings, came.failure) == ({"codec": "é"}, ("one", "two"), None)


def test_a_message_cannot_name_a_class_of_another_package():
    message = pack({"__class__": "subprocess:Popen", "fields": {"args": ["true"]}})
    with pytest.raises(ValueError, match="not of this package"):
        unpack(message)


def test_arguments_and_results_pass_and_the_process_is_kept(tasks):
    name = "b\udcff.mp3"  # bytes of a name that are not UTF-8
    assert run_limited(tasks.echo, name, {"a": [1, 2.5, None]}) == [name, {"a": [1, 2.5, None]}]
    assert run_limited(tasks.process) == run_limited(tasks.process)
    assert run_limited(tasks.print_much) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("crash", (), r"its process crashed \(signal 11, SIGSEGV\)"),
        ("hang", (60.0,), "took longer than 1 s"),
        ("refuse", (), "ValueError: no such thing"),
        pytest.param(
            "allocate",
            (4000,),
            "needs more than 1,024 MB of memory",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux"),
        ),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_call_works(tasks, name, arguments, reason):
    started = time.monotonic()
    with pytest.raises(WorkerError, match=reason):
        run_limited(getattr(tasks, name), *arguments, timeout_s=1.0 if name == "hang" else 60.0)
    assert time.monotonic() - started < 30
    assert run_limited(tasks.echo, 1) == [1]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_worker_leaves_signals_to_its_parent(tasks):
    worker = run_limited(tasks.process)
    os.kill(worker, signal.SIGTERM)
    os.kill(worker, signal.SIGINT)
    assert run_limited(tasks.process) == worker


def test_stopping_does_not_wait_for_what_runs(tasks):
    pool = IsolatingExecutor(2)
    futures = [pool.submit(tasks.hang, 60.0) for _ in range(4)]
    threading.Event().wait(0.5)
    started = time.monotonic()
    pool.shutdown(cancel_futures=True)
    assert time.monotonic() - started < 10
    assert all(future.cancelled() or future.exception() for future in futures)


def test_a_worker_that_cannot_start_is_one_line(tasks, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    pool = IsolatingExecutor(1)
    with pytest.raises(SongscapeError, match="worker process could not start: ModuleNotFound"):
        pool.submit(tasks.echo).result()
    pool.shutdown()
