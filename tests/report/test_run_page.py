"""The page says what the tables say, escapes everything and needs nothing from outside."""

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from by_path import load_module
from PIL import Image
from sklearn.metrics import adjusted_mutual_info_score

from songscape.errors import SongscapeError
from songscape.report.findings import featured, findings, in_order, mostly_language
from songscape.report.pictures import picture_sections
from songscape.report.run_page import write_report
from songscape.report.run_read import read_results
from songscape.report.run_tables import agreement_table, cluster_table, ledger_table
from songscape.report.style import number

pages = load_module(Path(__file__).with_name("page_reader.py"))


def text(reader: Any) -> str:
    return " ".join(" ".join(reader.text).split())


def test_page_is_well_formed_and_needs_no_network(results_dir):
    page = pages.read(write_report(results_dir, title="Songs"))
    sources = [a[key] for _, a in page.tags for key in ("src", "href") if key in a]
    assert sources
    assert all(s.startswith(("data:image/png;base64,", "#")) for s in sources)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "@import" not in text(page)
    assert "url(" not in text(page)


def test_links_lead_to_sections(results_dir):
    page = pages.read(write_report(results_dir))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = {a["href"].removeprefix("#") for tag, a in page.tags if tag == "a"}
    assert links <= set(ids)


def test_names_and_titles_are_escaped(results_dir):
    path = write_report(results_dir, title="<script>alert(1)</script> & ü 🎵")
    raw = path.read_text(encoding="utf-8")
    assert "<script>alert" not in raw
    assert "<b>rock" not in raw
    page = pages.read(path)
    assert "<script>alert(1)</script> & ü 🎵" in text(page)
    assert "<script>alert('x')</script> 🎵 গান" in text(page)


def test_same_files_give_the_same_bytes(results_dir):
    first = write_report(results_dir).read_bytes()
    assert write_report(results_dir).read_bytes() == first


def test_a_second_language_column_is_not_what_should_be_found(results_dir):
    metrics = pd.read_csv(results_dir / "metrics.csv")
    metrics = metrics.drop(columns=[c for c in metrics if c.startswith("genre")])
    metrics["languages_ami"] = metrics["language_ami"]
    metrics.to_csv(results_dir / "metrics.csv", index=False)
    results = read_results(results_dir)
    assert mostly_language(results).empty
    assert in_order(results) == ["language", "languages"]


def test_labels_to_find_come_before_the_language(built):
    assert in_order(read_results(built)) == ["genre", "language"]


def test_every_picture_is_inlined_with_alternative_text(results_dir):
    page = pages.read(write_report(results_dir))
    shown = [a for tag, a in page.tags if tag == "img"]
    files = {p.read_bytes() for p in (results_dir / "pictures").glob("*.png")}
    assert {base64.b64decode(a["src"].partition(",")[2]) for a in shown} == files
    assert all(a["alt"] for a in shown)
    for a in shown:
        with Image.open(BytesIO(base64.b64decode(a["src"].partition(",")[2]))) as image:
            assert image.size == (int(a["width"]), int(a["height"]))


def test_pictures_are_named_after_model_and_label(built):
    sections = {s.title: s for s in picture_sections(read_results(built))}
    assert [p.heading for p in sections["Maps"].pictures] == ["conv1d-vae", "tfidf", "random"]
    headings = [p.heading for p in sections["Clusters and labels"].pictures]
    assert headings[:2] == ["conv1d-vae: genre", "conv1d-vae: language"]


def test_only_the_first_seed_is_pictured_and_the_rest_counted(results_dir):
    models = pd.read_csv(results_dir / "models.csv")
    again = models.assign(seed=1)
    pd.concat([models, again]).to_csv(results_dir / "models.csv", index=False)
    (results_dir / "pictures" / "map-tfidf-seed1.png").write_bytes(b"x")
    section = next(s for s in picture_sections(read_results(results_dir)) if s.title == "Maps")
    assert [p.file for p in section.pictures if "tfidf" in p.file] == ["map-tfidf-seed0.png"]
    assert section.left_out.startswith("1 more")


def test_a_heavy_page_names_pictures_instead(results_dir, monkeypatch):
    monkeypatch.setattr("songscape.report.pictures.BUDGET_BYTES", 10)
    page = pages.read(write_report(results_dir))
    assert not [a for tag, a in page.tags if tag == "img"]
    assert "pictures/map-tfidf-seed0.png" in text(page)


