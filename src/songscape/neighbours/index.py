"""An exact index of a collection: songs near a song, and paths from one song to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.errors import UsageError
from songscape.language_codes import language_name
from songscape.neighbours.songs import Song, Songs
from songscape.neighbours.space import Point, Space

if TYPE_CHECKING:
    import pandas as pd

    from songscape.neighbours.playlists import Playlist

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
What = str | ArrayLike | Point
_CHOICE = 8
"""Of this many songs near a point of a path, the first by another artist than the last is taken."""
_NEAR = ((0.02, "as good as the same"), (0.35, "very near"), (0.6, "near"), (0.85, "rather near"))


@dataclass(frozen=True)
class Neighbour:
    """A song near another.

    `distance` is that in the space of the index, `share` the same as a share of the usual distance
    between two songs of the collection.
    """

    song: Song
    distance: float
    share: float

    @property
    def id(self) -> str:
        return self.song.id

    @property
    def how_near(self) -> str:
        """In words."""
        return next((words for limit, words in _NEAR if self.share <= limit), "not near")

    def __str__(self) -> str:
        language = f" ({self.song.language})" if self.song.language else ""
        return f"{self.song.name}{language}: {self.how_near}"


class Index:
    """Songs with their vectors; every answer is exact, and filters cost nothing.

    Parameters
    ----------
    ids : sequence of str
        Track ids, in the order of the rows.
    vectors : array-like of shape (n_tracks, n_dimensions), or mapping of str to such
        Of several named blocks ("sound", "words") each counts the same, or as `weights` say; a row
        of NaN is a song that lacks the block, and as far from every song as two songs are on
        average.
    songs : Songs or DataFrame, optional
        Titles, artists and languages: `Library.columns()`, or what `read_songs` gives, which knows
        the files too. Without it, the artist is the first folder of an id ("Artist/Album/song").
    correct_hubs : bool
        Songs that are near to everything count as farther away, and outlying ones as nearer; see
        `songscape.neighbours.space.Space`. False for Euclidean distances.
    """

    def __init__(
        self,
        ids: Sequence[str],
        vectors: ArrayLike | Mapping[str, ArrayLike],
        songs: Songs | pd.DataFrame | None = None,
        *,
        correct_hubs: bool = True,
    ) -> None:
        self.ids = tuple(ids)
        self.space = Space(vectors, correct_hubs)
        if self.space.n_rows != len(self.ids):
            raise UsageError(f"{len(self.ids):,} ids for {self.space.n_rows:,} vectors; one each")
        if songs is None:
            songs = Songs.of_ids(self.ids)
        elif not isinstance(songs, Songs):
            songs = Songs.of_table(songs)
        self.songs = songs.take(self.ids)
        self.row_of = self.songs.row_of
        if len(self.row_of) != len(self.ids):
            raise UsageError("an id occurs twice; give every track its own")

    def __len__(self) -> int:
        return len(self.ids)

    def similar(
        self,
        what: What | Sequence[str],
        n: int = 10,
        *,
        language: str | None = None,
        another_language: bool = False,
        not_same_artist: bool = False,
        max_per_artist: int | None = None,
        among: Sequence[int] | None = None,
        versions: bool = False,
        weights: Mapping[str, float] | None = None,
    ) -> list[Neighbour]:
        """The nearest songs, nearest first; of one recording, or versions of a song, only one.

        Parameters
        ----------
        what : str, sequence of str, or array-like of shape (n_dimensions,)
            A track id, several (a song is as far as from the nearest of them), or a vector.
        n : int
        language : str, optional
            Only songs in it: a name or a code ("de").
        another_language : bool
            Only songs in languages that `what` is not in.
        not_same_artist : bool
            Without songs of its own artist.
        max_per_artist : int, optional
            At most this many by one artist.
        among : sequence of int, optional
            Only these rows.
        versions : bool
            With all copies and versions.
        weights : mapping of str to float, optional
            Of the blocks of vectors; those that are left out don't count.

        Raises
        ------
        UsageError
            An id is not there, or the collection does not know what is asked for.
        """
        if n < 1 or (max_per_artist is not None and max_per_artist < 1):
            raise UsageError("n and max_per_artist: at least 1")
        rows = self._rows(what)
        fits = self._fitting(rows, language, another_language, not_same_artist)
        if among is not None:
            fits &= np.isin(np.arange(len(fits)), among)
        targets: list[Any] = list(rows) if rows else [what]
        far = self.space.approximate(targets[0], weights)
        for row in rows[1:]:
            np.minimum(far, self.space.approximate(row, weights), out=far)
        far[rows] = np.inf
        taken = _Taken(self.songs, rows, max_per_artist, versions)
        usual, neighbours = self.space.usual(weights), list[Neighbour]()
        for row, distance in self._nearest(targets, far, fits, weights):
            if taken.fits(row):
                taken.add(row)
                neighbours.append(Neighbour(self.songs[self.ids[row]], distance, distance / usual))
                if len(neighbours) == n:
                    break
        return neighbours

    def distances(self, what: What, weights: Mapping[str, float] | None = None) -> Floats:
        """From every song to one, shape (n_tracks,)."""
        target: Any = self._row(what) if isinstance(what, str) else what
        return np.sqrt(np.maximum(self.space.approximate(target, weights), 0.0))

    def path(
        self,
        start: str,
        end: str,
        n: int = 25,
        *,
        max_per_artist: int | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> Playlist:
        """Songs that lead from one to another: those nearest to points on the line between them.

        No song, recording or version is there twice, and no artist twice in a row where that can
        be; a song is not used where the line has passed it.

        Parameters
        ----------
        start, end : str
            Track ids.
        n : int
            Songs, both ends included; fewer where the collection has fewer.
        max_per_artist : int, optional
        weights : mapping of str to float, optional

        Raises
        ------
        UsageError
            An id is not there, both are the same, or `n` is less than 2.
        """
        from songscape.neighbours.playlists import Playlist

        first, last = self._row(start), self._row(end)
        if first == last or n < 2:
            raise UsageError("a path has two different ends, and n is at least 2")
        taken = _Taken(self.songs, [first, last], max_per_artist)
        fits, artists = self.space.complete(weights), self.songs.artist_keys
        on_way: list[tuple[float, int]] = []
        for share in np.linspace(0, 1, n)[1:-1]:
            point = self.space.between(first, last, float(share))
            far = self.space.approximate(point, weights)
            far[[first, last, *(row for _, row in on_way)]] = np.inf
            near = (row for row, _ in self._nearest([point], far, fits, weights))
            some = list(islice((row for row in near if taken.fits(row)), _CHOICE))
            if some:
                before = artists[on_way[-1][1] if on_way else first]
                row = next((r for r in some if not before or artists[r] != before), some[0])
                taken.add(row)
                on_way.append((self.space.along(first, last, row, weights), row))
        rows = [first, *(row for _, row in sorted(on_way, key=lambda o: (o[0], self.ids[o[1]])))]
        songs = [self.songs[self.ids[row]] for row in (*rows, last)]
        return Playlist(f"{songs[0].title} → {songs[-1].title}", tuple(songs))

    def _row(self, track_id: str) -> int:
        if track_id not in self.row_of:
            raise UsageError(f"{track_id}: no such track in this index; ids are in Index.ids")
        return self.row_of[track_id]

    def _rows(self, what: Any) -> list[int]:
        """Rows of one id or several; none for a vector."""
        every = [what] if isinstance(what, str) else what
        if isinstance(every, (list, tuple)) and all(isinstance(one, str) for one in every):
            return [self._row(track_id) for track_id in every]
        return []

    def _fitting(
        self, rows: list[int], language: str | None, another: bool, not_same_artist: bool
    ) -> Mask:
        fits = np.ones(len(self.ids), bool)
        if language or another:
            languages = self.songs.languages
            known = sorted(frozenset().union(*set(languages)))
            if not known:
                raise UsageError("the languages of these songs are not known")
            wanted = {language_name(language) or language} if language else set(known)
            if not wanted & set(known):
                raise UsageError(f"no songs in {min(wanted)}; there are {', '.join(known)}")
            own = set().union(*(languages[row] for row in rows)) if another else set()
            if another and not own:
                raise UsageError("its language is not known, so no other language can be chosen")
            fits &= np.array([bool(its & wanted) and not its & own for its in languages])
        if not_same_artist:
            keys = self.songs.artist_keys
            own_artists = {keys[row] for row in rows} - {""}
            fits &= np.array([key not in own_artists for key in keys])
        return fits

    def _nearest(
        self,
        targets: Sequence[Any],
        far: Floats,
        fits: Mask,
        weights: Mapping[str, float] | None,
    ) -> Iterator[tuple[int, float]]:
        """Rows and exact distances, nearest first, ties by id; more are sorted as they are used."""
        if not fits.all():
            np.putmask(far, ~fits, np.inf)
        size, given = 64, 0
        slack = max(self.space.slack(target) for target in targets)
        while given < len(far):
            rows = lowest(far, min(size, len(far)), slack)
            exact = np.min([self.space.exact(t, rows, weights) for t in targets], axis=0)
            order = sorted(range(len(rows)), key=lambda i: (exact[i], self.ids[rows[i]]))
            for i in order[given:size]:
                yield int(rows[i]), float(exact[i])
            if len(rows) < size:
                return
            given, size = size, 8 * size


def lowest(values: Floats, k: int, slack: float = 0.0) -> NDArray[np.intp]:
    """Rows of at least the k lowest values, and of all within `slack` of the k-th; finite ones.

    The k-th lowest of the minima of columns of a table is no lower than the k-th lowest value, and
    a table's minima are found at the speed of memory.
    """
    columns = len(values) // 64
    if columns < 4 * k:
        limit = np.partition(values, k - 1)[k - 1] if k < len(values) else np.inf
    else:
        minima = values[: 64 * columns].reshape(64, columns).min(axis=0)
        limit = np.partition(minima, k - 1)[k - 1]
    found = np.flatnonzero(values <= limit + slack)
    return found[np.isfinite(values[found])]


class _Taken:
    """Which songs a list has: one of every recording and song, a limited number by an artist."""

    def __init__(
        self, songs: Songs, rows: Iterable[int], most: int | None, versions: bool = False
    ) -> None:
        self._songs, self._most, self._with_versions = songs, most, versions
        self._there = set[Any]()
        self._artists: Counter[str] = Counter()
        self._copies = songs.values("copies", None)
        for row in rows:
            self.add(row)

    def fits(self, row: int) -> bool:
        """Whether a song is none that is there in another form, nor one too many."""
        if not self._with_versions and not self._there.isdisjoint(self._forms(row)):
            return False
        artist = self._songs.artist_keys[row]
        return not artist or self._most is None or self._artists[artist] < self._most

    def add(self, row: int) -> None:
        self._there.update(self._forms(row))
        self._artists[self._songs.artist_keys[row]] += 1

    def _forms(self, row: int) -> set[Any]:
        """What a song has in common with its copies, and with its versions."""
        return {self._copies[row], self._songs.version_key(row)} - {None}
