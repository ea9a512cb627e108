"""Audio files -> mono float32 samples at one rate, in blocks, so that hours fit in memory."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from songscape.features.container import read_promise
from songscape.ingest.file_signatures import looks_like, printable

__all__ = ["SAMPLE_RATE", "DecodeError", "Decoder", "MonoStream", "load_mono"]

SAMPLE_RATE = 22_050
"""Hz; the rate of the course's features, and librosa's default."""
BLOCK_FRAMES = 1 << 17
"""Frames decoded at a time: 3 s at 44.1 kHz; their 1 MB is still in the cache when it is mixed."""
RATE_LIMITS = (4_000, 768_000)
"""Hz; below is no music, above is no converter: a header with such a rate is broken."""
SILENCE_PEAK = 2.0**-14
"""Full scale = 1; two steps of a 16-bit converter (-84 dBFS): dither and idle noise stay under."""
PEAK_LIMIT = 1e9
"""Beyond any integer scaling left in a float file; its spectrum would overflow float32."""


class DecodeError(Exception):
    """The file can't be used as audio; the message is the reason for the ledger."""


@dataclass
class MonoStream:
    """Running facts about one file while its blocks go by.

    Attributes
    ----------
    sample_rate : int
        Hz, of the file.
    n_frames : int
        Native frames decoded so far.
    sum_squares, peak : float
        Of the mono mix at the native rate.
    """

    sample_rate: int
    channels: int
    container: str
    codec: str
    n_frames: int = 0
    sum_squares: float = 0.0
    peak: float = 0.0
    n_not_finite: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.n_frames / self.sample_rate


class Decoder:
    """One audio file, open: `stream` holds its facts, `blocks()` yields its mono samples.

    Reads with soundfile (libsndfile), and with PyAV what libsndfile can't. Channels are
    averaged here at full precision: FFmpeg's own downmix is 3 dB louder and would not compare.

    Parameters
    ----------
    path : Path
    sample_rate : int
        Hz, of the samples to yield; resampled by soxr at its HQ setting.

    Raises
    ------
    DecodeError
        If the file is empty, is not audio, or needs a decoder that is not installed.
    """

    def __init__(self, path: Path, sample_rate: int = SAMPLE_RATE) -> None:
        self.path = path
        self.sample_rate = sample_rate
        self.stream, self._native = _open(path)
        low, high = RATE_LIMITS
        if not low <= self.stream.sample_rate <= high:
            raise DecodeError(
                f"sample rate of {self.stream.sample_rate} Hz, expected {low} to {high}; "
                "the header is broken"
            )

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Mono float32 blocks at `sample_rate`; equal to `librosa.load` when put together.

        Blocks stop at the first NaN or infinite sample; the rest of the file is only counted.
        """
        stream = self.stream
        resampler = None
        if stream.sample_rate != self.sample_rate:
            resampler = soxr.ResampleStream(
                stream.sample_rate, self.sample_rate, 1, dtype="float32", quality="HQ"
            )
        n_out = 0
        for block in self._native:
            mono = _mix(block)
            stream.n_frames += len(mono)
            peak = max(float(mono.max()), -float(mono.min())) if len(mono) else 0.0
            if not np.isfinite(peak):
                stream.n_not_finite += int(np.count_nonzero(~np.isfinite(block)))
            stream.peak = max(stream.peak, peak)
            if stream.n_not_finite:
                continue
            stream.sum_squares += float(np.dot(mono, mono))
            if resampler is not None:
                mono = resampler.resample_chunk(mono)
            n_out += len(mono)
            yield mono
        if resampler is None or stream.n_not_finite:
            return
        tail = resampler.resample_chunk(np.empty(0, np.float32), last=True)
        # librosa gives ceil(n * ratio) samples, soxr sometimes one fewer or more.
        missing = int(np.ceil(stream.n_frames * (self.sample_rate / stream.sample_rate))) - n_out
        yield np.pad(tail, (0, missing - len(tail))) if missing > len(tail) else tail[:missing]

    def check(self, minimum_seconds: float) -> None:
        """After the last block: raise on useless audio, warn of a cut-off file.

        Raises
        ------
        DecodeError
        """
        stream = self.stream
        truncation = self._truncation()
        if stream.n_not_finite:
            total = stream.n_frames * stream.channels
            raise DecodeError(f"{stream.n_not_finite:,} of {total:,} samples are NaN or infinite")
        if stream.seconds < minimum_seconds:
            remark = f" ({truncation})" if truncation else ""
            raise DecodeError(
                f"too short: {stream.seconds:.2f} s of audio, at least {minimum_seconds:g} s "
                f"are needed{remark}"
            )
        if stream.peak <= SILENCE_PEAK:
            raise DecodeError("silent: no sample above -84 dBFS")
        if stream.peak > PEAK_LIMIT:
            raise DecodeError(
                f"samples up to {stream.peak:.0e}, expected -1 to 1; broken float data"
            )
        if truncation:
            stream.warnings.append(truncation)

    def _truncation(self) -> str | None:
        promise = read_promise(self.path)
        seconds = self.stream.seconds
        # A decoder may keep or drop two MP3 frames of priming at either end.
        slack = 4 * 1152 / self.stream.sample_rate
        if promise.seconds is not None and seconds < promise.seconds - slack:
            return f"truncated: {seconds:.1f} of {promise.seconds:.1f} s decoded"
        if promise.cut:
            return f"truncated: the file ends in the middle ({seconds:.1f} s decoded)"
        return None


def load_mono(path: Path, sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """A whole file as mono samples at `sample_rate` (Hz), without any check; shape (n_samples,)."""
    # Copied: a block may be a view of the buffer that the next one is read into.
    blocks = [block.copy() for block in Decoder(path, sample_rate).blocks()]
    return np.concatenate([np.empty(0, np.float32), *blocks])


def _mix(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, channels) -> (n,) mean over channels, in float32 as librosa.to_mono does."""
    if block.ndim == 1:
        return block
    if block.shape[1] == 1:
        return block[:, 0]
    if block.shape[1] == 2:
        # Halves are exact in float32, so this is (left + right) / 2 to the bit, in one pass.
        return block @ np.array([0.5, 0.5], np.float32)
    return np.asarray(block.mean(axis=1, dtype=np.float32), np.float32)


