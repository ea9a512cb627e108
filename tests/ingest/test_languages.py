"""Language identification: script first, then a model, and unknown rather than a guess."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songscape.demo.words import LANGUAGES
from songscape.ingest.languages import (
    identify_lines,
    language_composition,
    lyric_lines,
)

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

ENGLISH = "We walk along the river when the lights go down\nAnd I will sing for you tonight"
GERMAN = "Wir gehen am Fluss entlang, wenn die Lichter ausgehen\nUnd heute Nacht singe ich für dich"
ROMANISED = (
    "Nodir dhare shondha name dhire dhire",
    "Tomar gaan amar mone baje shara raat",
    "Akasher tara gulo jole amar chokhe",
    "Baarish ki raat mein tum mere saath chalte ho",
    "Yeh raasta hamare ghar tak jaata hai",
    "Chaand ki roshni mein hum gaate hain",
)


def line_language(line: str) -> str | None:
    """The language of most letters of one line."""
    letters = next(iter(identify_lines(line)), {None: 0})
    return min(letters, key=lambda name: (-letters[name], name or ""))


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("নদীর ধারে", "Bangla"),
        ("오늘 밤", "Korean"),
        ("夜の海で", "Japanese"),
        ("月光", "Chinese"),
        ("Σ' αγαπώ", "Greek"),
        ("รักเธอ", "Thai"),
    ],
)
def test_a_script_with_one_main_language_decides_however_short(line: str, language: str) -> None:
    assert line_language(line) == language


def test_devanagari_needs_the_model_or_stays_unknown() -> None:
    assert line_language("बारिश की रात में तुम मेरे साथ चलते हो") == "Hindi"
    assert line_language("मी तुझ्यावर खूप प्रेम करतो आणि तुझी वाट पाहतो") == "Marathi"
    assert line_language("गीत") is None


def test_stress_marks_do_not_hide_latin() -> None:
    assert line_language("Benedícite Dóminum omnes Ángeli ejus") == "Latin"
    for line, language in (
        ("Caminé contigo y te canté esta canción", "Spanish"),
        ("Şarkımı sana söylüyorum bütün gece", "Turkish"),
        ("J'ai rêvé cette nuit d'un été passé près de la mer", "French"),
    ):
        assert line_language(line) == language


def test_assamese_letters_are_not_taken_for_bangla() -> None:
    assert line_language("মই তোমাৰ বাবে এটা গান লিখিছোঁ আৰু গাইছোঁ") == "Assamese"


@pytest.mark.parametrize("line", [*ROMANISED, "la la la la la la la", "oh oh oh yeah", "12:30", ""])
def test_what_no_model_knows_is_unknown(line: str) -> None:
    assert line_language(line) is None


def test_romanised_songs_are_unknown_as_a_whole() -> None:
    assert language_composition("\n".join(ROMANISED)) == {}


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_demo_phrases_are_in_their_language(name: str) -> None:
    language = LANGUAGES[name]
    phrases = [
        template.format(s=p["subjects"][0], s2=p["subjects"][1], v=p["verbs"][0], v2=p["verbs"][1],
                        a=p["adverbials"][0], o=p["objects"][0])
        for p in language["themes"].values()
        for template in language["verse"]
    ]  # fmt: skip
    assert language_composition("\n".join(phrases)) == {name: 1.0}


def test_headings_time_stamps_and_repeats_do_not_decide() -> None:
    text = (
        "[ti:Lied]\n[00:01.00][Chorus]\n[Verse 2: The singer with an English name and a story]\n"
        "Chorus x2\nPre-Chorus:\n(Bridge)\nRefrain 3\n2x\n1234\n" + GERMAN + "\n"
        "[00:20.10]" + GERMAN.upper() + "\n" + 10 * (GERMAN.splitlines()[0] + "\n")
    )
    assert lyric_lines(text) == GERMAN.splitlines()
    assert language_composition(text) == {"German": 1.0}


def test_heading_words_in_a_line_do_not_take_the_line_away() -> None:
    lines = ["Chorus of angels singing", "The bridge is burning down", "Solo tú, mi amor"]
    assert lyric_lines("\n".join(lines)) == lines


def test_a_refrain_counts_once_in_the_shares() -> None:
    refrain = "And I will sing for you tonight\n"
    once = language_composition(GERMAN + "\n" + refrain + ENGLISH.splitlines()[0])
    often = language_composition(GERMAN + "\n" + 8 * refrain + ENGLISH.splitlines()[0])
    assert once == often
    assert set(once) == {"English", "German"}


def test_shares_are_by_letters() -> None:
    german = sum(c.isalpha() for c in GERMAN)
    english = sum(c.isalpha() for c in ENGLISH)
    shares = language_composition(ENGLISH + "\n" + GERMAN)
    assert shares["German"] == pytest.approx(german / (german + english))
    mixed = language_composition("사랑해 baby\n오늘 밤 너와 함께\n" + ENGLISH)
    korean = sum(c.isalpha() for c in "사랑해오늘밤너와함께")
    # "baby" is too short to be told from anything, alone or by what the song is in.
    assert mixed["Korean"] == pytest.approx(korean / (korean + english + 4), abs=0.03)


def test_one_quoted_line_makes_no_second_language() -> None:
    text = "\n".join(f"{line} {n}" for n in range(6) for line in GERMAN.splitlines())
    assert set(language_composition(text + "\nI will always love you, baby")) == {"German"}


def test_kanji_lines_of_a_japanese_song_are_japanese() -> None:
    assert language_composition("夜の海で歌っている\n東京\n永遠愛") == {"Japanese": 1.0}
    assert language_composition("月光照在安静的河面上\n永远爱你") == {"Chinese": 1.0}


def test_the_choice_can_be_narrowed() -> None:
    text = "Amor, amor\n" + ENGLISH
    assert set(language_composition(text, ["English", "Spanish"])) <= {"English", "Spanish"}
    assert language_composition(GERMAN, ["German", "English"]) == {"German": 1.0}


@given(st.text(max_size=200))
def test_any_text_gives_shares_that_add_up_or_nothing(text: str) -> None:
    shares = language_composition(text)
    assert not shares or sum(shares.values()) == pytest.approx(1)
    assert all(share > 0 for share in shares.values())
    letters = sum(line.total() for line in identify_lines(text))
    assert letters >= sum(len(line) > 0 for line in lyric_lines(text))


@pytest.mark.skipif(not DATA.is_dir(), reason="no shared data beside the project")
def test_no_real_song_is_taken_for_another_language() -> None:
    right = wrong = 0
    for name in ("artsong", "recorded"):
        with open(DATA / name / "tracks.csv", encoding="utf-8-sig", newline="") as stream:
            rows = [r for r in csv.DictReader(stream) if r["lyrics"] and r["language"]]
        for row in rows[:: len(rows) // 40]:
            truth = set((row.get("languages") or row["language"]).split(";"))
            if truth & {"Hawaiian"}:
                continue
            text = (DATA / name / row["lyrics"]).read_text(encoding="utf-8")
            found = language_composition(text)
            right += set(found) == truth
            wrong += bool(set(found) - truth)
    assert wrong == 0
    assert right >= 75
