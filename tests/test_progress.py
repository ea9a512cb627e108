"""How long it still takes, from what was done."""

import pytest

from songscape import progress
from songscape.progress import TimeLeft, in_words


class Clock:
    """Stands in for the clock and for stderr."""

    now = 0.0

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[str] = []
        monkeypatch.setattr(progress, "say", self.said.append)
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_kinds_are_expected_to_take_what_they_took(clock: Clock) -> None:
    left = TimeLeft(["vae", "pca", "vae", "pca", "new"], 1)
    left.done("vae", 100.0)
    left.done("pca", 2.0)
    assert left.seconds() == pytest.approx(100 + 2 + 51), "what was never seen takes the average"


def test_two_workers_take_half_as_long(clock: Clock) -> None:
    left = TimeLeft(["vae"] * 5, 2)
    left.done("vae", 100.0)
    assert left.seconds() == 200.0


def test_it_is_said_when_half_of_what_was_announced_has_passed(clock: Clock) -> None:
    left = TimeLeft(["vae"] * 11, 1)
    for _ in range(11):
        clock.now += 60.0
        left.done("vae", 60.0)
    assert clock.said == [
        "10 trainings to go: about 10 minutes left",
        "5 trainings to go: about 5 minutes left",
        "2 trainings to go: about 2 minutes left",
        "1 training to go: about 1 minute left",
    ]


def test_under_a_minute_nothing_is_said(clock: Clock) -> None:
    left = TimeLeft(["pca"] * 10, 1)
    for _ in range(10):
        left.done("pca", 1.0)
    assert not clock.said


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "1 minute"), (840, "14 minutes"), (7800, "2 h 10 min"), (7200, "2 h")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
