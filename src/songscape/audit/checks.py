"""Checks on the data before any model: what would make a good score mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from songscape.audit.confounding import FUNCTION_BELOW, confounded_labels
from songscape.audit.duplicates import duplicate_groups, duplicate_lyrics_groups
from songscape.audit.finding import Finding
from songscape.audit.lyrics import hapax_share, language_mismatches
from songscape.audit.nuisances import nuisance_table, unexplained_share
from songscape.audit.overlap import overlap_findings
from songscape.columns import find_roles, label_columns
from songscape.features.covariates import language_view

if TYPE_CHECKING:
    import pandas as pd

    from songscape.features.views import Views

__all__ = ["Finding", "check_collection"]

TEMPLATED_SHARE = 0.2
"""Share of the tracks with lyrics that have a near copy, from which lyrics look templated."""
FEWEST_HAPAXES = 0.1
"""Share of words in one text only below which words look drawn from a list; people's: 0.5-0.8."""
_HAPAX_TEXTS = 20
_LISTED = 5

Codes = NDArray[np.int64]


def check_collection(
    views: Views,
    labels: pd.DataFrame,
    audio_facts: pd.DataFrame,
    *,
    lyrics_texts: Sequence[str | None],
    label_names: Sequence[str] = (),
    nuisances: Sequence[str] = (),
) -> list[Finding]:
    """Look for duplicates, generated or mistagged lyrics, and labels that a nuisance decides.

    Parameters
    ----------
    views : Views
        `mfcc`, `segments` and `lyrics` are used where they are.
    labels : DataFrame
        `Library.columns()`.
    audio_facts : DataFrame
        `Library.audio_facts()`.
    lyrics_texts : sequence of str or None
        Lyrics as read, in the order of `views.track_ids`.
    label_names : sequence of str
        Label columns to check; empty means those that `label_columns` finds.
    nuisances : sequence of str
        Label columns to treat as nuisances beside those that `nuisance_table` knows.

    Returns
    -------
    list of Finding
        Warnings first; within a severity in a fixed order of checks.
    """
    ids = views.track_ids
    if len(lyrics_texts) != len(ids):
        raise ValueError(f"{len(lyrics_texts)} lyrics for {len(ids)} tracks: one per track")
    known = labels.reindex(list(ids))
    languages = _languages(known)
    columns = label_columns(known, label_names)
    language = find_roles(known.columns).language
    if language is not None and language not in columns:
        columns.append(language)
    findings = _duplicate_audio(ids, duplicate_groups(views, audio_facts))
    groups = duplicate_lyrics_groups(views)
    findings += _duplicate_lyrics(ids, groups, known, columns, lyrics_texts)
    findings += _drawn_from_a_list(ids, lyrics_texts, languages)
    findings += _mismatches(ids, lyrics_texts, languages)
    beside = nuisance_table(known, audio_facts, views, extra=nuisances)
    findings += confounded_labels(known, columns, beside)
    composition = language_view(known, lyrics_texts)
    if composition is not None:
        # Nobody minds that what should not decide is hidden with the language.
        wanted = [name for name in columns if name not in beside.columns]
        findings += overlap_findings(known, wanted, composition)
    findings += _absent(lyrics_texts, languages)
    return sorted(findings, key=lambda f: f.severity != "warning")


# -- copies ----------------------------------------------------------------------------------


