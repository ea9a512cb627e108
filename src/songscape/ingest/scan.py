"""A folder (or its tracks.csv) -> the tracks in it, and what could not be used."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from songscape.errors import SongscapeError, UsageError
from songscape.ingest.lyrics import read_lyrics
from songscape.library.records import Collection, LedgerRow, Track

__all__ = ["AUDIO_SUFFIXES", "Collection", "read_collection"]

AUDIO_SUFFIXES = frozenset(
    {
        *(".mp3", ".ogg", ".oga", ".opus", ".flac", ".wav", ".wave", ".aif", ".aiff", ".aifc"),
        *(".au", ".caf", ".w64", ".rf64", ".m4a", ".m4b", ".mp4", ".aac", ".wma", ".ape", ".wv"),
        *(".mka", ".mpc", ".tta", ".webm"),
    }
)
LYRIC_SUFFIXES = (".txt", ".lrc")
TABLE_NAMES = ("tracks.csv", "tracks.tsv")


@dataclass(frozen=True)
class Files:
    """The visible files under a root, as root-relative paths in sorted order."""

    root: Path
    audio: tuple[str, ...]
    lyrics: dict[tuple[str, str], dict[str, str]]
    problems: tuple[LedgerRow, ...]


def read_collection(path: str | os.PathLike[str]) -> Collection:
    """Find the tracks of a collection.

    Parameters
    ----------
    path : path
        A folder of audio files (searched recursively; lyrics as `.txt` or `.lrc` files of the
        same stem beside the audio or in a `lyrics` folder), a folder that holds a `tracks.csv`,
        or a csv/tsv file. Columns `id`, `audio` and `lyrics` are ours, all others are labels.

    Returns
    -------
    Collection

    Raises
    ------
    UsageError
        If `path` is neither a folder nor a table.
    SongscapeError
        If the table cannot be used at all, or there is no audio.
    """
    from songscape.ingest.tables import read_table

    path = Path(path)
    if not path.exists():
        raise UsageError(f"{path}: no such folder or table; check the path")
    if path.is_dir():
        root = path.resolve()
        files = walk(root)
        table = next((root / name for name in TABLE_NAMES if (root / name).is_file()), None)
        collection = from_files(files) if table is None else read_table(table, files)
    elif path.suffix.lower() in (".csv", ".tsv", ".txt"):
        collection = read_table(path.resolve(), walk(path.resolve().parent))
    else:
        raise UsageError(f"{path}: not a folder and not a csv or tsv table; give one of them")
    if not collection.tracks and not collection.problems:
        raise SongscapeError(
            f"{path}: no audio files found; looked for {' '.join(sorted(AUDIO_SUFFIXES))}"
        )
    return collection


def walk(root: Path) -> Files:
    """List audio and lyric files under a folder; hidden ones are left out, links followed once."""
    audio: list[str] = []
    lyrics: dict[tuple[str, str], dict[str, str]] = {}
    problems: list[LedgerRow] = []
    seen: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        name = display(os.path.relpath(error.filename, root))
        reason = f"{name}: cannot be listed ({error.strerror}); check the permissions"
        problems.append(LedgerRow(f"{name}/", "scan", "failed", reason))

    for folder, subfolders, names in os.walk(root, onerror=unreadable, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:  # a link back up, or a second way in
            subfolders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        relative = Path(folder).relative_to(root)
        for name in sorted(names):
            if name.startswith("."):
                continue
            stem, suffix = os.path.splitext(name)
            suffix = suffix.lower()
            place = (relative / name).as_posix()
            if suffix in AUDIO_SUFFIXES:
                audio.append(place)
            elif suffix in LYRIC_SUFFIXES:
                key = (_folder_key(relative.as_posix()), nfc(stem))
                lyrics.setdefault(key, {})[suffix] = place
    return Files(root, tuple(sorted(audio)), lyrics, tuple(problems))


def from_files(files: Files) -> Collection:
    """Every audio file is a track; its id is its path without the suffix."""
    problems = list(files.problems)
    tracks = []
    for place, track_id in ids_of(files.audio).items():
        if not (files.root / place).exists():
            reason = f"{display(place)}: a link to a file that is not there; mend or remove it"
            problems.append(LedgerRow(track_id, "scan", "failed", reason))
            continue
        text, remarks = lyrics_of(files, place, track_id)
        problems += remarks
        tracks.append(Track(track_id, files.root / place, text))
    tracks.sort(key=lambda track: track.id)
    return Collection(files.root, tuple(tracks), tuple(problems))


def ids_of(places: tuple[str, ...]) -> dict[str, str]:
    """Track ids for root-relative paths: NFC, without suffix unless two would be the same."""
    short = {place: nfc(display(str(PurePosixPath(place).with_suffix("")))) for place in places}
    uses = Counter(short.values())
    ids: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for place in sorted(places):
        track_id = short[place] if uses[short[place]] == 1 else nfc(display(place))
        taken[track_id] += 1
        # Two spellings of one name (NFC and NFD files side by side).
        ids[place] = track_id if taken[track_id] == 1 else f"{track_id} ({taken[track_id]})"
    return ids


def find_sidecar(files: Files, place: str) -> str | None:
    """The lyric file that goes with an audio file, as a root-relative path.

    Looked for beside the audio; then for every folder above it in its `lyrics` folder, under
    the same subfolders, with and without the first one (`audio/de/x.mp3`, `lyrics/de/x.txt`).
    """
    path = PurePosixPath(place)
    parts = path.parent.parts
    folders = [parts]
    for depth in range(len(parts), -1, -1):
        below = parts[depth:]
        folders.append((*parts[:depth], "lyrics", *below))
        folders.append((*parts[:depth], "lyrics", *below[1:]))
    for folder in folders:
        found = files.lyrics.get((_folder_key("/".join(folder)), nfc(path.stem)))
        if found:
            return next(found[suffix] for suffix in LYRIC_SUFFIXES if suffix in found)
    return None


def lyrics_of(files: Files, place: str, track_id: str) -> tuple[str | None, list[LedgerRow]]:
    """The text of an audio file's sidecar, if it has one, and remarks for the ledger."""
    sidecar = find_sidecar(files, place)
    return (None, []) if sidecar is None else lyrics_from(files.root, sidecar, track_id)


def lyrics_from(root: Path, place: str, track_id: str) -> tuple[str | None, list[LedgerRow]]:
    """The text of a lyric file, and remarks for the ledger."""
    lyrics = read_lyrics(root / place, display(place))
    if lyrics.status == "ok":
        return lyrics.text, []
    return lyrics.text, [LedgerRow(track_id, "lyrics", lyrics.status, lyrics.reason)]


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def display(text: str) -> str:
    """A file name as text, with a replacement character for bytes that aren't UTF-8."""
    return os.fsencode(text).decode("utf-8", "replace")


def _folder_key(folder: str) -> str:
    # "Lyrics" and "lyrics" are one folder to people.
    folder = "" if folder == "." else folder
    return nfc(folder).casefold()
