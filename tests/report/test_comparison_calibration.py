"""Whether unsure songs can be told beforehand: said where it was measured, else nothing."""

from pathlib import Path

import pytest
from by_path import load_module

from songscape.report.comparison_calibration import calibration_table
from songscape.report.comparison_page import write_comparison_report
from songscape.report.comparison_read import read_comparison

TITLE = "Can unsure songs be told beforehand?"
HEAD = (
    "model,clusterer,k,figure,kind,spearman,low,high,error,r2,expected,expected_p10,expected_p90,"
    "n_tracks,n_groups"
)
pages = load_module(Path(__file__).with_name("page_reader.py"))


def calibrated(folder: Path, *lines: str) -> Path:
    (folder / "calibration.csv").write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return folder


def test_where_it_was_not_measured_nothing_is_said(comparison_folder: Path) -> None:
    assert calibration_table(read_comparison(comparison_folder)) is None
    said = " ".join(pages.read(write_comparison_report(comparison_folder)).text)
    assert TITLE not in said
    assert "calibration" not in said


def test_the_table_stands_under_stability_with_its_intervals(comparison_folder: Path) -> None:
    folder = calibrated(
        comparison_folder,
        "song-vae,kmeans,4,border,subsamples,0.42,0.31,0.53,0.031,0.176,0.25,0.12,0.404,1000,200",
        "song-vae,kmeans,4,border,seeds,-0.05,-0.2,0.1,0.01,-0.02,0.3,0.29,0.31,1000,200",
        "song-vae,kmeans,4,spread,subsamples,0.21,0.1,0.3,0.02,0.04,0.3,0.29,0.31,1000,200",
        "song-vae,kmeans,4,spread,seeds,0.6,0.5,0.7,0.02,0.4,0.3,0.2,0.4,1000,200",
        "not-compared,kmeans,4,border,seeds,0.9,0.8,1.0,0.01,0.5,0.3,0.1,0.5,1000,200",
    )
    table = calibration_table(read_comparison(folder))
    assert table is not None
    [row] = table.rows
    assert [cell.text for cell in row] == [
        *("song-vae", "0.42", "−0.05"),
        *("12\u00a0% … 40\u00a0%", "3\u00a0%", "18\u00a0%"),
        *("0.21", "4\u00a0%"),
    ]
    assert row[1].note.startswith("0.31 … 0.53")
    again, seeds = row[1].whisker, row[2].whisker
    assert again is not None
    assert seeds is not None
    assert again.low > again.chance, "its interval is clear of no correlation"
    assert seeds.low < seeds.chance < seeds.high
    raw = write_comparison_report(folder).read_text(encoding="utf-8")
    assert raw.index('<h2 id="stability">') < raw.index(TITLE) < raw.index('<h2 id="health">')
    assert "stability, tracks, calibration as CSV" in raw


@pytest.mark.parametrize("r2", ["0.0", "-0.1"])
def test_what_explains_nothing_is_called_nothing(comparison_folder: Path, r2: str) -> None:
    folder = calibrated(
        comparison_folder,
        f"song-vae,kmeans,4,border,subsamples,0.0,-0.1,0.1,0.02,{r2},0.3,0.3,0.3,9,9",
    )
    table = calibration_table(read_comparison(folder))
    assert table is not None
    assert [cell.text for cell in table.rows[0]][5:] == ["nothing", "–", "–"], "no posterior"
    assert table.rows[0][2].text == "–", "one seed alone was there"


def test_figures_that_could_not_be_computed_are_dashes(comparison_folder: Path) -> None:
    folder = calibrated(comparison_folder, "song-vae,kmeans,4,border,subsamples,,,,,,,,,3,3")
    table = calibration_table(read_comparison(folder))
    assert table is not None
    assert [cell.text for cell in table.rows[0]] == ["song-vae", *["–"] * 7]
    assert TITLE in write_comparison_report(folder).read_text(encoding="utf-8")
