"""The time estimate: right in closed form, a bound where it must be one, and seldom said."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songscape.experiment.forecast import Announcer, Forecast, Remaining, StageTimes

CELLS = [(model, seed) for seed in (0, 1, 2) for model in ("fast", "slow")]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []

    def announcer(self) -> Announcer:
        return Announcer(self.said.append, lambda: self.now)


def test_nothing_is_foretold_before_anything_was_timed() -> None:
    left = Forecast(CELLS, 1).remaining()
    assert left.seconds != left.seconds
    assert left.untimed == ("fast", "slow")


def test_models_that_nobody_timed_make_it_a_lower_bound() -> None:
    forecast = Forecast(CELLS, 1)
    forecast.finished(("fast", 0), 2.0, reused=False)
    assert forecast.remaining() == Remaining(4.0, ("slow",))
    forecast.finished(("slow", 0), 10.0, reused=False)
    assert forecast.remaining() == Remaining(2 * 2.0 + 2 * 10.0)


def test_on_resumption_it_knows_what_finished_cells_recorded() -> None:
    kept = {("fast", 0): 3.0, ("slow", 0): 60.0, ("slow", 1): 30.0}
    forecast = Forecast(CELLS, 1, kept, kept)
    # The first seed measures more, so the slow third seed is foretold by the second.
    assert forecast.remaining() == Remaining(3.0 + 3.0 + 30.0)
    assert forecast.n_left == 3
    forecast.finished(("fast", 0), 0.5, reused=True)
    assert forecast.remaining() == Remaining(2 * 0.5 + 3.0 + 3.0 + 30.0)


def test_a_cell_that_was_stale_makes_its_model_stale() -> None:
    recorded = dict.fromkeys(CELLS, 10.0)
    forecast = Forecast(CELLS, 1, recorded, recorded)
    assert forecast.remaining().seconds == 0.0
    forecast.finished(("slow", 0), 40.0, reused=False)
    assert forecast.remaining().seconds == 2 * 40.0


def test_a_cell_that_died_times_nothing() -> None:
    forecast = Forecast(CELLS, 1)
    forecast.gone(("fast", 0))
    assert set(forecast.remaining().untimed) == {"fast", "slow"}


@given(
    st.lists(st.floats(0.1, 1e4), min_size=1, max_size=20),
    st.integers(1, 5),
)
def test_workers_share_the_work(seconds: list[float], workers: int) -> None:
    cells = [(f"model-{i}", 1) for i in range(len(seconds))]
    recorded = {(name, 0): value for (name, _), value in zip(cells, seconds)}
    found = Forecast(cells, workers, recorded).remaining().seconds
    lower = max(sum(seconds) / workers, max(seconds))
    assert lower <= found * (1 + 1e-9)
    # Graham's (1966) bound on list scheduling.
    assert found <= (sum(seconds) / workers + max(seconds)) * (1 + 1e-9)


def test_quick_work_is_not_announced() -> None:
    clock = Clock()
    clock.announcer().announce("1 of 9 cells done", Remaining(59.0))
    clock.announcer().announce("0 of 9 cells done", Remaining(float("nan"), ("slow",)))
    assert clock.said == []


def test_an_hour_takes_few_lines_and_a_wrong_estimate_is_corrected() -> None:
    clock = Clock()
    announcer = clock.announcer()
    for second in range(0, 3600, 5):
        clock.now = float(second)
        announcer.announce("some", Remaining(3600.0 - second))
    assert 2 <= len(clock.said) <= 8
    assert clock.said[0] == "some; about 60 min to go"
    before = len(clock.said)
    clock.now += 61
    announcer.announce("some", Remaining(7200.0))
    assert clock.said[before:] == ["some; about 2 h to go"]


def test_what_follows_is_counted_where_it_is_known_and_named_where_not() -> None:
    clock = Clock()
    left = Remaining(60.0, ("slow",))
    clock.announcer().announce("2 of 6 cells done", left, {"intervals": 120.0, "pictures": None})
    assert clock.said == [
        "2 of 6 cells done; at least 3 min to go with intervals (not timed yet: slow), "
        "then pictures"
    ]


def test_stages_are_remembered_by_folder(tmp_path: Path) -> None:
    path = tmp_path / "timings.json"
    clock = Clock()
    first = StageTimes(path, 10)
    assert first.expected("pictures") == {"pictures": None}
    with first.stage("pictures", "drawing", "picture", clock.announcer()) as advance:
        advance(1, 1)
    recorded = json.loads(path.read_text(encoding="utf-8"))["pictures"]
    assert recorded > 0
    assert StageTimes(path, 30).expected("pictures")["pictures"] == pytest.approx(30 * recorded)
    path.write_text("no json", encoding="utf-8")
    assert StageTimes(path, 10).expected("pictures") == {"pictures": None}