def test_own_space_columns_cannot_be_sorted(results_dir):
    pd.DataFrame(
        {"Method": ["ConvVAE"], "k": [5], "Silhouette": [0.1], "Davies-Bouldin": [1.0]}
    ).to_csv(results_dir / "course.csv", index=False)
    raw = write_report(results_dir).read_text(encoding="utf-8")
    for name in ("Silhouette", "Davies–Bouldin", "Calinski–Harabasz"):
        assert f"{name}<small>own space" in raw
        assert f">{name}</button>" not in raw
    assert ">AMI</button>" in raw
    assert raw.index("The course's table") < raw.index('id="agreement"')


def test_found_is_analysed_plus_skipped_plus_failed(results_dir):
    assert "do not add up" not in text(pages.read(write_report(results_dir)))
    run = json.loads((results_dir / "run.json").read_text())
    run["counts"]["found"] += 1
    (results_dir / "run.json").write_text(json.dumps(run))
    assert "do not add up" in text(pages.read(write_report(results_dir)))


def test_ledger_names_what_is_not_ok(built):
    rows = ledger_table(read_results(built)).rows
    assert [row[2].text for row in rows] == ["warning", "failed"]


def test_summary_names_the_best_method_beside_random(built, songs):
    _, labels, partitions = songs
    found = {f.head: f.body for f in findings(read_results(built))}
    expected = (
        ("genre", "Closest to genre", "conv1d-vae + dbscan", ("conv1d-vae", "dbscan")),
        ("language", "Follows the language most", "tfidf + kmeans, k = 4", ("tfidf", "kmeans")),
    )
    for label, head, method, key in expected:
        body = found[head]
        assert body.startswith(f"{method}: AMI ")
        best = adjusted_mutual_info_score(labels[label], partitions[key])
        chance = adjusted_mutual_info_score(labels[label], partitions["random", "kmeans"])
        assert f"AMI {number(best)}" in body
        assert f"random baseline reaches at most {number(chance)}" in body


def test_a_partition_by_language_is_called_one(built):
    results = read_results(built)
    guilty = mostly_language(results)
    assert list(guilty["model"]) == ["tfidf"]
    row = guilty.iloc[0]
    body = next(f.body for f in findings(results) if "mostly the language" in f.head)
    assert f"AMI(language) = {number(row['language_ami'])} > AMI(genre) =" in body
    table = agreement_table(results, "language")
    assert [r[-1].text for r in table.rows if r[0].text == "tfidf"] == ["mostly the language"]


def test_a_collapsed_model_is_named_and_never_wins(results_dir):
    models = pd.read_csv(results_dir / "models.csv", dtype={"collapsed": object})
    models.loc[0, ["active_units", "collapsed"]] = [0, True]
    models.to_csv(results_dir / "models.csv", index=False)
    found = {f.head: f.body for f in findings(read_results(results_dir))}
    assert found["Posterior collapsed"].startswith("conv1d-vae: 0 of 16")
    assert not any("conv1d-vae" in body for head, body in found.items() if "genre" in head)


def test_language_at_chance_is_good_news(results_dir):
    metrics = pd.read_csv(results_dir / "metrics.csv").assign(language_ami=0.001)
    metrics.to_csv(results_dir / "metrics.csv", index=False)
    found = {f.head: f.tone for f in findings(read_results(results_dir))}
    assert found["The language plays no part"] == "plain"
    assert not any("mostly the language" in head for head in found)


def test_labels_that_go_together_are_named(results_dir):
    labels = pd.read_csv(results_dir / "labels.csv")
    labels["genre"] = "like " + labels["language"]
    labels.to_csv(results_dir / "labels.csv", index=False)
    heads = [f.head for f in findings(read_results(results_dir))]
    assert "Labels that go together" in heads


def test_mostly_noise_never_wins(results_dir):
    metrics = pd.read_csv(results_dir / "metrics.csv")
    metrics.loc[0, ["noise_share", "genre_ami"]] = [0.95, 1.0]
    metrics.to_csv(results_dir / "metrics.csv", index=False)
    found = findings(read_results(results_dir))
    assert not any("conv1d-vae" in f.body for f in found if f.head == "Closest to genre")
    assert any(f.head == "More noise than clusters" and "95\u00a0%" in f.body for f in found)


