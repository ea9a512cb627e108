"""The sections of the page, each a function of the results; None where there is nothing to show."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from songscape.benchmark import wording
from songscape.benchmark.recommendation import caveats_of_partition
from songscape.benchmark.verdicts import Outcome, PairedTest
from songscape.report import evidence
from songscape.report.collection import facts, unsure_songs
from songscape.report.figures import SECTIONS as FIGURE_SECTIONS
from songscape.report.figures import NumberedFigure
from songscape.report.read import Results
from songscape.report.style import number
from songscape.report.tables import EMPTY, Cell, Column, Table, number_cell, text_cell
from songscape.report.unmeasured import unmeasured_lines

MAX_LEDGER_ROWS = 200
AS_USUAL = 0.1  # largest difference of a language's share that is not shown
_LEDGER = {"track_id": "Track", "stage": "Stage", "status": "Status", "reason": "Reason"}
BETTER, WORSE = Outcome.BETTER, Outcome.WORSE

Figures = Mapping[str, Sequence[NumberedFigure]]
Make = Callable[[Results, Figures], "Section | None"]


@dataclass(frozen=True)
class Section:
    """A part of the page: the template `sections/<anchor>.html.j2` shows the content."""

    anchor: str
    title: str
    content: Mapping[str, Any] = field(default_factory=dict)


def short(results: Results) -> list[tuple[bool, str]]:
    """What to know first, in sentences; True marks what to be careful about."""
    said = [(True, str(note)) for note in results.document.get("notes", ())]
    if results.featured is not None:
        model, key = results.featured
        sizes = results.of_featured(results.clusters)["cluster"].value_counts()
        noise = int(sizes.get(-1, 0))
        sizes = sizes.drop(-1, errors="ignore")
        if len(sizes):
            text = f"The songs are divided into {len(sizes):,} clusters of {sizes.min():,} to "
            text += f"{sizes.max():,}" + (f"; {noise:,} are in no cluster" if noise else "")
            said.append((False, f"{text} (by {results.featured.title})."))
        caveats = caveats_of_partition(model, key, results.figures, results.setup)
        said += [(c.weight > 0, wording.caveat_sentence(c)) for c in caveats]
        said += [(False, text) for text in _best_match(results) if not caveats]
    if results.compared:
        said.append((False, results.assessment.headline))
    broken = [v.model for v in results.assessment.verdicts if not v.usable]
    if broken:
        said.append((True, f"Failed or collapsed in training: {wording.listed(broken)}."))
    grave = results.warnings[results.warnings["severity"] == "warning"]
    return [*said, *((True, str(message)) for message in grave["message"])]


def _best_match(results: Results) -> list[str]:
    """The column that the featured clusters match best."""
    assert results.featured is not None
    model, key = results.featured
    names = [("agreement", name) for name in results.setup.labels]
    names += [("leakage", name) for name in results.setup.nuisances]
    known = [
        (row["estimate"], name)
        for axis, name in names
        if (row := results.figures.known(model, "ami", name, axis, key)) is not None
    ]
    if not known:
        return []
    value, name = max(known, key=lambda pair: pair[0])
    text = f"Of all columns the clusters match {name} best: AMI {number(value, 2)}"
    return [f"{text}, where 0 is chance and 1 is the same division."]


def collection(results: Results, _: Figures) -> Section | None:
    """What is in the collection."""
    found = facts(results)
    return Section("collection", "What is in the collection", {"facts": found}) if found else None


def found(results: Results, _: Figures) -> Section | None:
    """The groups that people meet: names, how sure, what sets them apart, typical songs."""
    if not (groups := results.document.get("groups")):
        return None
    title = dict(zip(groups["tracks"], groups["titles"]))
    regions, pieces = (level["groups"] for level in groups["levels"])
    name = {group["id"]: group["name"] for group in regions}
    cards = [
        {
            **group,
            "typical": [title[i] for i in group["typical"]],
            "between": [(title[i], name[other]) for i, other in group["between"]],
            "as_usual": all(abs(part - usual) < AS_USUAL for _, part, usual in group["languages"]),
            "pieces": [
                (one["name"], one["size"]) for one in pieces if one["parent"] == group["id"]
            ],
        }
        for group in regions
    ]
    content = {**groups, "cards": cards}
    return Section("found", "What is in this music", content)


def maps(_: Results, figures: Figures) -> Section | None:
    """Map and heat maps of the featured method."""
    return _pictures("maps", "Maps", figures, ("map", "heatmap"))


def verdicts(results: Results, _: Figures) -> Section | None:
    """Which method to use, how far to trust that, and every method in a line."""
    if not results.compared:
        return None
    assessment = results.assessment
    chosen = assessment.recommendation
    content = {
        "headline": assessment.headline,
        "trust": chosen.trust.value,
        "trust_words": wording.TRUST_WORDS[chosen.trust],
        "alternatives": assessment.alternatives,
        "caveats": [(wording.caveat_sentence(c), int(c.weight)) for c in chosen.caveats],
        "table": _verdicts_table(results),
        "sentences": [verdict.sentence for verdict in assessment.verdicts],
    }
    return Section("verdicts", "Which method to use", content)


def _verdicts_table(results: Results) -> Table:
    setup, language = results.setup, results.setup.language
    columns = [Column("Method"), Column("Better at"), Column("Worse at")]
    if language is not None:
        row = results.figures.known(setup.baseline, "knn", language, "leakage")
        chance = "" if row is None else f"; chance {number(row['chance'], 2)}"
        note = f"share of nearest songs{chance}"
        columns.append(Column(f"Same {language}", True, note=note))
    columns.append(Column("Beware"))
    rows: dict[bool, list[tuple[Cell, ...]]] = {False: [], True: []}
    for verdict in results.assessment.verdicts:
        better, worse = (_by_column(verdict.having(o, "agreement")) for o in (BETTER, WORSE))
        wins = text_cell(better and f"▲ {better}", "better")
        if verdict.model == setup.baseline:
            wins = Cell("the baseline", tone="same")
        elif not (better or worse or verdict.failed):
            wins = Cell("= not distinguishable", tone="same")
        chosen = verdict.model in results.assessment.recommendation.models
        note = "recommended" if chosen else evidence.KIND_NOTES.get(verdict.kind, "")
        cells = [text_cell(verdict.model, "name chosen" if chosen else "name", note), wins]
        cells.append(text_cell(worse and f"▼ {worse}", "worse"))
        if language is not None:
            row = results.figures.known(verdict.model, "knn", language, "leakage")
            words = {BETTER: "less than the baseline", WORSE: "more than the baseline"}
            tests = [t for t in verdict.tests if (t.axis, t.column) == ("leakage", language)]
            note = next((words[t.verdict] for t in tests if t.verdict in words), "")
            cells.append(EMPTY if row is None else number_cell(row["estimate"], 2, note=note))
        is_reference = verdict.kind == "reference"
        flags = "" if is_reference else "; ".join(map(wording.flag_words, verdict.flags))
        rows[is_reference].append((*cells, text_cell(flags, "caution short")))
    return Table(tuple(columns), tuple(rows[False]), references=tuple(rows[True]))


def _by_column(tests: Sequence[PairedTest]) -> str:
    """ "genre (kNN, AMI), artist (hit@10)"."""
    metrics: dict[str, list[str]] = {}
    for test in tests:
        metrics.setdefault(test.column, []).append(wording.metric_name(test.metric))
    return ", ".join(f"{column} ({', '.join(names)})" for column, names in metrics.items())


def agreement(results: Results, _: Figures) -> Section | None:
    """How far spaces and clusters match each label."""
    tables = [
        (name, evidence.label_table(results, name), partitions)
        for name in results.setup.labels
        if (partitions := evidence.partition_label_table(results, name)) is not None
    ]
    artists = evidence.artist_table(results)
    if not tables and artists is None:
        return None
    n_tests = sum(key[1] == "agreement" for key in results.tests)
    content = {"tables": tables, "artists": artists, "n_tests": n_tests}
    return Section("agreement", "Agreement with labels", content)


def leakage(results: Results, _: Figures) -> Section | None:
    """How much of each nuisance spaces and clusters give away, the language first."""
    language = results.setup.language
    names = sorted(results.setup.nuisances, key=lambda name: name != language)
    tables = [(n, t) for n in names if (t := evidence.nuisance_table(results, n)) is not None]
    mixed = results.summary["metric"].isin(["ilisi", "kbet"]).any()
    content = {"tables": tables, "language": language, "mixed": mixed}
    return Section("leakage", "Leakage: what should not decide", content) if tables else None


def structure(results: Results, _: Figures) -> Section | None:
    """How tidy partitions are, in shared spaces and in each method's own."""
    spaces = results.summary["column"][results.summary["axis"] == "structure"].unique()
    tables = [(s, t) for s in spaces if (t := evidence.structure_table(results, s)) is not None]
    content = {"tables": tables, "own": evidence.shape_table(results)}
    return Section("structure", "Structure", content) if any(content.values()) else None


