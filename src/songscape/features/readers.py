"""One recording -> blocks of samples: by libsndfile, or by FFmpeg (PyAV) where it can't.

A file's bytes decide its format, never its name: both libraries would read a ZIP called `x.au` as
telephone sound.
"""

from __future__ import annotations

import importlib.util
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from songscape.errors import first_line
from songscape.features.container import Part
from songscape.ingest.file_kinds import looks_like, printable

BLOCK_FRAMES = 1 << 18
"""Frames decoded at a time: 6 s at 44.1 kHz. Every change from decoding to spectra costs 0.3 ms."""
BLOCK_SAMPLES = 1 << 20
"""Most samples in a block: a header may claim a thousand channels."""
SNDFILE_FORMATS = (
    *("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"),
    *("SVX", "VOC", "NIST", "IRCAM", "AVR", "PAF"),
)
"""Those with a head that does not occur by chance."""
FFMPEG_FORMATS = (
    "aac,ac3,adts,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,iff,loas,"
    "matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,ogg,oma,qcp,rm,shn,tak,truehd,tta,voc,w64,wav,webm,wv"
)
_AV_WITH_TIMES = ("mov", "asf", "wv", "ape")
"""Of FFmpeg's formats, those in which a second is found without reading up to it."""
_SNDFILE_KINDS = ("an MP3", "an OGG", "a FLAC", "a WAV or AVI", "an AIFF")
_AV_KINDS = ("an M4A or MP4", "a WMA", "an APE", "a WavPack", "a Matroska or WebM")
AUDIO_KINDS = (*_SNDFILE_KINDS, *_AV_KINDS)

Block = NDArray[np.float32]


class DecodeError(Exception):
    """The file can't be used as audio; the message is the reason for the ledger."""


class UnreachableError(DecodeError):
    """The file could not be read this time: that says nothing about what is in it."""


def installed_decoders() -> str:
    """What decodes here, with versions: what one of them can't read another may."""
    with suppress(PackageNotFoundError):
        return f"libsndfile {soundfile.__libsndfile_version__}, PyAV {version('av')}"
    return f"libsndfile {soundfile.__libsndfile_version__}"


@dataclass
class Recording:
    """One recording, open.

    `blocks` yields sample rates in Hz and samples, (n, channels); the next block may overwrite one.
    `seconds` is what the decoder expects before it has decoded; after the last block `stopped` says
    why it is the last, if decoding failed there. `skip`, called between blocks, goes to a second if
    it can (`can_skip`), and returns where that led.
    """

    sample_rate: int
    channels: int
    container: str
    codec: str
    seconds: float | None = None
    blocks: Iterator[tuple[int, Block]] = field(default_factory=lambda: iter(()))
    skip: Callable[[float], float] = field(default=lambda seconds: 0.0)
    can_skip: bool = False
    stopped: str = ""
    warnings: list[str] = field(default_factory=list)


def check_file(path: Path) -> int:
    """Size in bytes of a file that may hold audio; raises `DecodeError` for any other."""
    try:
        # Not blocking: opening a pipe would wait for somebody to write into it.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise DecodeError("not a regular file but a folder, pipe or device; remove it")
            head = file.read(4096)
    except OSError as error:
        raise UnreachableError(f"cannot be read ({error.strerror}); check the file") from None
    if not head:
        raise DecodeError("empty file (0 bytes); copy it again or remove it")
    if printable(head):
        raise DecodeError(f"not audio (looks like {looks_like(head) or 'text'}); remove it")
    return status.st_size


def open_recording(path: Path, part: Part, *, is_whole_file: bool) -> Recording:
    """Open the recording in a part of a file.

    Raises `DecodeError` if it is not audio, or needs a decoder that is not installed.
    """
    # By number, so that nobody sees the name.
    source: Any = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    if not is_whole_file:
        os.close(source)
        source = io.BufferedReader(_Window(path, part), 1 << 16)
    try:
        file = _FrontToBack(source)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        return _open_with_av(path, part, _reason(error))
    if file.format not in SNDFILE_FORMATS:
        file.close()
        return _open_with_av(path, part, "its first bytes are of no known audio format")
    seconds = file.frames / file.samplerate if 0 < file.frames < 1 << 48 else None
    recording = Recording(file.samplerate, file.channels, file.format, file.subtype, seconds)
    recording.blocks = _sndfile_blocks(file, recording)
    recording.skip, recording.can_skip = partial(_skip, file), True
    return recording


