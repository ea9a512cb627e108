"""The collection for people who know the songs: its commonest labels, and unsure songs by title."""

from __future__ import annotations

from collections.abc import Sequence

from songscape.benchmark.keys import SampleKey
from songscape.columns import Role, display_title
from songscape.report.categories import group_labels
from songscape.report.read import Results, main_label
from songscape.report.style import share, shorten

_FACTS, _UNSURE = 8, 12


def facts(results: Results) -> list[tuple[str, str, int]]:
    """Columns that describe songs, their commonest values, and how many songs have none."""
    found = []
    for name in _columns(results)[:_FACTS]:
        values = list(results.labels[name])
        missing = sum(group.count for group in group_labels(values) if group.kind == "missing")
        found.append((name, _commonest(values, 5), missing))
    return found


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
