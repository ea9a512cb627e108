"""Which column of a collection's table is what.

Case, spaces, underscores and hyphens of a column's name make no difference, and the usual names of
Picard, beets, mirdata, FMA and Exportify are known. Settings can name the column of a role.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from songscape.data_tables import read_table
from songscape.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


class Role(StrEnum):
    """What a column is; a column without a role may be a label."""

    ARTIST = "artist"
    COMPOSER = "composer"
    PERFORMER = "performer"
    ALBUM_ARTIST = "album_artist"
    PERSON = "person"
    ALBUM = "album"
    LANGUAGE = "language"
    SOURCE = "source"
    LICENCE = "licence"
    GENRE = "genre"
    YEAR = "year"
    TITLE = "title"
    ID = "id"


_NAMES = {role: read_table("data", "columns")[role] for role in Role}
"""Role -> names in their bare form (letters and digits only), the first that is there counts."""
_ID_PREFIXES = ("musicbrainz", "mb_", "acoustid", "discogs", "replaygain", "rg_", "r128")
_ID_SUFFIX = re.compile(r"([\W_](?i:ids?|url|uris?|ref|path|hash|mbid)|[a-z](Id|URL|URI))$")
_TRACK_NUMBER = re.compile(r"^\s*(?:(?:\d-)?\d{1,3}\s*[-._)]|0\d{1,2}\s)[\s\-_.]*(?=\w)")
_ROLE_OF = {name: role for role, names in _NAMES.items() for name in names.split()}

ARTIST_RULE = (Role.ARTIST, Role.COMPOSER, Role.PERFORMER, Role.ALBUM_ARTIST)
"""Roles of the people a track is by: the first that a table has counts as its artist."""
_NUISANCES = (Role.LANGUAGE, Role.ARTIST, Role.ALBUM, Role.SOURCE, Role.LICENCE)
_NO_LABELS = frozenset({*ARTIST_RULE, *_NUISANCES, Role.TITLE, Role.ID})
ABOUT_PEOPLE = frozenset({*ARTIST_RULE, Role.PERSON, Role.ALBUM})
"""Roles whose values are people, or small groups of tracks by the same people."""
MIN_LABELLED_SHARE = 0.5
_MANY_NUMBERS = 20


def bare(name: str) -> str:
    """Letters and digits only, in lower case: names with the same ones are one column."""
    if name.isascii():
        return "".join(filter(str.isalnum, name.lower()))
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in plain if c.isalnum() or unicodedata.category(c)[0] == "M")


def role_of(name: str) -> Role | None:
    """What a column of this name is, None for one that is nothing in particular (a label)."""
    role = _ROLE_OF.get(bare(name))
    if role is None:
        written = unicodedata.normalize("NFKC", name).strip()
        if written.casefold().startswith(_ID_PREFIXES) or _ID_SUFFIX.search(written):
            return Role.ID
    return role


def display_title(track_id: str, title: str | None = None, artist: str | None = None) -> str:
    """What a track is called on pages, in messages and in playlists: "Artist – Title".

    Without a title it is the last part of the id (a file name) without a track number before it.
    """
    names = [" ".join(text.split()) for text in (artist, title) if isinstance(text, str)]
    if isinstance(title, str) and title.strip():
        return " – ".join(filter(None, names))
    name = track_id.rstrip("/").rpartition("/")[2]
    name = " ".join(_TRACK_NUMBER.sub("", name).split())
    return name if any(map(str.isalpha, name)) else track_id


@dataclass(frozen=True)
class ColumnRoles:
    """The roles of a table's columns, in its order, and columns `named` by the settings."""

    by_column: Mapping[str, Role | None]
    named: Mapping[Role, str] = field(default_factory=dict)

    def columns(self, role: Role) -> list[str]:
        """All columns of a role, the one that counts first."""
        rank = {name: place for place, name in enumerate(_NAMES[role].split())}
        return sorted(
            (name for name, its in self.by_column.items() if its is role),
            key=lambda name: (name != self.named.get(role), rank.get(bare(name), len(rank))),
        )

    def column(self, role: Role) -> str | None:
        """The column of a role, None where the table has none."""
        return next(iter(self.columns(role)), None)

    @property
    def artist(self) -> str | None:
        """Whose tracks are kept together: the artist, else composer, performer, album artist."""
        if Role.ARTIST in self.named:
            return self.named[Role.ARTIST]
        return next((name for role in ARTIST_RULE for name in self.columns(role)), None)

    @property
    def language(self) -> str | None:
        return self.column(Role.LANGUAGE)

    @property
    def genre(self) -> str | None:
        return self.column(Role.GENRE)

    @property
    def nuisances(self) -> dict[str, str]:
        """What should not decide a cluster -> its column, each under the name of its role.

        Language, the artist (or who stands for it: "composer"), album, source and licence.
        """
        found = [self.artist if role is Role.ARTIST else self.column(role) for role in _NUISANCES]
        return {str(self.by_column[name]): name for name in found if name is not None}

    def is_nuisance(self, column: str) -> bool:
        """Whether a column says what should not decide a cluster, under whatever name."""
        return self.by_column.get(column) in {*_NUISANCES, *ARTIST_RULE}

    def as_dict(self) -> dict[str, str]:
        """Role -> the column that counts, for JSON; "artist" by the rule above."""
        found = {role.value: self.column(role) for role in Role} | {"artist": self.artist}
        return {role: column for role, column in found.items() if column is not None}


