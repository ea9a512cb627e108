"""Progress on stderr: a bar in a terminal, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from songscape.interrupts import check

__all__ = ["Advance", "at_terminal", "progress_bar", "say"]

Advance = Callable[[int, int], None]


@contextmanager
def progress_bar(what: str, unit: str = "track") -> Iterator[Advance]:
    """A bar for one stage; the value yielded takes (done, total) and redraws it.

    Without a unit there is nothing to count, and only the name of the stage is shown.
    """
    from tqdm import tqdm

    shown = {"unit": unit} if unit else {"bar_format": "{desc} ..."}
    with tqdm(desc=what, disable=not at_terminal(), leave=False, **shown) as bar:

        def advance(done: int, total: int) -> None:
            check()
            bar.total = total
            bar.update(done - bar.n)

        yield advance


def at_terminal() -> bool:
    """Whether a person may be looking at stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


def say(message: str) -> None:
    """One line on stderr, so that stdout keeps to data; a bar that is drawn moves below it.

    Nothing ends because nobody listens: a stderr that is closed or full is no error.
    """
    if sys.stderr is None:
        return
    with suppress(OSError, ValueError):
        if "tqdm" in sys.modules:
            from tqdm import tqdm

            tqdm.write(message, file=sys.stderr)
        else:
            print(message, file=sys.stderr, flush=True)
