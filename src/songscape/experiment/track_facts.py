"""Languages of lyrics and copies of recordings: found once, then read from the library."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songscape.features.loading import ViewLoader
from songscape.library import Library

if TYPE_CHECKING:
    import pandas as pd

COPIES_RECIPE = 1
"""Raised when the same features give other copies."""
_FINGERPRINTED = ("mfcc", "segments")


class KnownLanguages:
    """The languages of lyrics, as the library knows them; what it lacks is identified."""

    def __init__(self, library: Library, texts: Mapping[str, str | None]) -> None:
        self._library = library
        self._ids = list(texts)
        self._known = library.facts("language")
        self._new: dict[str, tuple[str, Any]] = {}

    def __call__(
        self, row: int, text: str, among: Collection[str] | None = None
    ) -> Mapping[str, float]:
        from songscape.ingest.languages import RECIPE, language_composition

        track_id = self._ids[row]
        key = ascii((RECIPE, among, text)).encode()
        recipe = hashlib.blake2b(key, digest_size=16).hexdigest()
        found = self._known.get(track_id)
        if found is None or found[0] != recipe:
            found = self._new[track_id] = (recipe, language_composition(text, among))
        shares: dict[str, float] = found[1]
        return shares

    def keep(self) -> None:
        """Store what was identified."""
        if self._new:
            self._library.store_facts("language", self._new)


def known_copies(
    library: Library, texts: Mapping[str, str | None], facts: pd.DataFrame
) -> NDArray[np.int64]:
    """Which tracks are one recording, as the library knows it or as their features tell."""
    from songscape.audit.duplicates import duplicate_groups
    from songscape.features.views import Views

    loader = ViewLoader(texts)
    digests = [loader.digest(library, name) for name in _FINGERPRINTED]
    audio = facts[["digest", "duration_s"]].to_csv()
    recipe = hashlib.sha256(ascii((COPIES_RECIPE, digests, audio)).encode()).hexdigest()
    known = library.facts("copies")
    if all(known.get(i, ("",))[0] == recipe for i in texts):
        return np.array([known[i][1] for i in texts], np.int64)
    names = [name for name, digest in zip(_FINGERPRINTED, digests) if digest is not None]
    views = Views(tuple(texts), {name: loader.load(library, name) for name in names})
    copies = duplicate_groups(views, facts)
    library.store_facts("copies", {i: (recipe, int(c)) for i, c in zip(texts, copies)})
    return copies
