"""Planted traps are named, and a clean collection is left in peace."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from songscape.audit.checks import check_collection, uninformative_views
from songscape.audit.finding import Finding
from songscape.audit.lyrics_checks import hapax_share, language_mismatches
from songscape.audit.nuisances import bin_labels, nuisance_table, unexplained_share
from songscape.benchmark.wording import finding_sentence
from songscape.features.text import lyrics_view
from songscape.features.views import View, Views

N = 120
LANGUAGES = ("German", "English", "Turkish")
SYLLABLES = {
    "German": "sch ei ung ge ver licht ich ach nd aus herz wald zeit er te",
    "English": "the ing th ow ea sh ight wh ou ly love er ed st all",
    "Turkish": "lar im gö nül ı ş ğı yor de ben sev ül dır an eşk",
}


def lyrics(language: str, rng: np.random.Generator, n_words: int = 60) -> str:
    """Words that nobody has on a list: some come again, and about half are used once."""
    syllables = SYLLABLES[language].split()
    lengths = rng.integers(1, 5, n_words)
    return " ".join("".join(rng.choice(syllables, length)) for length in lengths)


class Collection:
    """A balanced design: language, genre and what the files are like know nothing of each other."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.ids = tuple(f"t{i:03d}" for i in range(N))
        language = [LANGUAGES[i % 3] for i in range(N)]
        self.texts: list[str | None] = [lyrics(name, rng) for name in language]
        self.labels = pd.DataFrame(
            {
                "language": language,
                "genre": [("waltz", "blues")[(i // 3) % 2] for i in range(N)],
                "artist": [f"artist {i // 4}" for i in rng.permutation(N)],
            },
            index=list(self.ids),
            dtype=object,
        )
        self.facts = pd.DataFrame(
            {
                "duration_s": rng.uniform(20, 40, N),
                "sample_rate": rng.choice([22050, 44100], N),
                "channels": 1,
                "container": "mp3",
                "codec": "mp3",
                "bitrate_kbps": rng.choice([64.0, 128.0, 192.0], N),
                "loudness_dbfs": rng.normal(-20, 3, N),
                "digest": [f"digest {i}" for i in range(N)],
            },
            index=list(self.ids),
        )
        self.mfcc = rng.normal(size=(N, 40, 300)).astype(np.float32)

    def views(self) -> Views:
        there, mask = np.ones(N, bool), np.ones((N, 300), bool)
        blocks = {
            "mfcc": View(self.mfcc, there, mask, step_axis=2),
            "lyrics": lyrics_view(self.texts),
        }
        return Views(self.ids, blocks)

    def check(self, **options: Any) -> list[Finding]:
        found = check_collection(
            self.views(), self.labels, self.facts, lyrics_texts=self.texts, **options
        )
        for finding in found:
            row = finding.as_row(finding_sentence(finding))
            assert "\n" not in row["message"]
            assert Finding.of_row(row) == replace(finding, values=json.loads(row["values"]))
        return found


def only(findings: list[Finding], check: str) -> Finding:
    (finding,) = [f for f in findings if f.check == check]
    return finding


@pytest.mark.parametrize("seed", range(5))
def test_a_clean_collection_raises_nothing(seed: int) -> None:
    assert Collection(seed).check() == []


def test_duplicate_audio_is_named() -> None:
    planted = Collection()
    planted.facts.loc["t005", "digest"] = planted.facts.loc["t000", "digest"]
    planted.mfcc[9] = planted.mfcc[30]
    finding = only(planted.check(), "duplicate-audio")
    assert finding.severity == "warning"
    assert finding.tracks == ("t000", "t005", "t009", "t030")
    assert "t000 = t005; t009 = t030" in finding_sentence(finding)


def test_duplicate_lyrics_are_named() -> None:
    planted = Collection()
    planted.texts[3] = planted.texts[60]
    assert only(planted.check(), "duplicate-lyrics").tracks == ("t003", "t060")


def test_lyrics_generated_from_the_language_label_are_named() -> None:
    planted = Collection()
    rng = np.random.default_rng(1)
    template = {name: lyrics(name, rng) for name in LANGUAGES}
    planted.texts = [template[name] for name in planted.labels["language"]]
    findings = planted.check()
    near_copies = [f for f in findings if "language alone decides" in finding_sentence(f)]
    assert len(near_copies) == 1
    assert near_copies[0].check == "templated-lyrics"
    assert near_copies[0].values["label"] == "language"


def test_lyrics_drawn_from_a_list_of_each_language_are_named() -> None:
    planted = Collection()
    rng = np.random.default_rng(1)
    lists = {name: lyrics(name, rng, 150).split() for name in LANGUAGES}
    planted.texts = [" ".join(rng.choice(lists[n], 40)) for n in planted.labels["language"]]
    named = [f.values["language"] for f in planted.check() if f.check == "templated-lyrics"]
    assert named == sorted(LANGUAGES)


def test_lyrics_in_another_language_than_tagged_are_named() -> None:
    planted = Collection()
    planted.labels.loc["t000", "language"] = "Turkish"
    planted.labels.loc["t001", "language"] = "German"
    finding = only(planted.check(), "language-mismatch")
    assert set(finding.tracks) == {"t000", "t001"}
    assert "t000 (Turkish, reads like German)" in finding_sentence(finding)


def test_a_song_in_two_languages_is_at_home_in_both() -> None:
    planted = Collection()
    rng = np.random.default_rng(2)
    planted.labels["languages"] = planted.labels["language"]
    planted.texts[0] = lyrics("English", rng)
    planted.labels.loc["t000", "languages"] = "German; English"
    assert planted.check() == []


def test_a_language_with_few_tracks_is_no_yardstick() -> None:
    rng = np.random.default_rng(0)
    texts = [lyrics("German", rng) for _ in range(20)] + [lyrics("Turkish", rng) for _ in range(4)]
    tags = [("German",)] * 20 + [("Turkish",)] * 4
    assert language_mismatches(texts, tags) == []


def test_short_clips_for_one_language_are_named() -> None:
    planted = Collection()
    german = (planted.labels["language"] == "German").to_numpy()
    rng = np.random.default_rng(0)
    planted.labels["language"] = np.where(german, "German", "English")
    planted.texts = [lyrics(name, rng) for name in planted.labels["language"]]
    planted.facts["duration_s"] = np.where(german, 3.0, 30.0) + rng.uniform(0, 0.2, N)
    finding = only(planted.check(), "confounded-label")
    assert finding.severity == "warning"
    assert finding_sentence(finding).startswith("language is almost a function of duration_s (")
    assert "(English: 30.0–30.2 s, German: 3.0–3.2 s)" in finding_sentence(finding)


def test_a_nuisance_that_follows_from_a_label_is_named_the_other_way_round() -> None:
    planted = Collection()
    planted.labels["style"] = [f"style {(i // 3) % 6}" for i in range(N)]
    planted.facts["codec"] = ["mp3" if (i // 3) % 6 < 4 else "vorbis" for i in range(N)]
    finding = only(planted.check(), "confounded-label")
    assert finding_sentence(finding).startswith("codec is almost a function of style (")


def test_a_language_that_mostly_goes_with_the_style_is_named() -> None:
    planted = Collection()
    rng = np.random.default_rng(0)
    own = np.array([LANGUAGES.index(name) for name in planted.labels["language"]])
    drawn = np.where(rng.random(N) < 0.85, own, rng.integers(0, 3, N))
    planted.labels["style"] = [f"style {code}" for code in drawn]
    finding = only(planted.check(), "confounded-label")
    assert finding.severity == "warning"
    assert "is closely tied to" in finding_sentence(finding)
    assert "language" in finding_sentence(finding)
    assert "style" in finding_sentence(finding)


def test_artists_who_sing_one_language_are_a_note_and_not_a_warning() -> None:
    planted = Collection()
    by_language = planted.labels.sort_values("language").index
    planted.labels.loc[by_language, "artist"] = [f"artist {i // 5}" for i in range(N)]
    finding = only(planted.check(), "confounded-label")
    assert finding.severity == "note"


def test_artists_with_one_song_each_explain_nothing() -> None:
    planted = Collection()
    planted.labels["artist"] = [f"artist {i}" for i in range(N)]
    assert planted.check() == []


def test_absent_lyrics_and_a_single_language_are_notes() -> None:
    planted = Collection()
    planted.texts = [None] * N
    planted.labels["language"] = "German"
    findings = planted.check()
    assert [(f.check, f.severity) for f in findings] == [
        ("no-lyrics", "note"),
        ("one-language", "note"),
    ]


def test_songs_that_published_encoders_were_trained_on_are_a_note() -> None:
    planted = Collection()
    planted.labels["msd"] = "none"
    planted.labels.loc[["t001", "t007"], "msd"] = ["TRAAAAW128F429D538", "x/TRZZZYV128F92E996D.h5"]
    planted.labels.loc["t002", "msd"] = "TRAAAAW128F429D53"  # too short
    finding = only(planted.check(), "known-songs")
    assert (finding.severity, finding.tracks) == ("note", ("t001", "t007"))
    assert finding_sentence(finding).startswith("2 tracks have ids of the Million Song Dataset.")


def test_input_order_changes_nothing() -> None:
    planted = Collection()
    planted.texts[3] = planted.texts[60]
    planted.labels.loc["t001", "language"] = "German"
    straight = planted.check()
    order = np.random.default_rng(0).permutation(N)
    shuffled = check_collection(
        planted.views().take(order),
        planted.labels.iloc[order],
        planted.facts.iloc[::-1],
        lyrics_texts=[planted.texts[i] for i in order],
    )
    assert [(f.check, set(f.tracks)) for f in shuffled] == [
        (f.check, set(f.tracks)) for f in straight
    ]


def test_a_missing_table_of_facts_is_no_obstacle() -> None:
    clean = Collection()
    views = Views(clean.ids, {})
    findings = check_collection(views, clean.labels, pd.DataFrame(), lyrics_texts=[None] * N)
    assert [f.check for f in findings] == ["no-lyrics"]


def test_nuisance_table_holds_what_varies() -> None:
    planted = Collection()
    planted.labels.loc["t000", "artist"] = "Traditional"
    planted.labels["country"] = ["A", "B"] * (N // 2)
    table = nuisance_table(planted.labels, planted.facts, planted.views(), extra=["country"])
    expected = ["language", "artist", "sample_rate", "duration_s", "loudness_dbfs"]
    assert list(table.columns) == [*expected, "bitrate_kbps", "country"]
    assert list(table.index) == list(planted.ids)
    assert table.loc["t000", "artist"] is None
    assert set(table["sample_rate"]) == {"22050 Hz", "44100 Hz"}
    assert set(table["bitrate_kbps"]) == {"64 kbit/s", "128 kbit/s", "192 kbit/s"}
    assert table["duration_s"].nunique() == 5


def test_bins_have_readable_names_and_find_gaps() -> None:
    short_and_long = [3.0] * 10 + list(np.linspace(28, 31, 90))
    names = bin_labels(short_and_long, unit="s")
    assert set(names[:10]) == {"3.0 s"}
    assert "3.0 s" not in names[10:]
    assert bin_labels([20.0, 20.01, 20.02, float("nan")], unit="s", min_range=0.5) == [
        *["20.0 s"] * 3,
        None,
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=60))
def test_bins_are_few_and_in_order(values: list[float]) -> None:
    names = bin_labels(values)
    order = [name for _, name in sorted(zip(values, names), key=lambda pair: pair[0])]
    runs = [name for i, name in enumerate(order) if i == 0 or name != order[i - 1]]
    assert len(runs) == len(set(runs)) <= 5


def test_unexplained_share_is_adjusted_mutual_information_over_its_maximum() -> None:
    rng = np.random.default_rng(0)
    given_ = rng.integers(0, 6, 200)
    values = np.where(rng.random(200) < 0.7, given_ % 3, rng.integers(0, 3, 200))

    def adjusted(x: Any, y: Any, average: str) -> float:
        return float(adjusted_mutual_info_score(x, y, average_method=average))

    # With three values against six, min(H) is H(values): the normaliser of the definition.
    expected = 1 - adjusted(given_, values, "min")
    assert unexplained_share(values, given_) == pytest.approx(expected, abs=1e-9)
    assert unexplained_share(given_ % 3, given_) == pytest.approx(0, abs=1e-9)
    assert abs(unexplained_share(rng.integers(0, 3, 300), np.arange(300) // 2) - 1) < 0.2
    assert np.isnan(unexplained_share(np.zeros(50, int), rng.integers(0, 3, 50)))


def test_hapax_share_counts_words_of_one_text() -> None:
    share, n_words = hapax_share(["alpha beta beta", "beta gamma", None, ""])
    assert (share, n_words) == (2 / 3, 3)
    assert np.isnan(hapax_share([None])[0])


@pytest.mark.parametrize("kind", ["silence", "one text", "one value but for rounding"])
def test_a_view_that_is_the_same_for_every_track_is_named(kind: str) -> None:
    planted = Collection()
    if kind == "silence":
        planted.mfcc[:] = planted.mfcc[0]
    elif kind == "one text":
        planted.texts = [planted.texts[0]] * N
    else:
        signs = np.random.default_rng(0).choice([-1, 1], planted.mfcc.shape)
        planted.mfcc = (planted.mfcc[:1] * (1 + 5e-8 * signs)).astype(np.float32)
    name = "lyrics" if kind == "one text" else "mfcc"
    assert uninformative_views(planted.views()) == [name]
    finding = only(planted.check(), "uninformative-view")
    assert finding_sentence(finding).startswith(f"{name} is the same for every track")


def test_a_view_in_which_one_track_differs_says_something() -> None:
    planted = Collection()
    planted.mfcc[:-1] = planted.mfcc[0]
    assert uninformative_views(planted.views()) == []
