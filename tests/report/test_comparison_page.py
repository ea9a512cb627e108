"""A comparison's page says first what to use, draws every interval, needs no network."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from by_path import load_module

from songscape.cli import DONE, FAILED, main
from songscape.errors import SongscapeError
from songscape.report.comparison_health import stability_table, unsure_tracks
from songscape.report.comparison_page import write_comparison_report
from songscape.report.comparison_pictures import picture_name, picture_plan
from songscape.report.comparison_read import read_comparison
from songscape.report.comparison_tables import label_table, nuisance_table, structure_table
from songscape.report.evidence_plots import forest_figure

NASTY = "<script>alert('x')</script> 🎵 গান"
pages = load_module(Path(__file__).with_name("page_reader.py"))
folders = load_module(Path(__file__).with_name("results_folder.py"))


@pytest.fixture
def folder(comparison_folder: Path) -> Path:
    figure = forest_figure(["a"], [0.1], [0.0], [0.2], ["better"])
    for planned in picture_plan(read_comparison(comparison_folder))[:3]:
        path = comparison_folder / "pictures" / f"{planned.name}.png"
        folders.save_picture(figure, path)
    return comparison_folder


def test_the_page_is_well_formed_and_needs_no_network(folder: Path) -> None:
    path = write_comparison_report(folder)
    page = pages.read(path)
    sources = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert sources
    assert all(str(s).startswith(("data:image/png;base64,", "#")) for s in sources)
    assert [tag for tag, _ in page.tags].count("script") == 1
    raw = path.read_text(encoding="utf-8")
    assert "@import" not in raw
    assert "url(" not in raw
    assert "http" not in raw


def test_links_lead_to_sections(folder: Path) -> None:
    page = pages.read(write_comparison_report(folder))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = {str(a["href"]).removeprefix("#") for tag, a in page.tags if tag == "a"}
    assert links <= set(ids)


def test_names_are_escaped(folder: Path) -> None:
    raw = write_comparison_report(folder).read_text(encoding="utf-8")
    assert "<script>alert" not in raw
    assert "&lt;script&gt;alert" in raw


def test_equal_files_give_equal_bytes(folder: Path) -> None:
    first = write_comparison_report(folder).read_bytes()
    assert write_comparison_report(folder).read_bytes() == first


def test_the_report_verb_writes_the_page_again(
    comparison_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = write_comparison_report(comparison_folder)
    before = written.read_bytes()
    written.unlink()
    assert main(["report", str(comparison_folder.parent)]) == DONE
    assert written.read_bytes() == before
    assert capsys.readouterr().out.strip() == f"report: {written.resolve().as_uri()}"
    (comparison_folder / "compare.json").unlink()
    assert main(["report", str(comparison_folder.parent)]) == FAILED
    assert "neither run.json nor compare.json" in capsys.readouterr().err


def test_the_recommendation_stands_before_every_table(folder: Path) -> None:
    raw = write_comparison_report(folder).read_text(encoding="utf-8")
    body = raw[raw.index("<body>") :]
    chosen = body.index("Use song-vae: better than balanced-pca")
    assert chosen < body.index("Nothing in the data") < body.index("<table")
    assert body.index("What is odd about the songs") < body.index("<table")


def test_own_space_figures_cannot_be_sorted_on_and_rank_nothing(folder: Path) -> None:
    table = structure_table(read_comparison(folder), "timbre")
    own = [i for i, column in enumerate(table.columns) if column.own]
    assert len(own) == 1
    assert not table.columns[own[0]].sortable
    assert "own space" in table.columns[own[0]].note
    assert all(row[own[0]].sort is None for row in (*table.rows, *table.references))
    raw = write_comparison_report(folder).read_text(encoding="utf-8")
    heads = re.findall(r"<th[^>]*>((?:(?!</th>).)*own space:(?:(?!</th>).)*)</th>", raw, re.DOTALL)
    assert heads
    assert not any("<button" in head for head in heads)


def test_references_stand_apart_from_methods(folder: Path) -> None:
    table = label_table(read_comparison(folder), "genre")
    assert {row[0].text for row in table.rows} == {"balanced-pca", "tfidf", "song-vae"}
    assert [row[0].text for row in table.references] == ["random"]
    assert '<tbody class="references">' in write_comparison_report(folder).read_text("utf-8")


def test_every_figure_is_drawn_with_its_interval_and_written(folder: Path) -> None:
    results = read_comparison(folder)
    row = next(r for r in label_table(results, "genre").rows if r[0].text == "song-vae")
    knn = row[1]
    assert knn.text == "0.600"
    assert "0.580 … 0.620" in knn.note
    assert "chance 0.250" in knn.note
    assert knn.whisker is not None
    assert knn.whisker.chance < knn.whisker.low < knn.whisker.estimate < knn.whisker.high <= 100
    scale = (knn.whisker.high - knn.whisker.low) / 0.04
    assert knn.whisker.estimate - knn.whisker.chance == pytest.approx(0.35 * scale)
    verdicts = [r[2].text for r in nuisance_table(results, "language").rows]
    assert sorted(verdicts) == [
        "the baseline",
        "▲ better than balanced-pca",
        "▼ worse than balanced-pca",
    ]
    assert stability_table(results).rows[0][1].text == "0.777"


def test_unsure_songs_are_named_surest_last(
    folder: Path, made: ModuleType, write: Callable[..., Path]
) -> None:
    results = read_comparison(folder)
    assert unsure_tracks(results) is None  # tracks.csv knows balanced-pca alone
    rows = made.model_rows("balanced-pca")
    found = unsure_tracks(read_comparison(write(folder / "other", rows, [])))
    assert found is not None
    assert [song for song, _ in found[1]] == [NASTY, "c"]


def test_what_could_not_be_measured_is_named(folder: Path) -> None:
    raw = write_comparison_report(folder).read_text(encoding="utf-8")
    assert "What could not be measured" not in raw
    lines = [
        "model,clusterer,k,seed,what,reason",
        "tfidf,ward,8,0,partition,too many songs",
        "tfidf,ward,8,3,partition,too many songs",
        "song-vae,,,1,model,the loss became NaN",
    ]
    (folder / "unmeasured.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = " ".join(pages.read(write_comparison_report(folder)).text)
    assert "What could not be measured" in said
    assert "tfidf + ward, k = 8 (seeds 0, 3): no clusters" in said
    assert said.count("too many songs") == 1
    assert "song-vae (seed 1): the loss became NaN" in said


def test_the_best_baseline_is_named_with_its_own_verdict(folder: Path) -> None:
    assert not any(row[3].note for row in label_table(read_comparison(folder), "genre").rows)
    differences = pd.read_csv(folder / "differences.csv")
    tests = differences[differences["model"] == "song-vae"].assign(
        metric="knn_balanced",
        column="genre",
        best_baseline="tfidf",
        difference_to_best=0.012,
        low_to_best=-0.01,
        high_to_best=0.03,
        verdict_to_best="same",
    )
    pd.concat([differences, tests[:1]]).to_csv(folder / "differences.csv", index=False)
    table = label_table(read_comparison(folder), "genre")
    song_vae = next(row for row in table.rows if row[0].text == "song-vae")
    assert song_vae[2].text == "▲ better than balanced-pca"
    assert song_vae[3].text == "= not distinguishable from tfidf"
    assert song_vae[3].note == "+0.012 (−0.010 … 0.030)"


def test_why_nothing_is_claimed_stands_beside_the_interval(folder: Path) -> None:
    differences = pd.read_csv(folder / "differences.csv", keep_default_na=False)
    claimed = differences["verdict"] == "better"
    differences.loc[claimed, ["verdict", "withheld"]] = (
        "same",
        "at chance",
    )
    differences.to_csv(folder / "differences.csv", index=False)
    page = " ".join(pages.read(write_comparison_report(folder)).text)
    assert claimed.any()
    assert "; not claimed: no better than chance" in page


def test_figures_are_numbered_and_captioned(folder: Path) -> None:
    page = pages.read(write_comparison_report(folder))
    images = [a for tag, a in page.tags if tag == "img"]
    assert len(images) == 3
    assert all(a["alt"] and a["width"] and a["height"] for a in images)
    said = " ".join(page.text)
    assert [int(n) for n in re.findall(r"Figure (\d+)\.", said)] == [1, 2, 3]


def test_a_collapsed_model_is_marked_on_the_first_screen(
    made: ModuleType, write: Callable[..., Path], tmp_path: Path
) -> None:
    rows = [row for model in ("balanced-pca", "song-vae") for row in made.model_rows(model)]
    tests = [made.outcome("song-vae", "better")]
    where = write(tmp_path / "results", rows, tests, collapsed={"song_vae": True})
    raw = write_comparison_report(where).read_text(encoding="utf-8")
    body = raw[raw.index("<body>") : raw.index('id="agreement"')]
    assert '<span class="tag warn">collapsed</span>' in body
    assert "Use balanced-pca" in body


def test_a_collection_without_labels_languages_or_artists_has_a_page(
    made: ModuleType, write: Callable[..., Path], tmp_path: Path
) -> None:
    rows = [
        row
        for row in made.model_rows("balanced-pca")
        if row["axis"] in ("structure", "own space", "health")
    ]
    where = write(tmp_path / "results", rows, [], labels=[], nuisances=[], has_artists=False)
    for name in ("warnings", "tracks"):
        (where / f"{name}.csv").unlink()
    said = " ".join(pages.read(write_comparison_report(where)).text)
    assert "Use balanced-pca" in said
    assert "Agreement with labels" not in said


def test_what_is_missing_is_named(folder: Path) -> None:
    (folder / "summary.csv").unlink()
    with pytest.raises(SongscapeError, match=r"summary\.csv"):
        write_comparison_report(folder)


@pytest.mark.parametrize("name", ["genre/style", "..", "a b", "x" * 300, "গান?", 'q"<>|*:\\'])
def test_picture_names_are_safe_and_distinct(name: str) -> None:
    found = picture_name("heatmap", name, "pca")
    assert len(f"{found}.png".encode()) <= 100
    assert not set(found) & set('/\\:*?"<>| ')
    assert not found.startswith(".")
    assert picture_name("heatmap", f"{name}_", "pca") != found


def test_plain_picture_names_stay_as_they_are() -> None:
    assert picture_name("forest", "agreement", "ami", "genre") == "forest-agreement-ami-genre"
