"""Audio of a song by its id: whole, or the range of bytes that a player asks for."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import regex
from anyio import to_thread
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from songscape.features.readers import AUDIO_KINDS
from songscape.ingest.file_signatures import HEAD_BYTES, looks_like, printable

MOST_BYTES = 4 * 1024 * 1024
"""Of one answer to a range; a player asks for the next."""
CHUNK = 128 * 1024
_ENDS = (
    "mpeg mp3, ogg ogg, ogg oga, ogg opus, flac flac, wav wav, mp4 m4a, mp4 mp4, aac aac, webm webm"
)
_ENDS += ", webm weba, aiff aif, aiff aiff, x-ms-wma wma, x-ape ape"
TYPES = {f".{end}": f"audio/{kind}" for kind, end in map(str.split, _ENDS.split(","))}
_RANGE = regex.compile(r"bytes=(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))")


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the one behind the last of a `Range` header; None where it can't be given.

    One range, cut to what there is and to `MOST_BYTES`. Several at once are not given: no player
    asks for them, and overlapping ones multiply the work.
    """
    match = _RANGE.fullmatch(header.strip().replace(" ", ""))
    if match is None:
        return None
    first, last, tail = match.groups()
    if tail is not None:
        start, stop = max(0, size - int(tail)), size
    else:
        start, stop = int(first), size if last is None else min(int(last) + 1, size)
    return (start, min(stop, start + MOST_BYTES)) if start < stop else None


async def audio_response(path: Path | None, header: str | None, *, head: bool) -> Response:
    """The file, or a part of it; 404 where there is none any more.

    The file is opened for each chunk: a thousand listeners hold no files open, and one that is
    deleted or replaced meanwhile ends the answer. A text, an archive or a picture in its place
    (a link that leads elsewhere by now) is not given.
    """
    state = None if path is None else await to_thread.run_sync(_state, path)
    if path is None or state is None:
        return PlainTextResponse("This song's file no longer exists.", 404)
    size = state.st_size
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Type": TYPES.get(path.suffix.lower(), "application/octet-stream"),
        "Cache-Control": "private, max-age=0, no-cache",
        "Content-Disposition": "inline",
    }
    start, stop, status = 0, size, 200
    if header is not None and header.strip().lower().startswith("bytes"):
        found = byte_range(header.lower(), size)
        if found is None:
            refused = {**headers, "Content-Range": f"bytes */{size}", "Content-Type": "text/plain"}
            return Response(status_code=416, headers=refused)
        (start, stop), status = found, 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    if head:
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_chunks(path, state, start, stop), status, headers)


def _state(path: Path) -> os.stat_result | None:
    """Of a regular file that may be audio: a pipe is none, and what else took its place is none."""
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            state = os.fstat(file.fileno())
            head = file.read(HEAD_BYTES) if stat.S_ISREG(state.st_mode) else b""
    except (OSError, ValueError):
        return None
    is_other = printable(head) or looks_like(head) not in (None, *AUDIO_KINDS)
    return None if is_other or not head else state


async def _chunks(path: Path, state: os.stat_result, start: int, stop: int) -> AsyncIterator[bytes]:
    while start < stop:
        data = await to_thread.run_sync(_read, path, state, start, min(CHUNK, stop - start))
        if not data:
            raise ConnectionResetError(f"{path}: ended while it was sent")
        start += len(data)
        yield data


def _read(path: Path, state: os.stat_result, start: int, n_bytes: int) -> bytes:
    """Bytes of the file that the answer began with; none if it is another or gone."""
    try:
        with open(path, "rb") as file:
            now = os.fstat(file.fileno())
            same = (now.st_ino, now.st_dev, now.st_size) == (
                state.st_ino,
                state.st_dev,
                state.st_size,
            )
            if not same:
                return b""
            file.seek(start)
            return file.read(n_bytes)
    except OSError:
        return b""
