"""A comparison's page says first what to use, draws every interval, needs no network."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from songscape.errors import SongscapeError
from songscape.report import style
from songscape.report.comparison_page import write_comparison_report
from songscape.report.comparison_pictures import picture_name, picture_plan
from songscape.report.comparison_read import read_comparison
from songscape.report.comparison_tables import (
    label_table,
    nuisance_table,
    stability_table,
    structure_table,
    unsure_tracks,
)
from songscape.report.evidence_plots import forest_figure

NASTY = "<script>alert('x')</script> & গান"
VOID = {"meta", "img", "br", "hr", "input", "link"}
SELF_CLOSED = {"path", "circle"}


class Reader(HTMLParser):
    """Collects tags, attributes and text, and checks that every tag is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        assert tag in SELF_CLOSED
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


def write(folder: Path, made: ModuleType, rows: list[Any], tests: list[Any], **more: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    table, differences, models = made.tables(rows, tests, **more.pop("collapsed", {}))
    table.to_csv(folder / "table.csv", index=False)
    differences.to_csv(folder / "differences.csv", index=False)
    models.to_csv(folder / "models.csv", index=False)
    made.warning_table(("duplicate-lyrics", NASTY)).to_csv(folder / "warnings.csv", index=False)
    songs = {"track_id": [NASTY, "b", "c"], "balanced-pca|kmeans|4": [0.9, 0.0, 0.3]}
    pd.DataFrame(songs).to_csv(folder / "tracks.csv", index=False)
    setting = made.SETTING
    document = {
        "title": NASTY,
        "songscape": "0.1.0",
        "command": ["songscape", "compare", "my songs"],
        "settings": {"seeds": list(range(setting.n_seeds)), "clusterers": ["kmeans"]},
        "baseline": setting.baseline,
        "headline": {"clusterer": "kmeans", "k": 4},
        "k": [4],
        "k_reason": setting.k_reason,
        "n_tracks": setting.n_tracks,
        "n_groups": setting.n_groups,
        "labels": list(setting.labels),
        "nuisances": list(setting.nuisances),
        "has_artists": True,
        "input_digest": "abc123",
        "versions": {"numpy": "2.4"},
    } | more
    (folder / "compare.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


@pytest.fixture
def folder(made: ModuleType, tmp_path: Path) -> Path:
    models = ("balanced-pca", "tfidf", "song-vae", "random")
    rows = [row for model in models for row in made.model_rows(model)]
    tests = [made.outcome("song-vae", "better than"), made.outcome("tfidf", "worse than")]
    tests += [made.outcome("random", "not distinguishable from")]
    leaks = [("song-vae", "better than"), ("tfidf", "worse than")]
    tests += [made.outcome(m, word, "knn", "language", "leakage") for m, word in leaks]
    folder = write(tmp_path / "results", made, rows, tests)
    figure = forest_figure(["a"], [0.1], [0.0], [0.2], ["better"])
    for planned in picture_plan(read_comparison(folder))[:3]:
        style.save_picture(figure, folder / "pictures" / f"{planned.name}.png", dpi=40)
    return folder


def test_the_page_is_well_formed_and_needs_no_network(folder: Path) -> None:
    path = write_comparison_report(folder)
    page = read(path)
    sources = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert sources
    assert all(str(s).startswith(("data:image/png;base64,", "#")) for s in sources)
    assert [tag for tag, _ in page.tags].count("script") == 1
    raw = path.read_text(encoding="utf-8")
    assert "@import" not in raw
    assert "url(" not in raw
    assert "http" not in raw


def test_links_lead_to_sections(folder: Path) -> None:
    page = read(write_comparison_report(folder))
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


def test_the_recommendation_stands_before_every_table(folder: Path) -> None:
    raw = write_comparison_report(folder).read_text(encoding="utf-8")
    body = raw[raw.index("<body>") :]
    chosen = body.index("Use song-vae: better than balanced-pca")
    assert chosen < body.index("Trust it:") < body.index("<table")
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
        "the yardstick",
        "▲ better than balanced-pca",
        "▼ worse than balanced-pca",
    ]
    assert stability_table(results).rows[0][3].text == "0.777"


def test_unsure_songs_are_named_surest_last(folder: Path, made: ModuleType) -> None:
    results = read_comparison(folder)
    assert unsure_tracks(results) is None  # tracks.csv knows balanced-pca alone
    rows = made.model_rows("balanced-pca")
    found = unsure_tracks(read_comparison(write(folder / "other", made, rows, [])))
    assert found is not None
    assert [song for song, _ in found[1]] == [NASTY, "c"]


def test_figures_are_numbered_and_captioned(folder: Path) -> None:
    page = read(write_comparison_report(folder))
    images = [a for tag, a in page.tags if tag == "img"]
    assert len(images) == 3
    assert all(a["alt"] and a["width"] and a["height"] for a in images)
    said = " ".join(page.text)
    assert [int(n) for n in re.findall(r"Figure (\d+)\.", said)] == [1, 2, 3]


def test_a_collapsed_model_is_marked_on_the_first_screen(made: ModuleType, tmp_path: Path) -> None:
    rows = [row for model in ("balanced-pca", "song-vae") for row in made.model_rows(model)]
    tests = [made.outcome("song-vae", "better than")]
    where = write(tmp_path / "results", made, rows, tests, collapsed={"song_vae": True})
    raw = write_comparison_report(where).read_text(encoding="utf-8")
    body = raw[raw.index("<body>") : raw.index('id="agreement"')]
    assert '<span class="tag warn">collapsed</span>' in body
    assert "Use balanced-pca" in body


def test_a_collection_without_labels_languages_or_artists_has_a_page(
    made: ModuleType, tmp_path: Path
) -> None:
    rows = [
        row
        for row in made.model_rows("balanced-pca")
        if row["axis"] in ("structure", "own space", "health")
    ]
    where = write(tmp_path / "results", made, rows, [], labels=[], nuisances=[], has_artists=False)
    for name in ("warnings", "tracks"):
        (where / f"{name}.csv").unlink()
    said = " ".join(read(write_comparison_report(where)).text)
    assert "Use balanced-pca" in said
    assert "Agreement with labels" not in said


def test_what_is_missing_is_named(folder: Path) -> None:
    (folder / "table.csv").unlink()
    with pytest.raises(SongscapeError, match=r"table\.csv"):
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
