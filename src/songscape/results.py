"""The results folder: where tables, latents, trials and pictures lie, and how they are written."""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Any

from songscape.errors import SongscapeError
from songscape.packed import unpack

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_KEY = b"songscape.key"
_DAMAGED = (ArithmeticError, AttributeError, ImportError, LookupError, TypeError, ValueError)
_PARTITION, _FIGURE = ("model", "clusterer", "k"), ("axis", "metric", "column")
_NULLS = ("chance", "null_95", "p_value")
TABLES: Mapping[str, tuple[str, ...]] = {
    "table": (*_PARTITION, "seed", *_FIGURE, "value", *_NULLS, "reason"),
    "summary": (
        "model",
        "clusterer",
        "k",
        *_FIGURE,
        "estimate",
        "low",
        "high",
        *_NULLS,
        "interval",
    ),
    "differences": ("model", *_FIGURE),
    "models": (
        *("model", "kind", "seed", "status", "reason", "n_latent", "active_units", "collapsed"),
        *("validation_elbo", "kl_per_dimension", "warnings", "seconds", "peak_memory_mib"),
        "summary",
    ),
    "clusters": ("track_id", "model", "clusterer", "k", "seed", "cluster"),
    "warnings": ("check", "severity", "message", "tracks", "values"),
    "unmeasured": ("model", "clusterer", "k", "seed", "what", "reason"),
    "stability": (),
    "tracks": ("track_id",),
    "labels": ("track_id",),
    "ledger": ("track_id", "stage", "status", "reason"),
}
"""Tables of `results/`, and the columns that each has even where it is empty."""


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file, then move it to `path`: never a half-written file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        write(partial)
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):  # on a full disk the rest needs the room
            partial.unlink()
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    write_atomically(path, lambda partial: partial.write_bytes(data))


def model_stem(model: str, seed: int) -> str:
    """File name stem for one model trained with one seed."""
    return f"{model}-seed{seed}"


@dataclass(frozen=True)
class ResultsFolder:
    """Paths below the folder that `songscape run --out` names."""

    root: Path

    @property
    def library(self) -> Path:
        return self.root / "songscape.db"

    @property
    def tables(self) -> Path:
        return self.root / "results"

    @contextmanager
    def locked(self, *, wait: bool = False) -> Iterator[None]:
        """Keep the folder to this process; the lock ends with the process, however that ends.

        Where another process has it, `wait` for that or raise SongscapeError.
        """
        from filelock import FileLock, Timeout

        from songscape.interrupts import check
        from songscape.progress import say

        self.root.mkdir(parents=True, exist_ok=True)
        lock, said = FileLock(self.root / ".lock"), False
        while True:
            try:
                lock.acquire(timeout=1.0 if said else 0)
                break
            except Timeout:
                held = f"{self.root}: another songscape is using this folder ({self._holder()})"
                if not wait:
                    raise SongscapeError(
                        f"{held}; wait for it (--wait), or name another folder with --out"
                    ) from None
                check()
                if not said:
                    say(f"{held}; waiting for it to end")
                said = True
        try:
            since = datetime.now().astimezone().isoformat(timespec="seconds")
            write_json(self._who, {"pid": os.getpid(), "host": gethostname(), "since": since})
            yield
        finally:
            with suppress(OSError):
                self._who.unlink()
            lock.release()
            with suppress(OSError):
                if [path.name for path in self.root.iterdir()] == [".lock"]:
                    (self.root / ".lock").unlink()
                    self.root.rmdir()

    @property
    def _who(self) -> Path:
        return self.root / ".lock.json"

    def _holder(self) -> str:
        who = read_json(self._who)
        if who is None:
            return "which one is not known"
        return f"process {who.get('pid')} on {who.get('host')}, since {who.get('since')}"

    def in_use(self) -> str | None:
        """Who holds the folder now, in words; None where nobody does."""
        from filelock import FileLock, Timeout

        if not (self.root / ".lock").exists():
            return None
        try:
            with FileLock(self.root / ".lock").acquire(timeout=0):
                return None
        except Timeout:
            return self._holder()
        except OSError:  # a folder that can't be written has no writer
            return None

    def model(self, model: str, seed: int) -> Path:
        return self.root / "models" / model_stem(model, seed)

    def latents(self, model: str, seed: int) -> Path:
        return self.tables / "latents" / f"{model_stem(model, seed)}.parquet"

    def spread(self, model: str, seed: int) -> Path:
        return self.tables / "spread" / f"{model_stem(model, seed)}.parquet"

    def map(self, model: str, seed: int) -> Path:
        return self.tables / "maps" / f"{model_stem(model, seed)}.parquet"

    def picture(self, name: str) -> Path:
        return self.tables / "pictures" / f"{name}.png"

    def trial(self, model: str, seed: int) -> Path:
        """What was measured of a model and seed, see `read_packed`."""
        return self.root / "trials" / f"{model_stem(model, seed)}.bin"

    @property
    def choice_of_k(self) -> Path:
        return self.root / "trials" / "k.json"

    def write_table(self, name: str, frame: pd.DataFrame | None, *, parquet: bool = False) -> None:
        """Write `results/<name>.csv`: UTF-8, LF, shortest decimals that read back exactly.

        None removes what an earlier run left under that name.
        """
        path = self.tables / f"{name}.csv"
        if frame is None:
            path.unlink(missing_ok=True)
            path.with_suffix(".parquet").unlink(missing_ok=True)
            return
        write_atomically(path, lambda p: frame.to_csv(p, index=False, lineterminator="\n"))
        if parquet:
            beside = path.with_suffix(".parquet")
            write_parquet(beside, frame)

    def read_document(self) -> dict[str, Any] | None:
        """What `results/experiment.json` holds, None where it is missing or damaged."""
        return read_json(self.tables / "experiment.json")