def find_roles(names: Iterable[str], named: Mapping[str, str] | None = None) -> ColumnRoles:
    """The roles of columns with these names; `named` (role -> column) goes before the name."""
    by_column = {str(name): role_of(str(name)) for name in names}
    chosen: dict[Role, str] = {}
    for role, column in (named or {}).items():
        if role not in set(Role):
            raise UsageError(f"roles: no role {role!r}; there are {', '.join(Role)}")
        (found,) = find_columns([column], by_column, role)
        if found in chosen.values():
            raise UsageError(f"roles: {found!r} is named for two roles; a column has one")
        chosen[Role(role)] = found
        by_column[found] = Role(role)
    return ColumnRoles(by_column, chosen)


def find_columns(wanted: Iterable[str], there: Iterable[str], what: str = "label") -> list[str]:
    """The columns that are meant, as the table spells them; one that is not there is refused."""
    known = [str(name) for name in there]
    found = []
    for name in wanted:
        alike = [name] if name in known else [k for k in known if bare(k) == bare(name)]
        if len(alike) != 1:
            raise UsageError(
                f"no {what} column {name!r}; the collection has: {', '.join(known) or 'none'}"
            )
        found.append(alike[0])
    return found


def label_columns(
    columns: pd.DataFrame,
    wanted: Sequence[str] = (),
    *,
    nuisances: Sequence[str] = (),
    roles: ColumnRoles | None = None,
) -> list[str]:
    """The columns to compare clusters with.

    Those that are `wanted`, else those that group tracks: at least two values, at least half of the
    tracks labelled, fewer than half as many values as labelled tracks, not a number or date with
    more than 20 values, no nuisance, and by their role no people, album, language, source, licence,
    title or bookkeeping. Missing values are None.
    """
    if wanted:
        return find_columns(wanted, columns.columns)
    roles = roles or find_roles(columns.columns)
    return [
        name
        for name in map(str, columns.columns)
        if name not in nuisances and _groups_tracks(columns[name], roles.by_column.get(name))
    ]


def _groups_tracks(column: pd.Series, role: Role | None) -> bool:
    import pandas as pd

    values = column.dropna()
    distinct = values.nunique()
    if role in _NO_LABELS or distinct < 2 or len(values) < MIN_LABELLED_SHARE * len(column):
        return False
    if distinct > _MANY_NUMBERS and (
        role is Role.YEAR or pd.to_numeric(values, errors="coerce").notna().mean() > 0.9
    ):
        return False
    return bool(distinct < len(values) / 2)
