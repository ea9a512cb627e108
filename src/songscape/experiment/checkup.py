"""Checks a collection before any training: what is wrong with which file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from songscape.columns import find_roles
from songscape.data_tables import read_table
from songscape.features.analyse import BEGINS_SILENT, NEARLY_SILENT
from songscape.features.decode import SILENT, TOO_SHORT
from songscape.ingest.file_kinds import id3_length, looks_like
from songscape.language_codes import language_name
from songscape.library import Library
from songscape.library.upkeep import files_of, names_of, told

_TABLE = read_table("experiment/data", "checkup")
KINDS: Mapping[str, tuple[str, str]] = _TABLE["kinds"]
"""What can be wrong: its words in the output, and what to do."""
_SUFFIXES: Mapping[str, str] = _TABLE["suffixes"]
_LOSSLESS = frozenset({"FLAC", "WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "APE", "WV", "TTA"})
MIN_LETTERS, MIN_SHARE, MOST_TAGGED = 200, 0.9, 0.1
"""To doubt the language of a tag: least letters of the words, least share of them in one other
language, and largest share in the tagged one when only these two are compared."""

_KIND_OF_ROW: Mapping[tuple[str, str], str] = {
    ("audio", "failed"): "unreadable",
    ("scan", "failed"): "unreadable",
    ("audio", "warning"): "damaged",
    ("lyrics", "failed"): "lyrics unreadable",
    ("lyrics", "warning"): "lyrics doubtful",
    ("scan", "skipped"): "left out",
}
_KIND_OF_REASON: Mapping[str, str | None] = {
    SILENT: "silent",
    NEARLY_SILENT: "silent",
    TOO_SHORT: "too short",
    BEGINS_SILENT: None,
}


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong with one track (or file); `kind` is one of `KINDS`."""

    kind: str
    track_id: str
    name: str
    file: str
    detail: str


_Found = tuple[str, str, str]
"""Kind, track id and detail."""


@dataclass(frozen=True)
class Checkup:
    """What was found: `n_tracks` tracks, and the troubles in the order of `KINDS`."""

    n_tracks: int
    troubles: tuple[Trouble, ...]

    @property
    def n_fine(self) -> int:
        """Tracks that nothing was found about; of copies the first is fine."""
        return self.n_tracks - len({t.track_id for t in self.troubles if t.kind != "left out"})

    def of_kind(self, kind: str) -> list[Trouble]:
        return [trouble for trouble in self.troubles if trouble.kind == kind]


def examine(library: Library) -> Checkup:
    """Look over a library that is up to date with its collection."""
    names, files = names_of(library), files_of(library)
    found = (
        *_of_ledger(library),
        *_wrong_extensions(library),
        *_copies(library, names, files),
        *_other_languages(library),
    )
    details: dict[tuple[str, str], list[str]] = {}
    for kind, track_id, detail in found:
        details.setdefault((kind, track_id), []).append(detail)
    order, counts = list(KINDS), library.counts()
    troubles = [
        Trouble(kind, i, names.get(i, i), files.get(i, i), "; ".join(its))
        for (kind, i), its in details.items()
    ]
    troubles.sort(key=lambda trouble: order.index(trouble.kind))
    return Checkup(counts.found - counts.skipped, tuple(troubles))


def _of_ledger(library: Library) -> Iterator[_Found]:
    for row in library.ledger():
        kind = _KIND_OF_ROW.get((row.stage, row.status))
        kind = _KIND_OF_REASON.get(row.reason.partition(":")[0], kind)
        about, reason = told(row) if row.stage == "scan" else (row.track_id, row.reason)
        if kind is not None:
            yield kind, about, reason


def _wrong_extensions(library: Library) -> Iterator[_Found]:
    for track in library.tracks("analysed"):
        if track.audio is None:
            continue
        suffix, kind = track.audio.suffix.lower().lstrip("."), _kind_of_content(track.audio)
        if kind is not None and suffix not in _SUFFIXES[kind].split():
            yield "wrong extension", track.id, f"is {kind}"


def _kind_of_content(path: Path) -> str | None:
    """What the first bytes behind an ID3 tag are; None for what has no signature of its own."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
            if length := id3_length(head):
                file.seek(length)
                head = file.read(64)
    except OSError:
        return None
    kind = looks_like(head)
    return kind if kind in _SUFFIXES else None


def _copies(
    library: Library, names: Mapping[str, str], files: Mapping[str, str]
) -> Iterator[_Found]:
    """All of a recording but the best: lossless first, then of the highest rate, then by id."""
    from songscape.experiment.track_facts import known_copies

    texts, facts = library.texts(), library.audio_facts()
    if facts.empty:
        return
    groups: dict[int, list[str]] = {}
    for track_id, group in zip(texts, known_copies(library, texts, facts.reindex(list(texts)))):
        groups.setdefault(int(group), []).append(track_id)
    about = facts.to_dict(orient="index")

    def rank(track_id: str) -> tuple[Any, ...]:
        its = about[track_id]
        return (its["container"] not in _LOSSLESS, -(its["bitrate_kbps"] or 0), track_id)

    for members in groups.values():
        best, *others = sorted(members, key=rank)
        for track_id in others:
            one, two = about[best], about[track_id]
            how = "the same audio as" if one["digest"] == two["digest"] else "sounds like"
            where = "" if names[best] == files[best] else f"{files[best]}, "
            detail = f"{_described(two)}; {how} {names[best]} ({where}{_described(one)})"
            yield "copies", track_id, detail


def _described(facts: Mapping[str, Any]) -> str:
    seconds = round(facts["duration_s"])
    return (
        f"{facts['container']} at {facts['bitrate_kbps']:.0f} kbit/s, "
        f"{seconds // 60}:{seconds % 60:02}"
    )


def _other_languages(library: Library) -> Iterator[_Found]:
    from songscape.experiment.track_facts import KnownLanguages
    from songscape.ingest.languages import language_composition, language_probabilities

    table, texts = library.columns(), library.texts()
    column = find_roles(table.columns).language
    if column is None:
        return
    identify = KnownLanguages(library, texts)
    for row, (track_id, text) in enumerate(texts.items()):
        tagged = language_name(table.at[track_id, column])
        if text is None or tagged is None or sum(map(str.isalpha, text)) < MIN_LETTERS:
            continue
        shares = identify(row, text)
        told = max(shares, key=lambda name: shares[name], default="")
        if shares.get(told, 0.0) < MIN_SHARE or told == tagged:
            continue
        # Related languages are mistaken for each other, and some the model does not know at all.
        between = language_composition(text, {tagged, told})
        if tagged in language_probabilities(told) and between.get(tagged, 0.0) <= MOST_TAGGED:
            detail = f"tagged {tagged}, the words are {told} ({100 * shares[told]:.0f} % of them)"
            yield "language", track_id, detail
    identify.keep()
