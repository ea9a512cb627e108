"""A few seconds of `benchmarks/stress.py`: damaged files are read, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from songscape.features.analyse import RECIPES
from songscape.workers import IsolatingExecutor, WorkerError

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def mutations(monkeypatch):
    if not BENCHMARKS.exists():
        pytest.skip("the benchmarks are not part of an installed package")
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import mutations

    return mutations


@pytest.mark.parametrize("n_files", [120, pytest.param(2000, marks=pytest.mark.slow)])
def test_damaged_sounds_are_described_or_refused_in_one_line(mutations, tmp_path, n_files):
    from songscape.features.analyse import analyse_file

    rng = np.random.default_rng(n_files)
    seeds = mutations.sound_seeds(rng)
    pieces = [*seeds.values(), rng.bytes(5000)]
    paths = []
    for n in range(n_files):
        suffix, data = list(seeds.items())[n % len(seeds)]
        paths.append(tmp_path / f"{n}.{suffix}")
        paths[-1].write_bytes(mutations.mutated(data, rng, pieces))
    with IsolatingExecutor(2, timeout_s=30.0) as pool:
        results = [(path, pool.submit(analyse_file, str(path))) for path in paths]
        analyses = {path: result.result() for path, result in results}
    for path, analysis in analyses.items():
        if analysis.failure is None:
            assert set(analysis.features) == set(RECIPES), path.name
            assert all(np.isfinite(x).all() for x in analysis.features.values()), path.name
        else:
            assert len(analysis.failure.splitlines()) == 1, path.name
            assert "Error" not in analysis.failure, "no library's error reaches a user"
    refused = sum(analysis.failure is not None for analysis in analyses.values())
    assert n_files / 6 < refused < n_files * 5 / 6
    assert len(analyses) == n_files


def test_damaged_tables_are_read_or_refused_in_one_line(mutations, tmp_path):
    rng = np.random.default_rng(0)
    names = ["a.mp3", "b.flac", "c.ogg"]
    with IsolatingExecutor(2, timeout_s=20.0) as pool:
        results = []
        for n in range(60):
            folder = tmp_path / str(n)
            folder.mkdir()
            for name in names:
                (folder / name).write_bytes(b"ID3")
            name, text = list(mutations.table_seeds(names).items())[n % 2]
            (folder / name).write_bytes(mutations.mutated(text, rng, [text]))
            results.append(pool.submit(mutations.read_table, str(folder)))
        try:
            outcomes = [result.result() for result in results]
        except WorkerError as error:
            pytest.fail(str(error))
    assert all(len(outcome.splitlines()) == 1 for outcome in outcomes)
    assert {outcome.split(":")[0] for outcome in outcomes} > {"refused"}


def test_damaged_tags_and_lyrics_are_read_or_refused_in_one_line(mutations, tmp_path):
    import stress

    tally = stress.Tally()
    stress.fuzz_tags(tmp_path, np.random.default_rng(0), 300, tally)
    assert tally.wrong == []
    assert tally.counts["tags read"] > 50
    assert tally.counts["lyrics refused"] > 20


@pytest.mark.slow
def test_two_thousand_damaged_tags_and_lyrics_stop_nothing(mutations, tmp_path):
    import stress

    tally = stress.Tally()
    stress.fuzz_tags(tmp_path, np.random.default_rng(1), 2000, tally)
    assert tally.wrong == []
