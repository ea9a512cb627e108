"""Which tracks lack features: new and changed ones, and where features are made otherwise now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor

from songscape.features.analyse import EVERY_PASS, RECIPES
from songscape.features.jobs import Job
from songscape.features.readers import installed_decoders
from songscape.features.sound_digest import sound_digest, span_mark
from songscape.library import FileStamp, LedgerRow, Library, Track
from songscape.library.records import Analysed, digest_of_file

__all__ = ["hopeless", "lost", "missing", "stamps_of", "tried"]


def tried() -> str:
    """By what means a file that failed was tried: by others it may not fail."""
    return f"{RECIPES['timbre']} {installed_decoders()}"


def missing(
    library: Library,
    tracks: Sequence[Track],
    wanted: Sequence[str],
    stamps: Mapping[str, FileStamp],
    known: Mapping[str, Analysed],
    again: Set[str] = frozenset(),
) -> Iterator[Job]:
    """What is to be computed: all of new, changed and `again` tracks, else what they lack."""
    unchanged = _unchanged(library, [t for t in tracks if t.audio], stamps, known) - again
    recipes = library.feature_recipes(wanted)
    everything = tuple(name for name in RECIPES if name in (*EVERY_PASS, *wanted))
    for track in tracks:
        if track.audio is None:
            continue
        stamp = stamps[track.id]
        if track.id not in unchanged:
            yield Job(track, (everything,), stamp, whole=True)
            continue
        absent = tuple(n for n in wanted if recipes[n].get(track.id) != RECIPES[n])
        if absent:
            yield Job(track, (absent,), stamp)


def stamps_of(tracks: Iterable[Track]) -> dict[str, FileStamp]:
    """The state of the audio files of tracks, by id."""
    return {t.id: FileStamp.of(t.audio) for t in tracks if t.audio is not None}


def lost(
    library: Library, known: Mapping[str, Analysed], stamps: Mapping[str, FileStamp]
) -> set[str]:
    """Analysed tracks whose file can't be looked at now; the ledger says so."""
    found = {i for i, stamp in stamps.items() if stamp.size < 0 and i in known and _is_ok(known[i])}
    if found or any(row.stage == "file" for row in library.ledger("warning")):
        reason = "its file cannot be looked at now, and what is known of it is kept; bring it back"
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


def _is_ok(known: Analysed) -> bool:
    """Whether a track has features as they would be made now."""
    return (known.outcome, known.recipe) == ("ok", RECIPES["timbre"])


def _unchanged(
    library: Library,
    tracks: Sequence[Track],
    stamps: Mapping[str, FileStamp],
    known: Mapping[str, Analysed],
) -> set[str]:
    """Tracks whose features are of the file that is there, made as they would be now.

    A file in another place, with other dates or other tags is the same if its sound is; so is one
    under another name if the track that had it is gone: its features become those of the new track.
    """
    current = {i: before.stamp for i, before in known.items() if _is_ok(before) and before.stamp}
    gone: dict[str, list[str]] = {}
    for track_id in sorted(current.keys() & set(library.track_ids("gone"))):
        gone.setdefault(known[track_id].file_digest or "", []).append(track_id)
    gone.pop("", None)
    marks = {track.id: span_mark(track.span) for track in tracks}
    unchanged = {
        i
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
        digests = list(
            pool.map(_digests, (stamps[i].path for i in doubtful), (marks[i] for i in doubtful))
        )
    same: dict[str, tuple[FileStamp, str | None]] = {}
    for track_id, its in zip(doubtful, digests):
        if track_id in current and known[track_id].file_digest in its:
            same[track_id] = (stamps[track_id], its[0])
        elif track_id not in current and (owners := next(filter(None, map(gone.get, its)), None)):
            library.rename(owners.pop(0), track_id)
            same[track_id] = (stamps[track_id], its[0])
    library.remember_files(same)
    return unchanged | same.keys()


def _digests(path: str, mark: str) -> list[str]:
    """Of the sound, and of the whole file, by which earlier versions knew it."""
    return [digest + mark for digest in (sound_digest(path), digest_of_file(path)) if digest]
