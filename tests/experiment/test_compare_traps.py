"""Planted traps are caught by `compare` itself: tables, verdicts and the words of the report."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from by_path import load_module

traps = load_module(Path(__file__).with_name("traps.py"))
VAE, TIDY = "dense-vae", "song-vae-audio"


@pytest.fixture(scope="module", autouse=True)
def without_umap() -> Iterator[None]:
    """Maps by PCA: compiling UMAP takes longer than a comparison, and no trap is in the maps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("songscape.report.maps.MIN_UMAP_TRACKS", 10**9, raising=False)
        yield


def spoken(warnings: tuple[str, ...], *words: str) -> str:
    """The one warning that has all these words."""
    (found,) = [w for w in warnings if all(word in w for word in words)]
    return found


# -- models and clusterers -------------------------------------------------------------------


@pytest.fixture(scope="module")
def methods(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A collapsed VAE that would win, tidy latents that mean nothing, and DBSCAN with a huge eps.

    No artists: each song counts, and nothing but the genre can be won or lost.
    """
    rng = np.random.default_rng(5)
    songs = traps.honest_songs()
    songs.labels = songs.labels.drop(columns="artist")
    kinds = songs.labels["genre"].map(traps.GENRES.index).to_numpy()
    songs.mfcc = (8 * rng.normal(size=(3, 40, 1))[kinds] + songs.mfcc).astype(np.float32)
    songs.segments = traps.tight_blobs(len(songs.lyrics), (10, 120), rng)
    return traps.compared(
        songs,
        tmp_path_factory.mktemp("methods") / "ü",
        models=("balanced-pca", VAE, TIDY),
        clusterers=("kmeans", "dbscan"),
        model_options={VAE: {"beta": 1e4, "epochs": 15}, TIDY: {"epochs": 15}},
        clusterer_options={"dbscan": {"eps": 1e6}},
    )


def test_a_collapsed_vae_is_called_collapsed_and_not_recommended(methods: Any) -> None:
    # Its means are tiny, but their directions still know the genre: by figures alone it wins.
    assert "genre" in methods.better(VAE)
    assert "collapsed" in methods.sentence(VAE)
    assert "collapsed" in methods.page
    assert VAE not in methods.recommended


def test_tidy_latents_that_mean_nothing_are_not_better(methods: Any) -> None:
    own = {
        model: methods.value(model, "silhouette", "own space", "kmeans")["estimate"]
        for model in ("balanced-pca", TIDY)
    }
    assert own[TIDY] > 0.95 > 0.5 > own["balanced-pca"]
    assert not methods.better(TIDY)
    assert TIDY not in methods.recommended
    assert "match no label beyond chance" in methods.sentence(TIDY)
    assert "match no label beyond chance" in methods.page
    rows = methods.summary.summary
    shared = rows[(rows["axis"] == "structure") & (rows["metric"] == "silhouette")]
    tidy = shared[(shared["model"] == TIDY) & (shared["clusterer"] == "kmeans")]
    assert len(tidy) > 1
    assert (tidy["estimate"] < 0.05).all()


def test_everything_in_one_dbscan_cluster_is_no_perfect_score(methods: Any) -> None:
    rows = methods.summary.summary
    dbscan = rows[rows["clusterer"] == "dbscan"]
    shares = dbscan[dbscan["metric"] == "largest_cluster_share"]["estimate"]
    assert len(shares) == rows["model"].nunique()
    assert (shares == 1).all()
    scores = dbscan[dbscan["axis"].isin(["agreement", "leakage", "structure", "own space"])]
    assert len(scores)
    assert not (scores["estimate"] > 0).any()
    assert "dbscan: one cluster holds nearly all" in methods.sentence("balanced-pca")
    assert "dbscan: one cluster holds nearly all" in methods.page


def test_refusing_the_hard_songs_wins_nothing(tmp_path: Path) -> None:
    """DBSCAN names a third of the songs rightly and calls the rest noise: AMI 1 of what is left."""
    rng = np.random.default_rng(3)
    songs = traps.honest_songs()
    songs.labels = songs.labels.drop(columns="artist")
    # The baseline finds the two languages, whatever the sound.
    songs.timbre = rng.normal(size=songs.timbre.shape).astype(np.float32)
    text = {name: traps.words(name, rng) for name in traps.LANGUAGES}
    songs.lyrics = [text[name] for name in songs.labels["language"]]
    n = len(songs.lyrics)
    place, course = 3 * rng.normal(size=(n, 40)), 0.1 * rng.normal(size=(n, 40, traps.N_FRAMES))
    for genre in traps.GENRES:
        easy = songs.rows("genre", genre)[:: traps.SONGS_PER_ARTIST]
        place[easy] = place[easy[0]]
        course[easy] *= 0.05
    songs.mfcc = (place[:, :, None] + course).astype(np.float32)
    found = traps.compared(
        songs,
        tmp_path / "songs",
        models=("balanced-pca", "mfcc-pca"),
        clusterers=("dbscan",),
        clusterer_options={"dbscan": {"min_samples": 3, "eps": 1.6}},
    )
    assert found.value("balanced-pca", "n_clusters", "", "dbscan")["estimate"] == 2
    assert found.value("mfcc-pca", "noise_share", "", "dbscan")["estimate"] > 0.6
    assert found.value("mfcc-pca", "ami", "genre", "dbscan")["estimate"] == pytest.approx(1)
    assert "mostly noise" in found.sentence("mfcc-pca")
    assert "clusters that follow the genre" not in found.summary.verdicts[0]


# -- data ------------------------------------------------------------------------------------


def test_lyrics_from_a_template_per_language_are_warned_of(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    songs = traps.honest_songs()
    template = {name: traps.words(name, rng).split() for name in traps.LANGUAGES}
    for i, language in enumerate(songs.labels["language"]):
        text = list(template[language])
        text[i % len(text)] = traps.words(language, rng, 1)
        songs.lyrics[i] = " ".join(text)
    found = traps.compared(songs, tmp_path / "songs")
    said = spoken(found.summary.warnings, "72 tracks (100 % of those with lyrics)", "template")
    assert "language alone decides" in said
    assert said in found.page


@pytest.fixture(scope="module")
def all_wrong(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Generated lyrics, clips as long as the language has it, and DBSCAN with a huge eps alone."""
    rng = np.random.default_rng(7)
    songs = traps.honest_songs()
    lists = {name: traps.words(name, rng, 120).split() for name in traps.LANGUAGES}
    songs.lyrics = [" ".join(rng.choice(lists[name], 40)) for name in songs.labels["language"]]
    german = (songs.labels["language"] == "German").to_numpy()
    songs.facts["duration_s"] = np.where(german, 3.0, 30.0) + rng.uniform(-0.04, 0.04, len(german))
    songs.mfcc = [m[:, :60] if short else m for m, short in zip(songs.mfcc, german)]
    return traps.compared(
        songs,
        tmp_path_factory.mktemp("wrong") / "ü",
        clusterers=("dbscan",),
        clusterer_options={"dbscan": {"eps": 1e6}},
    )


def test_lyrics_drawn_from_a_word_list_are_warned_of(all_wrong: Any) -> None:
    for language in traps.LANGUAGES:
        said = spoken(all_wrong.summary.warnings, f"The {language} lyrics look generated")
        assert said in all_wrong.page


def test_clips_of_3_s_in_one_language_and_30_s_in_the_other_are_named(all_wrong: Any) -> None:
    said = spoken(all_wrong.summary.warnings, "language is almost a function of duration_s")
    assert "German: 3.0 s" in said
    assert "English: 30.0 s" in said
    assert said in all_wrong.page
    assert all_wrong.results.assessment.recommendation.trust == "low"
    assert said in all_wrong.summary.verdicts[1]


def test_one_cluster_of_the_tested_clusterer_wins_nothing_and_costs_trust(all_wrong: Any) -> None:
    tests = all_wrong.summary.differences
    assert (tests[tests["metric"] == "ami"]["verdict"] == "same").all()
    said = all_wrong.summary.verdicts[1]
    assert f"The clusters of {all_wrong.recommended[0]}: one cluster holds nearly all" in said


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Noise for sound; every song is there four times, re-encoded, under other artists' names."""
    rng = np.random.default_rng(9)
    songs = traps.honest_songs()
    n = len(songs.lyrics)
    songs.timbre = rng.normal(size=songs.timbre.shape).astype(np.float32)
    songs.mfcc = (3 * rng.normal(size=(n, 40, traps.N_FRAMES))).astype(np.float32)
    songs.segments = rng.normal(size=songs.segments.shape).astype(np.float32)
    songs.labels["genre"] = rng.choice(traps.GENRES, n)
    songs.labels["artist"] = [f"sampler {i}" for i in range(n)]
    sets = rng.permutation(n).reshape(-1, 4)
    for source, *others in sets:
        for target in others:
            songs.copy(source, target, rng)
    found = traps.compared(
        songs, tmp_path_factory.mktemp("copies") / "ü", models=("balanced-pca", "timbre-pca")
    )
    return found, np.array(songs.labels.index)[sets]


def test_copies_are_named(copies: Any) -> None:
    found, sets = copies
    said = spoken(found.summary.warnings, "72 tracks are copies of each other in 18 groups")
    rows = found.results.warnings
    named = rows[rows["message"] == said]["tracks"].iloc[0].split("; ")
    assert set(named) == set(sets.ravel())
    assert min(" = ".join(sorted(one)) for one in sets) in said
    assert said in found.page


def test_copies_are_one_group(copies: Any) -> None:
    found, sets = copies
    groups = found.results.tracks.set_index("track_id")["group"]
    assert all(groups[list(one)].nunique() == 1 for one in sets)
    assert groups.nunique() == len(sets)
    assert f"{len(sets)} groups" in found.page


def test_finding_the_copy_of_a_song_is_no_merit(copies: Any) -> None:
    """The sound is noise: who knows the genre of a song knows it from the song's own copies."""
    found, _ = copies
    row = found.value("timbre-pca", "knn_balanced", "genre")
    assert row["low"] <= row["chance"]


def test_a_view_of_silence_is_left_out_of_every_comparison_by_name(tmp_path: Path) -> None:
    """The first seconds are silent everywhere: nothing there can be tidy, and no model reads it."""
    songs = traps.honest_songs()
    songs.mfcc = np.full((len(songs.lyrics), 40, traps.N_FRAMES), -500, dtype=np.float32)
    songs.timbre[:] = songs.timbre[0]
    models = ("balanced-pca", "mfcc-pca", "timbre-pca")
    found = traps.compared(songs, tmp_path / "songs", models=models)
    rows = found.results.models.set_index("model")
    for model, view in (("mfcc-pca", "mfcc"), ("timbre-pca", "timbre")):
        assert rows.loc[model, "status"] == "skipped"
        assert rows.loc[model, "reason"].startswith(f"{view} is the same for every track")
        assert model not in set(found.summary.summary["model"])
        spoken(found.summary.warnings, f"{view} is the same for every track")
    assert rows.loc["balanced-pca", "status"] == "ok", "it still has the words"
    table = found.summary.table
    shared = table[(table["axis"] == "structure") & (table["column"] == "timbre")]
    assert len(shared)
    assert shared["value"].isna().all()
    assert shared["reason"].str.contains("same for every track").all()
    assert "joint" not in set(table["column"])
    words = table[(table["axis"] == "structure") & (table["column"] == "lyrics")]
    assert words["value"].notna().any()


# -- labels ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unconfounded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The demo's plan at confound 0, with columns that were shuffled among songs or artists."""
    rng = np.random.default_rng(10)
    songs = traps.demo_songs(98, confound=0.0)
    genre, artist = songs.labels["genre"].to_numpy(), songs.labels["artist"]
    songs.labels["shuffled"] = rng.permutation(genre)
    for name in ("by artist", "by artist too"):
        given = dict(zip(artist.unique(), rng.choice(genre, artist.nunique())))
        songs.labels[name] = artist.map(given)
    return traps.compared(
        songs,
        tmp_path_factory.mktemp("unconfounded") / "ü",
        models=("balanced-pca", "timbre-pca", "tfidf", TIDY),
        model_options={TIDY: {"epochs": 15}},
        k=(7,),
    )


def test_no_difference_is_called_on_shuffled_labels(unconfounded: Any) -> None:
    rows = unconfounded.summary.differences
    rows = rows[rows["axis"] == "agreement"]
    called = set(rows.loc[rows["verdict"].isin(["better", "worse"]), "column"])
    assert "genre" in called, "with nothing to call anywhere this would prove nothing"
    shuffled = {"shuffled", "by artist", "by artist too"}
    assert shuffled <= set(rows["column"])
    assert not called & shuffled


def test_without_a_confound_sound_tells_no_language_and_words_do(unconfounded: Any) -> None:
    for model in ("timbre-pca", TIDY):
        near = unconfounded.value(model, "knn", "language")
        assert near["low"] <= near["chance"]
        clusters = unconfounded.value(model, "ami", "language", "kmeans")
        assert clusters["estimate"] <= clusters["null_95"]
        for kind in ("probe_linear", "probe_nonlinear"):
            assert unconfounded.value(model, kind, "language")["p_value"] > 0.05
        assert "hides the language" in unconfounded.sentence(model)
        assert "finds the language" not in unconfounded.sentence(model)
    assert "finds the language" in unconfounded.sentence("tfidf")
    assert "gives the language away" in unconfounded.sentence("tfidf")
    assert not [w for w in unconfounded.summary.warnings if "tied to language" in w]
    assert not [w for w in unconfounded.summary.warnings if "function of language" in w]


def test_with_a_confound_the_report_names_it(tmp_path: Path) -> None:
    found = traps.compared(
        traps.demo_songs(98, confound=0.9),
        tmp_path / "songs",
        models=("balanced-pca", "timbre-pca", "tfidf"),
        k=(7,),
    )
    said = spoken(found.summary.warnings, "closely tied to", "genre", "language")
    assert said in found.page
    assert said in found.summary.verdicts[1]
    assert found.results.assessment.recommendation.trust == "low"
    near = found.value("timbre-pca", "knn", "language")
    assert near["low"] > near["chance"], "sound tells the language, through the genre"


# -- the demo collection itself --------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("confound", ["0", "0.9"])
def test_the_demo_collection_shows_what_it_was_composed_to_show(
    tmp_path: Path, confound: str
) -> None:
    """From `songscape demo` through decoding and analysis: no features are made up here."""
    from songscape.cli import DONE, main
    from songscape.experiment.experiment import compare
    from songscape.report.read import read_results
    from songscape.settings import Settings

    folder = tmp_path / "demo"
    options = ["--songs", "84", "--confound", confound, "--workers", "1"]
    assert main(["demo", str(folder), *options]) == DONE
    settings = Settings(
        models=("balanced-pca", "timbre-pca", "tfidf", VAE), clusterers=("kmeans",), k=(7,)
    )
    summary = compare(folder, tmp_path / "out", settings)
    results = read_results(summary.report.parent)
    sentences = {v.model: v.sentence for v in results.assessment.verdicts}
    named = [w for w in summary.warnings if "tied" in w and "genre" in w and "language" in w]
    page = " ".join(traps.visible_words(summary.report))
    if confound == "0":
        assert not named
        for model in ("timbre-pca", VAE):
            assert "hides the language" in sentences[model]
            assert "finds the language" not in sentences[model]
        assert "finds the language" in sentences["tfidf"]
        assert results.assessment.recommendation.models != ("tfidf",)
    else:
        (said,) = named
        assert said in page
        assert results.assessment.recommendation.trust == "low"
        assert "hides the language" not in sentences["timbre-pca"]
