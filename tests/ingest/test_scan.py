"""Folders and tables -> tracks."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from songscape.errors import SongscapeError, UsageError
from songscape.ingest import read_collection
from songscape.ingest.reading import read_batch
from songscape.library import FileStamp, LedgerRow, Library, Lyrics

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs devices and names of any bytes")


def read(tmp_path: Path, **options):
    return read_collection(tmp_path / "c", read=read_batch, **options)


def ids(collection) -> list[str]:
    return [track.id for track in collection.tracks]


def lyrics(collection) -> dict[str, str | None]:
    return {track.id: track.lyrics for track in collection.tracks}


def problems(collection) -> dict[str, tuple[str, str]]:
    return {row.track_id: (row.status, row.reason) for row in collection.problems}


def test_folders_are_searched_and_ids_are_paths(tmp_path, put):
    names = [
        *("b.mp3", "a/x.FLAC", "a/b/deep.ogg", "My Song (live).v2.wav"),
        *("🎵 emoji.mp3", "x.feat. y.m4a"),
    ]
    for name in names:
        put(name)
    put("cover.jpg")
    put("readme.txt", "hello")
    put(".DS_Store")
    collection = read(tmp_path)
    assert ids(collection) == sorted(name.rsplit(".", 1)[0] for name in names)
    assert collection.problems == ()
    assert all(track.audio.is_file() for track in collection.tracks)


@pytest.mark.parametrize(
    ("audio", "sidecar"),
    [
        ("x.mp3", "x.txt"),
        ("x.mp3", "x.lrc"),
        ("x.mp3", "x.LRC"),
        ("x.mp3", "lyrics/x.txt"),
        ("a/b/x.mp3", "a/b/lyrics/x.txt"),
        ("audio/x.mp3", "lyrics/x.txt"),
        ("audio/x.mp3", "Lyrics/x.lrc"),
        ("audio/de/x.mp3", "lyrics/de/x.txt"),
        ("de/x.mp3", "lyrics/de/x.txt"),
        ("a.b c.mp3", "a.b c.txt"),
        (
            unicodedata.normalize("NFD", "é.mp3"),
            unicodedata.normalize("NFC", "é.txt"),
        ),
    ],
)
def test_sidecars_are_found(tmp_path, put, audio, sidecar):
    put(audio)
    put(sidecar, "la la la")
    put("other.txt", "something else")
    assert list(lyrics(read(tmp_path)).values()) == ["la la la"]


def test_the_nearest_lyrics_count_and_of_these_the_first_format(tmp_path, put):
    put("a/x.mp3")
    put("a/x.txt", "near")
    put("lyrics/a/x.ttml", "<tt><body><p>far</p></body></tt>")
    assert lyrics(read(tmp_path)) == {"a/x": "near"}
    words = {
        ".srt": "1\n00:01,000 --> 00:02,000\nsrt",
        ".lrc": "[00:01.00]lrc",
        ".elrc": "[00:01.00]<00:01.00>elrc",
        ".yml": "version: '1.0'\nmetadata: {title: x}\nlines: [{text: yml, start_ms: 1}]",
        ".ttml": "<tt><body><div><p>ttml</p></div></body></tt>",
    }
    for suffix, content in words.items():
        put(f"a/x{suffix}", content)
        assert lyrics(read(tmp_path)) == {"a/x": suffix[1:]}
    order = (".txt", ".lrc")
    assert lyrics(read(tmp_path, lyrics_order=order)) == {"a/x": "near"}
    with pytest.raises(UsageError, match=r"lyrics_order: 'txt' is not known; there are \.ttml"):
        read(tmp_path, lyrics_order=["txt"])


def test_ids_are_nfc_whatever_the_file_system_says(tmp_path, put):
    put(unicodedata.normalize("NFD", "Séculaire.mp3"))
    assert ids(read(tmp_path)) == [unicodedata.normalize("NFC", "Séculaire")]


def test_one_stem_in_two_formats_keeps_both(tmp_path, put):
    put("x.mp3")
    put("x.flac")
    put("y.mp3")
    assert ids(read(tmp_path)) == ["x.flac", "x.mp3", "y"]


@pytest.mark.skipif(sys.platform == "darwin", reason="the file system folds them")
def test_two_spellings_of_one_name_keep_both(tmp_path, put):
    put(unicodedata.normalize("NFD", "é.mp3"))
    put(unicodedata.normalize("NFC", "é.mp3"))
    assert len(set(ids(read(tmp_path)))) == 2


def test_links_in_a_circle_end(tmp_path, put):
    put("a/x.mp3")
    os.symlink(tmp_path / "c", tmp_path / "c" / "a" / "again", target_is_directory=True)
    os.symlink(tmp_path / "c" / "a", tmp_path / "c" / "same", target_is_directory=True)
    assert ids(read(tmp_path)) == ["a/x"]


def test_a_link_to_nowhere_is_a_failed_track(tmp_path, put):
    put("x.mp3")
    os.symlink(tmp_path / "gone.mp3", tmp_path / "c" / "y.mp3")
    collection = read(tmp_path)
    assert ids(collection) == ["x"]
    assert problems(collection)["y"][0] == "failed"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system of bytes")
def test_names_that_are_not_utf_8(tmp_path, put):
    put("x.mp3")
    with open(os.fsencode(tmp_path / "c") + b"/b\xe9la.mp3", "wb"):
        pass
    assert ids(read(tmp_path)) == ["b\ufffdla", "x"]


def test_no_audio_is_an_error(tmp_path, put):
    put("a.txt", "words")
    with pytest.raises(SongscapeError, match="no audio files found"):
        read(tmp_path)


def test_wrong_paths_are_usage_errors(tmp_path, put):
    with pytest.raises(UsageError, match="no such folder"):
        read_collection(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="not a folder and not a csv"):
        read_collection(put("x.mp3"))


# -- names ---------------------------------------------------------------------------------------

MP3 = b"".join(bytes([0xFF, 0xFB, 0x90, 0]) + bytes(413) for _ in range(9))  # 128 kbit/s, 44.1 kHz
ADTS = b"".join(bytes([0xFF, 0xF1, 0x50, 0x80, 0x2E, 0x7F, 0xFC]) + bytes(364) for _ in range(9))


@pytest.mark.parametrize(
    "name",
    [
        *("...Ellipsis/1.ogg", "a/...Once More.ogg", ".38 Special/1.mp3", ".5 The Chapter/x.mp3"),
        *("..b/1.mp3", ". x/1.mp3", "a/.44.mp3", "a/..mp3.mp3", ".../1.mp3", ".(x)/1.mp3"),
    ],
)
def test_a_name_that_begins_with_dots_may_be_music(tmp_path, put, name):
    put(name)
    put("x.mp3")
    assert ids(read(tmp_path)) == sorted([name.removesuffix(".mp3").removesuffix(".ogg"), "x"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".hidden/z.mp3", "hidden (a name that begins with a dot); rename it to have it read"),
        (".hidden/deep/z.mp3", "hidden (a name that begins with a dot); rename it to have it read"),
        ("a/.z.mp3", "hidden (a name that begins with a dot); rename it to have it read"),
        (".z.mp3.icloud", "only in the cloud; download it"),
        ("z.mp3.part", "an unfinished download; finish it"),
        ("z.flac.crdownload", "an unfinished download; finish it"),
        ("z.wav.gz", "packed; unpack it"),
        ("z.mp3.lnk", "a link of a file manager; put the file itself here"),
        ("z.mid", "notes without sound; render them as audio"),
        ("z.kar", "notes without sound; render them as audio"),
        ("z.mkv", "a video; extract its sound to take it"),
        ("z.AVI", "a video; extract its sound to take it"),
        ("z.ncm", "encrypted by the program that stored it; export it as plain audio"),
        ("z.cda", "a pointer to a track of a compact disc; rip the disc"),
        ("z.pcm", "samples without a header; save them as WAV"),
    ],
)
def test_what_looks_like_audio_and_is_not_taken_is_named(tmp_path, put, name, reason):
    put("x.mp3")
    put(name)
    collection = read(tmp_path)
    assert ids(collection) == ["x"]
    assert problems(collection) == {name: ("skipped", f"{name}: {reason}")}


@pytest.mark.parametrize(
    "folder",
    [
        *("@Recycle", "#recycle", "$RECYCLE.BIN/S-1-5-21", "$Recycle.Bin", "lost+found"),
        *(
            ".Trash-1000/files",
            ".Trashes/501",
            ".Trash",
            "@eaDir",
            "RECYCLER/S-1-5-21-7",
            "__MACOSX",
        ),
        *(
            "System Volume Information",
            ".stversions",
            "a/b/#snapshot/2020",
            ".cache/x",
            "FOUND.000",
        ),
    ],
)
def test_bins_and_folders_of_systems_are_left_out_and_said_once(tmp_path, put, folder):
    put("x.mp3")
    put(f"{folder}/1.mp3")
    put(f"{folder}/deeper/2.flac")
    put(f"{folder}/cover.jpg")
    put("._x.mp3", b"\0\5\x16\7")
    collection = read(tmp_path)
    assert ids(collection) == ["x"]
    ((status, reason),) = problems(collection).values()
    assert status == "warning"
    assert "; audio files left out: 3" in reason
    assert folder.rsplit("/", 1)[0].split("/")[-1].split("/")[0] in reason or "/" in folder


def test_what_ndignore_and_notmusic_name_is_left_out_and_said(tmp_path, put):
    for name in (
        "a.mp3",
        "pod/a.mp3",
        "pod/b/c.mp3",
        "x/demo 1.mp3",
        "x/y/demo 2.mp3",
        "x/y/z.mp3",
    ):
        put(name)
    put("x/y/keep/demo 3.mp3")
    put("books/one.mp3")
    put("pod/.ndignore", "\n# nothing\n")
    put("books/.notmusic", "whatever it says")
    put("x/.ndignore", "demo *\n!**/keep/*\n/gone/\n[")
    put("x/gone/g.mp3")
    put("x/y/gone/g.mp3")
    collection = read(tmp_path)
    assert ids(collection) == ["a", "x/y/gone/g", "x/y/keep/demo 3", "x/y/z"]
    left = "books/one.mp3, pod/a.mp3, pod/b/, x/demo 1.mp3, x/gone/, x/y/demo 2.mp3"
    reason = f"{left}: by .ndignore or .notmusic; audio files left out: 6"
    assert problems(collection) == {"ignored": ("warning", reason)}


@pytest.mark.parametrize("folder", ["Recycled", "RECYCLER", "Trash", "Lost and Found", "Cache"])
def test_albums_of_such_names_are_albums(tmp_path, put, folder):
    put(f"{folder}/1.mp3")
    collection = read(tmp_path)
    assert ids(collection) == [f"{folder}/1"]
    assert collection.problems == ()


@pytest.mark.parametrize(
    ("name", "head"),
    [
        *(
            (name, b"\0")
            for name in ("x.mp2", "x.M4P", "x.dsf", "x.spx", "x.mpga", "x.amr", "x.ac3")
        ),
        *(
            (name, MP3)
            for name in ("lost", "x.mp3~", "x.bak", "x.mkv", "x.mid", "x.mp3 ", "05. Song")
        ),
        *((f"f{i}", head) for i, head in enumerate([ADTS, b"OggS\0", b"fLaC\0", b"ID3\3\0\0"])),
        ("a.tmp", b"RIFF\0\0\0\0WAVEfmt "),
        ("b.data", b"\0\0\0\x20ftypM4A \0"),
        ("c", b"FORM\0\0\0\0AIFF"),
        ("d", b"wvpk\0\0"),
        ("e", b"0&\xb2u\x8ef\xcf\x11\0"),
    ],
)
def test_audio_is_known_by_its_name_or_its_content(tmp_path, put, name, head):
    put("z.mp3")
    put(name, head)
    suffix = os.path.splitext(name)[1]
    known = suffix.lower() in (".mp2", ".m4p", ".dsf", ".spx", ".mpga", ".amr", ".ac3")
    assert ids(read(tmp_path)) == [name.removesuffix(suffix) if known else name, "z"]


@pytest.mark.parametrize(
    ("name", "head"),
    [
        *(("x", b"ID3 tags are nice"), ("MAC", b"MAC the knife"), ("x.bin", b"\xff\xfb\x90\0abc")),
        *(("x.avi2", b"RIFF\0\0\0\0AVI "), ("x.heif", b"\0\0\0\x18ftypheic"), ("x.dat", b"")),
    ],
)
def test_what_is_no_audio_is_nothing(tmp_path, put, name, head):
    put("z.mp3")
    put(name, head)
    collection = read(tmp_path)
    assert ids(collection) == ["z"]
    assert collection.problems == ()


def test_a_file_of_another_suffix_beside_it_leaves_a_track_its_id(tmp_path, put):
    put("x.mp3")
    put("x.mp2")
    put("y.mp2")
    put("y")
    assert ids(read(tmp_path)) == ["x", "x.mp2", "y"]
    put("y", MP3)
    assert ids(read(tmp_path)) == ["x", "x.mp2", "y", "y.mp2"]


@LINUX
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "not a file (a named pipe); remove it"),
        (lambda path: path.symlink_to("/dev/zero"), "not a file (a device); remove it"),
        (lambda path: path.symlink_to("/dev/tty"), "not a file (a device); remove it"),
        (
            lambda path: path.symlink_to(path.name),
            "a link that leads back to itself; correct or remove it",
        ),
        (
            lambda path: path.symlink_to("gone"),
            "a link to a file that does not exist; correct or remove it",
        ),
    ],
)
def test_what_is_no_file_is_refused_at_the_scan(tmp_path, put, make, reason):
    put("x.mp3")
    make(tmp_path / "c" / "y.mp3")
    make(tmp_path / "c" / "z")
    collection = read(tmp_path)
    assert ids(collection) == ["x"]
    assert problems(collection) == {"y": ("failed", f"y.mp3: {reason}")}


@LINUX
@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a\r\nb", "a\x1b[31mb", "a\u2028b", "a\x85b"])
def test_whatever_a_name_holds_the_ledger_has_lines(tmp_path, put, name):
    put("x.mp3")
    put(f"{name}.mp3")
    put(f"{name}.mid")
    put(f"{name} words.lrc")
    collection = read(tmp_path)
    for row in (*collection.problems, *(LedgerRow(i, "", "") for i in ids(collection))):
        assert (row.track_id + row.reason).isprintable()
    assert len(collection.tracks) == 2
    assert next(t for t in collection.tracks if t.id != "x").audio.is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system of bytes")
def test_folders_and_sidecars_may_have_names_that_are_not_utf_8(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.makedirs(folder + b"/\xe9t\xe9")
    for name in (b"/\xe9t\xe9/a\xe8.mp3", b"/\xe9t\xe9/a\xe9.mp3", b"/b.mp3"):
        with open(folder + name, "wb"):
            pass
    with open(folder + b"/\xe9t\xe9/a\xe8.txt", "wb") as stream:
        stream.write(b"la la")
    collection = read_collection(Path(os.fsdecode(folder)))
    odd = "\ufffdt\ufffd/a\ufffd.mp3"
    assert ids(collection) == ["b", odd, f"{odd} (2)"]
    assert [track.lyrics for track in collection.tracks] == [None, "la la", None]


def test_a_link_to_a_folder_above_brings_nothing_in(tmp_path, put):
    put("a/x.mp3")
    (tmp_path / "other.mp3").write_bytes(b"\0")
    os.symlink(tmp_path, tmp_path / "c" / "a" / "up", target_is_directory=True)
    os.symlink("/", tmp_path / "c" / "top", target_is_directory=True)
    assert ids(read(tmp_path)) == ["a/x"]


# -- lyrics --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("audio", "sidecar"),
    [
        *(("Song One.ogg", "song one.lrc"), ("Song Two.ogg", "Song Two.en.lrc")),
        *(("Song Three.ogg", "Song Three.ogg.txt"), ("Don’t Go.ogg", "Don't Go.txt")),
        *(("Song Four.ogg", "Song Four.srt"), ("Song_Five.mp3", "Song Five.txt")),
        *(("Café.mp3", "Cafe.txt"), ("Ça va?.mp3", "ca va_.lrc"), ("Señor.mp3", "SEÑOR.TXT")),
        *(("x.mp3", "x.en-US.txt"), ("x.mp3", "x (German).lrc"), ("x.mp3", "x_lyrics.txt")),
        *(("x.mp3", "x lyrics.txt"), ("x.mp3", "x.lyrics"), ("x.mp3", "X.FLAC.lrc")),
        *(("a/x.mp3", "lyrics/a/X.en.txt"), ("AC-DC – T.N.T.mp3", "AC_DC - T.N.T.txt")),
        ("Über.mp3", unicodedata.normalize("NFD", "über.txt")),
        ("x.mp3", "x.synced.lrc"),
        ("東京.mp3", "東京.ja.lrc"),
    ],
)
def test_lyrics_of_nearly_the_name_are_found_and_named(tmp_path, put, audio, sidecar):
    put(audio)
    put("another song.mp3")
    put(sidecar, "la la la")
    collection = read(tmp_path)
    (track_id,) = [i for i in ids(collection) if i != "another song"]
    assert lyrics(collection) == {track_id: "la la la", "another song": None}
    shown = unicodedata.normalize("NFC", sidecar)
    if sidecar in ("x.lyrics", "Song Four.srt"):
        assert collection.problems == ()
    else:
        status, reason = problems(collection)[track_id]
        assert status == "ok"
        reason = unicodedata.normalize("NFC", reason)
        assert reason == f"{shown}: taken for the lyrics of {track_id}"


@pytest.mark.parametrize("name", ["notes.txt", "Song No.lrc", "What Is.lrc", "xy.srt", "a/x.txt"])
def test_lyrics_that_fit_no_track_are_named(tmp_path, put, name):
    put("What.mp3")
    put("Song.mp3")
    put("x.mp3")
    put(name, "la la la")
    collection = read(tmp_path)
    assert set(lyrics(collection).values()) == {None}
    reason = f"{name}: lyrics of no track; give the file the name of its song, or leave it"
    assert problems(collection) == {name: ("skipped", reason)}


def test_lyrics_that_another_has_by_name_are_not_taken(tmp_path, put):
    put("Song.mp3")
    put("song.mp3")
    put("song.lrc", "la")
    assert lyrics(read(tmp_path)) == {"Song": None, "song": "la"}


def test_of_two_languages_none_is_chosen(tmp_path, put):
    put("x.mp3")
    put("x.en.lrc", "words")
    put("x.de.lrc", "Worte")
    collection = read(tmp_path)
    assert lyrics(collection) == {"x": None}
    reason = "x.de.lrc, x.en.lrc: which of them has the lyrics? Give one the name of the audio file"
    assert problems(collection) == {"x": ("skipped", reason)}


def test_what_was_read_is_not_read_again(tmp_path, put):
    put("x.mp3")
    path = put("x.txt", "la la")
    first = read(tmp_path)

    def read_nothing(files):
        assert files == []
        return []

    again = read_collection(tmp_path / "c", known=first.files, read=read_nothing)
    assert again == first
    path.write_text("new words")
    seen = []

    def read_one(files):
        seen.extend(files)
        return [Lyrics("new words")]

    changed = read_collection(tmp_path / "c", known=first.files, read=read_one)
    assert seen == [("lyrics", str(path), "x.txt")]
    assert lyrics(changed) == {"x": "new words"}


@LINUX
def test_lyrics_that_cannot_be_looked_at_are_looked_at_each_time(tmp_path, put):
    put("x.mp3")
    (tmp_path / "c" / "x.txt").symlink_to("x.txt")
    collection = read(tmp_path)
    assert problems(collection)["x"][0] == "failed"
    assert collection.files.keys() == {FileStamp.of(tmp_path / "c" / "x.mp3")}
    with Library.open(tmp_path / "x.db") as library:
        library.update(collection)
        assert library.read_before().keys() == collection.files.keys()


# -- accounting ----------------------------------------------------------------------------------

stems = st.one_of(
    st.sampled_from(
        ["x", "X", "é", "e\u0301", "...x", ".38", ".x", "x y", "x\ty", "x\n", "x.en", "歌"]
    ),
    st.sampled_from([b"\xe9", b"\xff x", b"\xe9\xe8"]).map(os.fsdecode),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), max_size=6),
)
SUFFIXES = [
    ".mp3",
    ".MP3",
    ".flac",
    ".mp2",
    ".m4p",
    ".mid",
    ".mkv",
    ".txt",
    ".lrc",
    ".jpg",
    "",
    ".q",
]
SUFFIXES += [".mp3.part", ".wav.gz", ".mp3~", ".icloud"]
file_names = st.builds(lambda stem, suffix: stem + suffix, stems, st.sampled_from(SUFFIXES))
folder_names = st.one_of(
    st.sampled_from(
        ["a", "b", "Lyrics", ".hidden", "...", "@Recycle", "lost+found", "x.mp3", ".q"]
    ),
    stems,
)
KINDS = ["file", "sound", "empty", "pipe", "loop", "dangling", "device", "link", "closed"]
trees = st.lists(
    st.tuples(st.lists(folder_names, max_size=3), file_names, st.sampled_from(KINDS)), max_size=14
)


def make(root: Path, folders: list[str], name: str, kind: str) -> None:
    """One file of a tree; names that this file system refuses, or that are taken, are left out."""
    path = root.joinpath(*folders, name)
    with contextlib.suppress(OSError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "pipe":
            os.mkfifo(path)
        elif kind in ("loop", "dangling", "device", "link"):
            target = {"loop": path.name, "dangling": "gone", "device": "/dev/zero", "link": root}
            path.symlink_to(target[kind])
        elif not path.exists():
            path.write_bytes({"sound": MP3, "empty": b""}.get(kind, b"la la"))
            if kind == "closed":
                path.chmod(0)


def counted(root: Path) -> Counter[str]:
    """What a plain walk sees: audio to account for, and audio in bins."""
    seen: Counter[str] = Counter()
    for folder, _, names in os.walk(root):
        parts = Path(folder).relative_to(root).parts
        left_out = {"@Recycle", "lost+found"} & set(parts)
        hidden = any(part.startswith(".") and part[1:2].isalpha() for part in parts)
        for name in names:
            path = os.path.join(folder, name)
            stem, suffix = os.path.splitext(name)
            audio = suffix.lower() in (".mp3", ".flac", ".mp2", ".m4p")
            wrapped = suffix.lower() in (".part", ".gz", ".icloud")
            inner = wrapped and os.path.splitext(stem)[1].lower() in (".mp3", ".flac", ".wav")
            hidden_name = name.startswith(".") and (name[1:2].isalpha() or name[1:2] in "_~@#")
            try:
                with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
                    regular = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
                    sounds = regular and stream.read(4096) == MP3[:4096]
            except OSError:
                sounds = False
            text = suffix.lower() in (".txt", ".lrc", ".jpg")
            if left_out:
                seen["bins"] += audio
            elif name.startswith("._") and (audio or inner):
                seen["bins"] += 1
            elif audio or (inner and (hidden_name or not hidden)):
                seen["files"] += 1
            elif hidden or hidden_name or text:
                continue
            elif sounds or suffix.lower() in (".mid", ".mkv"):
                seen["files"] += 1
    return seen


@LINUX
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(trees)
def test_every_file_of_any_tree_is_accounted_for(tmp_path, tree):
    root = tmp_path / "tree"
    root.mkdir()
    try:
        for item in tree:
            make(root, *item)
        seen = counted(root)
        if not any(seen.values()):
            with pytest.raises(SongscapeError, match="no audio files found"):
                read_collection(root)
            return
        collection = read_collection(root, read=read_batch)
        with Library.open(tmp_path / "x.db") as library:
            library.update(collection)
            counts = library.counts()
        rows = [row for row in collection.problems if row.stage == "scan"]
        assert counts.found == counts.pending + counts.skipped + counts.failed == seen["files"]
        assert counts.pending == len(collection.tracks)
        assert all(row.reason for row in rows)
        left_out = [row for row in rows if row.status == "warning"]
        assert bool(seen["bins"]) == bool(left_out)
        assert not left_out or f"audio files left out: {seen['bins']}" in left_out[0].reason
        everything = [*ids(collection), *(row.track_id for row in rows)]
        assert len(set(everything)) == len(everything)
        for row in collection.problems:
            assert (row.track_id + row.reason).isprintable() or "\n" not in row.reason
    finally:
        for path in root.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(root)
        for file in tmp_path.glob("x.db*"):
            file.unlink()


@pytest.mark.parametrize("folder", ["artsong", "recorded", "songtraditions"])
def test_the_example_collections_are_read_without_a_problem(folder):
    root = Path(__file__).parents[3] / "shared" / "data" / folder
    if not root.is_dir():
        pytest.skip("no example songs here")
    collection = read_collection(root, read=read_batch)
    assert len(collection.tracks) == len(list((root / "audio").iterdir()))
    assert sum(t.lyrics is not None for t in collection.tracks) == len(
        list((root / "lyrics").iterdir())
    )
    assert collection.problems == ()
