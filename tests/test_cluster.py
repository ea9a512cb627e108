"""A Dask cluster gives what this machine gives, also when a worker dies or no disk is shared."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songscape.cli import DONE, main
from songscape.dask_cluster import Cluster, connected
from songscape.errors import SongscapeError
from songscape.experiment.dataset import read_library
from songscape.experiment.experiment import run
from songscape.features.analyse import RECIPES
from songscape.library import Library
from songscape.results import ResultsFolder, read_latents
from songscape.settings import Settings

pytest.importorskip("distributed")
SETTINGS = Settings(models=("pca", "balanced-pca"), clusterers=("kmeans",), k=(2,))
N_TRACKS = 14


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen songs of two kinds, with words; one file is broken."""
    folder = tmp_path_factory.mktemp("music") / "Songs"
    folder.mkdir()
    for n in range(N_TRACKS):
        rng = np.random.default_rng(n)
        time = np.arange(3 * 22_050) / 22_050
        tone = np.sin(2 * np.pi * (220 + 330 * (n % 2) + n) * time) * np.exp(-(time % 0.5) * 5)
        noise = 0.02 * rng.standard_normal(len(time))
        soundfile.write(folder / f"s{n:02}.flac", 0.3 * tone + noise, 22_050)
        words = ["sun moon sky light", "river road dust stone"][n % 2]
        (folder / f"s{n:02}.txt").write_text(f"{words} word{n} again{n % 5} and the night")
    (folder / "tracks.tsv.bak").write_text("no table")
    (folder / "broken.flac").write_bytes(b"fLaC" + bytes(3000))
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An S3 server of this machine."""
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    names = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = dict(os.environ)
    os.environ.update(names)
    yield names["AWS_ENDPOINT_URL"]
    os.environ.clear()
    os.environ.update(before)
    server.stop()


@pytest.fixture(scope="module")
def address(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The scheduler of two workers, each a process, in another folder."""
    import dask
    from distributed import LocalCluster

    place = tmp_path_factory.mktemp("workers")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        dask.config.set({"temporary-directory": str(place)}),
        LocalCluster(processes=True, silence_logs=50, **options) as cluster,
    ):
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def here(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results folder of a run on this machine."""
    out = tmp_path_factory.mktemp("here")
    run(music, out, SETTINGS, workers=2)
    return out


def stored(out: Path) -> object:
    """All that a library says of its tracks, but for the files' own dates."""
    with Library.open(out / "songscape.db", must_exist=True) as library:
        digests = {name: library.feature_digests(name) for name in RECIPES}
        facts = library.audio_facts().to_csv()
        return digests, facts, library.ledger(), library.texts(), library.counts()


def kill_one(cluster: Cluster) -> int:
    """Kill the process of one worker, as a lost machine would be."""
    process = next(iter(cluster._client.run(os.getpid).values()))
    os.kill(process, signal.SIGKILL)
    return process


def test_a_worker_that_is_killed_costs_only_its_tasks(music, here, address, tmp_path, monkeypatch):
    out, killed, store = tmp_path / "out", [], Library.store
    out.mkdir()
    with connected(address) as cluster:

        def store_and_kill(self, *given, **keywords):
            store(self, *given, **keywords)
            if not killed:
                killed.append(kill_one(cluster))

        monkeypatch.setattr(Library, "store", store_and_kill)
        path = out / "songscape.db"
        read_library(music, path, SETTINGS, workers=2, executor=cluster).close()
        assert killed[0] not in cluster._client.run(os.getpid).values()
    assert stored(out) == stored(here)


def test_a_run_without_a_shared_disk_gives_the_same(music, here, address, server, tmp_path, capsys):
    import fsspec

    bucket = fsspec.filesystem("s3")
    bucket.mkdir("music")
    for path in music.iterdir():
        bucket.put_file(str(path), f"music/My Songs/{path.name}")
    bucket.pipe_file("music/My Songs/s00.flac/no file can be here.flac", b"fLaC")
    out = tmp_path / "out"
    with connected(address) as cluster:
        source = Path("s3://music/My Songs")  # as the command line has it
        done = run(source, out, SETTINGS, workers=2, executor=cluster)
    assert (done.counts.analysed, done.counts.failed) == (N_TRACKS, 1)
    assert stored(out) == stored(here)
    for model in SETTINGS.models:
        ours, theirs = (read_latents(ResultsFolder(at).latents(model, 0)) for at in (here, out))
        assert ours[0] == theirs[0]
        np.testing.assert_array_equal(ours[1], theirs[1])
    assert (out / "results" / "report.html").exists()
    assert main(["status", str(out)]) == DONE
    assert "collection: s3://music/My Songs\n" in capsys.readouterr().out
    # Stand-ins take no room, and what changed there is read again.
    stand_in = out / "remote" / "My Songs" / "s00.flac"
    assert stand_in.stat().st_size == (music / "s00.flac").stat().st_size
    assert stand_in.stat().st_blocks * 512 < stand_in.stat().st_size
    bucket.put_file(str(music / "s01.flac"), "music/My Songs/s00.flac")
    bucket.rm("music/My Songs/s02.flac")
    bucket.invalidate_cache()
    library = read_library(source, out / "songscape.db", SETTINGS, workers=2)
    with library:
        assert library.counts().gone == 1
        digests = library.feature_digests("timbre")
        assert digests["s00"] == digests["s01"]


def test_workers_write_features_to_a_bucket_and_training_reads_them_here(
    music, here, address, server, tmp_path
):
    import fsspec

    from songscape.features.loading import load_views
    from songscape.features.parquet import ParquetFeatures, extract_to_parquet
    from songscape.ingest import read_collection

    bucket = fsspec.filesystem("s3")
    bucket.mkdir("features")
    with connected(address) as cluster:
        out, collection = "s3://features/songs", read_collection(music)
        counts = extract_to_parquet(collection, out, per_file=4, workers=2, executor=cluster)
        again = extract_to_parquet(collection, out, per_file=4, workers=2, executor=cluster)
    assert (counts.analysed, counts.failed) == (N_TRACKS, 1)
    assert again == counts
    assert len(bucket.glob("features/songs/part-*.parquet")) > 1
    views = ParquetFeatures(out).views(["segments", "rhythm"], tmp_path)
    with Library.open(here / "songscape.db") as library:
        stored = load_views(library, ["segments", "rhythm"])
    assert views.track_ids == stored.track_ids
    for name in ("segments", "rhythm"):
        np.testing.assert_array_equal(views[name].values, stored[name].values)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("s3://music/nothing", "s3://music/nothing: "),
        ("s3://no-bucket-here/x", "s3://no-bucket-here/x: "),
        ("nosuch://a/b", "nosuch://a/b: cannot be opened"),
    ],
)
def test_a_place_that_cannot_be_listed_is_one_line(server, tmp_path, source, says):
    with pytest.raises(SongscapeError) as caught:
        read_library(Path(source), tmp_path / "songscape.db", SETTINGS)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


def test_a_file_url_is_a_folder_of_this_machine(music, tmp_path):
    with read_library(Path(f"file://{music}"), tmp_path / "songscape.db", SETTINGS) as library:
        assert library.root == music


def test_nobody_at_the_address_is_one_line(monkeypatch):
    import songscape.dask_cluster

    monkeypatch.setattr(songscape.dask_cluster, "CONNECT_S", 1)
    with (
        pytest.raises(SongscapeError, match=r"no Dask scheduler answers .*; check the address"),
        connected("tcp://127.0.0.1:9"),
    ):
        pass


def test_workers_of_another_version_are_refused(address, monkeypatch):
    import songscape.dask_cluster

    monkeypatch.setattr(songscape.dask_cluster, "__version__", "99.0")
    with (
        pytest.raises(SongscapeError, match=r"this is 99\.0; install the same everywhere"),
        connected(address),
    ):
        pass
