"""Prints survive every console: other encodings, closed and full streams, readers that leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from songscape.cli.console import one_line
from songscape.ingest.scan import Collection
from songscape.library import LedgerRow, Library

NAME = "Пусто 💔 é\u2028\tx\ny"


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """A library whose ledger holds names that few consoles can show."""
    path = tmp_path_factory.mktemp("a") / "songscape.db"
    problems = (
        LedgerRow(NAME, "scan", "failed", "a link to ни к чему"),
        LedgerRow("b\ufffd", "scan", "skipped", "name is not UTF-8"),
    )
    with Library.open(path) as opened:
        opened.update(Collection(path.parent, (), problems))
    return path


def run(arguments: list[str], shell: str = "", **environment: str) -> subprocess.CompletedProcess:
    # Without `site`: in an ASCII console Python itself can't read a `.pth` file that names a
    # checkout in a folder with an umlaut, and ends before any code of ours.
    command = [sys.executable, "-S", "-m", "songscape", *arguments]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment}
    if shell:
        command = ["bash", "-c", f'"$@" {shell}', "bash", *command]
    return subprocess.run(
        command, capture_output=True, env=os.environ | environment, check=False, timeout=60
    )


CONSOLES = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "utf-8"},
    {"PYTHONIOENCODING": "utf-16"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C.UTF-8"},
]


@pytest.mark.parametrize("console", CONSOLES)
def test_every_name_can_be_printed_and_keeps_to_its_line(library, console):
    done = run(["ledger", str(library)], **console)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode(console.get("PYTHONIOENCODING", "utf-8")).splitlines()
    assert len(lines) == 2
    assert all(len(line.split("\t")) == 4 for line in lines)


@pytest.mark.parametrize("console", CONSOLES)
def test_json_holds_the_names_as_they_are(library, console):
    done = run(["status", str(library), "--json"], **console)
    assert (done.returncode, done.stderr) == (0, b"")
    told = json.loads(done.stdout.decode(console.get("PYTHONIOENCODING", "utf-8")))
    assert sorted(i for its in told["reasons"] for i in its["track_ids"]) == ["b\ufffd", NAME]


@pytest.mark.parametrize("console", CONSOLES)
def test_messages_survive_too(tmp_path, console):
    done = run(["ledger", str(tmp_path / "нет 💔")], **console)
    assert done.returncode in (1, 2)
    message = done.stderr.decode(console.get("PYTHONIOENCODING", "utf-8"))
    assert message.startswith("songscape: ")
    assert len(message.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")
@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ("2>&-", 0),
        (">&-", 0),
        ("<&- >&- 2>&-", 0),
        ("2>/dev/full", 0),
        (">/dev/full", 1),
        ("| true; exit ${PIPESTATUS[0]}", None),
    ],
)
def test_closed_and_full_streams_cost_nothing_but_what_was_to_be_written(library, shell, code):
    done = run(["ledger", str(library)], shell)
    # A reader that leaves may have left before or after.
    assert done.returncode in ((0, 1) if code is None else (code,))
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    if shell == ">/dev/full":
        assert done.stderr.count(b"\n") == 1
        assert b"No space left on device" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")
def test_with_stderr_closed_its_number_goes_to_no_other_file(tmp_path):
    code = (
        "from songscape.cli.console import prepare_streams; prepare_streams()\n"
        f"import os; file = open({str(tmp_path / 'library')!r}, 'wb')\n"
        "os.write(2, b'a library prints'); assert file.fileno() > 2\n"
    )
    command = ["bash", "-c", '"$@" 2>&- <&-', "bash", sys.executable, "-c", code]
    assert subprocess.run(command, check=False).returncode == 0
    assert (tmp_path / "library").read_bytes() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_help_into_a_full_disk_is_no_traceback():
    done = run(["--help"], ">/dev/full")
    assert b"Traceback" not in done.stderr


def test_one_line_shows_what_would_move_the_cursor():
    assert one_line("a\tb\nc\x1b[31m\u2028\x85") == r"a\tb\nc\x1b[31m\u2028\x85"
    assert one_line("Пусто 💔 b\udcff") == r"Пусто 💔 b\udcff"