def test_unknown_agreement_is_no_evidence_of_language(results_dir):
    metrics = pd.read_csv(results_dir / "metrics.csv")
    metrics.loc[metrics["model"] == "tfidf", "genre_ami"] = np.nan
    metrics.to_csv(results_dir / "metrics.csv", index=False)
    assert mostly_language(read_results(results_dir)).empty


def test_failed_cells_give_their_reason(results_dir):
    metrics = pd.read_csv(results_dir / "metrics.csv")
    metrics["reason"] = metrics["reason"].astype(object)
    metrics.loc[1, metrics.columns[7:]] = np.nan
    metrics.loc[1, "reason"] = "k = 4 is more than 2 songs"
    metrics.to_csv(results_dir / "metrics.csv", index=False)
    assert "k = 4 is more than 2 songs" in text(pages.read(write_report(results_dir)))


def test_featured_clusters_are_described_by_labels_words_and_songs(built):
    results = read_results(built)
    row = featured(results)
    assert (row["model"], row["clusterer"]) == ("conv1d-vae", "dbscan")
    _, table = cluster_table(results)
    noise = table.rows[0]
    assert [noise[0].text, noise[1].text] == ["noise", "7"]
    assert [cell.text for cell in noise[-2:]] == ["–", "–"]
    mine = results.clusters.query("model == 'conv1d-vae' and cluster == 0")
    assert table.rows[1][-1].text.startswith(f"{mine['track_id'].iloc[0]} · ")
    assert table.rows[1][-2].text == "word0 · nacht"


def test_a_folder_without_descriptions_still_has_its_page(results_dir):
    (results_dir / "descriptions.csv").unlink()
    _, table = cluster_table(read_results(results_dir))
    assert {row[-1].text for row in table.rows} == {"–"}


def test_seeds_are_averaged_and_their_range_shown(results_dir):
    metrics = pd.read_csv(results_dir / "metrics.csv")
    second = metrics.assign(seed=1, genre_ami=metrics["genre_ami"] - 0.1)
    pd.concat([metrics, second]).to_csv(results_dir / "metrics.csv", index=False)
    results = read_results(results_dir)
    best = metrics["genre_ami"].max()
    row = agreement_table(results, "genre").rows[0]
    assert row[3].sort == pytest.approx(best - 0.05)
    assert f"{number(best - 0.1)} to {number(best)}" in [cell.text for cell in row]


def test_a_run_without_labels_has_a_page(unlabelled_dir):
    page = text(pages.read(write_report(unlabelled_dir)))
    assert "no label columns" in page
    assert "Agreement with labels" not in page


def test_a_run_with_metrics_alone_has_a_page(results_dir, tmp_path):
    (tmp_path / "bare").mkdir()
    for name in ("metrics.csv", "run.json"):
        (tmp_path / "bare" / name).write_bytes((results_dir / name).read_bytes())
    pages.read(write_report(tmp_path / "bare"))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(SongscapeError, match=r"metrics\.csv: cannot be read"):
        write_report(tmp_path)


def test_a_song_called_na_stays_a_song(results_dir):
    with (results_dir / "ledger.csv").open("a") as ledger:
        ledger.write("NA,decode,failed,nan\n")
    row = ledger_table(read_results(results_dir)).rows[-1]
    assert [cell.text for cell in row] == ["NA", "decode", "failed", "nan"]


def test_a_method_with_nearly_all_in_one_cluster_is_not_featured(results_dir):
    before = featured(read_results(results_dir))
    metrics = pd.read_csv(results_dir / "metrics.csv")
    here = (metrics["model"] == before["model"]) & (metrics["clusterer"] == before["clusterer"])
    metrics.loc[here, "largest_cluster_share"] = 0.96
    metrics.to_csv(results_dir / "metrics.csv", index=False)
    after = featured(read_results(results_dir))
    assert (after["model"], after["clusterer"]) != (before["model"], before["clusterer"])
    page = text(pages.read(write_report(results_dir)))
    assert "One cluster holds nearly all" in page
    assert f"{before['model']} + {before['clusterer']}: AMI" not in page
