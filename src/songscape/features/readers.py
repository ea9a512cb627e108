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
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
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
class Recording(ABC):
    """One recording, open.

    `seconds` is what the decoder expects before it has decoded; after the last block `stopped` says
    why it is the last, if decoding failed there.
    """

    sample_rate: int
    channels: int
    container: str
    codec: str
    seconds: float | None = None
    can_skip: bool = False
    stopped: str = ""
    warnings: list[str] = field(default_factory=list)

    @abstractmethod
    def blocks(self) -> Iterator[tuple[int, Block]]:
        """Sample rates in Hz and samples, (n, channels); the next block may overwrite one."""

    @abstractmethod
    def skip(self, seconds: float) -> float:
        """Go to a second (if it `can_skip`; else stay), between two blocks; where that led."""


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
    return _Sndfile(file)


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
    """

    def seekable(self) -> bool:
        return False


class _Sndfile(Recording):
    def __init__(self, file: _FrontToBack) -> None:
        seconds = file.frames / file.samplerate if 0 < file.frames < 1 << 48 else None
        kind = file.samplerate, file.channels, file.format, file.subtype
        super().__init__(*kind, seconds, can_skip=True)
        self._file, self._at = file, 0  # frame

    def skip(self, seconds: float) -> float:
        with suppress(soundfile.LibsndfileError, RuntimeError):
            self._file.seek(int(seconds * self.sample_rate))
        self._at = max(self._file.tell(), 0)
        return self._at / self.sample_rate

    def blocks(self) -> Iterator[tuple[int, Block]]:
        n_frames = min(BLOCK_FRAMES, max(BLOCK_SAMPLES // self.channels, 1))
        buffer = np.empty((n_frames, self.channels), np.float32)
        with self._file as file:
            while not self.stopped:
                try:
                    block = file.read(out=buffer)
                except (soundfile.LibsndfileError, RuntimeError) as error:
                    self.stopped = f"decoding stopped early: {_reason(error)}"
                    # What came before it is in the buffer, and the position tells how much.
                    block = buffer[: min(max(file.tell() - self._at, 0), n_frames)]
                if not len(block):
                    return
                self._at += len(block)
                yield self.sample_rate, block


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
    return _Ffmpeg(container)


class _Ffmpeg(Recording):
    def __init__(self, container: Any) -> None:
        tracks = container.streams.audio
        if not tracks:
            raise DecodeError("no audio track in it; remove it")
        audio = next((t for t in tracks if t.codec_context and t.codec_context.sample_rate), None)
        if audio is None or not audio.codec_context.channels:
            raise DecodeError("its audio is in a codec that FFmpeg cannot decode; convert it")
        context, name = audio.codec_context, container.format.name
        super().__init__(
            context.sample_rate,
            context.channels,
            name.split(",")[0].upper(),
            context.name.upper(),
            float(audio.duration * audio.time_base) if audio.duration and audio.time_base else None,
            can_skip=name.startswith(_AV_WITH_TIMES),
        )
        if len(tracks) > 1:
            self.warnings.append(f"holds {len(tracks)} audio tracks; only one of them is read")
        self._container, self._audio, self._has_moved = container, audio, False
        self._frames: Iterator[Any] = container.decode(audio)

    def skip(self, seconds: float) -> float:
        import av

        if not self.can_skip:
            return 0.0
        audio, first = self._audio, self._audio.start_time or 0
        try:
            self._container.seek(first + int(seconds / audio.time_base), stream=audio)
            frame = next(self._container.decode(audio))
            at = float((frame.pts - first) * frame.time_base)
        except (av.FFmpegError, StopIteration, TypeError, ValueError) as error:
            raise DecodeError(f"cannot be read from {seconds:.0f} s on; copy it again") from error
        self._frames = chain([frame], self._container.decode(audio))
        self._has_moved = True
        return at

    def blocks(self) -> Iterator[tuple[int, Block]]:
        rate, n_waiting, seconds = self.sample_rate, 0, 0.0
        waiting: list[Block] = []
        with self._container:
            while (frame := self._next()) is not None:
                if waiting and frame.sample_rate != rate:
                    n_waiting = 0
                    yield rate, _taken(waiting)
                rate, block = frame.sample_rate, _frame_samples(frame)
                seconds += len(block) / rate
                waiting.append(block)
                n_waiting += len(block) * max(1, block.shape[1] * BLOCK_FRAMES // BLOCK_SAMPLES)
                if n_waiting >= BLOCK_FRAMES:
                    n_waiting = 0
                    yield rate, _taken(waiting)
        if waiting:
            yield rate, _taken(waiting)
        if not self._has_moved and self.seconds is not None and seconds < self.seconds - 0.25:
            self.warnings.append(f"truncated: {seconds:.1f} of {self.seconds:.1f} s decoded")

    def _next(self) -> Any:
        import av

        try:
            return next(self._frames, None)
        except (av.FFmpegError, ValueError) as error:
            self.stopped = f"decoding stopped early: {_reason(error)}"
            return None


def _reason(error: BaseException) -> str:
    """What a decoder says, without the file's name or number and the word that it is an error."""
    text = re.sub(r"\[Errno -?\d+\] ", "", first_line(error).split("': ", 1)[-1])
    text = re.sub(r"^(Error[^:.]*[:.]\s*)+", "", text).rstrip(".")
    return "an error" if not text or re.fullmatch(r"'\w+\(\)'", text) else text


def _taken(waiting: list[Block]) -> Block:
    """The blocks as one; the list is empty then."""
    blocks = waiting.copy()
    waiting.clear()
    if len({block.shape[1] for block in blocks}) > 1:
        # A stream may switch between mono and stereo: each part keeps its mean.
        blocks = [mix(block)[:, None] for block in blocks]
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
