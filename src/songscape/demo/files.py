"""Writes demo songs as encoded files, the same bytes every time."""

import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songscape.demo.synthesis import SYNTHESIS_RATE

__all__ = ["SUBTYPES", "write_audio", "write_whole"]

SUBTYPES = {"MP3": "MPEG_LAYER_III", "OGG": "VORBIS", "FLAC": "PCM_16", "WAV": "PCM_16"}
"""Containers in use, with libsndfile's name of the encoding inside."""

_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is either whole or not there under its name."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(content)
    os.replace(draft, path)


def write_audio(
    path: Path, samples: NDArray[np.float32], container: str, sample_rate: int, serial: int
) -> None:
    """Encode a song.

    Parameters
    ----------
    path
        The file; it appears under this name only when it is whole.
    samples
        Shape (n_channels, n_samples), at :data:`~songscape.demo.synthesis.SYNTHESIS_RATE`.
    container
        A key of :data:`SUBTYPES`.
    sample_rate
        Sample rate of the file in Hz.
    serial
        Serial number of the Ogg stream, below 2**32.
    """
    import soundfile

    frames = np.ascontiguousarray(samples.T)
    if sample_rate != SYNTHESIS_RATE:
        import soxr

        frames = soxr.resample(frames, SYNTHESIS_RATE, sample_rate, quality="HQ")
    draft = path.with_name(f".{path.name}.part")
    with soundfile.SoundFile(
        draft, "w", sample_rate, frames.shape[1], SUBTYPES[container], format=container
    ) as file:
        # libsndfile's Vorbis writer keeps a whole call on the stack, so feed it by the second.
        for start in range(0, len(frames), sample_rate):
            file.write(frames[start : start + sample_rate])
    if container == "OGG":
        draft.write_bytes(with_ogg_serial(draft.read_bytes(), serial))
    os.replace(draft, path)


def with_ogg_serial(content: bytes, serial: int) -> bytes:
    """Return an Ogg stream under another serial number, checksums renewed (RFC 3533).

    libsndfile draws the serial number from the clock, which would make every run's files differ.
    """
    out = bytearray(content)
    place = 0
    while place < len(out):
        if out[place : place + 4] != b"OggS":
            raise ValueError(f"no Ogg page at byte {place}")
        n_segments = out[place + 26]
        body = sum(out[place + 27 : place + 27 + n_segments])
        end = place + 27 + n_segments + body
        out[place + 14 : place + 18] = serial.to_bytes(4, "little")
        out[place + 22 : place + 26] = bytes(4)
        out[place + 22 : place + 26] = _ogg_checksum(bytes(out[place:end])).to_bytes(4, "little")
        place = end
    return bytes(out)


def _ogg_checksum(page: bytes) -> int:
    """CRC-32 with polynomial 04C11DB7, zero start, no reflection: zlib's, read backwards."""
    reflected = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
