"""Playlists: songs in an order to listen to, written as M3U8, XSPF or JSPF.

M3U8 is as Navidrome, VLC and beets have it, XSPF is https://xspf.org/spec, JSPF
https://xspf.org/jspf.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from songscape.errors import SongscapeError, UsageError
from songscape.neighbours.songs import Song
from songscape.results import write_bytes

MADE_BY = "Songscape"
_XSPF = "http://xspf.org/ns/0/"
_MUSICBRAINZ = "https://musicbrainz.org/recording/"
_MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PORTS = {f"{port}{i}" for port in ("com", "lpt") for i in range(10)}
_RESERVED = frozenset({"con", "prn", "aux", "nul", *_PORTS})
# Control characters, other ends of lines, halves of characters (bytes that are not UTF-8), and what
# else XML can't hold.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
# What VLC, which reads lines as addresses, would take for a part of one.
_OF_ADDRESS = re.compile(r"[#?]|%[0-9A-Fa-f]{2}|^[A-Za-z][A-Za-z0-9+.-]*:")
LONGEST_NAME = 120


@dataclass(frozen=True)
class Places:
    """How the files of songs are written.

    Paths start from the folder `relative_to`; by default those of M3U8 from the playlist's, where
    both lie in the collection's folder (`root`), and others are absolute. `prefix` is written
    before every path, with `forward_slash` "/" also on Windows.
    """

    relative_to: Path | None = None
    prefix: str = ""
    forward_slash: bool = False
    root: Path | None = None

    def folder(self, playlist: Path) -> Path | None:
        """The folder that paths start from; None for absolute ones.

        Some players read relative addresses of XSPF as paths, so there they are absolute.
        """
        if self.relative_to is not None:
            return self.relative_to.resolve()
        if playlist.suffix.casefold() not in (".m3u8", ".m3u"):
            return None
        beside = playlist.resolve().parent
        inside = self.root is not None and beside.is_relative_to(self.root.resolve())
        return beside if inside else None


@dataclass(frozen=True)
class Playlist:
    """Songs in an order.

    `group` is the id of the group that it is of, or ""; a file of it is known by that again.
    """

    name: str
    songs: tuple[Song, ...]
    group: str = ""

    @property
    def ids(self) -> list[str]:
        """Track ids in order."""
        return [song.id for song in self.songs]

    def __len__(self) -> int:
        return len(self.songs)

    def __iter__(self) -> Iterator[Song]:
        return iter(self.songs)

    def text(self, suffix: str, file: Path | None = None, places: Places | None = None) -> str:
        """The playlist as a file of this suffix has it; with `file`, at that place.

        UsageError where `FORMATS` has no such suffix.
        """
        write = FORMATS.get(suffix.casefold())
        if write is None:
            raise UsageError(f"{suffix or 'no suffix'}: not a playlist; use {', '.join(FORMATS)}")
        places = places or Places()
        start = places.folder(file) if file is not None else places.relative_to
        return write(self, lambda song: _place(song, start, places))

    def save(self, file: str | os.PathLike[str], places: Places | None = None) -> Path:
        """Write the playlist; the file's suffix says the format. Songs without a file are left out
        of M3U8 where others have one; where no file is known, ids stand for paths.

        UsageError where the suffix is none of a playlist, SongscapeError where it has no songs, or
        can't be written.
        """
        path = Path(file)
        text = self.text(path.suffix, path, places)
        if not self.songs:
            raise SongscapeError(f"{self.name}: no songs; nothing was written")
        try:
            write_bytes(path, text.encode("utf-8", "replace"))
        except OSError as error:
            raise SongscapeError(
                f"{path}: can't be written ({error.strerror}); choose another place"
            ) from None
        return path


def file_name(name: str) -> str:
    """A playlist's name as a file's, on any system, without a suffix."""
    plain = "".join("_" if c in '<>:"/\\|?*' else c for c in plain_line(name))
    plain = plain.strip(" .") or "playlist"
    while len(plain.encode("utf-8", "replace")) > LONGEST_NAME:
        plain = plain[:-1].rstrip(" .")
    return f"{plain}_" if plain.casefold() in _RESERVED else plain


def place_for(playlist: Playlist, folder: Path, suffix: str) -> Path:
    """The file of a playlist in a folder; UsageError where somebody else's is called so."""
    file = folder / f"{file_name(playlist.name)}{suffix}"
    if file.exists() and not _is_ours(file):
        raise UsageError(
            f"{file}: exists, and was not written by Songscape; name another file with --out"
        )
    return file


