"""Audio of a song: its file, or the range of bytes that a player asks for; and where it begins."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import regex
from anyio import to_thread
from numpy.typing import NDArray
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from songscape.features.readers import AUDIO_KINDS
from songscape.ingest.file_kinds import HEAD_BYTES, looks_like, printable
from songscape.library import Library
from songscape.library.records import Span

MOST_BYTES = 4 * 1024 * 1024
"""Of one answer to a range; a player asks for the next."""
CHUNK = 128 * 1024
EXCERPT_S = 30.0
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
            if not os.path.samestat(now, state) or now.st_size != state.st_size:
                return b""
            file.seek(start)
            return file.read(n_bytes)
    except OSError:
        return b""


def excerpt(library: Library, track_id: str, span: Span | None) -> dict[str, Any]:
    """Seconds in the file: `start` and `end` of the song, `typical` where its excerpt begins.

    `end` is None where the song ends with its file.
    """
    start, end = span or (0.0, None)
    typical = start
    segments = dict(library.each_feature("segments", track_id)).get(track_id)
    duration = library.duration(track_id)
    if segments is not None and duration is not None:
        typical += most_typical(segments, duration)
    return {"start": start, "end": end, "typical": round(typical, 2)}


def most_typical(segments: NDArray[np.float32], duration: float) -> float:
    """Where the 30 seconds begin whose mean is nearest to the song's, in seconds.

    Segments, (n_segments, n_features), are of equal length and fill the `duration`.
    """
    n = len(segments)
    wide = int(np.ceil(EXCERPT_S / max(duration, 1e-9) * n))
    if wide >= n:
        return 0.0
    scale = np.maximum(segments.std(axis=0), 1e-6)
    sums = np.cumsum(np.vstack([np.zeros_like(segments[:1]), segments / scale]), axis=0)
    means = (sums[wide:] - sums[:-wide]) / wide
    far = np.square(means - sums[-1] / n).sum(axis=1)
    return float(far.argmin()) * duration / n
