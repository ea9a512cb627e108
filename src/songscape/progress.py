"""Progress on stderr: a bar in a terminal, nothing elsewhere, and the time that is left."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from statistics import fmean

from songscape.interrupts import check

Advance = Callable[..., None]
"""Called with (done, total), and perhaps the id of the track."""
# Nothing is printed when less time than this is left.
QUIET_SECONDS = 60.0


@contextmanager
def progress_bar(what: str, unit: str = "track") -> Iterator[Advance]:
    """A bar for one stage; the value yielded redraws it.

    Without a unit there is nothing to count, and only the name of the stage is shown.
    """
    from tqdm import tqdm

    shown = {"unit": unit} if unit else {"bar_format": "{desc} ..."}
    with tqdm(desc=what, disable=not at_terminal(), leave=False, **shown) as bar:

        def advance(done: int, total: int, _track: str = "") -> None:
            check()
            bar.total = total
            bar.update(done - bar.n)

        yield advance


def at_terminal() -> bool:
    """Whether a person may be looking at stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


def say(message: str) -> None:
    """Print one line on stderr; a progress bar that is shown moves below it.

    A stderr that is closed or full is no error.
    """
    if sys.stderr is None:
        return
    with suppress(OSError, ValueError):
        if "tqdm" in sys.modules:
            from tqdm import tqdm

            tqdm.write(message, file=sys.stderr)
        else:
            print(message, file=sys.stderr, flush=True)


class TimeLeft:
    """Says now and then how long tasks of several kinds still take, from those that are done.

    A task is expected to take as long as the tasks of its kind did on average, and as long as all
    of them did where none of its kind is done. Nothing is said under a minute, before the first
    task is done, or before half of what was announced has passed.
    """

    def __init__(self, kinds: Sequence[str], workers: int) -> None:
        self._left, self._workers = Counter(kinds), workers
        self._took: dict[str, list[float]] = {}
        self._next = time.monotonic()

    def done(self, kind: str, seconds: float) -> None:
        """Take note of a task that is done and took so long."""
        self._left[kind] -= 1
        self._took.setdefault(kind, []).append(seconds)
        left, now = self.seconds(), time.monotonic()
        if left >= QUIET_SECONDS and now >= self._next:
            self._next = now + max(QUIET_SECONDS, left / 2)
            n = self._left.total()
            say(f"{n:,} training{'s' * (n != 1)} to go: about {in_words(left)} left")

    def seconds(self) -> float:
        """Expected wall time of what is left, once a task is done."""
        typical = fmean(chain.from_iterable(self._took.values()))
        means = {kind: fmean(took) for kind, took in self._took.items()}
        return sum(means.get(kind, typical) * n for kind, n in self._left.items()) / self._workers


def in_words(seconds: float) -> str:
    """Return "14 minutes" or "2 h 10 min"."""
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    if minutes < 90:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
