"""The page says what the tables say, escapes everything and needs nothing from outside."""

import base64
import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from by_path import load_module
from PIL import Image

from songscape.cli import DONE, FAILED, main
from songscape.errors import SongscapeError
from songscape.report.figures import picture_plan
from songscape.report.page import write_page
from songscape.report.plots import k_distance_figure
from songscape.report.read import Results, read_results

pages = load_module(Path(__file__).with_name("page_reader.py"))
folders = load_module(Path(__file__).with_name("results_folder.py"))


def text(folder: Path) -> str:
    return " ".join(" ".join(pages.read(write_page(folder)).text).split())


@pytest.fixture(params=["run", "compared"])
def folder(request: pytest.FixtureRequest, run_folder: Path, compared_folder: Path) -> Path:
    """Both kinds of folder, with the first three pictures that the page plans."""
    found = run_folder if request.param == "run" else compared_folder
    figure = k_distance_figure([1.0, 2.0], 1.5, 2)
    for planned in picture_plan(read_results(found))[:3]:
        folders.save_picture(figure, found / "pictures" / f"{planned.name}.png")
    return found


def test_the_page_is_well_formed_and_needs_no_network(folder: Path) -> None:
    path = write_page(folder)
    page = pages.read(path)
    sources = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert sources
    assert all(str(s).startswith(("data:image/png;base64,", "#")) for s in sources)
    assert [tag for tag, _ in page.tags].count("script") == 1
    raw = path.read_text(encoding="utf-8")
    assert not any(word in raw for word in ("@import", "url(", "http"))


def test_links_lead_to_sections(folder: Path) -> None:
    page = pages.read(write_page(folder))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = {str(a["href"]).removeprefix("#") for tag, a in page.tags if tag == "a"}
    assert links <= set(ids)


def test_titles_labels_and_names_are_escaped(folder: Path) -> None:
    raw = write_page(folder).read_text(encoding="utf-8")
    assert "<script>alert" not in raw
    assert "<b>rock" not in raw
    assert "Ann – <script>alert('x')</script> 🎵 গান" in text(folder)
    assert "<b>rock</b> & roll" in text(folder)


def test_equal_files_give_equal_bytes(folder: Path) -> None:
    first = write_page(folder).read_bytes()
    assert write_page(folder).read_bytes() == first


