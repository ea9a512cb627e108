"""The sections of the page: what each shows of the results, for its template."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from songscape.benchmark import wording
from songscape.benchmark.keys import PartitionKey, SampleKey
from songscape.benchmark.recommendation import caveats_of_partition
from songscape.benchmark.verdicts import Outcome, PairedTest
from songscape.columns import Role, display_title
from songscape.report import evidence
from songscape.report.categories import group_labels
from songscape.report.read import Results, main_label
from songscape.report.style import number, share, shorten
from songscape.report.table_cells import EMPTY, Cell, Column, Table, number_cell, text_cell

if TYPE_CHECKING:
    import pandas as pd

MAX_LEDGER_ROWS = 200
AS_USUAL = 0.1  # largest difference of a language's share that is not shown
_LEDGER = {"track_id": "Track", "stage": "Stage", "status": "Status", "reason": "Reason"}
_FACTS, _UNSURE = 8, 12
_UNMEASURED = {
    "model": "",
    "skipped": "left out: ",
    "space": "its space could not be measured: ",
    "partition": "no clusters, so none of its seeds is tested: ",
    "measures": "its clusters could not be measured: ",
    "stability": "the stability of its clusters could not be measured: ",
}
BETTER, WORSE = Outcome.BETTER, Outcome.WORSE

Content = dict[str, Any]
"""What a template shows; a section of which nothing is true is left out."""


def short(results: Results) -> list[tuple[bool, str]]:
    """What to know first, in sentences; True marks what to be careful about."""
    said = [(True, str(note)) for note in results.document.get("notes", ())]
    if results.featured is not None:
        model, key = results.featured
        rows = results.clusters
        rows = rows[(rows["model"] == model) & (rows["clusterer"] == key.clusterer)]
        rows = rows[rows["k"].fillna(0) == (key.k or 0)]
        sizes = rows["cluster"][rows["seed"] == rows["seed"].min()].value_counts()
        noise = int(sizes.get(-1, 0))
        sizes = sizes.drop(-1, errors="ignore")
        if len(sizes):
            text = f"The songs are divided into {len(sizes):,} clusters of {sizes.min():,} to "
            text += f"{sizes.max():,}" + (f"; {noise:,} are in no cluster" if noise else "")
            said.append((False, f"{text} (by {results.featured.title})."))
        caveats = caveats_of_partition(model, key, results.figures, results.setup)
        said += [(c.weight > 0, c.sentence) for c in caveats]
        said += [(False, text) for text in _best_match(results, model, key) if not caveats]
    if results.compared:
        said.append((False, results.assessment.headline))
    broken = [v.model for v in results.assessment.verdicts if not v.usable]
    if broken:
        said.append((True, f"Failed or collapsed in training: {wording.listed(broken)}."))
    grave = results.warnings[results.warnings["severity"] == "warning"]
    return [*said, *((True, str(message)) for message in grave["message"])]


def _best_match(results: Results, model: str, key: PartitionKey) -> list[str]:
    """The column that the featured clusters match best."""
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


def collection(results: Results) -> Content:
    """Columns that describe songs, genre, language and artist first: their commonest values."""
    setup, facts = results.setup, []
    names = [main_label(setup.labels), setup.language, results.roles.artist, *setup.labels]
    known = [n for n in dict.fromkeys(names) if n in results.labels and len(results.labels)]
    for name in known[:_FACTS]:
        groups = group_labels(list(results.labels[name]), 5)
        missing = sum(group.count for group in groups if group.kind == "missing")
        rest = len(results.labels) - missing
        shown = [
            f"{shorten(group.name, 28)} {share(group.count / rest)}"
            for group in groups
            if group.kind != "missing"
        ]
        facts.append((name, " · ".join(shown) or "–", missing))
    return {"facts": facts}


def found(results: Results) -> Content:
    """The groups that people meet: names, how sure, what sets them apart, typical songs."""
    if not (groups := results.document.get("groups")):
        return {}
    title = dict(zip(groups["tracks"], groups["titles"]))
    regions, pieces = (level["groups"] for level in groups["levels"])
    name = {group["id"]: group["name"] for group in regions}
    cards = [
        {
            **group,
            "typical": [title[i] for i in group["typical"]],
            "between": [(title[i], name[other]) for i, other in group["between"]],
            "tone": _tone(group["stability"]),
            "as_usual": all(abs(part - usual) < AS_USUAL for _, part, usual in group["languages"]),
            "pieces": [
                (one["name"], one["size"]) for one in pieces if one["parent"] == group["id"]
            ],
        }
        for group in regions
    ]
    return {**groups, "cards": cards}


def _tone(stability: float | None) -> str:
    from songscape.clustering.groups import SURE
    from songscape.clustering.levels import COMES_BACK

    if stability is None or COMES_BACK <= stability < SURE:
        return ""
    return "better" if stability >= SURE else "worse"


def verdicts(results: Results) -> Content:
    """Which method to use, how far to trust that, and every method in a line."""
    if not results.compared:
        return {}
    assessment = results.assessment
    chosen = assessment.recommendation
    return {
        "headline": assessment.headline,
        "trust": chosen.trust.value,
        "trust_words": wording.TRUST_WORDS[chosen.trust],
        "alternatives": assessment.alternatives,
        "caveats": [(c.sentence, int(c.weight)) for c in chosen.caveats],
        "table": _verdicts_table(results),
        "sentences": [verdict.sentence for verdict in assessment.verdicts],
    }


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


def agreement(results: Results) -> Content:
    """How far spaces and clusters match each label."""
    tables = []
    for name in results.setup.labels:
        partitions = evidence.by_partition(results, evidence.label_measures(name))
        if partitions is not None:
            models = evidence.by_model(results, "agreement", name, "knn_balanced", "ami")
            tables.append((name, models, partitions))
    artists = evidence.by_model(results, "agreement", "artist", "hit", "map")
    n_tests = sum(key[1] == "agreement" for key in results.tests)
    return {"tables": tables, "artists": artists, "n_tests": n_tests}


def leakage(results: Results) -> Content:
    """How much of each nuisance spaces and clusters give away, the language first."""
    language, tables = results.setup.language, []
    metrics = ("knn", "ami", "probe_linear", "probe_nonlinear", "ilisi", "kbet")
    for name in sorted(results.setup.nuisances, key=lambda name: name != language):
        table = evidence.by_model(results, "leakage", name, *metrics, ascending=True)
        tables += [(name, table)] if table else []
    mixed = results.summary["metric"].isin(["ilisi", "kbet"]).any()
    return {"tables": tables, "language": language, "mixed": mixed} if tables else {}


def structure(results: Results) -> Content:
    """How tidy partitions are, in shared spaces and in each method's own."""
    spaces, tables = results.summary["column"][results.summary["axis"] == "structure"], []
    for space in spaces.unique():
        measures = evidence.structure_measures(space)
        table = evidence.by_partition(results, measures, flagged=False)
        tables += [(space, table)] if table else []
    return {"tables": tables, "own": evidence.by_partition(results, evidence.SHAPE)}


