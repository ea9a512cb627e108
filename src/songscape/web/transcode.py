"""Songs in formats that a browser can't play, as FLAC: made when asked for, kept while serving."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import numpy as np

from songscape.errors import SongscapeError
from songscape.library.records import FileStamp
from songscape.workers import run_limited

KEPT = 12
"""Songs that are kept; a song of four minutes takes about 25 MB."""
TIMEOUT_S = 120.0
LONGEST_S = 3600.0


class Transcoder:
    """Makes FLAC copies in a folder that goes when the server does."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="songscape-", ignore_cleanup_errors=True)
        self._lock = Lock()  # one at a time: a core is enough for one listener
        self._made: OrderedDict[Path, None] = OrderedDict()

    def copy_of(self, path: Path) -> Path:
        """The FLAC copy of a file in its present state."""
        state = ascii(tuple(FileStamp.of(path))).encode()
        name = f"{hashlib.blake2b(state, digest_size=16).hexdigest()}.flac"
        target = Path(self._folder.name) / name
        with self._lock:
            if target not in self._made:
                reason = run_limited(write_flac, str(path), str(target), timeout_s=TIMEOUT_S)
                if reason:
                    target.unlink(missing_ok=True)
                    raise SongscapeError(f"{path.name}: {reason}")
            self._made[target] = None
            self._made.move_to_end(target)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)[0].unlink(missing_ok=True)
        return target


def write_flac(source: str, target: str) -> str:
    """Decode a file and write its first two channels as 16-bit FLAC; says why where it can't."""
    import soundfile

    from songscape.features.container import Part
    from songscape.features.readers import DecodeError, check_file, open_recording

    path = Path(source)
    try:
        part = Part(0, check_file(path))
        recording = open_recording(path, part, is_whole_file=True)
        rate, channels = recording.sample_rate, min(2, recording.channels)
        n_frames = 0
        kind = {"format": "FLAC", "subtype": "PCM_16"}
        with soundfile.SoundFile(target, "w", rate, channels, **kind) as file:
            for its_rate, block in recording.blocks():
                if its_rate != rate or n_frames > LONGEST_S * rate:
                    break
                file.write(np.clip(block[:, :channels], -1, 1))
                n_frames += len(block)
    except DecodeError as error:
        return str(error)
    except (OSError, soundfile.LibsndfileError) as error:
        return f"cannot be converted ({error})"
    return "" if n_frames else "has no sound"
