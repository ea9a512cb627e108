"""A results folder with known figures, as a run would leave it."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from by_path import load_module
from sklearn.metrics import adjusted_mutual_info_score

from songscape.audit.finding import Check, Finding, Severity
from songscape.report import plots
from songscape.report.maps import umap_map

folders = load_module(Path(__file__).with_name("results_folder.py"))
N = 120
LANGUAGES = ("English", "Bangla", "German", "日本語")
STYLES = ("folk", "hymn", "<b>rock</b> & roll", "waltz $5", "chant")
NASTY = "<script>alert('x')</script> 🎵 গান"


def agreement_row(clusters, labels) -> dict[str, float]:
    """AMI from scikit-learn; the other columns only need to be there."""
    row = {}
    for name, values in labels.items():
        ami = adjusted_mutual_info_score(values, clusters)
        row |= {f"{name}_ami": ami, f"{name}_nmi": ami, f"{name}_ari": ami, f"{name}_purity": 0.5}
        row |= {f"{name}_homogeneity": 0.5, f"{name}_completeness": 0.5}
    return row


@pytest.fixture(scope="session")
def songs():
    """Track ids, labels and three partitions: by style with noise, by language, at random."""
    rng = np.random.default_rng(0)
    style_index, language_index = rng.integers(0, 5, N), rng.integers(0, 4, N)
    by_style = np.where(rng.random(N) < 0.8, style_index, rng.integers(0, 5, N))
    by_style[:7] = -1
    ids = [f"track-{i:03d}" for i in range(N - 1)] + [NASTY]
    labels = {
        "language": np.array(LANGUAGES, dtype=object)[language_index],
        "genre": np.array(STYLES, dtype=object)[style_index],
    }
    partitions = {
        ("conv1d-vae", "dbscan"): by_style,
        ("tfidf", "kmeans"): language_index,
        ("random", "kmeans"): rng.integers(0, 5, N),
    }
    return ids, labels, partitions


def build(folder: Path, songs, *, with_labels: bool = True) -> Path:
    ids, labels, partitions = songs
    labels = labels if with_labels else {}
    rng = np.random.default_rng(1)
    (folder / "latents").mkdir(parents=True)
    metrics, clusters, models, described = [], [], [], []
    for (model, clusterer), found in partitions.items():
        k = None if clusterer == "dbscan" else int(found.max() + 1)
        cell = {"model": model, "clusterer": clusterer, "k": k, "seed": 0}
        metrics.append(
            cell
            | {
                "space": f"own space ({model}, 3 dimensions)",
                "n_tracks": N,
                "reason": "",
                "n_clusters": int(found.max() + 1),
                "noise_share": float((found < 0).mean()),
                "largest_cluster_share": 0.3,
                "silhouette": 0.1234,
                "davies_bouldin": 1.5,
                "calinski_harabasz": 1234.5,
            }
            | agreement_row(found, labels)
        )
        clusters.append(pd.DataFrame({"track_id": ids, **cell, "cluster": found}))
        for cluster in sorted(set(found[found >= 0])):
            first = ids[int(np.flatnonzero(found == cluster)[0])]
            told = {"typical": f"{first}; {NASTY}", "words": f"word{cluster}; nacht"}
            described.append(cell | {"cluster": cluster, "size": 1, "share": 0.1} | told)
        latents = np.eye(3)[found % 3] + rng.normal(scale=0.2, size=(N, 3))
        frame = pd.DataFrame(latents, columns=["z0", "z1", "z2"])
        frame.insert(0, "track_id", ids)
        frame.to_parquet(folder / "latents" / f"{model}-seed0.parquet")
        stem = f"{model}-seed0"
        xy = umap_map(latents[:14])
        few = {name: values[:14] for name, values in labels.items()}
        figure = plots.map_figure(xy, found[:14], few, title=model, method="PCA")
        folders.save_picture(figure, folder / "pictures" / f"map-{stem}.png")
        for name, values in labels.items():
            figure = plots.heatmap_figure(found, values, name, title=model)
            folders.save_picture(figure, folder / "pictures" / f"heatmap-{name}-{stem}.png")
        models.append({"model": model, "seed": 0, "status": "ok", "summary": "a model"})
    health = {"n_latent": 16, "validation_elbo": -512.3}
    models[0] |= health | {"active_units": 12, "collapsed": False}
    pd.DataFrame(metrics).to_csv(folder / "metrics.csv", index=False)
    pd.concat(clusters).to_csv(folder / "clusters.csv", index=False)
    pd.DataFrame(models).to_csv(folder / "models.csv", index=False)
    pd.DataFrame(described).to_csv(folder / "descriptions.csv", index=False)
    frame = pd.DataFrame(labels, index=pd.Index(ids, name="track_id"))
    frame.reset_index().to_csv(folder / "labels.csv", index=False)
    ledger = [
        (ids[0], "decode", "ok", ""),
        (NASTY, "lyrics", "warning", "Latin-1 text"),
        ("broken", "decode", "failed", "empty.mp3: empty file; remove it"),
    ]
    columns = ["track_id", "stage", "status", "reason"]
    pd.DataFrame(ledger, columns=columns).to_csv(folder / "ledger.csv", index=False)
    run = {
        "songscape": "0.1.0",
        "command": ["songscape", "run", "my songs", "--out", "OUT"],
        "settings": {"seeds": [0], "title": NASTY},
        "k": [5],
        "k_reason": "given",
        "counts": {"found": N + 1, "analysed": N, "skipped": 0, "failed": 1},
        "input_digest": "abc123",
        "python": "3.11",
        "versions": {"numpy": "2.4"},
    }
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory, songs) -> Path:
    """The folder; read only, see `results_dir` for one to change."""
    return build(tmp_path_factory.mktemp("report") / "results ü", songs)


@pytest.fixture
def results_dir(built, tmp_path) -> Path:
    import shutil

    return Path(shutil.copytree(built, tmp_path / "results"))


@pytest.fixture
def unlabelled_dir(songs, tmp_path) -> Path:
    return build(tmp_path / "unlabelled", songs, with_labels=False)


def write_comparison(
    folder: Path, made: ModuleType, rows: list[Any], tests: list[Any], **more: Any
) -> Path:
    """The tables that `songscape compare` leaves; `more` overrides the document."""
    folder.mkdir(parents=True, exist_ok=True)
    table, differences, models = made.tables(rows, tests, **more.pop("collapsed", {}))
    table.to_csv(folder / "summary.csv", index=False)
    differences.to_csv(folder / "differences.csv", index=False)
    models.to_csv(folder / "models.csv", index=False)
    odd = Finding(Check.DUPLICATE_AUDIO, Severity.WARNING, (NASTY,), {"groups": [[NASTY]]})
    made.warning_table(odd).to_csv(folder / "warnings.csv", index=False)
    songs = {"track_id": [NASTY, "b", "c"], "balanced-pca|unsure@kmeans|4": [0.9, 0.0, 0.3]}
    pd.DataFrame(songs).to_csv(folder / "tracks.csv", index=False)
    document = {
        "title": NASTY,
        "songscape": "0.1.0",
        "command": ["songscape", "compare", "my songs"],
        "settings": {"seeds": list(range(10)), "clusterers": ["kmeans"]},
        **asdict(made.SETUP),
        "k": [4],
        "input_digest": "abc123",
        "versions": {"numpy": "2.4"},
    } | more
    (folder / "compare.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.fixture
def write(made: ModuleType) -> Callable[..., Path]:
    """`write_comparison` of a folder, rows and tests."""
    return lambda folder, *arguments, **more: write_comparison(folder, made, *arguments, **more)


@pytest.fixture
def comparison_folder(made: ModuleType, write: Callable[..., Path], tmp_path: Path) -> Path:
    """Four models; song-vae wins at artists and hides the language, tfidf loses at both."""
    models = ("balanced-pca", "tfidf", "song-vae", "random")
    rows = [row for model in models for row in made.model_rows(model)]
    tests = [made.outcome("song-vae", "better"), made.outcome("tfidf", "worse")]
    tests += [made.outcome("random", "same")]
    leaks = [("song-vae", "better"), ("tfidf", "worse")]
    tests += [made.outcome(m, word, "knn", "language", "leakage") for m, word in leaks]
    return write(tmp_path / "results", rows, tests)


@pytest.fixture
def write_results(made: ModuleType) -> Callable[..., Path]:
    """`write_folder` of a folder, rows and, where methods were tested, tests; with songs."""

    def write(folder: Path, rows: list[Any], tests: list[Any] | None = None, **more: Any) -> Path:
        folders.write_folder(folder, made, rows, tests, **more)
        folders.write_songs(folder, made, tuple(dict.fromkeys(row["model"] for row in rows)))
        return folder

    return write


MODELS = ("balanced-pca", "tfidf", "song-vae", "random")


@pytest.fixture
def run_folder(made: ModuleType, write_results: Callable[..., Path], tmp_path: Path) -> Path:
    """A run of four models, of which song-vae knows the genre best."""
    better = {"song-vae": 0.3}
    rows = [r for m in MODELS for r in made.model_rows(m, genre_ami=better.get(m, 0.2))]
    return write_results(tmp_path / "results ü", rows)


@pytest.fixture
def compared_folder(made: ModuleType, write_results: Callable[..., Path], tmp_path: Path) -> Path:
    """Four models; song-vae wins at artists and hides the language, tfidf loses at both."""
    rows = [row for model in MODELS for row in made.model_rows(model)]
    tests = [made.outcome("song-vae", "better"), made.outcome("tfidf", "worse")]
    tests += [made.outcome("random", "same")]
    leaks = [("song-vae", "better"), ("tfidf", "worse")]
    tests += [made.outcome(m, word, "knn", "language", "leakage") for m, word in leaks]
    return write_results(tmp_path / "compared", rows, tests)
