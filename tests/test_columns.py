"""Which column is what, and which columns are labels."""

import numpy as np
import pandas as pd
import pytest

from songscape.columns import (
    Role,
    display_title,
    find_columns,
    find_roles,
    label_columns,
    role_of,
)
from songscape.errors import UsageError
from songscape.settings import Settings, load_settings


def table() -> pd.DataFrame:
    n = 60
    return pd.DataFrame(
        {
            "title": ["same"] * 30 + ["other"] * 30,
            "language": ["de", "en", "tr"] * 20,
            "artist": [f"artist {i // 6}" for i in range(n)],
            "unique": [f"value {i}" for i in range(n)],
            "year": [str(1900 + i // 2) for i in range(n)],
            "decade": [str(10 * (i // 20)) for i in range(n)],
            "constant": ["x"] * n,
            "rare": ["a", "b"] + [None] * (n - 2),
            "source_url": ["http://a", "http://b"] * 30,
        }
    )


@pytest.mark.parametrize(
    ("names", "role"),
    [
        ("artist Artist ARTIST artists artist_name track_artist Artist-Name(s)", Role.ARTIST),
        ("albumartist album_artist AlbumArtist ALBUM-ARTIST album.artist", Role.ALBUM_ARTIST),
        ("composer Composers", Role.COMPOSER),
        ("lang Language languages language_code primary_language trackLanguage", Role.LANGUAGE),
        ("genre Genres genre_top track_genre_top ＧＥＮＲＥ style", Role.GENRE),
        ("date year original_year originaldate release_date Release-Date", Role.YEAR),
        ("title track_title song-title", Role.TITLE),
        ("source dataset corpus data_source", Role.SOURCE),
        ("licence License", Role.LICENCE),
        ("album album_title Album-Name", Role.ALBUM),
        ("id track_id trackId musicbrainz_albumid mb_trackid MUSICBRAINZ_ALBUMID", Role.ID),
        ("lyrics_path spotify_url Track-URI isrc tracknumber comment split", Role.ID),
    ],
)
def test_the_names_of_other_programs_have_roles(names: str, role: Role) -> None:
    assert {name: role_of(name) for name in names.split()} == dict.fromkeys(names.split(), role)


@pytest.mark.parametrize("name", ["mood", "decade", "valid", "key", "instrument", "grid", "সুর"])
def test_other_columns_have_no_role(name: str) -> None:
    assert role_of(name) is None


def test_spaces_and_case_make_no_other_column() -> None:
    assert role_of(" Album Artist ") is Role.ALBUM_ARTIST


def test_columns_that_group_tracks_are_labels_and_others_are_not() -> None:
    assert label_columns(table()) == ["decade"]


def test_named_columns_are_used_as_they_are() -> None:
    assert label_columns(table(), ["rare", "title"]) == ["rare", "title"]
    assert label_columns(table(), ["Source URL", "artist"]) == ["source_url", "artist"]


def test_an_unknown_column_is_a_usage_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no label column 'genre'; the collection has: title"):
        label_columns(table(), ["genre"])
    with pytest.raises(UsageError, match="no nuisance column 'x'; the collection has: none"):
        find_columns(["x"], [], "nuisance")


@pytest.mark.parametrize("name", ["lang", "Language", "languages", "LANG", "primary_language"])
def test_a_language_is_never_a_label(name: str) -> None:
    frame = table().rename(columns={"language": name})
    assert name not in label_columns(frame)
    assert find_roles(frame.columns).language == name
    assert find_roles(frame.columns).nuisances["language"] == name


@pytest.mark.parametrize("name", ["albumartist", "album_artist", "Album Artist"])
def test_the_album_artist_alone_is_the_artist(name: str) -> None:
    roles = find_roles(["lang", name, "genre"])
    assert roles.artist == name
    assert roles.nuisances == {"language": "lang", "album_artist": name}
    assert roles.genre == "genre"


def test_the_artist_goes_before_composer_and_album_artist() -> None:
    names = ["albumartist", "composer", "artist_sort", "artist"]
    assert find_roles(names).artist == "artist"
    assert find_roles(names[:2]).artist == "composer"
    assert find_roles(names[:1]).artist == "albumartist"
    assert find_roles(["mood"]).artist is None


@pytest.mark.parametrize("seed", range(20))
def test_a_column_is_never_label_and_nuisance_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = ["lang", "language", "artist", "albumartist", "album", "source", "genre", "mood"]
    names += ["composer", "licence", "style", "date", "Performer", "dataset"]
    chosen = rng.permutation(names)[: rng.integers(1, len(names))].tolist()
    frame = pd.DataFrame({n: rng.choice(["a", "b", "c"], 40) for n in chosen}, dtype=object)
    roles = find_roles(chosen)
    labels = label_columns(frame)
    assert set(labels).isdisjoint(roles.nuisances.values())
    assert not any(roles.is_nuisance(name) for name in labels)
    assert set(labels) == set(chosen) & {"genre", "mood", "style", "date"}


def test_settings_name_the_column_of_a_role() -> None:
    names = ["tongue", "genre", "style", "band leader", "artist"]
    roles = find_roles(names, {"language": "tongue", "genre": "Style", "artist": "band_leader"})
    assert (roles.language, roles.genre, roles.artist) == ("tongue", "style", "band leader")
    assert roles.columns(Role.GENRE) == ["style", "genre"]
    frame = pd.DataFrame({n: ["a", "b"] * 10 for n in names}, dtype=object)
    assert label_columns(frame, roles=roles) == ["genre", "style"]
    assert roles.as_dict() == {"artist": "band leader", "genre": "style", "language": "tongue"}


def test_roles_in_a_settings_file_are_checked(tmp_path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('[roles]\ngenre = "style"\n')
    assert load_settings(path).roles == {"genre": "style"}
    with pytest.raises(UsageError, match="no role 'tune'; there are artist, composer"):
        Settings(roles={"tune": "x"})
    with pytest.raises(UsageError, match="'x' is named for two roles"):
        Settings(roles={"genre": "x", "artist": "x"})
    path.write_text("[roles]\ngenre = 3\n")
    with pytest.raises(UsageError, match=r"roles.genre: 3 is not of type str"):
        load_settings(path)
    with pytest.raises(UsageError, match="no genre column 'style'; the collection has: mood"):
        find_roles(["mood"], {"genre": "style"})


@pytest.mark.parametrize(
    ("track_id", "title", "artist", "shown"),
    [
        ("Ann/LP/01 One", "One\nmore", " Ann ", "Ann – One more"),
        ("Ann/LP/01 One", "One", None, "One"),
        ("Ann/LP/01 One", None, "Ann", "One"),
        ("Ann/LP/01 One", float("nan"), "Ann", "One"),
        ("Ann/LP/1-02 - Two", "", "Ann", "Two"),
        ("a/12_Twelve", None, None, "Twelve"),
        ("a/new\\nline", None, None, "new\\nline"),  # a name may hold a backslash
        ("99 Luftballons", None, None, "99 Luftballons"),
        ("album/01", None, None, "album/01"),
        ("album/7.", None, None, "album/7."),
        ("041", None, None, "041"),
    ],
)
def test_a_track_is_called_by_its_title_else_by_its_file(track_id, title, artist, shown):
    assert display_title(track_id, title, artist) == shown
