"""Ctrl-C and SIGTERM: one line, 130 or 143, and nothing swallows them."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from songscape import interrupts
from songscape.cli.command import main

RUN = """if True:
    import os, signal, sys, threading, time
    # As in a terminal, even where the tests are a job in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from songscape.cli import main, models
    from songscape.progress import progress_bar
    def send(number):
        os.kill(os.getpid(), number)
    def verb(*_):
        {body}
        return 0
    models._models = verb
    sys.argv[1:] = ["models"]
    main()
    print("not reached: the process ends in main")
"""


def outcome(body: str) -> tuple[int, str, str]:
    code = RUN.format(body=body.replace("\n", "\n        "))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_is_one_line_and_its_own_exit_code(number, code):
    line = "songscape: interrupted; the same command continues from here\n"
    assert outcome(f"send({number:d}); time.sleep(60)") == (code, "", line)


SWALLOWED = """\
class Finalizer:
    def __del__(self):
        send({number:d})
        time.sleep(0.05)
Finalizer()
"""


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_an_exception_that_a_destructor_swallows_still_ends_the_run(number, code):
    line = "songscape: interrupted; the same command continues from here\n"
    body = SWALLOWED.format(number=number) + "print('went on', flush=True)"
    assert outcome(body) == (code, "went on\n", line)


def test_after_a_swallowed_signal_the_next_stage_is_not_begun():
    stages = "with progress_bar('stage') as advance:\n    advance(1, 2)\n    print('begun')"
    code, out, _ = outcome(SWALLOWED.format(number=signal.SIGINT) + stages)
    assert (code, out) == (130, "")


def test_a_library_that_catches_everything_does_not_turn_it_into_success():
    body = f"try:\n    send({signal.SIGTERM:d}); time.sleep(60)\nexcept BaseException:\n    pass"
    assert outcome(body)[0] == 143


def test_a_second_signal_does_not_wait_for_good_order():
    body = f"try:\n    send({signal.SIGINT:d}); time.sleep(60)\nfinally:\n"
    body += f"    send({signal.SIGINT:d}); time.sleep(60); print('still here')"
    code, out, err = outcome(body)
    assert (code, out) == (130, "")
    assert err == "songscape: stopped at once; the same command continues from here\n"


def test_a_finished_run_is_not_disturbed_by_what_comes_at_exit():
    # Whatever would run while the interpreter is taken down is not run at all.
    body = "import atexit\natexit.register(lambda: (print('late'), send(15), time.sleep(60)))"
    assert outcome(body) == (0, "", "")


def test_in_a_thread_signals_stay_with_whoever_has_the_main_thread():
    before = signal.getsignal(signal.SIGTERM)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import threading; from songscape.cli import main\n"
            "t = threading.Thread(target=main, args=[['models', '--json']]); t.start(); t.join()",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"models"' in done.stdout
    assert not done.stderr
    assert signal.getsignal(signal.SIGTERM) == before


def test_exit_code_without_a_signal_is_that_of_ctrl_c(monkeypatch):
    monkeypatch.setattr(interrupts, "_received", None)
    assert interrupts.exit_code() == 130
    assert main(["models", "--json"]) == 0
