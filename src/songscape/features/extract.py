"""Collection -> features in the library: runs the workers, and writes what they find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from concurrent.futures import Executor
from contextlib import closing

from songscape.errors import SongscapeError
from songscape.features.analyse import CORE, RECIPES, analyse_file, recipes_for
from songscape.features.decode import DEFAULT
from songscape.features.embeddings import add_embeddings, embeddings_of, find_models, is_complete
from songscape.features.encoders.registry import ENCODERS
from songscape.features.jobs import Call, Progress, Runner, call_of
from songscape.features.missing import Job, hopeless, lost, missing, stamps_of, tried
from songscape.library import Collection, Counts, LedgerRow, Library


def extract(
    library: Library,
    collection: Collection,
    *,
    views: Iterable[str] = (),
    excerpt: str = "",
    workers: int | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Counts:
    """Bring the library up to date with a collection: analyse every track that is missing.

    A track is missing when its file changed (in sound: another name, place, date or tags do not
    count) or when features are made differently now (recipe). One that failed before is tried again
    when its file, the recipe or an installed decoder has changed, when nothing but its place was at
    fault (a drive that did not answer), or after `Library.forget_outcomes`. A track whose file
    can't be looked at now keeps its features, with a remark. Every track is committed as it comes,
    so an interrupted run continues where it was.

    Parameters
    ----------
    library : Library
    collection : Collection
    views : iterable of str
        Views that will be asked for besides those that every track gets, also of encoders; of a
        track that is there but lacks one of them, only that is computed.
    excerpt : str
        What is read of files over a minute: one of `songscape.settings.EXCERPTS`; by default as
        the library was read before. Pretrained encoders read whole files.
    workers, executor : int; concurrent.futures.Executor
        Worker processes, by default one per core, or where to run instead, with the same paths.
    progress : callable, optional
        Called with (done, total, track id) after each track, and once with (0, total, "").

    Raises
    ------
    SongscapeError
        Workers cannot be started at all, the model of an embedding is not on this machine, or the
        collection or the library is deleted meanwhile.
    """
    views, runner = tuple(views), Runner(workers, executor, progress)
    models = find_models(views)
    library.update(collection)
    library.excerpt = excerpt = excerpt or library.excerpt or DEFAULT
    stamps = stamps_of(collection.tracks)
    whole = {t.id: stamps[t.id] for t in collection.tracks if t.audio and t.span is None}
    known = library.analysed_files()
    left = lost(library, known, stamps) | hopeless(known, whole)
    tracks = [track for track in collection.tracks if track.id not in left]
    todo = list(missing(library, tracks, from_audio(views), stamps, known, excerpt))
    _check_reachable(library, todo)
    library.forget_outcomes(job.track.id for job in todo if job.whole)
    _work(library, todo, runner)
    add_embeddings(library, models, runner)
    return library.counts()


def complete(
    library: Library,
    views: Iterable[str],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> None:
    """Compute what analysed tracks lack of `views`, without looking at the collection again.

    Tracks whose file is gone or changed since are left as they are, and so are embeddings that
    were computed before where the model of a folder was changed, or is not on this machine.
    """
    views, runner = tuple(views), Runner(workers, executor, progress)
    names = [name for name in from_audio(views) if name not in CORE]
    made = library.feature_recipes(names)
    analysed = library.track_ids("analysed")
    excerpt, seconds = library.excerpt or DEFAULT, library.durations()
    wished = {i: recipes_for(excerpt, seconds.get(i)) for i in analysed}
    lacking = {i for i in analysed for name in names if made[name].get(i) != wished[i][name]}
    if lacking:
        # Files are only looked at where there is something to do: they may lie on a slow disk.
        tracks = [track for track in library.tracks("analysed") if track.id in lacking]
        stamps, known = stamps_of(tracks), library.analysed_files()
        found = missing(library, tracks, names, stamps, known, excerpt)
        _work(library, [job for job in found if not job.whole], runner)
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
    add_embeddings(library, models, runner)


def from_audio(views: Iterable[str]) -> tuple[str, ...]:
    """Those of `views` that are computed from audio, in the order of the table."""
    wanted = set(views)
    return tuple(name for name in RECIPES if name in wanted)


def _work(library: Library, todo: Sequence[Job], runner: Runner) -> None:
    runner.tell(0, len(todo))
    if not todo:
        return
    excerpt = library.excerpt or DEFAULT
    lacking: list[LedgerRow] = []

    def call(job: Job) -> Call:
        return call_of(job.track, analyse_file, job.names, excerpt)

    try:
        with closing(runner.run(todo, call)) as results:
            for done, (job, analysis) in enumerate(results, 1):
                if analysis.failure is not None:
                    _check_reachable(library, todo, done - 1)
                recipes = recipes_for(excerpt, analysis.facts.get("duration_s"))
                if job.whole:
                    recipe: str | None = recipes["timbre"]
                    if analysis.failure is not None:
                        recipe = None if analysis.transient else tried()
                    library.store(
                        job.track.id, analysis, stamp=job.stamp, recipe=recipe, recipes=recipes
                    )
                elif analysis.failure is None:
                    library.add_features(job.track.id, analysis.features, recipes)
                else:
                    reason = "cannot be computed now; what was computed before is kept"
                    reason = f"{' and '.join(job.names)} {reason}: {analysis.failure}"
                    lacking.append(LedgerRow(job.track.id, "features", "warning", reason))
                runner.tell(done, len(todo), job.track.id)
    finally:
        _note_lacking(library, {job.track.id for job in todo}, lacking)
    if not library.path.exists():
        raise SongscapeError(f"{library.path}: deleted while it was being written; run again")


def _check_reachable(library: Library, todo: Sequence[Job], done: int = 0) -> None:
    """Stop where the whole collection is gone: a drive was unplugged, a network went away."""
    if todo and not library.root.exists():
        raise SongscapeError(
            f"{library.root}: the collection is gone, after {done:,} of {len(todo):,} tracks; "
            "make it available again, and run again: it continues from here"
        )


def _note_lacking(library: Library, tried: Set[str], lacking: Sequence[LedgerRow]) -> None:
    """Say in the ledger which of the tracks that were `tried` go without a view."""
    before = [row for row in library.ledger("warning") if row.stage == "features"]
    if lacking or any(row.track_id in tried for row in before):
        rows = [*(row for row in before if row.track_id not in tried), *lacking]
        library.note("features", rows)
