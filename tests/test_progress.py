"""How long it still takes, from what was done."""

import pytest

from songscape.progress import TimeLeft, in_words


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_kinds_are_expected_to_take_what_they_took() -> None:
    left = TimeLeft(["vae", "pca", "vae", "pca", "new"], 1, tell=lambda _: None, clock=Clock())
    assert left.seconds() != left.seconds(), "nothing is known at first"
    left.done("vae", 100.0)
    left.done("pca", 2.0)
    assert left.seconds() == pytest.approx(100 + 2 + 51), "what was never seen takes the average"


def test_two_workers_take_half_as_long() -> None:
    left = TimeLeft(["vae"] * 5, 2, tell=lambda _: None, clock=Clock())
    left.done("vae", 100.0)
    assert left.seconds() == 200.0


def test_it_is_said_when_half_of_what_was_announced_has_passed() -> None:
    said: list[str] = []
    clock = Clock()
    left = TimeLeft(["vae"] * 11, 1, tell=said.append, clock=clock)
    for _ in range(11):
        clock.now += 60.0
        left.done("vae", 60.0)
    assert said == [
        "10 trainings to go: about 10 minutes left",
        "5 trainings to go: about 5 minutes left",
        "2 trainings to go: about 2 minutes left",
        "1 training to go: about 1 minute left",
    ]


def test_tasks_are_called_what_they_are() -> None:
    said: list[str] = []
    TimeLeft(["track"] * 2001, 1, "track", said.append, Clock()).done("track", 0.3)
    assert said == ["2,000 tracks to go: about 10 minutes left"]


def test_under_a_minute_nothing_is_said() -> None:
    said: list[str] = []
    left = TimeLeft(["pca"] * 10, 1, tell=said.append, clock=Clock())
    for _ in range(10):
        left.done("pca", 1.0)
    assert not said


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "1 minute"), (840, "14 minutes"), (7800, "2 h 10 min"), (7200, "2 h")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