def stability(results: Results, figures: Figures) -> Section | None:
    """Whether partitions come back, at which k, and which songs change sides."""
    table, unsure = evidence.stability_table(results), unsure_songs(results)
    content = {"table": table, "unsure": unsure, "pictures": figures.get("k", ())}
    return Section("stability", "Stability", content) if any(content.values()) else None


def models(results: Results, _: Figures) -> Section | None:
    """Health and cost of the models."""
    table = evidence.models_table(results)
    return None if table is None else Section("models", "The models", {"table": table})


def problems(results: Results, _: Figures) -> Section | None:
    """What is odd about the songs, what could not be measured, which songs had problems."""
    rows = results.ledger[results.ledger["status"] != "ok"]
    shown = rows[list(_LEDGER)].head(MAX_LEDGER_ROWS)
    rest = len(rows) - len(shown)
    ledger = Table(
        tuple(map(Column, _LEDGER.values())),
        tuple(tuple(map(text_cell, row)) for row in shown.itertuples(index=False)),
        f"{rest:,} more rows are in ledger.csv." if rest else "",
    )
    content = {
        "warnings": results.warnings.to_dict(orient="records"),
        "unmeasured": unmeasured_lines(results.unmeasured),
        "ledger": ledger if len(rows) else None,
        "n_rows": len(rows),
    }
    return Section("problems", "Problems in the data", content) if any(content.values()) else None