def find_folder(path: Path) -> ResultsFolder:
    """The results folder that a person names: itself, what is in it, the one beside it or in it."""
    places = [path, path.parent, path.parent.parent]
    for place in places:
        if (place / "songscape.db").is_file():
            return ResultsFolder(place)
    beside = [Path(f"{path.resolve().name}-songscape"), *sorted(path.glob("*-songscape"))]
    found = dict.fromkeys(one for one in beside if (one / "songscape.db").is_file())
    if len(found) == 1:
        return ResultsFolder(next(iter(found)))
    if found:
        raise SongscapeError(
            f"{path}: several results here; name one: {', '.join(map(str, found))}"
        )
    raise SongscapeError(
        f"{path}: no library (songscape.db) here; name a results folder (songscape run makes one)"
    )


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with LF, whole or not at all.

    A path that isn't UTF-8 holds surrogates: they are written as escapes, which JSON reads.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as Parquet, whole or not at all, whatever bytes the path has."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    write_bytes(path, buffer.getvalue())


def read_packed(path: Path) -> dict[str, Any]:
    """What `write_bytes` wrote of `songscape.packed.pack`; empty where it can't be read."""
    try:
        document = unpack(path.read_bytes())
        return document if isinstance(document, dict) else {}
    except (*_DAMAGED, OSError, struct.error):
        return {}


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None where there is none, or something else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_latents(
    path: Path, track_ids: tuple[str, ...], values: NDArray[np.float32], names: list[str], key: str
) -> None:
    """Write one row per track as Parquet; `key` says what the values were computed from."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {"track_id": list(track_ids)} | {name: values[:, i] for i, name in enumerate(names)}
    ).replace_schema_metadata({_KEY: key.encode()})
    buffer = io.BytesIO()  # pyarrow takes no path that isn't UTF-8
    pq.write_table(table, buffer, compression="zstd")
    write_bytes(path, buffer.getvalue())


def read_latents(path: Path) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Track ids and values, shape (n_tracks, n_columns), of a file of `write_latents`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read()
        # Neither pq.read_table nor to_numpy, which import pandas.
        arrays = [table[name].combine_chunks() for name in table.column_names if name != "track_id"]
        columns = [np.from_dlpack(array) for array in arrays]
        return tuple(table["track_id"].to_pylist()), np.column_stack(columns).astype(np.float32)
    except (OSError, KeyError, ValueError, pa.ArrowException):
        raise SongscapeError(f"{path}: can't be read; delete it and run again") from None


def has_key(path: Path, key: str) -> bool:
    """Whether the file exists and was computed from what `key` says."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        return False
    try:
        with path.open("rb") as file:
            metadata = pq.read_schema(file).metadata or {}
    except (OSError, ValueError, pa.ArrowException):
        return False
    return metadata.get(_KEY) == key.encode()
