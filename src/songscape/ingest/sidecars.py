"""Which lyric file belongs to which audio file: by place and name, spelled alike or nearly so."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from os.path import splitext
from pathlib import PurePosixPath

import regex

from songscape.ingest.file_kinds import is_audio_name, without_suffix
from songscape.ingest.files import nfc
from songscape.language_codes import language_name

_MARKS = regex.compile("[\u0300-\u036f]")
_APOSTROPHES = regex.compile("['’‘ʼ´`＇]")
_OTHER = regex.compile(r"[^\p{L}\p{M}\p{N}]+")
_LABEL = regex.compile(
    r"(?i)[\s._-]*[(\[]?(?:lyrics?|songtext|paroles|letra|testo|synced|unsynced|plain|karaoke)[)\]]?$"
)
_LANGUAGE_TAG = regex.compile(
    r"(?:[._-]|\s*(?=[(\[]))[(\[]?(\p{L}{2,12}(?:[-_]\p{L}{2,4})?)[)\]]?$"
)


@dataclass
class Matches:
    """The outcome: audio files with their lyric files, both root-relative.

    `nearly` are those whose lyric file has not quite their name, `unclear` those that several fit
    equally well, `unclaimed` lyric files that fit no audio file.
    """

    files: dict[str, str] = field(default_factory=dict)
    nearly: set[str] = field(default_factory=set)
    unclear: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unclaimed: list[str] = field(default_factory=list)


def match_sidecars(audio: Iterable[str], lyrics: Sequence[str]) -> Matches:
    """Find the lyric file of every audio file.

    It may lie beside the audio, or in the `lyrics` folder of any folder above it, under the same
    subfolders, with and without the first one (`audio/de/x.mp3`, `lyrics/de/x.txt`). First
    the audio file's own name counts. Lyric files that match no track by it are then matched by a
    name that differs in case, accents, apostrophes and other marks, that has the audio file's
    suffix too, or a language, or "lyrics" (`x.en.lrc`, `x.mp3.txt`, `x (lyrics).txt`). Of several
    files with the same name, the first in `lyrics` is used.
    """
    result = Matches()
    exact: dict[tuple[str, str], list[str]] = defaultdict(list)
    for place in lyrics:
        exact[_key_of(place)].append(place)
    waiting = []
    for place in audio:
        found = _found(exact, place, nfc(_split(without_suffix(place))[1]))
        if found:
            result.files[place] = found[0]
        else:
            waiting.append(place)
    # An lrc beside a txt of the same name is claimed with it.
    claimed = {each for kept in result.files.values() for each in exact[_key_of(kept)]}
    near: dict[tuple[str, str], list[str]] = defaultdict(list)
    for place in lyrics:
        if place not in claimed:
            parts, name = _split(place)
            for reading in _readings(splitext(name)[0]):
                near[_folder_key(parts), reading].append(place)
    for place in waiting:
        stem = _folded(_split(without_suffix(place))[1])
        found = _found(near, place, stem) if stem else []
        if len({PurePosixPath(each).stem for each in found}) == 1:
            result.files[place] = found[0]
            result.nearly.add(place)
        elif found:
            result.unclear[place] = tuple(found)
        claimed.update(found)
    result.unclaimed = [place for place in lyrics if place not in claimed]
    return result


def _found(lyrics: Mapping[tuple[str, str], list[str]], place: str, name: str) -> list[str]:
    """The lyric files of a name in the first folder that has any for this audio file."""
    keys = ((folder, name) for folder in _folders(_split(place)[0]))
    return next((lyrics[key] for key in keys if key in lyrics), [])


@lru_cache(maxsize=4_096)
def _folders(parts: tuple[str, ...]) -> list[str]:
    """Where the lyrics of a folder's audio may lie."""
    folders = [parts]
    for depth in range(len(parts), -1, -1):
        below = parts[depth:]
        folders.append((*parts[:depth], "lyrics", *below))
        folders.append((*parts[:depth], "lyrics", *below[1:]))
    return list(map(_folder_key, folders))


def _key_of(place: str) -> tuple[str, str]:
    parts, name = _split(place)
    return _folder_key(parts), nfc(splitext(name)[0])


def _split(place: str) -> tuple[tuple[str, ...], str]:
    """The folders of a place, and its name."""
    if "//" in place or "./" in place:
        place = PurePosixPath(place).as_posix()
    folder, _, name = place.rpartition("/")
    return (tuple(folder.split("/")) if folder else ()), name


@lru_cache(maxsize=4_096)
def _folder_key(parts: tuple[str, ...]) -> str:
    # "Lyrics" and "lyrics" are one folder to people.
    return nfc("/".join(parts)).casefold()


def _readings(stem: str) -> set[str]:
    """What a lyric file's name may be besides its song's: without a suffix, label or language."""
    readings, waiting = set(), [stem]
    while waiting:
        name = waiting.pop()
        readings.add(_folded(name))
        shorter = [without_suffix(name)] if is_audio_name(name) else []
        shorter.append(_LABEL.sub("", name))
        tag = _LANGUAGE_TAG.search(name)
        if tag and _is_language(tag[1]):
            shorter.append(name[: tag.start()])
        waiting += [each for each in shorter if each and each != name]
    return readings - {""}


def language_in_name(place: str) -> str | None:
    """The language that the name of a lyric file ends with ("x.de.lrc"), by its English name."""
    tag = _LANGUAGE_TAG.search(_LABEL.sub("", PurePosixPath(place).stem))
    return language_name(tag[1].casefold()) if tag and _is_language(tag[1]) else None


def _is_language(tag: str) -> bool:
    return language_name(tag.casefold()) not in (None, tag.casefold())


def _folded(name: str) -> str:
    """A name without what people and programs write differently."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", name)).casefold()
    plain = _APOSTROPHES.sub("", plain)
    return " ".join(_OTHER.sub(" ", plain).split())
