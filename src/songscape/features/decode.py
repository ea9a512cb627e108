"""Audio files -> mono float32 samples at one rate, in blocks, so that hours fit in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from songscape.features.container import Part, read_contents
from songscape.features.readers import DecodeError, Recording, check_file, mix, open_recording
from songscape.library.records import Span

SAMPLE_RATE = 22_050
"""Hz; the rate of the course's features, and librosa's default."""
RATE_LIMITS = (4_000, 768_000)
"""Hz; a header with a rate outside this range is broken: no converter has one."""
LONGEST_S = 3 * 3600.0
"""Audio after this is not decoded, so that the cost of a file has a limit."""
LEAD_S = 1.0
"""Decoded before the part that is wanted: lossy frames need those before them."""
SILENCE_PEAK = 2.0**-14
"""Full scale = 1; two steps of a 16-bit converter (-84 dBFS): dither and idle noise stay under."""
TOO_SHORT, SILENT = "too short", "silent"
"""How the reasons of such failures begin."""
LOUD_PEAK = 2.0
"""Lossy decoders and mixes in float go over full scale, but hardly twice over."""
FLOAT_CODECS = ("FLOAT", "DOUBLE", "PCM_F", "WAVPACK")
INTEGER_PEAK, INTEGER_BITS = 8.0, (8, 16, 24, 32)
"""Floats with a higher peak hold integers, of the smallest type into which they fit."""
WHOLE = DEFAULT = "whole"
"""What is read of a long file: the default is that of `benchmarks/excerpts.py`."""
EXCERPT_S, LONG_S = 30.0, 60.0
"""Seconds that are decoded of a track where a part stands for it, and what is longer than that."""

Array = NDArray[np.float32]


class Decoder:
    """One audio file, open: `blocks()` yields mono samples at `sample_rate` Hz (soxr, HQ).

    Attributes say what went by: `first` (the first recording: sample rate, channels, codec), `size`
    in bytes, `sum_squares`, `low` and `high` of the mono mix at its native rate, `warnings`.
    Recordings joined end to end are read one after the other, and floats that hold unscaled
    integers are divided by full scale. Raises `DecodeError` for what is no audio.

    With `span` only that part is given, from and to in seconds (to the end: None). Of a long one
    `excerpt` gives a part, if it can be reached: `pieces` says which.
    """

    def __init__(
        self,
        path: Path,
        sample_rate: int = SAMPLE_RATE,
        span: Span | None = None,
        excerpt: str = WHOLE,
    ) -> None:
        self.path, self.sample_rate, self.span = path, sample_rate, span
        self.size = check_file(path)
        with path.open("rb") as file:
            self._contents = read_contents(file)
        self.low, self.high, self.sum_squares = np.inf, -np.inf, 0.0
        self._channel_peak, self._n_not_finite, self._n_samples = 0.0, 0, 0
        self._frames: Counter[int] = Counter()
        self.warnings: list[str] = []
        self.first = self._open(self._contents.parts[0])
        self.pieces: list[Span] = [] if span is None else [span]
        self._length: float | None = None
        self._full_scale = 1.0
        if excerpt != WHOLE:
            self._choose(excerpt)
        if self.first.codec.startswith(FLOAT_CODECS):
            self._full_scale = self._integer_scale()
            self.first = self._open(self._contents.parts[0])

    def _choose(self, excerpt: str) -> None:
        """Make `pieces` the parts of the track to decode; of what is short or damaged, all."""
        first, part = self.first, self._contents.parts[0]
        start, end = self.span or (0.0, None)
        end = first.seconds or 0.0 if end is None else end
        if end - start <= LONG_S or part.cut or len(self._contents.parts) > 1 or not first.can_skip:
            return
        self.pieces, self._length = pieces_of(excerpt, start, end), end - start

    @property
    def n_frames(self) -> int:
        """Native frames decoded so far; `seconds` in time."""
        return self._frames.total()

    @property
    def seconds(self) -> float:
        return sum(n / rate for rate, n in self._frames.items())

    @property
    def peak(self) -> float:
        return max(self.high, -self.low)

    @property
    def whole_seconds(self) -> float:
        """Of the track, with what its file declares where not all was decoded."""
        if self._length is not None:
            return self._length
        if self.seconds <= LONGEST_S:
            return self.seconds
        declared = sum(part.seconds or 0.0 for part in self._contents.parts)
        return max(self.seconds, declared or self.first.seconds or 0.0)

    def _open(self, part: Part) -> Recording:
        is_whole = part.start == 0 and len(self._contents.parts) == 1
        recording = open_recording(self.path, part, is_whole_file=is_whole)
        low, high = RATE_LIMITS
        if not low <= recording.sample_rate <= high:
            raise DecodeError(
                f"sample rate of {recording.sample_rate} Hz, expected {low} to {high}; the header "
                "is broken: export it again"
            )
        return recording

    def _integer_scale(self) -> float:
        """Full scale of the smallest integer type that holds the samples; 1 for usual floats."""
        peaks = (float(np.abs(mix(b)).max(initial=0.0)) for _, _, b in self._native())
        peak = max(peaks, default=0.0)
        self.warnings.clear()
        if not peak > INTEGER_PEAK or not np.isfinite(peak):
            return 1.0
        bits = next((n for n in INTEGER_BITS if peak <= 1.5 * 2.0 ** (n - 1)), None)
        if bits is None:
            reason = f"samples up to {peak:.0e}, expected -1 to 1; broken float data"
            raise DecodeError(f"{reason}: export it again")
        self.warnings.append(f"samples up to {peak:,.0f}, not to 1: read as {bits}-bit integers")
        return 2.0 ** (bits - 1)

    def blocks(self) -> Iterator[Array]:
        """Mono float32 blocks at `sample_rate`; equal to `librosa.load` when put together.

        Blocks stop at the first NaN or infinite sample; the rest of the file is only counted.
        """
        resampler, source = None, (0, 0)
        for number, rate, block in self._native():
            mono = self._count(rate, block)
            if self._n_not_finite:
                continue
            if resampler is None or source != (number, rate):
                if resampler is not None:
                    yield resampler.finish()
                resampler, source = _Resampler(rate, self.sample_rate), (number, rate)
            yield resampler.push(mono)
        if resampler is not None and not self._n_not_finite:
            yield resampler.finish()

    def _native(self) -> Iterator[tuple[int, int, Array]]:
        """Blocks of the parts that are wanted, with the number of their recording and their rate.

        Every piece counts as a recording.
        """
        blocks, at = self._everything(), 0.0
        if not self.pieces:
            yield from blocks
        for piece, (start, end) in enumerate(self.pieces):
            is_near = at <= start <= at + LEAD_S
            if not is_near and len(self._contents.parts) == 1:
                at = self.first.skip(start - LEAD_S)
            for number, rate, block in blocks:
                first = max(round((start - at) * rate), 0)
                last = len(block) if end is None else max(round((end - at) * rate), 0)
                if first < min(last, len(block)):
                    yield number + piece, rate, block[first:last]
                at += len(block) / rate
                if end is not None and at >= end:
                    break
            else:  # the file ends before the piece does
                return

    def _everything(self) -> Iterator[tuple[int, int, Array]]:
        parts = self._contents.parts
        for number, part in enumerate(parts, 1):
            which = f"recording {number} of {len(parts)} in the file: " if len(parts) > 1 else ""
            before = self.seconds
            try:
                recording = self.first if number == 1 else self._open(part)
            except DecodeError as error:
                self.warnings.append(f"{which}{error}")
                continue
            for rate, block in recording.blocks():
                yield number, rate, block
                if self.seconds > LONGEST_S:
                    self.warnings.append(
                        f"longer than {LONGEST_S / 3600:g} h: read up to there; cut it into tracks"
                    )
                    return
            seconds = self.seconds - before
            lacks = () if self.pieces else _shortcomings(part, recording, seconds)
            self.warnings += [f"{which}{remark}" for remark in (*recording.warnings, *lacks)]
        if not self.pieces:
            self._remark_on_contents()

    def _remark_on_contents(self) -> None:
        found, size = self._contents, self.size
        if len(found.parts) > 1:
            self.warnings.append(
                f"{len(found.parts)} recordings joined end to end: {self.seconds:.1f} s in all"
            )
        if found.n_trailing > max(4096, min(size // 20, 1 << 16)):
            share = found.n_trailing / size
            self.warnings.append(
                f"{100 * share:.0f} % of the file lies behind the end that its header declares, "
                f"and is not read ({self.seconds:.1f} s are); export it again"
            )

    def _count(self, rate: int, block: Array) -> Array:
        mono = mix(block)
        if self._full_scale != 1.0:
            mono = mono / np.float32(self._full_scale)
        self._frames[rate] += len(mono)
        self._n_samples += block.size
        if len(mono):
            low, high = float(mono.min()), float(mono.max())
            if not np.isfinite(high - low):
                self._n_not_finite += int(np.count_nonzero(~np.isfinite(block)))
            elif not self._n_not_finite:
                self.low, self.high = min(self.low, low), max(self.high, high)
                self.sum_squares += float(np.dot(mono, mono))
                if max(high, -low) <= SILENCE_PEAK:
                    self._channel_peak = max(self._channel_peak, float(np.abs(block).max()))
        return mono

    def check(self, minimum_seconds: float) -> None:
        """After the last block: raise `DecodeError` on useless audio, remark on levels."""
        if self._n_not_finite:
            raise DecodeError(
                f"{self._n_not_finite:,} of {self._n_samples:,} samples are NaN or infinite; "
                "export it again"
            )
        wanted = sum((end or start) - start for start, end in self.pieces)
        if self._length is not None and self.seconds < wanted - LEAD_S:
            raise DecodeError(f"{self.seconds:.1f} of {wanted:.1f} s decoded; copy it again")
        if self.seconds < minimum_seconds:
            remarks = f" ({'; '.join(self.warnings)})" if self.warnings else ""
            raise DecodeError(
                f"{TOO_SHORT}: {self.seconds:.2f} s of audio, at least {minimum_seconds:g} s "
                f"are needed{remarks}; remove it"
            )
        if (self.high - self.low) / 2 <= SILENCE_PEAK:
            raise DecodeError(self._silence())
        if self.peak > LOUD_PEAK:
            self.warnings.append(f"samples up to {self.peak:.2g}, where 1 is full scale")

    def _silence(self) -> str:
        if self._channel_peak > SILENCE_PEAK:
            return f"{SILENT}: its channels cancel each other out; invert one of them"
        if self.peak > SILENCE_PEAK:
            return f"{SILENT}: a constant level of {self.high:.3g}, and no sound; export it again"
        return f"{SILENT}: no sample above -84 dBFS; export it again or remove it"


class _Resampler:
    """Blocks at one rate -> blocks at another, as many samples as librosa gives."""

    def __init__(self, native: int, wanted: int) -> None:
        self._ratio = wanted / native
        self._n_in = self._n_out = 0
        self._stream = None
        if native != wanted:
            self._stream = soxr.ResampleStream(native, wanted, 1, dtype="float32", quality="HQ")

    def push(self, mono: Array) -> Array:
        if self._stream is not None:
            self._n_in += len(mono)
            mono = self._stream.resample_chunk(mono)
            self._n_out += len(mono)
        return mono

    def finish(self) -> Array:
        tail = np.empty(0, np.float32)
        if self._stream is None or not self._n_in:
            return tail
        tail = self._stream.resample_chunk(tail, last=True)
        # librosa gives ceil(n * ratio) samples, soxr sometimes one fewer or more.
        missing = int(np.ceil(self._n_in * self._ratio)) - self._n_out
        return np.pad(tail, (0, missing - len(tail))) if missing > len(tail) else tail[:missing]


def _shortcomings(part: Part, recording: Recording, seconds: float) -> Iterator[str]:
    """What is missing of a recording of which that much was decoded."""
    declared = recording.seconds if recording.container == "FLAC" else part.seconds
    # A decoder may keep or drop two MP3 frames of priming at either end.
    is_short = declared is not None and seconds < declared - 4 * 1152 / recording.sample_rate
    if recording.stopped and (is_short or declared is None):
        yield recording.stopped
    if is_short:
        yield f"truncated: {seconds:.1f} of {declared:.1f} s decoded"
    elif part.cut:
        yield f"truncated: the file ends in the middle ({seconds:.1f} s decoded)"


def load_mono(path: Path, sample_rate: int = SAMPLE_RATE, span: Span | None = None) -> Array:
    """A file, or a part of it, as mono samples at `sample_rate` Hz, unchecked; (n_samples,)."""
    # Copied: a block may be a view of the buffer that the next one is read into.
    blocks = [block.copy() for block in Decoder(path, sample_rate, span).blocks()]
    return np.concatenate([np.empty(0, np.float32), *blocks])


def pieces_of(kind: str, start: float, end: float) -> list[Span]:
    """The parts of a track from `start` to `end` to decode, in seconds of its file, in their order.

    `kind` is one of `songscape.settings.EXCERPTS`, but "whole": the first half minute, that around
    the middle, or three pieces of ten seconds around the middles of three equal parts.
    """
    n = 3 if kind == "spread" else 1
    size, part = EXCERPT_S / n, (end - start) / n
    begins = [start + part * (i + 0.5) - size / 2 for i in range(n)]
    return [(begin, begin + size) for begin in ([start] if kind == "start" else begins)]
