"""Writes demo songs as encoded files, the same bytes every time."""

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songscape.demo.synthesis import SYNTHESIS_RATE
from songscape.results import write_atomically

# libsndfile's name of the encoding inside each container.
_SUBTYPES = {"MP3": "MPEG_LAYER_III", "OGG": "VORBIS", "FLAC": "PCM_16", "WAV": "PCM_16"}
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def write_audio(
    path: Path, samples: NDArray[np.float32], container: str, sample_rate: int, serial: int
) -> None:
    """Encode samples of shape (n_channels, n_samples) at ``SYNTHESIS_RATE``.

    The file has ``sample_rate`` (Hz) and appears under its name only when it is whole; ``serial``,
    below 2**32, is the serial number of an Ogg stream.
    """
    import soundfile

    frames = np.ascontiguousarray(samples.T)
    if sample_rate != SYNTHESIS_RATE:
        import soxr

        frames = soxr.resample(frames, SYNTHESIS_RATE, sample_rate, quality="HQ")
    kind = {"subtype": _SUBTYPES[container], "format": container}

    def write(partial: Path) -> None:
        with soundfile.SoundFile(partial, "w", sample_rate, frames.shape[1], **kind) as file:
            # libsndfile's Vorbis writer keeps a whole call on the stack, so feed it by the second.
            for start in range(0, len(frames), sample_rate):
                file.write(frames[start : start + sample_rate])
        if container == "OGG":
            partial.write_bytes(with_ogg_serial(partial.read_bytes(), serial))

    write_atomically(path, write)


def with_ogg_serial(content: bytes, serial: int) -> bytes:
    """Return an Ogg stream under another serial number, checksums renewed (RFC 3533).

    libsndfile draws the serial number from the clock, which would make every run's files differ.
    """
    out = bytearray(content)
    start = 0
    while start < len(out):
        if out[start : start + 4] != b"OggS":
            raise ValueError(f"no Ogg page at byte {start}")
        n_segments = out[start + 26]
        end = start + 27 + n_segments + sum(out[start + 27 : start + 27 + n_segments])
        out[start + 14 : start + 18] = serial.to_bytes(4, "little")
        out[start + 22 : start + 26] = bytes(4)
        out[start + 22 : start + 26] = _ogg_checksum(bytes(out[start:end])).to_bytes(4, "little")
        start = end
    return bytes(out)


def _ogg_checksum(page: bytes) -> int:
    """CRC-32 with polynomial 04C11DB7, zero start, no reflection: zlib's, read backwards."""
    reflected = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