def _duplicate_audio(ids: Sequence[str], groups: Codes) -> list[Finding]:
    shared = _shared(ids, groups)
    if not shared:
        return []
    tracks = tuple(track for group in shared for track in group)
    message = (
        f"{len(tracks)} tracks are copies of each other in {_count(len(shared), 'group')} "
        f"(same audio, perhaps re-encoded): {_listed(shared)}. Copies count one song more than "
        "once, and may not be split between training and test."
    )
    return [Finding("duplicate-audio", "warning", message, tracks, {"groups": shared})]


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
    start = f"{len(tracks)} tracks ({share:.0%} of those with lyrics)"
    if share < TEMPLATED_SHARE:
        message = (
            f"{start} share their words with another track, in "
            f"{_count(len(shared), 'group')}: {_listed(shared)}."
        )
        return [Finding("duplicate-lyrics", "warning", message, tracks, values)]
    rows = np.flatnonzero(np.bincount(groups)[groups] > 1)
    column = _decided_by(groups[rows], labels.iloc[rows], columns)
    tail = f", and {column} alone decides which they are" if column else ""
    message = (
        f"{start} have nearly the same words as other tracks, in "
        f"{_count(len(shared), 'group')}{tail}: the lyrics look generated from a template, so "
        "agreement of lyrics with a label proves little."
    )
    values |= {"label": column}
    return [Finding("templated-lyrics", "warning", message, tracks, values)]


def _decided_by(groups: Codes, labels: pd.DataFrame, columns: Sequence[str]) -> str | None:
    """The label column of which these groups of lyrics are a function."""
    for column in sorted(columns, key=lambda name: (name != "language", name)):
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
        if len(rows) < _HAPAX_TEXTS or not share < FEWEST_HAPAXES:
            continue
        message = (
            f"The {language} lyrics look generated: {len(rows)} tracks use only {n_words} "
            f"different words, and {share:.0%} of these occur in one track alone (in people's "
            "lyrics about half do), so they say the language and little else."
        )
        values = {"language": language, "n_words": n_words, "hapax_share": share}
        tracks = tuple(ids[i] for i in rows)
        findings.append(Finding("templated-lyrics", "warning", message, tracks, values))
    return findings


# -- languages -------------------------------------------------------------------------------


def _languages(labels: pd.DataFrame) -> list[tuple[str, ...]]:
    """All languages of each track, from `languages` or else `language`; empty where unknown."""
    view = language_view(labels)
    if view is None:
        return [()] * len(labels)
    return [tuple(view.feature_names[i] for i in np.flatnonzero(row)) for row in view.values]


def _mismatches(
    ids: Sequence[str], texts: Sequence[str | None], languages: Sequence[tuple[str, ...]]
) -> list[Finding]:
    found = language_mismatches(texts, languages)
    if not found:
        return []
    details = [
        {"track": ids[m.position], "tagged": m.tagged, "fits": m.fits, "margin": m.margin}
        for m in found
    ]
    shown = [f"{ids[m.position]} ({m.tagged}, reads like {m.fits})" for m in found]
    message = (
        f"The words of {_count(len(found), 'track')} do not fit the language tag: {_first(shown)}."
    )
    tracks = tuple(ids[m.position] for m in found)
    return [Finding("language-mismatch", "warning", message, tracks, {"mismatches": details})]


def _absent(texts: Sequence[str | None], languages: Sequence[tuple[str, ...]]) -> list[Finding]:
    findings = []
    if not any(texts):
        message = "No track has lyrics: models that use words have nothing to learn from."
        findings.append(Finding("no-lyrics", "note", message))
    tags = {tag for row in languages for tag in row}
    if len(tags) == 1:
        message = f"Every tagged track is in {min(tags)}: language leakage cannot be measured here."
        findings.append(Finding("one-language", "note", message, values={"language": min(tags)}))
    return findings


# -- words -----------------------------------------------------------------------------------


def _shared(ids: Sequence[str], groups: Codes) -> list[list[str]]:
    members: dict[int, list[str]] = {}
    for track, group in zip(ids, groups.tolist()):
        members.setdefault(group, []).append(track)
    return [group for group in members.values() if len(group) > 1]


def _listed(groups: Sequence[Sequence[str]]) -> str:
    return _first([_first(group, " = ") for group in groups], "; ")


def _first(names: Sequence[str], joint: str = ", ") -> str:
    more = f"{joint}and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return joint.join(names[:_LISTED]) + more


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
