"""The advice recommends by the tests alone, and planted traps are caught."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from songscape.audit.finding import Finding
from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.metric_table import Figures, KOrigin, Setup
from songscape.benchmark.recommendation import Assessment, assess
from songscape.benchmark.significance import withhold
from songscape.benchmark.verdicts import Flag, FlagKind, PairedTest, Trust
from songscape.benchmark.wording import flag_words


def given(
    made: ModuleType,
    rows: list[Any],
    tests: list[Any],
    *findings: Finding,
    setup: Setup | None = None,
    **collapsed: bool,
) -> Assessment:
    summary, differences, models = made.tables(rows, tests, **collapsed)
    return assessed(made, summary, differences, models, *findings, setup=setup)


def assessed(
    made: ModuleType, summary: Any, differences: Any, models: Any, *findings: Finding, **more: Any
) -> Assessment:
    """Claims are withheld as they are where the differences are made."""
    setup = more.get("setup") or made.SETUP
    kinds = dict(zip(models["model"], models["kind"]))
    tests = [PairedTest.of(row) for row in differences.to_dict(orient="records")]
    kept = withhold(tests, Figures(summary), setup.headline, kinds)
    return assess(summary, pd.DataFrame([vars(test) for test in kept]), models, findings, setup)


def flags(found: Assessment, model: str) -> set[str]:
    return {flag_words(flag) for flag in verdict(found, model).flags}


def caveats(found: Assessment) -> list[str]:
    return [caveat.sentence for caveat in found.recommendation.caveats]


def healthy(made: ModuleType, *models: str) -> list[Any]:
    return [row for model in ("balanced-pca", *models) for row in made.model_rows(model)]


def verdict(advice: Assessment, model: str) -> Any:
    return next(v for v in advice.verdicts if v.model == model)


def test_a_method_that_wins_a_test_and_loses_none_is_recommended(made: ModuleType) -> None:
    tests = [made.outcome("song-vae", "better"), made.outcome("song-vae", "worse", "knn")]
    tests[1] |= {"axis": "leakage", "column": "language"}
    advice = given(made, healthy(made, "song-vae"), tests)
    assert advice.recommendation.models == ("song-vae",)
    assert "hit@10 +0.05, 95 % 0.03 … 0.07" in advice.headline
    assert advice.recommendation.trust == Trust.GOOD
    assert "better than balanced-pca at finding songs of the same artist" in advice.sentences[-1]


def test_a_method_that_also_loses_a_label_is_not_recommended(made: ModuleType) -> None:
    tests = [
        made.outcome("song-vae", "better"),
        made.outcome("song-vae", "worse", "ami", "genre"),
    ]
    advice = given(made, healthy(made, "song-vae"), tests)
    assert advice.recommendation.models == ("balanced-pca",)
    assert "better on one label is worse on another" in advice.headline


def test_without_a_winner_the_baseline_is_recommended(made: ModuleType) -> None:
    tests = [made.outcome("song-vae", "same")]
    advice = given(made, healthy(made, "song-vae"), tests)
    assert advice.recommendation.models == ("balanced-pca",)
    assert "nothing else, trained or not, is distinguishably better" in advice.headline
    assert "not distinguishable from balanced-pca" in verdict(advice, "song-vae").sentence


def test_more_wins_decide_and_ties_are_all_named(made: ModuleType) -> None:
    tests = [made.outcome(m, "better") for m in ("a-vae", "b-vae", "c-vae")]
    tests += [made.outcome(m, "better", "ami", "genre") for m in ("a-vae", "b-vae")]
    advice = given(made, healthy(made, "a-vae", "b-vae", "c-vae"), tests)
    assert advice.recommendation.models == ("a-vae", "b-vae")
    assert "a-vae or b-vae" in advice.headline


def test_a_collapsed_vae_is_flagged_and_never_recommended(made: ModuleType) -> None:
    advice = given(
        made,
        healthy(made, "song-vae"),
        [made.outcome("song-vae", "better")],
        song_vae=True,
    )
    assert advice.recommendation.models == ("balanced-pca",)
    assert "collapsed" in flags(advice, "song-vae")
    assert "collapsed" in verdict(advice, "song-vae").sentence


def test_a_reference_is_never_recommended(made: ModuleType) -> None:
    advice = given(made, healthy(made, "random"), [made.outcome("random", "better")])
    assert advice.recommendation.models == ("balanced-pca",)


def test_the_own_space_silhouette_changes_nothing(made: ModuleType) -> None:
    """A random partition of a tidy space: a silhouette of 0.99 and no agreement."""
    trap = {"genre_knn": 0.25, "genre_ami": 0.0}
    tests = [made.outcome("tidy-vae", "same")]
    base = made.model_rows("balanced-pca")
    said = [
        given(made, [*base, *made.model_rows("tidy-vae", own_silhouette=s, **trap)], tests)
        for s in (0.99, -0.5)
    ]
    assert said[0].sentences == said[1].sentences
    assert said[0].recommendation.models == ("balanced-pca",)
    assert "clusters match no label beyond chance" in flags(said[0], "tidy-vae")


def test_a_win_below_chance_is_no_win(made: ModuleType) -> None:
    """Where the baseline is below chance, noise is better than it."""
    rows = made.model_rows("balanced-pca", genre_knn=0.15)
    rows += made.model_rows("song-vae", genre_knn=0.25)
    advice = given(made, rows, [made.outcome("song-vae", "better", "knn_balanced", "genre")])
    assert advice.recommendation.models == ("balanced-pca",)
    assert (
        "not claimed, because its own figure is no better than chance"
        in verdict(advice, "song-vae").sentence
    )


@pytest.mark.parametrize(
    ("shape", "flag"),
    [
        ({"n_clusters": 1, "largest": 1.0}, "one cluster holds nearly all"),
        ({"n_clusters": 3, "largest": 0.97}, "one cluster holds nearly all"),
        ({"noise": 0.8}, "mostly noise"),
    ],
)
def test_degenerate_partitions_are_flagged(
    made: ModuleType, shape: dict[str, float], flag: str
) -> None:
    rows = made.model_rows("balanced-pca", **shape)
    other = [
        one | {"clusterer": "dbscan", "k": None}
        for one in made.model_rows("song-vae", **shape)
        if one["clusterer"]
    ]
    advice = given(made, [*rows, *made.model_rows("song-vae"), *other], [])
    assert flag in flags(advice, "balanced-pca")
    assert f"dbscan: {flag}" in flags(advice, "song-vae")
    assert advice.recommendation.trust == "low"


@pytest.mark.parametrize("loser", ["song-vae", "balanced-pca"])
def test_refusing_the_hard_songs_wins_nothing(made: ModuleType, loser: str) -> None:
    """AMI leaves noise out: who names only the easy third of the songs reaches 1."""
    refusing = {"genre_ami": 1.0, "noise": 0.67}
    shapes = {"song-vae": refusing, "balanced-pca": {}}
    if loser == "song-vae":
        shapes = {"song-vae": {}, "balanced-pca": refusing}
    rows = [row for model, shape in shapes.items() for row in made.model_rows(model, **shape)]
    word = "worse" if loser == "song-vae" else "better"
    test = made.outcome("song-vae", word, "ami", "genre")
    advice = given(made, rows, [test, made.outcome("song-vae", "same")])
    assert advice.recommendation.models == ("balanced-pca",)
    said = verdict(advice, "song-vae")
    assert not said.wins
    assert not said.losses
    assert ("mostly noise" in said.sentence) == (loser == "balanced-pca")
    assert "better" not in said.sentence


def test_all_noise_is_not_called_one_cluster(made: ModuleType) -> None:
    nothing = {"n_clusters": 0, "noise": 1.0, "largest": float("nan")}
    advice = given(made, made.model_rows("balanced-pca", **nothing), [])
    found = flags(advice, "balanced-pca")
    assert "all noise" in found
    assert not {"one cluster holds nearly all", "mostly noise"} & found
    assert advice.recommendation.trust == "low"
    one = {"n_clusters": 1, "noise": 0.9, "largest": 1.0}
    found = flags(given(made, made.model_rows("balanced-pca", **one), []), "balanced-pca")
    assert {"one cluster holds nearly all", "mostly noise"} <= found


def test_clusters_of_the_language_are_named_and_cost_trust(made: ModuleType) -> None:
    rows = made.model_rows("balanced-pca", language_ami=0.8, language_knn=0.99)
    advice = given(made, rows, [])
    assert "finds the language" in flags(advice, "balanced-pca")
    assert "gives the language away (kNN 0.99, chance 0.50)" in advice.sentences[-1]
    assert advice.recommendation.trust == "low"
    assert "follow the language (AMI 0.80)" in caveats(advice)[0]


def test_the_language_is_not_named_below_its_null_or_below_a_label(made: ModuleType) -> None:
    for values in ({"language_ami": 0.04}, {"language_ami": 0.25, "genre_ami": 0.3}):
        advice = given(made, made.model_rows("balanced-pca", **values), [])
        assert not any(flag.kind is FlagKind.FINDS for flag in advice.verdicts[0].flags)


def test_artists_are_named_where_they_are_found_and_not_where_their_language_is(
    made: ModuleType,
) -> None:
    setup = replace(made.SETUP, nuisances=("language", "artist"))
    for language, column in ((0.8, "language"), (0.01, "artist")):
        rows = made.model_rows("balanced-pca", language_ami=language)
        artist = next(r for r in rows if (r["metric"], r["column"]) == ("ami", "language"))
        rows.append(artist | {"column": "artist", "estimate": 0.5, "low": 0.4, "high": 0.6})
        advice = given(made, rows, [], setup=setup)
        found = [flag for flag in advice.verdicts[0].flags if flag.kind is FlagKind.FINDS]
        assert found == [Flag(FlagKind.FINDS, column)]


def test_clusters_of_the_clip_length_are_named(made: ModuleType) -> None:
    advice = given(made, made.model_rows("balanced-pca", duration_ami=0.9), [])
    assert "finds the duration_s" in flags(advice, "balanced-pca")


def test_a_method_that_hides_the_language_is_the_alternative(made: ModuleType) -> None:
    rows = made.model_rows("balanced-pca", language_knn=0.99)
    rows += made.model_rows("neutral-vae", language_knn=0.51)
    rows += made.model_rows("deaf-vae", language_knn=0.5, genre_knn=0.25, genre_ami=0.0)
    tests = [
        made.outcome(model, "better", "knn", "language", "leakage")
        for model in ("neutral-vae", "deaf-vae")
    ]
    found = given(made, rows, tests)
    assert found.recommendation.models == ("balanced-pca",)
    assert found.recommendation.neutral == ("neutral-vae",)
    assert "neutral-vae (0.51)" in found.alternatives[0]


def test_a_hundredth_less_of_the_language_is_no_alternative(made: ModuleType) -> None:
    rows = made.model_rows("balanced-pca", language_knn=0.99)
    rows += made.model_rows("dense-vae", language_knn=0.98)
    tests = [made.outcome("dense-vae", "better", "knn", "language", "leakage")]
    assert given(made, rows, tests).recommendation.neutral == ()


def test_few_groups_one_seed_no_structure_and_confounds_cost_trust(made: ModuleType) -> None:
    rows, setup = healthy(made), made.SETUP
    message = "genre is almost a function of source"
    unsure = replace(setup, k_origin=KOrigin.NO_GROUPS)
    weak = {
        "groups": given(made, rows, [], setup=replace(setup, n_groups=12)),
        "seeds": given(made, rows, [], setup=replace(setup, n_seeds=1)),
        "clusters": given(made, rows, [], setup=unsure),
        "source": given(made, rows, [], made.confounded("genre", "source")),
    }
    trust = {name: advice.recommendation.trust for name, advice in weak.items()}
    assert trust == {"groups": "low", "seeds": "limited", "clusters": "limited", "source": "low"}
    assert message in weak["source"].sentences[1]
    assert given(made, rows, []).recommendation.trust == Trust.GOOD


def test_a_reference_that_beats_the_recommended_method_costs_all_trust(made: ModuleType) -> None:
    rows = [*healthy(made), *made.model_rows("language-only", genre_knn=0.75)]
    won = made.outcome("language-only", "better", "knn_balanced", "genre")
    table, differences, models = made.tables(rows, [won])
    models.loc[models["model"] == "language-only", "kind"] = "reference"
    advice = assessed(made, table, differences, models)
    assert advice.recommendation.models == ("balanced-pca",)
    assert advice.recommendation.trust == "low"
    said = caveats(advice)[0]
    assert said.startswith(
        "language-only, which knows nothing but the language, is better at genre"
    )
    assert "than balanced-pca (kNN +0.05, 95 % 0.03 … 0.07)" in said
    assert "may be the language" in said


@pytest.mark.parametrize(("reached", "trust"), [(0.75, "low"), (0.62, Trust.GOOD)])
def test_a_reference_is_held_against_a_trained_method_where_intervals_lie_apart(
    made: ModuleType, reached: float, trust: str
) -> None:
    rows = [*made.model_rows("balanced-pca", genre_knn=0.5), *made.model_rows("song-vae")]
    rows += made.model_rows("random", genre_knn=reached)
    tests = [
        made.outcome(model, "better", "knn_balanced", "genre") for model in ("song-vae", "random")
    ]
    found = given(made, rows, tests)
    assert found.recommendation.models == ("song-vae",)
    assert found.recommendation.trust == trust
    named = "random, which knows nothing, is better at genre than song-vae (kNN 0.75 against 0.60)"
    assert any(named in said for said in caveats(found)) == (trust == "low")


def test_a_simple_baseline_that_does_as_well_is_named(made: ModuleType) -> None:
    beside = {"baseline": "tfidf", "rival": "best", "difference": 0.0, "low": -0.03, "high": 0.03}
    won = made.outcome("song-vae", "better")
    advice = given(made, healthy(made, "song-vae"), [won, won | beside | {"verdict": "same"}])
    assert advice.recommendation.models == ("song-vae",)
    assert "tfidf, which needs no training, does as well" in advice.sentences[1]
    assert advice.recommendation.trust == "limited"


def test_a_simple_baseline_that_does_better_is_not_said_to_do_as_well(made: ModuleType) -> None:
    beside = {"baseline": "tfidf", "rival": "best", "difference": -0.11}
    beside |= {"low": -0.13, "high": -0.09, "verdict": "worse"}
    won = made.outcome("song-vae", "better")
    advice = given(made, healthy(made, "song-vae"), [won, won | beside])
    said = "tfidf, which needs no training, does better than song-vae (−0.11, 95 % −0.13 … −0.09)"
    assert said in advice.sentences[1]


@pytest.mark.parametrize(
    ("beaten", "chosen"),
    [
        ({}, ("tfidf", "centred")),
        ({"centred": "tfidf"}, ("tfidf",)),
        ({"centred": "tfidf", "tfidf": "centred"}, ("tfidf", "centred")),
    ],
)
def test_who_is_beaten_is_not_named_beside_who_beats_it(
    made: ModuleType, beaten: dict[str, str], chosen: tuple[str, ...]
) -> None:
    names = ("tfidf", "centred")
    tests = [made.outcome(name, "better") for name in names]
    tests += [
        made.outcome(name, "worse")
        | {"baseline": beaten.get(name, "raw"), "rival": "best"}
        | {"low": -0.13, "high": -0.09 if name in beaten else 0.02}
        for name in names
    ]
    advice = given(made, healthy(made, *names), tests)
    assert advice.recommendation.models == chosen


def test_what_failed_is_said_and_never_recommended(made: ModuleType) -> None:
    table, differences, models = made.tables(
        healthy(made, "song-vae"), [made.outcome("song-vae", "better")]
    )
    failed = models["model"] == "song-vae"
    models = models.assign(
        status=np.where(failed, "failed", "ok"), reason=np.where(failed, "loss is NaN", None)
    )
    advice = assessed(made, table, differences, models)
    assert verdict(advice, "song-vae").failed
    assert "loss is NaN" in verdict(advice, "song-vae").sentence
    assert advice.recommendation.models == ("balanced-pca",)


def test_without_the_baseline_nothing_is_recommended(made: ModuleType) -> None:
    advice = given(made, made.model_rows("song-vae"), [])
    assert advice.recommendation.models == ()
    assert "balanced-pca is missing" in advice.headline


def test_a_cloud_without_groups_is_said_to_have_none(made: ModuleType) -> None:
    from songscape.benchmark.number_of_clusters import number_of_clusters

    cloud = np.random.default_rng(0).normal(size=(60, 160))
    clusters = number_of_clusters(cloud)
    assert clusters.origin is KOrigin.NO_GROUPS
    headline = PartitionKey("kmeans", clusters.ks[0])
    setup = replace(made.SETUP, headline=headline, k_origin=clusters.origin)
    found = given(made, healthy(made), [], setup=setup)
    assert any("not to be read as groups" in said for said in caveats(found))
    assert found.recommendation.trust is Trust.LIMITED
