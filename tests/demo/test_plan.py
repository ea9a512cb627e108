"""The truth table of a demo collection: balanced, dealt fairly, tied only on demand."""

from collections import Counter, defaultdict

import pytest
from scipy.stats import chi2_contingency
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

from songscape.demo import SongPlan, plan_collection
from songscape.demo.plan import LANGUAGE_OF_STYLE
from songscape.demo.words import LANGUAGES, THEMES

N = 2000

FACTORS = {
    "style": lambda plan: plan.style,
    "language": lambda plan: plan.languages[0],
    "theme": lambda plan: plan.theme,
    "artist": lambda plan: plan.artist,
    "container": lambda plan: plan.container,
    "signal": lambda plan: (plan.sample_rate, plan.channels),
    "bilingual": lambda plan: len(plan.languages),
    "match": lambda plan: plan.lyrics_match,
}


def sung(plans: list[SongPlan]) -> list[SongPlan]:
    return [plan for plan in plans if not plan.instrumental]


def columns(plans: list[SongPlan], first: str, second: str) -> tuple[list[str], list[str]]:
    return tuple([str(FACTORS[name](plan)) for plan in plans] for name in (first, second))


def chi_square_p(first: list[str], second: list[str]) -> float:
    rows, cols = sorted(set(first)), sorted(set(second))
    counts = Counter(zip(first, second))
    return chi2_contingency([[counts[r, c] for c in cols] for r in rows]).pvalue


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("style", "language"),
        ("style", "theme"),
        ("language", "theme"),
        ("language", "artist"),
        ("theme", "artist"),
        ("container", "style"),
        ("container", "language"),
        ("signal", "style"),
        ("signal", "language"),
        ("bilingual", "style"),
        ("match", "style"),
        ("match", "language"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_factors_are_independent_without_a_confound(first, second, seed):
    a, b = columns(sung(plan_collection(N, seed)), first, second)
    assert adjusted_mutual_info_score(a, b) < 0.01
    if "artist" not in (first, second):  # too few songs per artist for a chi-square test
        assert chi_square_p(a, b) > 0.01


def test_the_default_size_is_balanced_beyond_chance():
    plans = plan_collection(240)
    counts = Counter((plan.style, plan.mood) for plan in plans)
    assert max(counts.values()) - min(counts.values()) <= 4
    language = defaultdict(Counter)
    for plan in sung(plans):
        language[plan.style][plan.languages[0]] += 1
    assert all(len(row) == len(LANGUAGES) and max(row.values()) <= 6 for row in language.values())


def test_confound_ties_language_to_style_and_nothing_else():
    plans = sung(plan_collection(N, 0, confound=0.9))
    style, language = columns(plans, "style", "language")
    assert chi_square_p(style, language) < 1e-100
    own = sum(plan.languages[0] == LANGUAGE_OF_STYLE[plan.style] for plan in plans) / len(plans)
    assert own == pytest.approx(0.9 + 0.1 / len(LANGUAGES), abs=0.02)
    for first, second in [("style", "theme"), ("language", "theme"), ("container", "language")]:
        assert adjusted_mutual_info_score(*columns(plans, first, second)) < 0.01


def test_full_confound_makes_language_a_copy_of_style():
    plans = sung(plan_collection(500, 3, confound=1.0))
    assert normalized_mutual_info_score(*columns(plans, "style", "language")) == pytest.approx(1)


def test_confound_changes_languages_only():
    free, tied = plan_collection(300, 5, 0.0), plan_collection(300, 5, 1.0)
    for a, b in zip(free, tied):
        assert (a.id, a.style, a.artist, a.theme, a.mood, a.container, a.instrumental) == (
            b.id, b.style, b.artist, b.theme, b.mood, b.container, b.instrumental,
        )  # fmt: skip


def test_rare_kinds_have_their_shares():
    plans = plan_collection(N)
    words = sung(plans)
    assert (N - len(words)) / N == pytest.approx(1 / 17, abs=0.005)
    assert sum(len(p.languages) == 2 for p in words) / len(words) == pytest.approx(1 / 12, abs=0.02)
    assert sum(not p.lyrics_match for p in words) / len(words) == pytest.approx(0.05, abs=0.02)


def test_lyrics_match_says_whether_words_and_music_share_a_theme():
    for plan in plan_collection(N):
        if plan.instrumental:
            assert plan.theme == ""
            assert plan.lyrics_path == ""
        else:
            assert plan.lyrics_match == (plan.theme == plan.mood)
            assert len(set(plan.languages)) == len(plan.languages)
            assert plan.theme in THEMES


def test_artists_recur_in_several_languages_and_some_cross_over():
    plans = sung(plan_collection(240))
    songs = defaultdict(list)
    for plan in plans:
        songs[plan.artist_name].append(plan)
    sizes = [len(group) for group in songs.values()]
    assert 3.5 < sum(sizes) / len(sizes) < 6
    languages = [len({p.languages[0] for p in group}) for group in songs.values() if len(group) > 3]
    assert min(languages) >= 2
    crossing = [group for group in songs.values() if len({p.style for p in group}) > 1]
    assert 0.2 < len(crossing) / len(songs) < 0.8
    at_home = [max(Counter(p.style for p in g).values()) / len(g) for g in songs.values()]
    assert sum(at_home) / len(at_home) > 0.75


def test_same_seed_same_table_other_seed_another():
    assert plan_collection(100, 1) == plan_collection(100, 1)
    assert plan_collection(100, 1) != plan_collection(100, 2)
    assert len(LANGUAGE_OF_STYLE) >= 6


@pytest.mark.parametrize("n_songs", [1, 2, 5, 24])
def test_small_collections_plan_too(n_songs):
    plans = plan_collection(n_songs)
    assert [plan.index for plan in plans] == list(range(n_songs))
    assert all(plan.artist >= 0 for plan in plans)
