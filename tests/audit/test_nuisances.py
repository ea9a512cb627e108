"""What a user calls a nuisance, and what is one anyway: the artist, the album."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy import stats
from sklearn.metrics import adjusted_mutual_info_score

from songscape.audit.nuisances import nuisance_table
from songscape.benchmark.measure import partition_rows, space_rows
from songscape.benchmark.targets import Targets
from songscape.cli import USAGE, main
from songscape.columns import find_roles, label_columns
from songscape.errors import UsageError
from songscape.experiment.dataset import Dataset
from songscape.experiment.trial_inputs import targets_of
from songscape.features.views import View, Views
from songscape.metrics.neighbours import nearest_neighbors
from songscape.settings import Settings
from songscape.statistics.permutations import mixing_nulls, nested_in_groups

N = 60


def inputs(columns: dict[str, Any], labels: tuple[str, ...], nuisances: tuple[str, ...]) -> Dataset:
    ids = tuple(f"t{i:02}" for i in range(N))
    timbre = View(np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32), np.ones(N, bool))
    nothing = View(np.zeros((N, 1), dtype=np.float32), np.zeros(N, bool))
    groups = np.arange(N) // 5
    table = pd.DataFrame(columns, index=list(ids), dtype=object)
    return Dataset(
        views=Views(ids, {"timbre": timbre, "lyrics": nothing}, groups),
        columns=table,
        label_columns=tuple(label_columns(table, labels, nuisances=nuisances)),
        nuisance_columns=nuisances,
        facts=pd.DataFrame(index=list(ids)),
        texts=(None,) * N,
        roles=find_roles(columns),
        digests={},
    )


ARTIST = [f"artist {i // 5}" for i in range(N)]
ALBUM = [f"album {i // 2}" for i in range(N)]
MOOD = ["gay", "grave", "gay"] * 20
YEAR = [str(1900 + i) for i in range(N)]


def test_the_artist_and_the_album_are_leakage_without_anyone_naming_them() -> None:
    columns = {"artist": ARTIST, "album": ALBUM, "mood": MOOD}
    found = targets_of(inputs(columns, (), ()))
    assert list(found.labels) == ["mood"]
    assert list(found.nuisances) == ["artist", "album"]
    assert list(np.asarray(found.artists)) == ARTIST


def test_a_composer_who_stands_for_the_artist_is_leakage_too() -> None:
    found = targets_of(inputs({"composer": ARTIST, "mood": MOOD}, (), ()))
    assert (list(found.labels), list(found.nuisances)) == (["mood"], ["composer"])


def test_a_named_nuisance_is_leakage_and_no_label() -> None:
    columns = {"artist": ARTIST, "mood": MOOD, "form": MOOD[::-1]}
    found = targets_of(inputs(columns, (), ("mood",)))
    assert (list(found.labels), list(found.nuisances)) == (["form"], ["artist", "mood"])


def test_a_named_label_is_no_nuisance() -> None:
    columns = {"artist": ARTIST, "album": ALBUM}
    found = targets_of(inputs(columns, ("album",), ()), ("album",))
    assert (list(found.labels), list(found.nuisances)) == (["album"], ["artist"])


def test_a_named_column_of_numbers_is_binned_and_one_of_words_is_not() -> None:
    given = inputs({"year": YEAR, "mood": MOOD, "language": MOOD}, (), ())
    table = nuisance_table(
        given.columns, given.facts, given.views, extra=["year", "mood", "language"]
    )
    assert table["year"].nunique() == 5
    assert table["year"].iloc[0] == "1900–1911"
    assert list(table["mood"]) == MOOD
    assert list(table.columns) == ["language", "year", "mood"]


def test_one_column_is_not_both() -> None:
    with pytest.raises(UsageError, match="mood: named as a label and as a nuisance"):
        Settings(labels=("mood", "form"), nuisances=("mood",))


def test_an_unknown_nuisance_is_one_line_before_any_audio_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(3_000), 22_050)
    (tmp_path / "tracks.csv").write_text("id,audio,mood\na,a.wav,gay\n", encoding="utf-8")
    out = tmp_path / "out"
    code = main(["compare", str(tmp_path), "--out", str(out), "--nuisances", "mood,room"])
    assert code == USAGE
    said = capsys.readouterr().err
    assert "no nuisance column 'room'; the collection has: mood" in said
    assert said.count("\n") == 1
    assert not (out / "songscape.db").exists()


def by_artist(rng: np.random.Generator) -> tuple[Any, Any, Any]:
    number = np.repeat(np.arange(30), 6)
    X = 3 * rng.normal(size=(30, 5))[number] + rng.normal(size=(180, 5))
    return X, number, [f"artist {a}" for a in number]


def test_artists_and_albums_lie_within_groups_and_languages_do_not() -> None:
    number = by_artist(np.random.default_rng(0))[1]
    album = 2 * number + np.arange(180) % 2
    assert nested_in_groups(number, number)
    assert nested_in_groups(album, number)
    assert not nested_in_groups(number % 3, number)
    assert not nested_in_groups(number, None)
    assert not nested_in_groups(np.full(5, -1), np.arange(5))


def test_clusters_that_know_the_artists_are_found_out() -> None:
    X, number, artist = by_artist(np.random.default_rng(0))
    clusters = number % 4
    for nuisance in (artist, [f"{a}, {i % 2}" for i, a in enumerate(artist)]):
        targets = Targets({}, {"nuisance": np.array(nuisance)}, None, artist)
        (row,) = [r for r in partition_rows(clusters, X, targets) if r["axis"] == "leakage"]
        assert row["value"] == pytest.approx(adjusted_mutual_info_score(nuisance, clusters))
        assert row["chance"] == pytest.approx(0, abs=0.02)
        assert row["p_value"] <= 0.002


@pytest.mark.parametrize("knows", [True, False])
def test_only_spaces_that_know_the_artists_mix_them_little(knows: bool) -> None:
    p_values = []
    for seed in range(1 if knows else 40):
        rng = np.random.default_rng(seed)
        artist = np.repeat(np.arange(12), 5)
        X = 3 * knows * rng.normal(size=(12, 5))[artist] + rng.normal(size=(60, 5))
        found = mixing_nulls(nearest_neighbors(X, 20), artist, n_permutations=39)
        p_values.append(found["kbet"].p_value)
    if knows:
        assert p_values == [pytest.approx(1 / 40)]
    else:
        assert stats.kstest(p_values, "uniform", alternative="greater").pvalue > 0.001


def test_the_artist_has_clusters_and_mixing_but_no_probe_and_no_neighbours() -> None:
    """Grouped by artist a probe never saw those it should name, and the filter removes them."""
    rng = np.random.default_rng(0)
    X, number, artist = by_artist(rng)
    targets = Targets({}, {"artist": artist, "language": number % 3}, artist, artist)
    for measures in ((), ("ilisi", "kbet")):
        rows, samples = space_rows(X, targets, measures=measures)
        rows += partition_rows(number % 4, X, targets)
        measured = {
            name: {r["metric"] for r in rows if (r["axis"], r["column"]) == ("leakage", name)}
            for name in targets.nuisances
        }
        assert measured["artist"] == {"ami", *measures}
        assert measured["language"] > measured["artist"] | {"knn", "probe_linear"}
        assert set(map(str, samples)) == {"knn:language", "hit:artist", "ap:artist"}