def earlier_file(playlist: Playlist, file: Path) -> Path | None:
    """The M3U8 file beside `file` that has a group's songs under the name that it had before."""
    mark = f"#{MADE_BY.upper()}:{playlist.group}\n"
    wanted = playlist.group and file.suffix == ".m3u8"
    for other in sorted(file.parent.glob("*.m3u8")) if wanted else ():
        with suppress(OSError, ValueError):
            if other.name != file.name and mark in other.read_text("utf-8"):
                return other
    return None


def _is_ours(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return MADE_BY.lower().encode() in opened.read(1_000).lower()
    except OSError:
        return False


def plain_line(text: str) -> str:
    """Without line breaks and control characters, as a playlist needs it."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def _place(song: Song, start: Path | None, places: Places) -> str:
    """The song's file as a path; as a URI where a line can't hold the path, or would be misread.

    Where the paths' start is asked for they are left as they are, for other machines.
    """
    if song.file is None:
        return song.id
    path = whole = Path(os.path.abspath(song.file))
    if start is not None:
        with suppress(ValueError):  # another drive
            path = Path(os.path.relpath(whole, start))
    text = str(path)
    if places.forward_slash:
        text = text.replace(os.sep, "/")
    asked = places.prefix or places.relative_to is not None
    misread = not asked and not path.drive and _OF_ADDRESS.search(text)
    if misread or _UNSEEN.search(text) or text != text.strip():
        return whole.as_uri().replace("+", "%2B")
    return f"{places.prefix or ('./' if text.startswith('#') else '')}{text}"


def _m3u8(playlist: Playlist, place: Callable[[Song], str]) -> str:
    title, group = f"#PLAYLIST:{plain_line(playlist.name)}", f"#{MADE_BY.upper()}:{playlist.group}"
    lines = ["#EXTM3U", title, group]
    for song in [song for song in playlist.songs if song.file is not None] or playlist.songs:
        seconds = -1 if song.seconds is None else round(song.seconds)
        lines.append(f"#EXTINF:{seconds},{plain_line(song.name.replace(' – ', ' - ', 1))}")
        for name, time in zip(("start", "stop"), song.span or ()):
            lines += [] if time is None else [f"#EXTVLCOPT:{name}-time={time:.3f}"]
        lines.append(place(song))
    return "\n".join([*lines, ""])


def _xspf(playlist: Playlist, place: Callable[[Song], str]) -> str:
    ElementTree.register_namespace("", _XSPF)
    top = ElementTree.Element(f"{{{_XSPF}}}playlist", version="1")

    def add(parent: ElementTree.Element, name: str, text: str = "") -> ElementTree.Element:
        element = ElementTree.SubElement(parent, f"{{{_XSPF}}}{name}")
        element.text = text
        return element

    add(top, "title", plain_line(playlist.name))
    add(top, "creator", MADE_BY)
    tracks = add(top, "trackList")
    for song in playlist.songs:
        track = add(tracks, "track")
        for name, value in _fields(song, place):
            add(track, name, str(value))
    ElementTree.indent(top)
    text = ElementTree.tostring(top, "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _jspf(playlist: Playlist, place: Callable[[Song], str]) -> str:
    several = ("location", "identifier")
    tracks = [
        {name: [value] if name in several else value for name, value in _fields(song, place)}
        for song in playlist.songs
    ]
    head = {"title": plain_line(playlist.name), "creator": MADE_BY}
    return json.dumps({"playlist": head | {"track": tracks}}, ensure_ascii=False, indent=2) + "\n"


def _fields(song: Song, place: Callable[[Song], str]) -> Iterator[tuple[str, str | int]]:
    """What XSPF and JSPF say of a song, in the order of the specification."""
    if song.file is not None:
        yield "location", _as_reference(song, place(song))
    if _MBID.fullmatch(song.recording):
        yield "identifier", _MUSICBRAINZ + song.recording.lower()
    texts = (("title", song.title), ("creator", song.artist), ("album", song.album))
    for name, text in texts:
        if line := plain_line(text):
            yield name, line
    if song.seconds is not None:
        yield "duration", round(1000 * song.seconds)


def _as_reference(song: Song, place: str) -> str:
    """A path as a URI: absolute ones with their scheme, relative ones as a reference."""
    assert song.file is not None
    if "://" in place:
        return place
    if Path(place).is_absolute():
        return Path(place).as_uri()
    # A colon in the first part of a reference would be read as a scheme.
    return quote(os.fsencode(place.replace(os.sep, "/")), safe="/!$&'()*,;=@~")


FORMATS = {".m3u8": _m3u8, ".m3u": _m3u8, ".xspf": _xspf, ".jspf": _jspf}
"""Suffix of a file -> how a playlist is written."""