def stability(results: Results) -> Content:
    """Whether partitions come back, and which songs change sides."""
    table = evidence.by_partition(results, evidence.STABILITY, flagged=False)
    return {"table": table, "unsure": _unsure_songs(results)}


def _unsure_songs(results: Results) -> list[tuple[str, str]]:
    """The songs whose cluster is least sure, with the share of its songs that each loses."""
    if results.featured is None:
        return []
    model, key = results.featured
    column = f"{model}|{SampleKey('unsure', partition=key)}"
    if column not in results.tracks:
        return []
    known = results.tracks[results.tracks[column] != ""]
    pairs = sorted(zip(-known[column].astype(float), known["track_id"]))
    return [(song_name(results, i), share(-value)) for value, i in pairs[:_UNSURE] if value < 0]


def song_name(results: Results, track: str) -> str:
    """What a track is called, by its title and artist where the labels have them."""
    columns = (results.roles.column(Role.TITLE), results.roles.artist)
    known = track in results.labels.index
    names = [results.labels.at[track, name] if name and known else None for name in columns]
    return shorten(display_title(track, *names), 60)


def models(results: Results) -> Content:
    """Health and cost of the models."""
    return {"table": evidence.models_table(results)}


def problems(results: Results) -> Content:
    """What is odd about the songs, what could not be measured, which songs had problems."""
    rows = results.ledger[results.ledger["status"] != "ok"]
    shown = rows[list(_LEDGER)].head(MAX_LEDGER_ROWS).itertuples(index=False)
    cells = tuple(tuple(map(text_cell, row)) for row in shown)
    return {
        "warnings": results.warnings.to_dict(orient="records"),
        "unmeasured": unmeasured_lines(results.unmeasured),
        "ledger": Table(tuple(map(Column, _LEDGER.values())), cells) if cells else None,
        "n_rows": len(rows),
    }


def unmeasured_lines(frame: pd.DataFrame) -> list[str]:
    """ "pca + ward, k = 8 (seeds 0, 2): no clusters …: REASON", in the order of the rows.

    The frame has model, clusterer, k, seed, what and reason; rows that differ in the seed alone
    are put together.
    """
    seeds: dict[tuple[str, str], list[int]] = {}
    for row in frame.itertuples():
        key = PartitionKey.of(row.clusterer, row.k)
        name = f"{row.model} + {key.title}" if key.clusterer else str(row.model)
        reason = row.reason if isinstance(row.reason, str) and row.reason else "no reason given"
        what = _UNMEASURED.get(str(row.what), f"{row.what}: ")
        seeds.setdefault((name, what + reason), []).append(int(row.seed))
    return [
        f"{name} ({'seed' if len(found) == 1 else 'seeds'} {', '.join(map(str, found))}): {text}"
        for (name, text), found in seeds.items()
    ]


def pictures(_: Results) -> Content:
    """Nothing but the pictures themselves."""
    return {}


def methods(results: Results) -> Content:
    """What the words and figures mean."""
    return {"baseline": results.setup.baseline, "compared": results.compared}


def repeat(results: Results) -> Content:
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
    return {
        "facts": [(name, str(value)) for name, value in rows if value],
        "commands": [shlex.join(map(str, words)) for words in document.get("commands", ())],
        "settings": json.dumps(document.get("settings", {}), indent=2, ensure_ascii=False),
        "compared": results.compared,
    }


Make = Callable[[Results], Content]
FIRST: Mapping[str, tuple[str, Make]] = {
    "found": ("What is in this music", found),
    "collection": ("What is in the collection", collection),
    "maps": ("Maps", pictures),
}
"""The template of a section, its title, and what it shows."""
EVIDENCE: Mapping[str, tuple[str, Make]] = {
    "verdicts": ("Which method to use", verdicts),
    "agreement": ("Agreement with labels", agreement),
    "leakage": ("Leakage: what should not decide", leakage),
    "structure": ("Structure", structure),
    "stability": ("Stability", stability),
    "models": ("The models", models),
    "problems": ("Problems in the data", problems),
    "pictures": ("Pictures", pictures),
    "methods": ("How to read it", methods),
    "repeat": ("Repeat it", repeat),
}