def test_the_report_verb_writes_the_page_again(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = run_folder.rename(run_folder.with_name("results"))
    before = write_page(results).read_bytes()
    (results / "report.html").unlink()
    assert main(["report", str(results.parent)]) == DONE
    assert (results / "report.html").read_bytes() == before
    assert capsys.readouterr().out.strip().endswith((results / "report.html").as_uri())
    (results / "experiment.json").unlink()
    assert main(["report", str(results.parent)]) == FAILED
    assert "experiment.json: cannot be read" in capsys.readouterr().err


def test_pictures_are_inlined_numbered_and_described(folder: Path) -> None:
    page = pages.read(write_page(folder))
    shown = [a for tag, a in page.tags if tag == "img"]
    files = {p.read_bytes() for p in (folder / "pictures").glob("*.png")}
    data = [base64.b64decode(a["src"].partition(",")[2]) for a in shown]
    assert len(shown) == 3
    assert set(data) == files
    assert all(a["alt"] for a in shown)
    for a, png in zip(shown, data):
        with Image.open(BytesIO(png)) as image:
            assert image.size == (int(a["width"]), int(a["height"]))
    assert [int(n) for n in re.findall(r"Figure (\d+)\.", " ".join(page.text))] == [1, 2, 3]


def test_a_heavy_page_names_pictures_instead(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("songscape.report.figures.BUDGET_BYTES", 10)
    page = pages.read(write_page(folder))
    assert not [a for tag, a in page.tags if tag == "img"]
    assert " ".join(page.text).count("pictures/") == 3


def test_what_songs_there_are_comes_before_methods_and_figures(folder: Path) -> None:
    raw = write_page(folder).read_text(encoding="utf-8")
    body = raw[raw.index("<body>") :]
    names = ('<h2 id="collection"', 'id="evidence"', '<h2 id="agreement"')
    places = [body.index(name) for name in names]
    assert places == sorted(places)
    assert body.index("<table") > places[1]


def test_found_is_analysed_plus_skipped_plus_failed(run_folder: Path) -> None:
    assert "do not add up" not in text(run_folder)
    document = json.loads((run_folder / "experiment.json").read_text())
    document["counts"]["found"] += 1
    (run_folder / "experiment.json").write_text(json.dumps(document))
    assert "do not add up" in text(run_folder)


def test_a_run_has_no_verdicts_and_says_how_to_get_them(run_folder: Path) -> None:
    said = text(run_folder)
    assert "Which method to use" not in said
    assert "These figures have no intervals" in said
    assert "songscape compare" in said


def test_the_recommendation_and_its_caveats_are_there_where_methods_were_tested(
    compared_folder: Path,
) -> None:
    raw = write_page(compared_folder).read_text(encoding="utf-8")
    body = raw[raw.index("<body>") :]
    assert body.count("Use song-vae: better than balanced-pca") == 2
    assert body.index("Use song-vae") < body.index("<h2"), "on the first screen"
    assert "The intervals rest on 1,000 songs in 200 groups" in body


def test_what_could_not_be_measured_is_named(run_folder: Path) -> None:
    assert "What could not be measured" not in text(run_folder)
    lines = [
        "model,clusterer,k,seed,what,reason",
        "tfidf,ward,8,0,partition,too many songs",
        "tfidf,ward,8,3,partition,too many songs",
        "song-vae,,,1,model,the loss became NaN",
    ]
    (run_folder / "unmeasured.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = text(run_folder)
    assert "tfidf + ward, k = 8 (seeds 0, 3): no clusters" in said
    assert said.count("too many songs") == 1
    assert "song-vae (seed 1): the loss became NaN" in said


def test_warnings_of_checks_that_are_gone_are_still_shown(run_folder: Path) -> None:
    rows = pd.read_csv(run_folder / "warnings.csv", dtype=str, keep_default_na=False)
    gone = rows[:1].assign(check="poor-overlap", message="genre and language coincide")
    pd.concat([rows, gone]).to_csv(run_folder / "warnings.csv", index=False)
    assert "genre and language coincide" in text(run_folder)


def test_a_folder_with_the_least_that_there_can_be_has_a_page(
    run_folder: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("table.csv", "models.csv", "experiment.json"):
        (bare / name).write_bytes((run_folder / name).read_bytes())
    page = pages.read(write_page(bare))
    assert "The groups" not in " ".join(page.text)
    for name in ("table.csv", "models.csv", "experiment.json"):
        held = (bare / name).read_bytes()
        (bare / name).unlink()
        with pytest.raises(SongscapeError, match=f"{name}: cannot be read"):
            write_page(bare)
        (bare / name).write_bytes(held)


def test_a_collection_without_labels_languages_or_artists_has_a_page(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path
) -> None:
    kept = ("structure", "own space", "health")
    rows = [row for row in made.model_rows("balanced-pca") if row["axis"] in kept]
    for tests in (None, []):
        where = write_results(tmp_path / str(tests), rows, tests, labels=[], nuisances=[])
        said = text(where)
        assert "Agreement with labels" not in said
        assert "Structure" in said


def test_frames_in_memory_give_the_page_of_the_folder(
    compared_folder: Path, tmp_path: Path
) -> None:
    names = ("summary", "differences", "models", "warnings")
    frames = {name: pd.read_csv(compared_folder / f"{name}.csv") for name in names}
    document: dict[str, Any] = json.loads((compared_folder / "experiment.json").read_text())
    path = write_page(Results.of(document, frames), tmp_path / "mine.html")
    assert path == tmp_path / "mine.html"
    for name in ("labels", "clusters", "ledger", "tracks", "table"):
        frame = pd.read_csv(compared_folder / f"{name}.csv")
        (compared_folder / f"{name}.csv").write_text(frame[:0].to_csv(index=False))
    assert write_page(compared_folder).read_bytes() == path.read_bytes()
