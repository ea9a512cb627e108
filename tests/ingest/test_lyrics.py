"""Lyric files: what is read, what is refused, and that no file can stop the reader."""

from __future__ import annotations

import codecs
import gzip
import os
import socket
import threading
import unicodedata
from importlib import import_module
from pathlib import Path

import pytest

from songscape.ingest import reading
from songscape.ingest.lyrics import MAX_BYTES, read_lyrics

WORDS = "Ich grolle nicht\nআমি তোমায় ভালোবাসি\n東京へ行く"
LINUX = pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device files")


def read(tmp_path: Path, data: bytes):
    path = tmp_path / "x.txt"
    path.write_bytes(data)
    return read_lyrics(path, "lyrics/x.txt")


def read_in_time(path: Path):
    """The outcome, or a failure of the test where a file stops its reader."""
    outcome = []
    thread = threading.Thread(
        target=lambda: outcome.append(read_lyrics(path, "x.txt")), daemon=True
    )
    thread.start()
    thread.join(60)
    assert outcome, "the reader hangs"
    return outcome[0]


@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode(),
        codecs.BOM_UTF8 + WORDS.encode(),
        WORDS.encode("utf-16"),
        codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"),
        WORDS.encode("utf-32"),
        WORDS.replace("\n", "\r\n").encode(),
        WORDS.replace("\n", "\r").encode(),
        WORDS.replace("\n", "\u2028").encode(),
        unicodedata.normalize("NFD", WORDS).encode(),
    ],
)
def test_unicode_in_any_dress_gives_the_same_text(tmp_path, data):
    lyrics = read(tmp_path, data)
    assert (lyrics.status, lyrics.reason) == ("ok", "")
    assert lyrics.text == unicodedata.normalize("NFC", WORDS)


def test_an_older_encoding_is_read_with_a_warning(tmp_path):
    lyrics = read(tmp_path, "Für Élise – “là”".encode("cp1252"))
    assert lyrics.text == "Für Élise – “là”"
    reason = "lyrics/x.txt: not UTF-8; read as Windows-1252"
    assert (lyrics.status, lyrics.reason) == ("warning", reason)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04\x14\0\0\0", "a ZIP"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3", "a PDF"),
        (b"%PDF-1.4\nplain", "a PDF"),
        (b"ID3\x03\0\0\0\0\0\0", "an MP3"),
        (gzip.compress(b"la la", mtime=0), "a gzip archive"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG picture"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"{\\rtf1 la la}", "an RTF document"),
    ],
)
def test_other_formats_are_named(tmp_path, data, kind):
    lyrics = read(tmp_path, data)
    assert lyrics.text is None
    assert (lyrics.status, lyrics.reason) == (
        "failed",
        f"lyrics/x.txt: not text (looks like {kind}); rename or remove it",
    )


def test_nul_bytes_and_control_characters_are_not_text(tmp_path):
    assert "NUL bytes" in read(tmp_path, b"la\0la la").reason
    assert "control characters" in read(tmp_path, b"\x01\x02\x03la" * 10).reason


def test_words_that_begin_like_a_signature_are_words(tmp_path):
    assert read(tmp_path, b"FORM a line, my friend").text == "FORM a line, my friend"
    assert read(tmp_path, b"MAC the knife").status == "ok"


def test_an_encoding_that_is_not_clear_gives_no_text_and_a_mend(tmp_path):
    lyrics = read(tmp_path, bytes(range(128, 256)))
    assert lyrics.text is None
    assert lyrics.reason.endswith("convert it to UTF-8")


