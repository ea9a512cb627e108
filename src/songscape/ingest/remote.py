"""Collections at a URL (s3://, gs://, ...): stand-ins here for the files that are there.

A stand-in has the name, size and date of its file and takes no room, so that everything that
catalogues a folder works unchanged; lyrics and tables are copied. Code that reads audio asks for
the file's URL and opens that, on whatever machine.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO, Any

from songscape.errors import SongscapeError, UsageError, first_line
from songscape.ingest.file_kinds import FileKind, kind_of
from songscape.library.records import Analysis
from songscape.progress import say

_URL = re.compile(r"([a-z][a-z0-9+.-]+):/+(?=[^/])")
_BESIDE, _SOURCE = "remote", ".songscape-source.json"
_EXTRAS = {"s3": "songscape[s3]", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}
_TABLES = ("tracks.csv", "tracks.tsv")
_LONGEST_COPY = 64 << 20
_BLOCK = 1 << 20


def local_folder(source: Path, beside: Path) -> Path:
    """Where to catalogue a collection: `source`, or stand-ins below `beside` where it is a URL."""
    found = _URL.match(os.fspath(source))
    if found is None or source.exists():
        return source
    scheme, rest = found[1], os.fspath(source)[found.end() :].rstrip("/")
    if scheme == "file":
        return Path("/", rest)
    url = f"{scheme}://{rest}"
    folder = (beside / _BESIDE / PurePosixPath(rest).name).resolve()
    system, top = _open(url)
    try:
        listing = system.find(top, detail=True)
        if listing:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _SOURCE).write_text(json.dumps({"url": url}), encoding="utf-8")
            _stand_in(folder, {n[len(top) :].lstrip("/"): its for n, its in listing.items()}, url)
    except Exception as error:  # every file system has its own
        raise SongscapeError(
            f"{url}: cannot be listed ({first_line(error)}); check address, network, credentials "
            "and the free space here"
        ) from None
    if not listing:
        raise UsageError(f"{url}: nothing is there; check the address")
    return folder


def url_of(path: str | os.PathLike[str]) -> str | None:
    """Where the file is that this path stands in for; None for a file of this machine."""
    folder, name = os.path.split(os.fspath(path))
    above = _url_of_folder(folder)
    return None if above is None else f"{above}/{name}"


def opened(path: str | os.PathLike[str]) -> IO[bytes]:
    """A file to read here and there in: its own, or that at its URL, a megabyte at a time."""
    url = url_of(path)
    if url is None:
        return open(path, "rb")
    try:
        system, place = _open(url)
        file: IO[bytes] = system.open(place, "rb", block_size=_BLOCK, cache_type="blockcache")
    except OSError:
        raise
    except Exception as error:
        raise OSError(0, f"{url} cannot be fetched: {first_line(error)}") from None
    return file


def analyse_copy(function: str, url: str, *arguments: Any) -> Analysis:
    """Call "module:function" on a copy of the file at a URL, which is then deleted."""
    try:
        system, place = _open(url)
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, f"copy{Path(url).suffix}")
            system.get_file(place, copy)
            module, _, name = function.partition(":")
            result = getattr(importlib.import_module(module), name)(copy, *arguments)
            assert isinstance(result, Analysis)
            return result
    except SongscapeError as error:
        return Analysis(failure=str(error), transient=True)
    except Exception as error:
        reason = f"cannot be fetched ({first_line(error)}); check network and credentials"
        return Analysis(failure=reason, transient=True)


@lru_cache(maxsize=4096)
def _url_of_folder(folder: str) -> str | None:
    parent, name = os.path.split(folder)
    if os.path.basename(parent) == _BESIDE:  # looked for nowhere else: above may be slow drives
        with suppress(OSError, ValueError), open(os.path.join(folder, _SOURCE), "rb") as file:
            return str(json.load(file)["url"])
    above = None if parent == folder else _url_of_folder(parent)
    return None if above is None else f"{above}/{name}"


def _open(url: str) -> tuple[Any, str]:
    try:
        import fsspec

        system, place = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        scheme = url.partition(":")[0]
        mend = f'pip install "{_EXTRAS[scheme]}"' if scheme in _EXTRAS else "check the address"
        raise SongscapeError(f"{url}: cannot be opened ({first_line(error)}); {mend}") from None
    return system, str(place)


class Folder:
    """A folder of this machine, or at a URL, whose files are written whole or not at all."""

    def __init__(self, place: str) -> None:
        self._system, self._at = _open(place)

    def names(self) -> set[str]:
        """Names of what is in it; none where it is not there."""
        self._system.invalidate_cache()
        try:
            listing = self._system.ls(self._at, detail=False)
        except OSError:
            return set()
        return {str(name).rstrip("/").rpartition("/")[2] for name in listing}

    def write(self, name: str, data: bytes) -> None:
        """Write a file; the folder is made where it is not there."""
        partial, whole = f"{self._at}/.{name}", f"{self._at}/{name}"
        try:
            self._system.makedirs(self._at, exist_ok=True)
            self._system.pipe_file(partial, data)
            self._system.mv(partial, whole)
        except Exception as error:  # every file system has its own
            reason = f"{whole}: cannot be written ({first_line(error)})"
            raise SongscapeError(f"{reason}; check address, permissions and free space") from None

    def remove(self, name: str) -> None:
        self._system.rm_file(f"{self._at}/{name}")

    def open(self, name: str) -> Any:
        """A file to read."""
        return self._system.open(f"{self._at}/{name}", "rb")


def _stand_in(folder: Path, listing: Mapping[str, Mapping[str, Any]], url: str) -> None:
    """Make the stand-ins what the listing says."""
    odd = 0
    wanted = {folder / _SOURCE}
    for name, its in sorted(listing.items()):
        path, parts = folder / name, name.split("/")
        if kind_of(parts[-1]) is FileKind.OTHER and name not in _TABLES:
            continue
        if any(part in ("", ".", "..") or len(os.fsencode(part)) > 255 for part in parts):
            odd += 1
            continue
        try:
            _stand_in_for(path, int(its.get("size") or 0), _changed_ns(its), f"{url}/{name}")
        except (FileExistsError, IsADirectoryError, NotADirectoryError):  # "a" beside "a/b"
            odd += 1
        else:
            wanted.add(path)
    if odd:
        say(f"{url}: {odd:,} names cannot be those of files, and are left out")
    for below, folders, names in os.walk(folder, topdown=False):
        for name in names:
            if Path(below, name) not in wanted:
                os.unlink(Path(below, name))
        for each in folders:
            if not os.listdir(Path(below, each)):
                shutil.rmtree(Path(below, each))


def _stand_in_for(path: Path, size: int, changed_ns: int, url: str) -> None:
    if path.exists():
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) == (size, changed_ns):
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    is_read_here = kind_of(path.name) is FileKind.LYRICS or path.name in _TABLES
    if is_read_here and size <= _LONGEST_COPY:
        system, place = _open(url)
        system.get_file(place, str(path))
    else:
        with path.open("wb") as file:
            file.truncate(size)
    os.utime(path, ns=(changed_ns, changed_ns))


def _changed_ns(its: Mapping[str, Any]) -> int:
    """When the file changed; where that is not known, something that changes with it."""
    for name in ("LastModified", "mtime", "updated", "last_modified", "created"):
        value = its.get(name)
        if isinstance(value, datetime):
            return int(value.timestamp()) * 10**9
        if isinstance(value, int | float):
            return int(value * 10**9)
    return int.from_bytes(str(its.get("ETag") or its.get("md5Hash") or "").encode()[:4], "big")