def _skip(file: soundfile.SoundFile, seconds: float) -> float:
    with suppress(soundfile.LibsndfileError, RuntimeError):
        file.seek(int(seconds * file.samplerate))
    file.done = max(file.tell(), 0)
    return float(file.done / file.samplerate)


class _Window(io.RawIOBase):
    """A part of a file as a file without a name."""

    def __init__(self, path: Path, part: Part) -> None:
        self._file = path.open("rb", buffering=0)
        self._start, self._length, self._at = part.start, part.stop - part.start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._at)
        data = self._file.read(max(min(len(buffer), self._length - self._at), 0))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(offset + (0, self._at, self._length)[whence], 0)
        return self._at

    def close(self) -> None:
        self._file.close()
        super().close()


class _FrontToBack(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is only read forwards.

    soundfile seeks to where it already is after every read. In an MP3 that throws away the bit
    reservoir: the frames that follow come out wrong, and reading in blocks costs twice as much.
    `done` is the frame that it is at.
    """

    done = 0

    def seekable(self) -> bool:
        return False


def _sndfile_blocks(file: _FrontToBack, recording: Recording) -> Iterator[tuple[int, Block]]:
    n_frames = min(BLOCK_FRAMES, max(BLOCK_SAMPLES // file.channels, 1))
    buffer = np.empty((n_frames, file.channels), np.float32)
    with file:
        while True:
            try:
                block = file.read(out=buffer)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                recording.stopped = f"decoding stopped early: {_reason(error)}"
                # What came before the error is in the buffer, and the position tells how much.
                yield file.samplerate, buffer[: min(max(file.tell() - file.done, 0), n_frames)]
                return
            if not len(block):
                return
            file.done += len(block)
            yield file.samplerate, block


def _open_with_av(path: Path, part: Part, sndfile_says: str) -> Recording:
    with path.open("rb") as file:
        file.seek(part.start)
        kind = looks_like(file.read(64))
    if kind is not None and kind not in AUDIO_KINDS:
        raise DecodeError(f"not audio (looks like {kind}); rename or remove it")
    damaged = f"looks like {kind}, but is damaged ({sndfile_says}); copy it again"
    if importlib.util.find_spec("av") is None:
        if kind in _SNDFILE_KINDS:
            raise DecodeError(damaged)
        what = kind or "an AAC or another format"
        raise DecodeError(
            f'libsndfile cannot read it (looks like {what}); pip install "songscape[m4a]"'
        )
    import av

    try:
        container = av.open(
            io.BufferedReader(_Window(path, part), 1 << 16),
            metadata_errors="ignore",
            options={"format_whitelist": FFMPEG_FORMATS},
        )
    except (av.FFmpegError, OSError, ValueError):
        unknown = "not audio of a known format; convert or remove it"
        raise DecodeError(damaged if kind else unknown) from None
    try:
        return _recording_of(container)
    except DecodeError:
        container.close()
        raise


def _recording_of(container: Any) -> Recording:
    tracks = container.streams.audio
    if not tracks:
        raise DecodeError("no audio track in it; remove it")
    audio = next((t for t in tracks if t.codec_context and t.codec_context.sample_rate), None)
    if audio is None or not audio.codec_context.channels:
        raise DecodeError("its audio is in a codec that FFmpeg cannot decode; convert it")
    context = audio.codec_context
    recording = Recording(
        context.sample_rate,
        context.channels,
        container.format.name.split(",")[0].upper(),
        context.name.upper(),
        float(audio.duration * audio.time_base) if audio.duration and audio.time_base else None,
    )
    if len(tracks) > 1:
        recording.warnings.append(f"holds {len(tracks)} audio tracks; only one of them is read")
    frames = _Frames(container, audio)
    recording.blocks = _av_blocks(frames, recording)
    if container.format.name.startswith(_AV_WITH_TIMES):
        recording.skip, recording.can_skip = frames.skip, True
    return recording


class _Frames:
    """The frames of an audio track, and a way to go to another second between them."""

    def __init__(self, container: Any, audio: Any) -> None:
        self.container, self._audio, self._frames = container, audio, container.decode(audio)
        self.has_moved = False

    def __next__(self) -> Any:
        return next(self._frames)

    def skip(self, seconds: float) -> float:
        """Go there, or a little before; the time of the next frame."""
        import av

        audio, first = self._audio, self._audio.start_time or 0
        try:
            self.container.seek(first + int(seconds / audio.time_base), stream=audio)
            frame = next(self.container.decode(audio))
            self._frames = chain([frame], self.container.decode(audio))
            at = float((frame.pts - first) * frame.time_base)
        except (av.FFmpegError, StopIteration, TypeError, ValueError) as error:
            raise DecodeError(f"cannot be read from {seconds:.0f} s on; copy it again") from error
        self.has_moved = True
        return at


def _av_blocks(frames: _Frames, recording: Recording) -> Iterator[tuple[int, Block]]:
    import av

    waiting: list[Block] = []
    rate, n_waiting, seconds = recording.sample_rate, 0, 0.0
    has_moved = frames.has_moved
    with frames.container:
        while True:
            try:
                frame = next(frames)
            except StopIteration:
                break
            except (av.FFmpegError, ValueError) as error:
                recording.stopped = f"decoding stopped early: {_reason(error)}"
                break
            block = _frame_samples(frame)
            if waiting and (frame.sample_rate != rate or n_waiting >= BLOCK_FRAMES):
                has_moved, frames.has_moved = has_moved or frames.has_moved, False
                yield rate, _joined(waiting)
                waiting, n_waiting = [], 0
                if frames.has_moved:  # this frame is of the place before
                    continue
            rate = frame.sample_rate
            seconds += len(block) / rate
            waiting.append(block)
            n_waiting += len(block) * max(1, block.shape[1] * BLOCK_FRAMES // BLOCK_SAMPLES)
    if waiting:
        yield rate, _joined(waiting)
    is_whole = not (has_moved or frames.has_moved)
    if is_whole and recording.seconds is not None and seconds < recording.seconds - 0.25:
        recording.warnings.append(f"truncated: {seconds:.1f} of {recording.seconds:.1f} s decoded")


def _reason(error: BaseException) -> str:
    """What a decoder says, without the file's name or number and the word that it is an error."""
    text = re.sub(r"\[Errno -?\d+\] ", "", first_line(error).split("': ", 1)[-1])
    text = re.sub(r"^(Error[^:.]*[:.]\s*)+", "", text).rstrip(".")
    return "an error" if not text or re.fullmatch(r"'\w+\(\)'", text) else text


def _joined(blocks: list[Block]) -> Block:
    channels = {block.shape[1] for block in blocks}
    if len(channels) > 1:  # a stream may switch between mono and stereo: each part keeps its mean
        return np.concatenate([mix(block) for block in blocks])[:, None]
    return np.concatenate(blocks)


def _frame_samples(frame: Any) -> Block:
    values = frame.to_ndarray()
    channels = len(frame.layout.channels)
    samples = values.T if frame.format.is_planar else values.reshape(-1, channels)
    if samples.dtype.kind == "u":
        return np.asarray((samples.astype(np.float32) - 128) / 128, np.float32)
    if samples.dtype.kind == "i":
        scale = 2.0 ** (8 * samples.dtype.itemsize - 1)
        return np.asarray(samples.astype(np.float32) / scale, np.float32)
    return np.ascontiguousarray(samples, np.float32)


def mix(block: Block) -> Block:
    """(n, channels) -> (n,) mean over channels, in float32 as librosa.to_mono does.

    FFmpeg's own downmix is 3 dB louder and would not compare.
    """
    if block.shape[1] == 1:
        return block[:, 0]
    if block.shape[1] == 2:
        # Halves are exact in float32, so this is (left + right) / 2 to the bit, in one pass.
        return block @ np.array([0.5, 0.5], np.float32)
    return np.asarray(block.mean(axis=1, dtype=np.float32), np.float32)
