"""Which tracks lack features: new and changed ones, and those of an older recipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from songscape.features.analyse import RECIPES, recipes_for
from songscape.features.readers import installed_decoders
from songscape.ingest.sound_digest import sound_digest, span_mark
from songscape.library import FileStamp, LedgerRow, Library, Track
from songscape.library.records import Analysed


@dataclass(frozen=True)
class Job:
    """Features to compute of a track: its file's state before, and whether all is made anew."""

    track: Track
    names: tuple[str, ...]
    stamp: FileStamp
    whole: bool


def tried() -> str:
    """By what means a file that failed was tried: by others it may not fail."""
    return f"{RECIPES['timbre']} {installed_decoders()}"


def missing(
    library: Library,
    tracks: Sequence[Track],
    wanted: Sequence[str],
    stamps: Mapping[str, FileStamp],
    known: Mapping[str, Analysed],
    excerpt: str,
) -> Iterator[Job]:
    """What is to be computed: all of new and changed tracks, else what they lack."""
    seconds = library.durations()
    current = {
        i: before.stamp
        for i, before in known.items()
        if before.stamp and before.outcome == "ok"
        if before.recipe == recipes_for(excerpt, seconds.get(i))["timbre"]
    }
    unchanged = _unchanged(library, [t for t in tracks if t.audio], stamps, known, current)
    recipes, everything = library.feature_recipes(wanted), tuple(RECIPES)
    for track in tracks:
        if track.audio is None:
            continue
        stamp = stamps[track.id]
        if track.id not in unchanged:
            yield Job(track, everything, stamp, whole=True)
            continue
        wished = recipes_for(excerpt, seconds.get(unchanged[track.id]))
        absent = tuple(n for n in wanted if recipes[n].get(track.id) != wished[n])
        if absent:
            yield Job(track, absent, stamp, whole=False)


def stamps_of(tracks: Iterable[Track]) -> dict[str, FileStamp]:
    """The state of the audio files of tracks, by id."""
    return {t.id: FileStamp.of(t.audio) for t in tracks if t.audio is not None}


def lost(
    library: Library, known: Mapping[str, Analysed], stamps: Mapping[str, FileStamp]
) -> set[str]:
    """Analysed tracks whose file can't be looked at now; the ledger says so."""
    ok = {i for i, before in known.items() if before.outcome == "ok"}
    found = {i for i, stamp in stamps.items() if stamp.size < 0 and i in ok}
    if found or any(row.stage == "file" for row in library.ledger("warning")):
        reason = "its file cannot be read now; its features are kept; make it available again"
        library.note("file", [LedgerRow(i, "file", "warning", reason) for i in sorted(found)])
    return found


def hopeless(known: Mapping[str, Analysed], stamps: Mapping[str, FileStamp]) -> set[str]:
    """Tracks that failed, whose file and means of reading it are the same as then."""
    means = ("failed", tried())
    return {
        track_id
        for track_id, before in known.items()
        if (before.outcome, before.recipe) == means and before.stamp is not None
        if track_id in stamps and before.stamp.is_state_of(stamps[track_id])
    }


def _unchanged(
    library: Library,
    tracks: Sequence[Track],
    stamps: Mapping[str, FileStamp],
    known: Mapping[str, Analysed],
    current: Mapping[str, FileStamp],
) -> dict[str, str]:
    """Tracks whose features are there, of the `current` ones, and the track that had these.

    A file in another place, with other dates or other tags is the same if its sound is; so is one
    under another name if the track that had it is gone, or has another file now: its features
    become those of the new track.
    """
    gone = sorted(current.keys() & set(library.track_ids("gone")))
    marks = {track.id: span_mark(track.span) for track in tracks}
    unchanged = {
        i: i
        for i, mark in marks.items()
        if i in current and current[i].is_state_of(stamps[i])
        if (known[i].file_digest or "").partition("@")[2] == mark[1:]
    }
    doubtful = [
        i
        for i in sorted(marks.keys() - unchanged)
        if (known[i].file_digest if i in current else gone) and stamps[i].size >= 0
    ]
    if not doubtful:
        return unchanged
    with ThreadPoolExecutor() as pool:
        sounds = list(pool.map(sound_digest, (stamps[i].path for i in doubtful)))
    digests = {i: its + marks[i] for i, its in zip(doubtful, sounds) if its is not None}
    same = {i: i for i in digests if i in current and known[i].file_digest == digests[i]}
    owners: dict[str, list[str]] = {}
    for track_id in (*gone, *(i for i in doubtful if i in current and i not in same)):
        owners.setdefault(known[track_id].file_digest or "", []).append(track_id)
    moved = {}
    for track_id in sorted(digests.keys() - same.keys()):
        if its := owners.get(digests[track_id]):
            moved[track_id] = its.pop(0)
    library.follow(moved)
    same |= moved
    library.remember_files({i: (stamps[i], digests[i]) for i in same})
    return unchanged | same