def pictures(_: Results, figures: Figures) -> Section | None:
    """All other pictures."""
    elsewhere = ("map", "heatmap", "k")
    kinds = [kind for kind in FIGURE_SECTIONS if kind not in elsewhere]
    return _pictures("pictures", "Pictures", figures, kinds)


def _pictures(anchor: str, title: str, figures: Figures, kinds: Sequence[str]) -> Section | None:
    shown = {kind: figures[kind] for kind in kinds if figures.get(kind)}
    return Section(anchor, title, {"figures": shown}) if shown else None


def methods(results: Results, _: Figures) -> Section:
    """What the words and figures mean."""
    content = {"baseline": results.setup.baseline, "compared": results.compared}
    return Section("methods", "How to read it", content)


def repeat(results: Results, _: Figures) -> Section:
    """Everything that somebody needs to do it again."""
    document, setup = results.document, results.setup
    ks = ", ".join(map(str, document.get("k", ())))
    seeds = sorted(set(results.models["seed"].dropna().astype(int)))
    versions = document.get("versions", {})
    rows = [
        ("Songscape", document.get("songscape")),
        ("k", f"{ks} ({setup.k_reason})" if ks and setup.k_reason else ks),
        ("Seeds", ", ".join(map(str, seeds))),
        ("Digest of the input features", document.get("input_digest")),
        ("Python", document.get("python")),
        ("Platform", document.get("platform")),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in versions.items())),
    ]
    content = {
        "facts": [(name, str(value)) for name, value in rows if value],
        "commands": [shlex.join(map(str, words)) for words in document.get("commands", ())],
        "settings": json.dumps(document.get("settings", {}), indent=2, ensure_ascii=False),
        "compared": results.compared,
    }
    return Section("repeat", "Repeat it", content)


FIRST: tuple[Make, ...] = (found, collection, maps)
EVIDENCE: tuple[Make, ...] = (
    *(verdicts, agreement, leakage, structure, stability, models),
    *(problems, pictures, methods, repeat),
)
