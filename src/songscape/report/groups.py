"""The collection and its groups for people who know the songs: titles, labels, words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from songscape.benchmark.keys import SampleKey
from songscape.columns import Role, display_title
from songscape.report.categories import group_labels
from songscape.report.read import Results, main_label
from songscape.report.style import number, share, shorten

# Hennig (2007): above the first a cluster is stable, below the second it is not to be believed.
STABLE, DOUBTFUL = 0.75, 0.6
MOST, MORE_THAN_USUAL = 0.5, 1.5
"""A group is named after a value that this share of its songs has, and so many times the usual."""
_FACTS, _SHOWN_OF_GROUP, _TYPICAL, _UNSURE = 8, 4, 5, 12


@dataclass(frozen=True)
class Fact:
    """The commonest values of a column, and how many songs have none."""

    column: str
    values: str
    n_missing: int


@dataclass(frozen=True)
class Group:
    """A cluster: what most of its songs share, its words, its most typical songs.

    `stable` says whether it comes back, `tone` is its style: "better", "worse" or "".
    """

    title: str
    n_songs: int
    share: str
    labels: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    typical: tuple[str, ...]
    stable: str
    tone: str


def facts(results: Results) -> list[Fact]:
    """The commonest values of the columns that describe songs."""
    found = []
    for name in _columns(results)[:_FACTS]:
        values = list(results.labels[name])
        missing = sum(group.count for group in group_labels(values) if group.kind == "missing")
        found.append(Fact(name, _commonest(values, 5), missing))
    return found


def described_groups(results: Results) -> list[Group]:
    """The groups of the featured partition, noise last."""
    members = results.of_featured(results.clusters)
    described = results.of_featured(results.descriptions)
    found = []
    for number_, rows in members.groupby("cluster"):
        cluster, ids = int(number_), list(rows["track_id"])
        texts = described[described["cluster"] == cluster]
        stable, tone = _stability(results, cluster)
        columns = [(name, list(results.labels[name].reindex(ids))) for name in _columns(results)]
        found.append(
            Group(
                f"Group {cluster}{_title(results, columns)}" if cluster >= 0 else "In no group",
                len(ids),
                share(len(ids) / len(members)),
                tuple((name, _commonest(v, 2)) for name, v in columns[:_SHOWN_OF_GROUP]),
                _parts(texts["words"]),
                tuple(song_name(results, i) for i in _parts(texts["typical"])[:_TYPICAL]),
                stable,
                tone,
            )
        )
    return sorted(found, key=lambda group: group.title == "In no group")


def unsure_songs(results: Results) -> list[tuple[str, str]]:
    """The songs whose group is least sure, with the share of its songs that each loses."""
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


def _columns(results: Results) -> list[str]:
    """Columns that describe songs: genre, language and artist first."""
    setup = results.setup
    names = [main_label(setup.labels), setup.language, results.roles.artist, *setup.labels]
    known = set(results.labels.columns) if len(results.labels) else set()
    return [name for name in dict.fromkeys(names) if name is not None and name in known]


def _commonest(values: Sequence[object], limit: int) -> str:
    """ "folk 60 % · rock 20 % · 3 others 20 %" of those that have a value"""
    found = [group for group in group_labels(values, limit) if group.kind != "missing"]
    known = sum(group.count for group in found)
    shown = [f"{shorten(group.name, 28)} {share(group.count / known)}" for group in found]
    return " · ".join(shown) or "–"


def _title(results: Results, columns: Sequence[tuple[str, list[object]]]) -> str:
    """What most of a group's songs share and others do not, such as ": Hindi, ballad"."""
    found = []
    for name, values in columns:
        first = group_labels(values, 1)[:1]
        if not first or first[0].kind != "category":
            continue
        part = first[0].count / len(values)
        usual = (results.labels[name] == first[0].name).mean()
        if part > MOST and part >= MORE_THAN_USUAL * usual:
            found.append(shorten(first[0].name, 28))
    return f": {', '.join(dict.fromkeys(found))}" if found else ""


def _parts(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(shorten(part, 60) for text in texts for part in text.split("; ") if part)


def _stability(results: Results, cluster: int) -> tuple[str, str]:
    """Whether a group comes back: the lower of the Jaccard similarities decides."""
    assert results.featured is not None
    model, key = results.featured
    values = [
        results.figures.number(model, metric, str(cluster), "stability", key)
        for metric in ("cluster_jaccard", "cluster_jaccard_over_seeds")
    ]
    lowest = min((value for value in values if value == value), default=None)
    if lowest is None:
        return "", ""
    figure = f"(Jaccard {number(lowest, 2)})"
    if lowest > STABLE:
        return f"✓ stable {figure}", "better"
    return (
        (f"? doubtful {figure}", "")
        if lowest >= DOUBTFUL
        else (f"✗ does not come back {figure}", "worse")
    )
