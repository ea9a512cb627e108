"""Checks on the data before any model: what would make a good score mean nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    ids = views.track_ids
    if len(lyrics_texts) != len(ids):
        raise ValueError(f"{len(lyrics_texts)} lyrics for {len(ids)} tracks: one per track")
    known = labels.reindex(list(ids))
    roles = roles or find_roles(known.columns)
    languages = _languages(known, roles)
    columns = label_columns(known, nuisances=nuisances, roles=roles)
    if roles.language is not None and roles.language not in columns:
        columns.append(roles.language)
    findings = [
        Finding(Check.UNINFORMATIVE_VIEW, Severity.WARNING, values={"view": name})
        for name in uninformative_views(views)
        if name not in known.columns
    ]
    findings += _duplicate_audio(
        ids, duplicate_groups(views, audio_facts) if copies is None else copies
    )
    groups = duplicate_lyrics_groups(views)
    language_first = sorted(columns, key=lambda name: (name != roles.language, name))
    findings += _duplicate_lyrics(ids, groups, known, language_first, lyrics_texts)
    findings += _drawn_from_a_list(ids, lyrics_texts, languages)
    findings += _mismatches(ids, lyrics_texts, languages)
    beside = nuisance_table(known, audio_facts, views, extra=nuisances, roles=roles)
    findings += confounded_labels(known, columns, beside, roles=roles)
    findings += _absent(lyrics_texts, languages)
    findings += _known_songs(ids, known)
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


# -- copies ----------------------------------------------------------------------------------


def _duplicate_audio(ids: Sequence[str], groups: Codes) -> list[Finding]:
    shared = _shared(ids, groups)
    tracks, values = tuple(track for group in shared for track in group), {"groups": shared}
    return [Finding(Check.DUPLICATE_AUDIO, Severity.WARNING, tracks, values)] if shared else []


def _duplicate_lyrics(
    ids: Sequence[str],
    groups: Codes,
    labels: pd.DataFrame,
    columns: Sequence[str],
    texts: Sequence[str | None],
) -> list[Finding]:
    shared = _shared(ids, groups)
    if not shared:
        return []
    tracks = tuple(track for group in shared for track in group)
    share = len(tracks) / max(1, sum(bool(text) for text in texts))
    values = {"groups": shared, "share": share}
    if share < TEMPLATED_SHARE:
        return [Finding(Check.DUPLICATE_LYRICS, Severity.WARNING, tracks, values)]
    rows = np.flatnonzero(np.bincount(groups)[groups] > 1)
    values |= {"label": _decided_by(groups[rows], labels.iloc[rows], columns)}
    return [Finding(Check.TEMPLATED_LYRICS, Severity.WARNING, tracks, values)]


def _decided_by(groups: Codes, labels: pd.DataFrame, columns: Sequence[str]) -> str | None:
    """The label column of which these groups of lyrics are a function."""
    for column in columns:
        if len(set(groups)) < 2 or labels[column].nunique() < 2:
            continue
        if unexplained_share(groups, labels[column].to_numpy(object)) <= FUNCTION_BELOW:
            return column
    return None


def _drawn_from_a_list(
    ids: Sequence[str], texts: Sequence[str | None], languages: Sequence[tuple[str, ...]]
) -> list[Finding]:
    findings = []
    for language in sorted({tags[0] for tags in languages if len(tags) == 1}):
        rows = [i for i, tags in enumerate(languages) if tags == (language,) and texts[i]]
        share, n_words = hapax_share([texts[i] for i in rows])
        if len(rows) >= _HAPAX_TEXTS and share < FEWEST_HAPAXES:
            values = {"language": language, "n_words": n_words, "hapax_share": share}
            tracks = tuple(ids[i] for i in rows)
            findings.append(Finding(Check.TEMPLATED_LYRICS, Severity.WARNING, tracks, values))
    return findings


# -- languages -------------------------------------------------------------------------------


def _languages(labels: pd.DataFrame, roles: ColumnRoles) -> list[tuple[str, ...]]:
    """All languages of each track, from `languages` or else `language`; empty where unknown."""
    view = language_view(labels, roles=roles)
    if view is None:
        return [()] * len(labels)
    return [tuple(view.feature_names[i] for i in np.flatnonzero(row)) for row in view.values]


def _mismatches(
    ids: Sequence[str], texts: Sequence[str | None], languages: Sequence[tuple[str, ...]]
) -> list[Finding]:
    found = [
        {"track": ids[row], "tagged": tagged, "fits": fits, "margin": -minus}
        for minus, row, tagged, fits in language_mismatches(texts, languages)
    ]
    tracks, values = tuple(str(one["track"]) for one in found), {"mismatches": found}
    return [Finding(Check.LANGUAGE_MISMATCH, Severity.WARNING, tracks, values)] if found else []


def _absent(texts: Sequence[str | None], languages: Sequence[tuple[str, ...]]) -> list[Finding]:
    findings = []
    if not any(texts):
        findings.append(Finding(Check.NO_LYRICS, Severity.NOTE))
    tags = {tag for row in languages for tag in row}
    if len(tags) == 1:
        values = {"language": min(tags)}
        findings.append(Finding(Check.ONE_LANGUAGE, Severity.NOTE, values=values))
    return findings


def _known_songs(ids: Sequence[str], labels: pd.DataFrame) -> list[Finding]:
    """Tracks with an id of the Million Song Dataset, on which published encoders were trained."""
    cells = [list(ids), *(labels[name].astype(str) for name in labels)]
    tracks = tuple(
        track
        for track, *row in zip(ids, *cells)
        if any(isinstance(cell, str) and _MILLION_SONGS.search(cell) for cell in row)
    )
    return [Finding(Check.KNOWN_SONGS, Severity.NOTE, tracks)] if tracks else []


def _shared(ids: Sequence[str], groups: Codes) -> list[list[str]]:
    members: dict[int, list[str]] = {}
    for track, group in zip(ids, groups.tolist()):
        members.setdefault(group, []).append(track)
    return [group for group in members.values() if len(group) > 1]