def _open(path: Path) -> tuple[MonoStream, Iterator[NDArray[np.float32]]]:
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            head = raw.read(4096)
    except OSError as error:
        raise DecodeError(f"cannot be read ({error.strerror}); check the file") from None
    if size == 0:
        raise DecodeError("empty file (0 bytes)")
    if printable(head):
        raise DecodeError(f"not audio (looks like {looks_like(head) or 'text'})")
    try:
        file = _FrontToBack(str(path))
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        return _open_with_av(path, head, _first_line(error))
    stream = MonoStream(file.samplerate, file.channels, file.format, file.subtype)
    return stream, _sndfile_blocks(file, stream)


class _FrontToBack(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is only read forwards.

    soundfile seeks to where it already is after every read. In an MP3 that throws away the bit
    reservoir: the frames that follow come out wrong, and reading in blocks costs twice as much.
    """

    def seekable(self) -> bool:
        return False


def _sndfile_blocks(file: soundfile.SoundFile, stream: MonoStream) -> Iterator[NDArray[np.float32]]:
    buffer = np.empty((BLOCK_FRAMES, file.channels), np.float32)
    done = 0
    with file:
        while True:
            try:
                block = file.read(out=buffer)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                stream.warnings.append(f"decoding stopped early: {_first_line(error)}")
                # What came before the error is in the buffer, and the position tells how much.
                yield buffer[: min(max(file.tell() - done, 0), BLOCK_FRAMES)]
                return
            if not len(block):
                return
            done += len(block)
            yield block


def _open_with_av(
    path: Path, head: bytes, sndfile_says: str
) -> tuple[MonoStream, Iterator[NDArray[np.float32]]]:
    kind = looks_like(head)
    if importlib.util.find_spec("av") is None:
        if kind in (None, "an M4A or MP4", "a WMA", "an APE", "a WavPack", "a Matroska or WebM"):
            what = kind or "an AAC or another format"
            raise DecodeError(
                f'libsndfile cannot read it (looks like {what}); pip install "songscape[m4a]"'
            )
        raise DecodeError(f"not audio that can be decoded (looks like {kind}; {sndfile_says})")
    import av

    try:
        container = av.open(str(path), metadata_errors="ignore")
    except (av.FFmpegError, OSError, ValueError):
        raise DecodeError(
            f"not audio ({f'looks like {kind}; ' if kind else ''}{sndfile_says})"
        ) from None
    if not container.streams.audio:
        container.close()
        raise DecodeError(f"no audio in it ({f'looks like {kind}' if kind else sndfile_says})")
    audio = container.streams.audio[0]
    context = audio.codec_context
    if not context.sample_rate or not context.channels:
        container.close()
        raise DecodeError(f"not audio ({sndfile_says})")
    stream = MonoStream(
        context.sample_rate,
        context.channels,
        container.format.name.split(",")[0].upper(),
        context.name.upper(),
    )
    return stream, _av_blocks(container, audio, stream)


def _av_blocks(container: Any, audio: Any, stream: MonoStream) -> Iterator[NDArray[np.float32]]:
    """Native frames of the first audio stream as (n, channels) float32 blocks."""
    import av

    declared = float(audio.duration * audio.time_base) if audio.duration else None
    waiting: list[NDArray[np.float32]] = []
    n_waiting = n_total = 0
    with container:
        frames = container.decode(audio)
        while True:
            try:
                frame = next(frames)
            except StopIteration:
                break
            except (av.FFmpegError, ValueError) as error:
                stream.warnings.append(f"decoding stopped early: {_first_line(error)}")
                break
            if frame.sample_rate != stream.sample_rate:
                stream.warnings.append("the sample rate changes within the file; rest left out")
                break
            block = _frame_samples(frame)
            waiting.append(block)
            n_waiting += len(block)
            n_total += len(block)
            if n_waiting >= BLOCK_FRAMES:
                yield _joined(waiting)
                waiting, n_waiting = [], 0
    if waiting:
        yield _joined(waiting)
    seconds = n_total / stream.sample_rate
    if declared is not None and seconds < declared - 0.25:
        stream.warnings.append(f"truncated: {seconds:.1f} of {declared:.1f} s decoded")


def _joined(blocks: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    channels = {block.shape[1] for block in blocks}
    if len(channels) > 1:  # a stream may switch between mono and stereo: each part keeps its mean
        return np.concatenate([_mix(block) for block in blocks])[:, None]
    return np.concatenate(blocks)


def _frame_samples(frame: Any) -> NDArray[np.float32]:
    values = frame.to_ndarray()
    channels = len(frame.layout.channels)
    samples = values.T if frame.format.is_planar else values.reshape(-1, channels)
    if samples.dtype.kind == "u":
        return np.asarray((samples.astype(np.float32) - 128) / 128, np.float32)
    if samples.dtype.kind == "i":
        scale = 2.0 ** (8 * samples.dtype.itemsize - 1)
        return np.asarray(samples.astype(np.float32) / scale, np.float32)
    return np.ascontiguousarray(samples, np.float32)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    line = text[0] if text else type(error).__name__
    # soundfile puts the whole path in front: the ledger names the track already.
    return line.split("': ", 1)[-1].rstrip(".")
