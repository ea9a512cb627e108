"""What the server knows at the moment: the atlas of a folder, read again when it changes."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import Any

from songscape.errors import SongscapeError
from songscape.experiment.grouping import name_group
from songscape.library import Library
from songscape.library.records import Counts
from songscape.results import ResultsFolder
from songscape.web.atlas import load_atlas, state_of
from songscape.web.shown import NotMeasured, Shown


class Desk:
    """The folder that is served."""

    def __init__(self, folder: ResultsFolder) -> None:
        self.folder = folder
        self._lock = Lock()
        self._shown: Shown | None = None

    @property
    def shown(self) -> Shown:
        """What there is now; a new run or another name is seen by the next question.

        Before there are results, so is every song that has been analysed.
        """
        state = state_of(self.folder)
        with self._lock:
            if not any(state):
                state = (*state, self._counts().analysed)
            if self._shown is None or self._shown.state != state:
                self._shown = Shown(self.folder, state, load_atlas(self.folder))
            return self._shown

    def _counts(self) -> Counts:
        with Library.open(self.folder.library, must_exist=True) as library:
            return library.counts()

    def warm(self) -> None:
        """Make what the first questions need, before they are asked."""
        with suppress(SongscapeError):
            _ = self.shown.map_json, self.shown.search
            for words in (0.0, 1.0):
                with suppress(NotMeasured):
                    self.shown.distances(0, words=words)

    def rename(self, group: str, name: str) -> str:
        """Give a group a name that later runs keep; returns it."""
        with self._lock:
            return name_group(self.folder, group, name)[1]

    def progress(self) -> dict[str, Any]:
        """How far the analysis is, and whether one is running."""
        counts = self._counts()
        has_map = any((self.folder.tables / "maps").glob("*.parquet"))
        newer = counts.analysed > len(self.shown.atlas.ids)
        unfinished = counts.pending > 0 or not has_map or newer
        return {
            "found": counts.found,
            "done": counts.found - counts.pending,
            "analysed": counts.analysed,
            "failed": counts.failed,
            "has_map": has_map,
            "running": unfinished and self.folder.in_use() is not None,
            "version": "-".join(map(str, state_of(self.folder))),
        }