@pytest.mark.parametrize("data", [b"", b" \n\t\n"])
def test_empty_files_are_no_lyrics(tmp_path, data):
    lyrics = read(tmp_path, data)
    assert (lyrics.text, lyrics.status, lyrics.reason) == (None, "warning", "lyrics/x.txt: empty")


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("[00:00.00] Instrumental", "ok", "says that the song is instrumental"),
        ("[au: instrumental]", "ok", "says that the song is instrumental"),
        ("Lyrics not found", "warning", "says that there are no lyrics; read as none"),
        ("[ar:Nobody]\n[00:01.00]\n", "warning", "no words; read as no lyrics"),
        ("Verse 1\n\nChorus x2\n", "warning", "no words; read as no lyrics"),
        ("♪ ♪ ♪", "warning", "no words; read as no lyrics"),
    ],
)
def test_why_a_file_holds_no_words_is_told_apart(tmp_path, text, status, reason):
    lyrics = read(tmp_path, text.encode())
    assert (lyrics.text, lyrics.status) == (None, status)
    assert lyrics.reason == f"lyrics/x.txt: {reason}"


def test_a_huge_file_is_refused_after_its_first_bytes(tmp_path):
    path = tmp_path / "x.txt"
    with open(path, "wb") as stream:
        stream.truncate(1 << 40)  # a hole of a terabyte, which nobody could read
    lyrics = read_in_time(path)
    assert lyrics.status == "failed"
    assert "over 1 MB; lyric files are never so long" in lyrics.reason


def test_a_missing_file_is_a_reason(tmp_path):
    lyrics = read_lyrics(tmp_path / "no.txt", "no.txt")
    assert lyrics.status == "failed"
    assert "cannot be read" in lyrics.reason


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(path))


@LINUX
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (_pipe, "a named pipe"),
        (_socket, "a socket"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
        (lambda path: path.symlink_to("/dev/tty"), "a device"),
        (lambda path: path.symlink_to(path.name), "a link that leads back to itself"),
        (lambda path: path.symlink_to("gone"), "a link to a file that does not exist"),
        (lambda path: path.mkdir(), "a folder"),
    ],
)
def test_what_is_no_file_is_refused_and_not_opened(tmp_path, monkeypatch, make, kind):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "x.txt")
    lyrics = read_in_time(tmp_path / "x.txt")
    assert lyrics.status == "failed"
    assert kind in lyrics.reason


@LINUX
def test_a_file_that_lies_about_its_length_is_read_to_the_limit(tmp_path):
    # Files of the kernel say that they are empty.
    lyrics = read_in_time(Path("/proc/self/status"))
    assert lyrics.text is not None
    assert os.stat("/proc/self/status").st_size == 0


@pytest.mark.parametrize(
    "unit",
    ["\n", "[", "[a]", "<a ", "(1,", "la la\n", "[Chorus]\n", "a\u0301\u0316", "C G ", "&amp;"],
)
def test_the_longest_file_of_anything_is_read_in_time(tmp_path, unit):
    # Quadratic steps took hours on this; linear ones take seconds.
    path = tmp_path / "x.txt"
    path.write_bytes((unit * MAX_BYTES).encode()[:MAX_BYTES].decode("utf-8", "ignore").encode())
    assert read_in_time(path).status in ("ok", "warning", "failed")


@pytest.mark.parametrize("n", [3, 400])
def test_a_file_that_stops_its_worker_costs_only_itself(monkeypatch, tmp_path, n):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setattr(reading, "read_batch", import_module("stopping").read_batch)
    monkeypatch.setattr(reading, "TIME_LIMIT_S", 3.0)
    names = [f"x{i}" for i in range(n)]
    names[1], names[n // 2 + 1] = "crash", "hang"
    outcomes = list(
        reading.read_in_workers([("lyrics", str(tmp_path / name), name) for name in names])
    )
    assert [o.text for o in outcomes if o.status == "ok"] == [n for n in names if n[0] == "x"]
    assert {o.reason.split(" (")[0] for o in outcomes if o.status == "failed"} == {
        "crash: cannot be read",
        "hang: cannot be read",
    }


def test_workers_read_what_this_process_reads(tmp_path):
    files = []
    for i in range(300):
        path = tmp_path / f"{i}.txt"
        path.write_bytes([b"la la", b"", b"\0", "été".encode("cp1252"), b"[Chorus]\nsun"][i % 5])
        files.append(("lyrics", str(path), path.name))
    assert list(reading.read_in_workers(files)) == reading.read_batch(files)
