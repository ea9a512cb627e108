"""Checks on the data before any model: what would make a good score mean nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, compress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songscape.audit.confounding import FUNCTION_BELOW, confounded_labels
from songscape.audit.duplicates import duplicate_groups, duplicate_lyrics_groups
from songscape.audit.finding import Check, Finding, Severity
from songscape.audit.lyrics_checks import hapax_share, language_mismatches
from songscape.audit.nuisances import nuisance_table, unexplained_share
from songscape.columns import ColumnRoles, find_roles, label_columns
from songscape.features.covariates import language_view
from songscape.metrics.neighbours import uninformative

if TYPE_CHECKING:
    import pandas as pd

    from songscape.features.views import Views

TEMPLATED_SHARE = 0.2
"""Share of the tracks with lyrics that have a near copy, from which lyrics look templated."""
FEWEST_HAPAXES = 0.1
"""Share of words in one text only below which words look drawn from a list (`hapax_share`)."""
_HAPAX_TEXTS = 20
_MILLION_SONGS = re.compile(r"\bTR[A-Z]{5}[0-9A-F]{11}\b")

WARNING = Severity.WARNING
Codes = NDArray[np.int64]


def check_collection(
    views: Views,
    labels: pd.DataFrame,
    audio_facts: pd.DataFrame,
    *,
    lyrics_texts: Sequence[str | None],
    nuisances: Sequence[str] = (),
    roles: ColumnRoles | None = None,
    copies: Codes | None = None,
) -> list[Finding]:
    """Look for copies, generated or mistagged lyrics, confounded labels and views without content.

    `labels` and `audio_facts` are the library's `columns()` and `audio_facts()`, lyrics stand in
    the order of the tracks, and `copies` are those of `duplicate_groups` where they are known.
    Findings come warnings first, then in a fixed order of checks.
    """
    ids, known = views.track_ids, labels.reindex(list(views.track_ids))
    roles = roles or find_roles(known.columns)
    languages = _languages(known, roles)
    columns = label_columns(known, nuisances=nuisances, roles=roles)
    if roles.language is not None and roles.language not in columns:
        columns.append(roles.language)
    copies = duplicate_groups(views, audio_facts) if copies is None else copies
    alike = duplicate_lyrics_groups(views)
    first_language = sorted(columns, key=lambda name: (name != roles.language, name))
    beside = nuisance_table(known, audio_facts, views, extra=nuisances, roles=roles)
    findings = [
        *_uninformative(views, known),
        *_duplicate_audio(_shared(ids, copies)),
        *_duplicate_lyrics(_shared(ids, alike), alike, known, first_language, lyrics_texts),
        *_drawn_from_a_list(ids, lyrics_texts, languages),
        *_mismatches(ids, lyrics_texts, languages),
        *confounded_labels(known, columns, beside, roles=roles),
        *_absent(lyrics_texts, languages),
        *_known_songs(ids, known),
    ]
    return sorted(findings, key=lambda f: f.severity is not Severity.WARNING)


def uninformative_views(views: Views) -> list[str]:
    """Views that are the same for every track that has them: silence, or one text."""
    found = []
    for name in sorted(views):
        view = views[name]
        if view.present.sum() >= 2:
            values = view.values[view.present]
            ends = [values.max(axis=0), values.min(axis=0)]
            if uninformative(np.stack([e.toarray() if view.is_sparse else e for e in ends])):
                found.append(name)
    return found


def _uninformative(views: Views, columns: pd.DataFrame) -> Iterator[Finding]:
    for name in uninformative_views(views):
        if name not in columns:
            yield Finding(Check.UNINFORMATIVE_VIEW, WARNING, values={"view": name})


# -- copies ----------------------------------------------------------------------------------


def _shared(ids: Sequence[str], groups: Codes) -> list[list[str]]:
    """The tracks of each group of several."""
    members: dict[int, list[str]] = {}
    for track, group in zip(ids, groups.tolist()):
        members.setdefault(group, []).append(track)
    return [group for group in members.values() if len(group) > 1]


def _duplicate_audio(shared: list[list[str]]) -> Iterator[Finding]:
    if shared:
        yield Finding(Check.DUPLICATE_AUDIO, WARNING, tuple(chain(*shared)), {"groups": shared})


def _duplicate_lyrics(
    shared: list[list[str]],
    groups: Codes,
    labels: pd.DataFrame,
    columns: Sequence[str],
    texts: Sequence[str | None],
) -> Iterator[Finding]:
    if not shared:
        return
    tracks = tuple(chain(*shared))
    share = len(tracks) / max(1, sum(bool(text) for text in texts))
    check, values = Check.DUPLICATE_LYRICS, {"groups": shared, "share": share}
    if share >= TEMPLATED_SHARE:
        check, rows = Check.TEMPLATED_LYRICS, np.flatnonzero(np.bincount(groups)[groups] > 1)
        values |= {"label": _decided_by(groups[rows], labels.iloc[rows], columns)}
    yield Finding(check, WARNING, tracks, values)


def _decided_by(groups: Codes, labels: pd.DataFrame, columns: Sequence[str]) -> str | None:
    """The first label column of which these groups of lyrics are a function."""
    for column in columns if len(set(groups)) > 1 else ():
        if labels[column].nunique() < 2:
            continue
        if unexplained_share(groups, labels[column].to_numpy(object)) <= FUNCTION_BELOW:
            return column
    return None


def _drawn_from_a_list(
    ids: Sequence[str], texts: Sequence[str | None], languages: Sequence[tuple[str, ...]]
) -> Iterator[Finding]:
    for language in sorted({tags[0] for tags in languages if len(tags) == 1}):
        rows = [i for i, tags in enumerate(languages) if tags == (language,) and texts[i]]
        share, n_words = hapax_share([texts[i] for i in rows])
        if len(rows) >= _HAPAX_TEXTS and share < FEWEST_HAPAXES:
            values = {"language": language, "n_words": n_words, "hapax_share": share}
            yield Finding(Check.TEMPLATED_LYRICS, WARNING, tuple(ids[i] for i in rows), values)


# -- languages -------------------------------------------------------------------------------


def _languages(labels: pd.DataFrame, roles: ColumnRoles) -> list[tuple[str, ...]]:
    """All languages of each track, from `languages` or else `language`; empty where unknown."""
    view = language_view(labels, roles=roles)
    if view is None:
        return [()] * len(labels)
    return [tuple(view.feature_names[i] for i in np.flatnonzero(row)) for row in view.values]


def _mismatches(
    ids: Sequence[str], texts: Sequence[str | None], languages: Sequence[tuple[str, ...]]
) -> Iterator[Finding]:
    found = [
        {"track": ids[row], "tagged": tagged, "fits": fits, "margin": -minus}
        for minus, row, tagged, fits in language_mismatches(texts, languages)
    ]
    if found:
        tracks = tuple(str(one["track"]) for one in found)
        yield Finding(Check.LANGUAGE_MISMATCH, WARNING, tracks, {"mismatches": found})


def _absent(texts: Sequence[str | None], languages: Sequence[tuple[str, ...]]) -> Iterator[Finding]:
    if not any(texts):
        yield Finding(Check.NO_LYRICS, Severity.NOTE)
    tags = {tag for row in languages for tag in row}
    if len(tags) == 1:
        yield Finding(Check.ONE_LANGUAGE, Severity.NOTE, values={"language": min(tags)})


def _known_songs(ids: Sequence[str], labels: pd.DataFrame) -> Iterator[Finding]:
    """Tracks with an id of the Million Song Dataset, on which published encoders were trained."""
    cells = [ids, *(labels[name].astype(str) for name in labels)]
    known = (any(map(_MILLION_SONGS.search, map(str, row))) for row in zip(*cells))
    if tracks := tuple(compress(ids, known)):
        yield Finding(Check.KNOWN_SONGS, Severity.NOTE, tracks)
