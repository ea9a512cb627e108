"""How long a comparison still takes: from cells timed here, or by whoever finished them before."""

from __future__ import annotations

import heapq
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from songscape.progress import Advance, progress_bar, say
from songscape.results import write_atomically

__all__ = ["Announcer", "Forecast", "Remaining", "StageTimes"]

Name = tuple[str, int]
"""Model and seed of a cell."""

# Less than this is not worth a line on the terminal.
QUIET_SECONDS = 60.0


@dataclass(frozen=True)
class Remaining:
    """What is still to come.

    Attributes
    ----------
    seconds : float
        Wall time of the cells that can be estimated; NaN where none can.
    untimed : tuple of str
        Models that nobody has timed yet: the estimate is a lower bound.
    """

    seconds: float
    untimed: tuple[str, ...] = ()


class Forecast:
    """Estimate the wall time of the cells that are left.

    A cell is expected to take what cells of its model took: those of this session first, else what
    cells on disk recorded. First seeds are kept apart, because they measure more. A cell that
    seems finished costs its reading, unless one of its model turned out to be stale.

    Parameters
    ----------
    cells : sequence of (model, seed)
        In the order in which they run.
    workers : int
    recorded : mapping of (model, seed) to seconds
        Of cells on disk.
    kept : collection of (model, seed)
        Cells on disk that are expected to be used as they are.
    """

    def __init__(
        self,
        cells: Sequence[Name],
        workers: int,
        recorded: Mapping[Name, float] | None = None,
        kept: Collection[Name] = (),
    ) -> None:
        self._left = list(cells)
        self._workers = workers
        self._first = cells[0][1] if cells else 0
        self._recorded = dict(recorded or {})
        self._kept = set(kept)
        self._timed: dict[Name, float] = {}
        self._read: list[float] = []

    def finished(self, cell: Name, seconds: float, *, reused: bool) -> None:
        """Take note of a cell that ran here, or was there already."""
        self.gone(cell)
        if reused:
            self._read.append(seconds)
            return
        self._timed[cell] = seconds
        if cell in self._kept:
            self._kept = {other for other in self._kept if other[0] != cell[0]}

    def gone(self, cell: Name) -> None:
        """Take note of a cell that died: it is not waited for, and its time says nothing."""
        self._left.remove(cell)

    @property
    def n_left(self) -> int:
        """Cells that still have to be computed, as far as can be told."""
        return sum(cell not in self._kept for cell in self._left)

    def remaining(self) -> Remaining:
        """Return the wall time of what is left, given out in order to the workers."""
        expected = {cell: self._expected(cell) for cell in self._left}
        known = [seconds for seconds in expected.values() if seconds is not None]
        untimed = dict.fromkeys(cell[0] for cell in self._left if expected[cell] is None)
        if self._left and not known:
            return Remaining(float("nan"), tuple(untimed))
        lanes = [0.0] * self._workers
        for seconds in known:
            heapq.heapreplace(lanes, lanes[0] + seconds)
        return Remaining(max(lanes), tuple(untimed))

    def _expected(self, cell: Name) -> float | None:
        if cell in self._kept:
            return _mean(self._read) or 0.0
        for times in (self._timed, self._recorded):
            own = {name: value for name, value in times.items() if name[0] == cell[0]}
            alike = [v for name, v in own.items() if self._is_first(name) == self._is_first(cell)]
            found = _mean(alike or list(own.values()))
            if found is not None:
                return found
        return None

    def _is_first(self, cell: Name) -> bool:
        return cell[1] == self._first


class Announcer:
    """Says now and then on stderr how long it still takes; silent when that is under a minute.

    The next line comes when half of what was announced has passed, or when it turns out to take
    half as long again, never twice within a minute.
    """

    def __init__(
        self,
        tell: Callable[[str], object] = say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._said_at: float | None = None
        self._said = 0.0
        self._lacked = 0

    def announce(
        self,
        done: str,
        left: Remaining,
        later: Mapping[str, float | None] | None = None,
    ) -> None:
        """Say it if it is time to.

        Parameters
        ----------
        done : str
            What is behind, "3 of 30 cells".
        left : Remaining
        later : mapping of stage to seconds
            What follows; None where nobody knows how long it takes.
        """
        known = [seconds for seconds in (later or {}).values() if seconds is not None]
        seconds = left.seconds + sum(known)
        if not seconds >= QUIET_SECONDS or not self._due(seconds, len(left.untimed)):
            return
        self._said_at, self._said, self._lacked = self._clock(), seconds, len(left.untimed)
        about = "at least" if left.untimed else "about"
        text = f"{done}; {about} {in_words(seconds)} to go"
        with_these = [name for name, value in (later or {}).items() if value is not None]
        without = [name for name, value in (later or {}).items() if value is None]
        if with_these:
            text += f" with {' and '.join(with_these)}"
        if left.untimed:
            text += f" (not timed yet: {_named(left.untimed)})"
        if without:
            text += f", then {' and '.join(without)}"
        self._tell(text)

    def _due(self, seconds: float, n_untimed: int) -> bool:
        if self._said_at is None:
            return True
        passed = self._clock() - self._said_at
        if passed < QUIET_SECONDS:
            return False
        late = passed + seconds > 1.5 * self._said
        complete = n_untimed == 0 and self._lacked > 0
        return passed >= self._said / 2 or late or complete


class StageTimes:
    """Seconds that the stages after the cells took in this folder, to foretell the next time.

    Parameters
    ----------
    path : Path
        JSON file; it need not be there, and a damaged one is as good as none.
    size : float
        Of the task; seconds recorded for another size are scaled.
    """

    def __init__(self, path: Path, size: float) -> None:
        self._path = path
        self._size = size
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            self._per_size = {str(name): float(value) for name, value in read.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._per_size = {}

    def expected(self, *names: str) -> dict[str, float | None]:
        """Return seconds by stage, None where it never ran."""
        per_size = {name: self._per_size.get(name) for name in names}
        return {n: None if v is None else v * self._size for n, v in per_size.items()}

    @contextmanager
    def stage(
        self, name: str, title: str, unit: str, announcer: Announcer, *later: str
    ) -> Iterator[Advance]:
        """Show and time one stage; `later` are the stages that follow it."""
        start = time.perf_counter()
        passed: list[float] = []
        with progress_bar(title, unit) as advance:

            def advanced(done: int, total: int) -> None:
                advance(done, total)
                passed.append(time.perf_counter())
                # The first one bears what is loaded once, and is no measure for the others.
                if 1 < done < total:
                    left = Remaining((passed[-1] - passed[0]) / (done - 1) * (total - done))
                    announcer.announce(f"{title}, {done} of {total}", left, self.expected(*later))

            yield advanced
        self._per_size[name] = (time.perf_counter() - start) / self._size
        text = json.dumps(self._per_size, indent=2) + "\n"
        write_atomically(self._path, lambda p: p.write_text(text, encoding="utf-8"))


def in_words(seconds: float) -> str:
    """Return "14 min" or "2 h 10 min"."""
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def _named(names: Sequence[str], shown: int = 4) -> str:
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
