"""Collection -> features in the library: runs the workers, and writes what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing

from songscape.errors import SongscapeError
from songscape.features.analyse import (
    CORE,
    EVERY_PASS,
    RECIPES,
    analyse_file,
)
from songscape.features.embeddings import (
    add_embeddings,
    embeddings_of,
    find_models,
    is_complete,
)
from songscape.features.encoders.registry import ENCODERS
from songscape.features.jobs import Job, run_jobs
from songscape.features.readers import installed_decoders
from songscape.features.recheck import mark_decoded, outdated
from songscape.features.sound_digest import sound_digest, span_mark
from songscape.library import Analysis, Collection, Counts, FileStamp, LedgerRow, Library, Track
from songscape.library.records import Analysed, digest_of_file

__all__ = ["complete", "extract"]

Progress = Callable[[int, int, str], None]


def extract(
    library: Library,
    collection: Collection,
    *,
    views: Iterable[str] = (),
    workers: int | None = None,
    timeout_s: float = 120.0,
    progress: Progress | None = None,
    executor: Executor | None = None,
    function: Callable[..., Analysis] = analyse_file,
) -> Counts:
    """Bring the library up to date with a collection: analyse every track that is missing.

    A track is missing when its file changed (in sound: another name, place, date or tags do not
    count) or when features are made differently now (recipe). One that failed before is tried
    again when its file, the recipe or an installed decoder has changed, when nothing but its place
    was at fault (a drive that did not answer), or after `Library.forget_outcomes`. Of a track that
    is there but lacks one of `views`, only that is computed. A track whose file can't be looked at
    now keeps its features, with a remark. Every track is committed as it comes, so an interrupted
    run goes on where it was.

    Parameters
    ----------
    library : Library
    collection : Collection
    views : iterable of str
        Views that will be asked for besides `timbre`, `mfcc`, `segments` and `lyrics`: `musicnn`,
        `voice`, `e5` and `use` for encoders that are installed, `embedding:NAME` for a model in
        the folder NAME or of that name in the hub cache.
    workers : int, optional
        Worker processes; by default one per available core.
    timeout_s : float
        Longest time for one track.
    progress : callable, optional
        Called with (done, total, track id) after each track, and once with (0, total, "").
    executor : concurrent.futures.Executor, optional
        Where to run instead; it must have the files at the same paths.
    function : callable
        What to run on a path and a list of features.

    Returns
    -------
    Counts

    Raises
    ------
    SongscapeError
        If workers cannot be started at all, the model of an embedding is not on this machine, or
        the collection or the library is deleted meanwhile.
    """
    views = tuple(views)
    models = find_models(views)
    library.update(collection)
    again = outdated(library, collection.tracks, workers, executor)
    stamps = _stamps(collection.tracks)
    whole = {t.id: stamps[t.id] for t in collection.tracks if t.audio and t.span is None}
    known = library.analysed_files()
    left = _lost(library, known, stamps) | _hopeless(known, whole)
    tracks = [track for track in collection.tracks if track.id not in left]
    todo = list(_missing(library, tracks, from_audio(views), stamps, known, again))
    _check_reachable(library, todo)
    library.forget_outcomes(job.track.id for job in todo if job.whole)
    _work(library, todo, workers, timeout_s, progress, executor, function)
    add_embeddings(library, models, workers=workers, progress=progress, executor=executor)
    return library.counts()


def complete(
    library: Library,
    views: Iterable[str],
    *,
    workers: int | None = None,
    timeout_s: float = 120.0,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> None:
    """Compute what analysed tracks lack of `views`, without looking at the collection again.

    Tracks whose file is gone or changed since are left as they are, and so are embeddings that
    were computed before where the model of a folder was changed, or is not on this machine.
    """
    views = tuple(views)
    names = [name for name in from_audio(views) if name not in CORE]
    made = library.feature_recipes(names)
    analysed = library.track_ids("analysed")
    lacking = {i for i in analysed for name in names if made[name].get(i) != RECIPES[name]}
    if lacking:
        # Files are only looked at where there is something to do: they may lie on a slow disk.
        tracks = [track for track in library.tracks("analysed") if track.id in lacking]
        stamps, known = _stamps(tracks), library.analysed_files()
        todo = [j for j in _missing(library, tracks, names, stamps, known) if not j.whole]
        _work(library, todo, workers, timeout_s, progress, executor, analyse_file)
    models = []
    for view in embeddings_of(views):
        is_installed = view in ENCODERS and ENCODERS[view].is_installed
        if not is_installed and is_complete(library, view):
            continue
        try:
            models += find_models([view])
        except SongscapeError:
            if not library.feature_recipes([view])[view]:
                raise
    add_embeddings(library, models, workers=workers, progress=progress, executor=executor)


def from_audio(views: Iterable[str]) -> tuple[str, ...]:
    """Those of `views` that are computed from audio, in the order of the table."""
    wanted = set(views)
    return tuple(name for name in RECIPES if name in wanted)


def _work(
    library: Library,
    todo: Sequence[Job],
    workers: int | None,
    timeout_s: float,
    progress: Progress | None,
    executor: Executor | None,
    function: Callable[..., Analysis],
) -> None:
    if progress is not None:
        progress(0, len(todo), "")
    if not todo:
        return
    results = run_jobs(todo, function, workers=workers, timeout_s=timeout_s, executor=executor)
    stored: list[str] = []
    lacking: list[LedgerRow] = []
    try:
        with closing(results):
            for done, (job, analysis) in enumerate(results, 1):
                if analysis.failure is not None:
                    _check_reachable(library, todo, done - 1)
                _store(library, job, analysis)
                stored += [job.track.id] if job.whole else []
                if analysis.failure is not None and not job.whole:
                    lacking.append(_without(job, analysis.failure))
                if progress is not None:
                    progress(done, len(todo), job.track.id)
    finally:
        mark_decoded(library, stored)
        _note_lacking(library, {job.track.id for job in todo}, lacking)
    if not library.path.exists():
        raise SongscapeError(f"{library.path}: deleted while it was written; run again")


def _check_reachable(library: Library, todo: Sequence[Job], done: int = 0) -> None:
    """Stop where the whole collection is gone: a drive was unplugged, a network went away."""
    if todo and not library.root.exists():
        raise SongscapeError(
            f"{library.root}: the collection is gone, after {done:,} of {len(todo):,} tracks; "
            "bring it back, and run again: it goes on from here"
        )


def _store(library: Library, job: Job, analysis: Analysis) -> None:
    if not job.whole:
        if analysis.failure is None:
            library.add_features(job.track.id, analysis.features, RECIPES)
    else:
        assert job.stamp is not None
        recipe: str | None = RECIPES["timbre"]
        if analysis.failure is not None:
            recipe = None if analysis.transient else _tried()
        library.store(job.track.id, analysis, stamp=job.stamp, recipe=recipe, recipes=RECIPES)


def _without(job: Job, failure: str) -> LedgerRow:
    names = " and ".join(job.arguments[0])
    reason = f"{names} cannot be computed now, and what is known of it is kept: {failure}"
    return LedgerRow(job.track.id, "features", "warning", reason)


def _note_lacking(library: Library, tried: Set[str], lacking: Sequence[LedgerRow]) -> None:
    """Say in the ledger which of the tracks that were `tried` go without a view."""
    before = [row for row in library.ledger("warning") if row.stage == "features"]
    if lacking or any(row.track_id in tried for row in before):
        rows = [*(row for row in before if row.track_id not in tried), *lacking]
        library.note("features", rows)


def _tried() -> str:
    """By what means a file that failed was tried: by others it may not fail."""
    return f"{RECIPES['timbre']} {installed_decoders()}"


def _missing(
    library: Library,
    tracks: Sequence[Track],
    wanted: Sequence[str],
    stamps: Mapping[str, FileStamp],
    known: Mapping[str, Analysed],
    again: Set[str] = frozenset(),
) -> Iterator[Job]:
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


def _stamps(tracks: Iterable[Track]) -> dict[str, FileStamp]:
    return {t.id: FileStamp.of(t.audio) for t in tracks if t.audio is not None}


def _lost(
    library: Library, known: Mapping[str, Analysed], stamps: Mapping[str, FileStamp]
) -> set[str]:
    """Analysed tracks whose file can't be looked at now; the ledger says so."""
    lost = {i for i, stamp in stamps.items() if stamp.size < 0 and i in known and _is_ok(known[i])}
    if lost or any(row.stage == "file" for row in library.ledger("warning")):
        reason = "its file cannot be looked at now, and what is known of it is kept; bring it back"
        library.note("file", [LedgerRow(i, "file", "warning", reason) for i in sorted(lost)])
    return lost


def _hopeless(known: Mapping[str, Analysed], stamps: Mapping[str, FileStamp]) -> set[str]:
    """Tracks that failed, whose file and means of reading it are the same as then."""
    tried = ("failed", _tried())
    return {
        track_id
        for track_id, before in known.items()
        if (before.outcome, before.recipe) == tried and before.stamp is not None
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
