"""What neutralising hides: labels that follow from the language are found."""

import pandas as pd

from songscape.audit.confounding import poor_overlaps
from songscape.benchmark.wording import finding_sentence
from songscape.features.covariates import composition_view

LANGUAGES = ["de", "en", "tr"]


def table(n: int = 120) -> tuple[pd.DataFrame, list[str]]:
    language = [LANGUAGES[i % 3] for i in range(n)]
    mood = [("calm", "wild")[i // 3 % 2] for i in range(n)]
    genre = [{"de": "lied", "en": "hymn", "tr": "makam"}[tag] for tag in language]
    labels = pd.DataFrame({"language": language, "mood": mood, "genre": genre})
    labels["poet"] = [f"poet {i % 60}" for i in range(n)]
    return labels, language


def test_only_the_label_that_follows_from_the_language_is_found() -> None:
    labels, language = table()
    view = composition_view(language)
    found = poor_overlaps(labels, list(labels), view)
    assert [finding.values["column"] for finding in found] == ["genre"]
    assert found[0].severity == "warning"
    assert "lower bound" in finding_sentence(found[0])


def test_shared_labels_are_named_where_there_are_some() -> None:
    labels, language = table()
    genre = list(labels["genre"])
    for row in range(18):
        genre[row] = "folk"
    labels["genre"] = genre
    (finding,) = poor_overlaps(labels, ["genre"], composition_view(language))
    assert "on the shared ones (folk)" in finding_sentence(finding)
