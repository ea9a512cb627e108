"""The page does what it says, in a real browser."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile

from songscape.library import Library
from songscape.results import ResultsFolder, read_latents, write_latents
from songscape.web.atlas import load_atlas
from songscape.web.export import make_previews, write_map

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# WebGL in software, and sound without a click: there is neither a graphics card nor a person.
FLAGS = (
    *("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--autoplay-policy=no-user-gesture-required", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"),
)
LIMIT_MS = 20_000
REAL = Path(__file__).parents[3] / "shared" / "data"
GENRES = ["folk", "house", "waltz"]  # the names of the three groups


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as run:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        try:
            browser = run.chromium.launch(executable_path=found, args=list(FLAGS))
        except playwright.Error as error:
            pytest.skip(f"no browser can be started: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(served: Callable[[ResultsFolder], str], folder: ResultsFolder) -> str:
    return served(folder)


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address and waits for the map; whatever goes wrong in the page fails the test."""
    wrong: list[str] = []
    contexts = []

    def open_page(address: str, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1300, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LIMIT_MS)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("dialog", lambda dialog: wrong.append("a dialog"))
        page.goto(address)
        page.wait_for_selector("body[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def page(opened: Callable[..., Any], address: str) -> Any:
    return opened(address)


def spot(page: Any, row: int) -> tuple[float, float]:
    """Where a song's dot is in the window."""
    box = page.locator("#points").bounding_box()
    left, top = page.evaluate(f"songscape.map.spot({row})")
    return box["x"] + left, box["y"] + top


def until(page: Any, expression: str) -> None:
    """Wait until it holds; playwright's own way needs eval, which the page forbids."""
    end = time.monotonic() + LIMIT_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(30)


def plays(page: Any, row: int) -> None:
    """Wait until a song is heard."""
    until(page, f"songscape.player.now() === {row} && audio.currentTime > 0.2")


def rows_listed(page: Any) -> list[int]:
    found = page.locator("#side .song").evaluate_all("all => all.map(one => +one.dataset.row)")
    return [int(row) for row in found]


def lonely(page: Any) -> int:
    """A song whose dot has no other near it, so that a click can mean no other."""
    places = np.array([page.evaluate(f"songscape.map.spot({row})") for row in range(36)])
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 1e6 * np.eye(36)
    return int(apart.min(axis=1).argmax())


def test_the_first_screen_names_every_group_with_songs_to_play(page: Any) -> None:
    side = page.locator("#side")
    assert side.locator(".group").count() == 3
    assert [name.lower() for name in side.locator(".open").all_inner_texts()] == GENRES
    assert "12 songs" in side.inner_text()
    assert side.locator(".group").first.locator(".song").count() == 2
    assert page.locator("#names .name:not([hidden])").count() == 3
    assert page.locator("#summary").inner_text() == "36 songs · 3 groups"
    assert page.evaluate("document.body.dataset.ready") == "webgl"


def test_a_click_on_a_dot_plays_its_song_and_says_where_it_belongs(page: Any) -> None:
    row = lonely(page)
    left, top = spot(page, row)
    page.mouse.move(left, top)
    title = page.evaluate(f"songscape.songs.title({row})")
    assert title in page.locator("#card").inner_text()
    page.mouse.click(left, top)
    plays(page, row)
    assert page.locator("#now-title").inner_text() == title
    page.wait_for_selector("#side h2")
    assert page.locator("#side h2").inner_text() == title
    assert GENRES[row % 3] in page.locator("#side").inner_text().lower()


def test_the_next_song_is_the_nearest_and_previous_comes_back(page: Any) -> None:
    page.locator("#side .song .play").first.click()
    first = page.evaluate("songscape.player.now()")
    plays(page, first)
    page.locator("#mode").select_option("near")
    page.locator("#next").click()
    until(page, f"songscape.player.now() !== {first}")
    second = page.evaluate("songscape.player.now()")
    plays(page, second)
    assert second % 3 == first % 3  # of the same cloud
    page.locator("#previous").click()
    plays(page, first)
    page.keyboard.press("ArrowRight")
    plays(page, second)
    page.keyboard.press(" ")
    until(page, f"audio.paused && !audio.ended && songscape.player.now() === {second}")


def test_the_space_bar_pauses_what_the_mouse_started(page: Any) -> None:
    page.locator("#side .song .play").first.click()
    first = page.evaluate("songscape.player.now()")
    plays(page, first)
    page.keyboard.press(" ")
    until(page, f"audio.paused && !audio.ended && songscape.player.now() === {first}")


def test_a_button_that_the_keyboard_reached_is_pressed_by_the_space_bar(page: Any) -> None:
    page.locator("#side .song .play").first.focus()
    page.keyboard.press(" ")
    until(page, "songscape.player.now() >= 0 && audio.currentTime > 0.2")
    assert page.evaluate("document.activeElement.matches('.play')")


def test_a_song_that_ends_is_followed_through_the_list(page: Any) -> None:
    page.locator("#side .group .open").first.click()
    listed = rows_listed(page)
    page.locator("#side .song .play").first.click()
    plays(page, listed[0])
    page.evaluate("audio.currentTime = audio.duration - 0.3")
    plays(page, listed[1])


def test_a_format_that_the_browser_does_not_know_plays_all_the_same(
    opened: Callable[..., Any], served: Callable[..., str], own_folder: ResultsFolder
) -> None:
    path = own_folder.root.parent / "music" / "song 004 ü#.wav"
    samples, rate = soundfile.read(path)
    soundfile.write(path.with_suffix(".aiff"), samples, rate)
    path.with_suffix(".aiff").replace(path)
    page = opened(served(own_folder))
    page.evaluate("songscape.player.play(4)")
    plays(page, 4)


@pytest.mark.parametrize("collection", ["artsong", "recorded"])
def test_real_songs_play_in_a_folder_with_blanks_and_signs(
    opened: Callable[..., Any],
    served: Callable[..., str],
    tmp_path: Path,
    results_of: ModuleType,
    collection: str,
) -> None:
    songs = sorted((REAL / collection / "audio").glob("*"))[:3]
    if not songs:
        pytest.skip(f"there are no songs in {REAL / collection}")
    folder = results_of.make_results(tmp_path / "mü sic #1 50%", 12, recordings=songs)
    page = opened(served(folder))
    for row, song in enumerate(songs):
        page.evaluate(f"songscape.player.play({row})")
        plays(page, row)
        length = page.evaluate("audio.duration")
        assert length == pytest.approx(soundfile.info(song).duration, abs=0.2)


def test_search_finds_a_word_that_is_sung_by_keys_alone(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("lighthou")
    page.wait_for_selector("#found [role=option]")
    assert page.locator("#found [role=option]").count() == 1
    assert "lighthouse" in page.locator("#found").inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#side h3:has-text('Nearest songs')")
    assert page.locator("#side h2").inner_text() == "Song 7"
    page.get_by_text("Lyrics", exact=True).click()
    assert "lighthouse" in page.locator("#side pre").inner_text()


def test_a_line_drawn_round_songs_selects_them(page: Any) -> None:
    middle = spot(page, lonely(page))
    page.locator("#lasso").click()
    corners = [(-14, -14), (14, -14), (14, 14), (-14, 14)]
    page.mouse.move(middle[0] - 14, middle[1] - 14)
    page.mouse.down()
    for right, down in [*corners, corners[0]]:
        page.mouse.move(middle[0] + right, middle[1] + down, steps=3)
    page.mouse.up()
    assert rows_listed(page) == [lonely(page)]
    assert "1 songs selected" in page.locator("#side").inner_text()
    page.keyboard.press("Escape")


def test_a_rectangle_drawn_over_songs_selects_them(page: Any) -> None:
    left, top = spot(page, lonely(page))
    page.keyboard.down("Alt")
    page.mouse.move(left - 12, top - 12)
    page.mouse.down()
    page.mouse.move(left + 12, top + 12, steps=4)
    page.mouse.up()
    page.keyboard.up("Alt")
    assert rows_listed(page) == [lonely(page)]


def test_another_name_is_still_there_after_a_reload(
    opened: Callable[..., Any], served: Callable[..., str], own_folder: ResultsFolder
) -> None:
    page = opened(served(own_folder))
    page.locator("#side .group .open").nth(1).click()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("أغاني <b>Sunday</b>")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector("#side h2:has-text('Sunday')")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert "أغاني <b>Sunday</b>" in page.locator("#side").inner_text()
    assert "أغاني <b>Sunday</b>" in page.locator("#names").inner_text()


def test_the_slider_lays_the_map_out_again_and_there_is_a_way_back(page: Any) -> None:
    page.evaluate("document.querySelectorAll('#side .title')[0].click()")
    page.wait_for_selector("#side h3:has-text('Nearest songs') + div .song")
    before, place = rows_listed(page), spot(page, 7)
    for value, said in ((0, "by sound alone"), (70, "70\u00a0% by words"), (100, "by words alone")):
        page.locator("#mix").fill(str(value))
        until(page, f"remark.textContent.includes('{said}')")
    until(
        page,
        f"""String([...document.querySelectorAll('#side .song')]
        .map((one) => +one.dataset.row)) !== '{",".join(map(str, before))}'""",
    )
    assert spot(page, 7) != pytest.approx(place, abs=2)
    page.get_by_role("button", name="back to the map").click()
    until(page, "!songscape.map.moving()")
    assert spot(page, 7) == pytest.approx(place, abs=1)
    assert page.locator("#learned").is_hidden()


def test_the_language_switch_moves_the_songs_and_back(page: Any) -> None:
    before = spot(page, 0)
    page.locator("#neutral").click()
    page.wait_for_timeout(900)
    assert spot(page, 0) != before
    page.locator("#neutral").click()
    page.wait_for_timeout(900)
    assert spot(page, 0) == pytest.approx(before)


def test_relatives_in_another_language_are_in_that_language(page: Any) -> None:
    page.locator("#side .group .open").first.click()
    choice = page.get_by_label("Language of the relatives")
    language = choice.locator("option").nth(1).inner_text()
    choice.select_option(language)
    page.wait_for_selector("#side h3:has-text('relatives') ~ div .song")
    found = page.locator("#side h3:has-text('relatives') ~ div .song span").all_inner_texts()
    assert found
    assert all(language in text for text in found)


def test_a_path_between_two_songs_is_listed_and_saved_as_a_playlist(
    page: Any, tmp_path: Path
) -> None:
    page.evaluate("document.querySelectorAll('#side .title')[0].click()")
    page.get_by_role("button", name="Path to …").click()
    page.locator("#query").fill("Song 7")
    page.locator("#found [role=option]").first.click()
    page.wait_for_selector("#side h2:has-text('→')")
    listed = rows_listed(page)
    assert len(listed) > 2
    assert listed[-1] == 7
    page.wait_for_selector("#drawn .way", state="attached")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Playlist").click()
    saved = tmp_path / "list.m3u8"
    waiting.value.save_as(saved)
    lines = saved.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    files = [Path(unquote(line.removeprefix("file://"))) for line in lines if line[0] != "#"]
    assert [int(path.stem[5:8]) for path in files] == listed
    assert all(path.is_file() for path in files)


def test_a_path_and_a_playlist_keep_to_the_number_of_songs_by_one_artist(
    page: Any, tmp_path: Path
) -> None:
    def artists_saved(name: str) -> list[str]:
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name).click()
        waiting.value.save_as(tmp_path / "list.jspf")
        tracks = json.loads((tmp_path / "list.jspf").read_text("utf-8"))["playlist"]["track"]
        return [track["creator"] for track in tracks]

    page.locator("#side .group .open").first.click()
    assert page.get_by_label("Songs by one artist").input_value() == "2"
    page.get_by_label("Format of the playlist").select_option("jspf")
    assert max(Counter(artists_saved("Playlist of 30")).values()) == 2
    page.get_by_label("Songs by one artist").select_option("1")
    assert max(Counter(artists_saved("Playlist of 30")).values()) == 1
    page.locator("#side .songs .title").first.click()
    page.get_by_role("button", name="Path to …").click()
    page.locator("#query").fill("Song 8")
    page.locator("#found [role=option]").first.click()
    page.wait_for_selector("#side h2:has-text('→')")
    once = rows_listed(page)
    assert len({row % 7 for row in once}) == len(once)
    page.get_by_label("Songs by one artist").select_option("0")
    until(page, f"document.querySelectorAll('#side .song').length > {len(once)}")
    assert len(artists_saved("Playlist")) == len(rows_listed(page))


def test_a_group_shows_how_its_songs_sound_among_all(page: Any) -> None:
    page.locator("#side .group .open").nth(2).click()
    rows = page.locator("#side .bar")
    assert "slower than 85 % of your music" in rows.first.inner_text()
    # Each group has a loudness of its own: the mark of the third is right of that of the first.
    marks = []
    for group in (2, 0):
        page.locator("#home").click()
        page.locator("#side .group .open").nth(group).click()
        loudness = page.locator("#side .bar", has_text="loudness").locator("line")
        marks.append(float(loudness.get_attribute("x1")))
    assert marks[0] > marks[1]


def test_a_song_is_said_to_differ_from_the_middle_of_its_group_where_it_does(page: Any) -> None:
    # Song 35 is the slowest of all, 17 in the middle.
    for row, said in ((35, "slower than 9"), (17, "as in most of its songs")):
        page.evaluate(f"songscape.player.play({row})")
        page.locator("#why").click()
        until(page, f"side.innerText.includes('{said}')")


def test_two_songs_are_compared(page: Any) -> None:
    page.evaluate("songscape.player.play(30)")
    page.locator("#why").click()
    page.get_by_role("button", name="Compare with …").click()
    page.locator("#query").fill("Song 30")
    page.locator("#found [role=option]").first.click()
    assert "the same song" in page.locator("#remark").inner_text()
    page.locator("#query").fill("Song 33")
    page.locator("#found [role=option]:has-text('Song 33')").click()
    page.wait_for_selector("#side h3:has-text('Why together?')")
    until(page, "side.innerText.includes('by sound than')")
    text = page.locator("#side").inner_text()
    assert "Both are in Folk." in text
    assert "Both are slower than 8" in text
    page.get_by_role("button", name="Path between them").click()
    page.wait_for_selector("#side h2:has-text('→')")


def test_songs_of_the_queue_come_first(page: Any) -> None:
    page.locator("#side .group .open").first.click()
    listed = rows_listed(page)
    page.locator("#side .song .play").first.click()
    wanted = listed[3:5]
    for at in (3, 4):
        page.locator("#side .song .later").nth(at).click(force=True)
    assert page.locator("#queue").inner_text() == "2 in the queue"
    page.locator("#queue").click()
    assert rows_listed(page) == wanted
    for row in wanted:
        page.locator("#next").click()
        plays(page, row)
    assert page.locator("#queue").is_hidden()
    page.locator("#next").click()  # and then the list of the first group goes on
    plays(page, listed[1])


def test_a_song_chosen_on_the_map_is_followed_by_its_nearest_and_by_no_list(page: Any) -> None:
    page.locator("#side .group .open").first.click()
    page.locator("#side .song .play").first.click()
    assert page.locator("#mode").input_value() == "list"
    page.keyboard.press("Escape")
    row = lonely(page)
    page.mouse.click(*spot(page, row))
    plays(page, row)
    asked = f"fetch('/api/similar?n=1&id=' + songscape.songs.ids[{row}]).then((a) => a.json())"
    nearest = page.evaluate(
        f"{asked}.then((found) => songscape.songs.rowOf.get(found.tracks[0].id))"
    )
    page.keyboard.press("ArrowRight")
    plays(page, nearest)


def test_a_collection_that_is_being_analysed_says_how_far_it_is(
    opened: Callable[..., Any], served: Callable[..., str], own_folder: ResultsFolder
) -> None:
    for path in sorted(own_folder.tables.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with Library.open(own_folder.library) as library:
        library.forget_outcomes([f"album/song {i:03}" for i in range(30, 36)])
    with own_folder.locked():
        page = opened(served(own_folder))
        page.wait_for_selector("#progress")
        assert "Being analysed: 30 of 36 songs." in page.locator("#progress").inner_text()
        assert page.locator("#progress progress").get_attribute("value") == "30"
        assert page.locator("#side .song").count() == 30
        page.locator("#side .song .play").nth(9).click()
        plays(page, rows_listed(page)[9])
    until(page, "side.innerText.includes('The analysis stopped at 30 of 36')")


def test_songs_that_are_newer_than_the_map_are_counted(
    opened: Callable[..., Any], served: Callable[..., str], own_folder: ResultsFolder
) -> None:
    for file in own_folder.tables.rglob("*.parquet"):
        ids, values = read_latents(file)
        write_latents(file, ids[2:], values[2:], [f"z{i}" for i in range(values.shape[1])], "k")
    page = opened(served(own_folder))
    page.wait_for_selector("#progress")
    text = "2 songs are newer than this map; songscape run puts them on it."
    assert page.locator("#progress").inner_text().strip() == text
    assert page.evaluate("songscape.songs.n") == 34
    assert page.locator("#names .name:not([hidden])").count() == 3


def test_keys_alone_reach_the_map_and_its_songs(page: Any) -> None:
    page.locator("#points").focus()
    before = page.evaluate("[songscape.map.view.x, songscape.map.view.zoom]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    after = page.evaluate("[songscape.map.view.x, songscape.map.view.zoom]")
    assert after[0] > before[0]
    assert after[1] > before[1]
    page.keyboard.press("Enter")
    until(page, "songscape.player.now() >= 0")


def test_everything_that_can_be_pressed_has_a_name(page: Any) -> None:
    def check() -> None:
        nameless = page.evaluate("""[...document.querySelectorAll(
                'button, input, select, progress, a, [role]')]
            .filter((one) => one.checkVisibility() && !one.closest('[aria-hidden=true]'))
            .filter((one) => !one.textContent.trim() && !one.getAttribute('aria-label')
                && !one.closest('label') && !['status', 'search'].includes(one.role))
            .map((one) => one.outerHTML)""")
        assert nameless == []

    check()
    page.locator("#side .group .open").first.click()
    check()
    page.get_by_role("button", name="Rename").click()
    check()
    page.locator("#side .songs .title").first.click()
    page.wait_for_selector("#side h3:has-text('Nearest songs') + div .song")
    check()
    page.get_by_role("button", name="Compare with …").click()
    page.locator("#side .songs .title").nth(2).click()
    page.wait_for_selector("#side h3:has-text('Why together?')")
    check()


@pytest.mark.parametrize("width", [360, 800, 1300])
def test_nothing_is_wider_than_the_window(
    opened: Callable[..., Any], address: str, width: int
) -> None:
    page = opened(address, viewport={"width": width, "height": 740})
    for step in ("document.querySelector('.open').click()", "songscape.player.play(1)"):
        page.evaluate(step)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = page.evaluate("""[...document.querySelectorAll('#side *, footer *, header *')]
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width
                && one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.outerHTML)""")
        assert wide == []


def test_on_a_phone_no_name_lies_under_a_button(opened: Callable[..., Any], address: str) -> None:
    page = opened(address, viewport={"width": 390, "height": 800})
    page.wait_for_function("!songscape.map.moving()")
    page.evaluate("""() => {
        const middle = (one) => [one.left + one.width / 2, one.top + one.height / 2];
        const box = (which) => middle(document.querySelector(which).getBoundingClientRect());
        const [[x, y], [u, v]] = [box("#names .name:not([hidden])"), box("#tools")];
        songscape.map.move(x - u, v - y);
    }""")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    names, buttons = page.evaluate("""["#names .name:not([hidden])", "#tools button"].map((which) =>
        [...document.querySelectorAll(which)]
            .map((one) => one.getBoundingClientRect().toJSON()))""")
    assert names
    assert not [
        (name, button)
        for name in names
        for button in buttons
        if name["right"] > button["left"] and button["right"] > name["left"]
        if name["bottom"] > button["top"] and button["bottom"] > name["top"]
    ]


def test_with_reduced_motion_the_songs_do_not_walk(
    opened: Callable[..., Any], address: str
) -> None:
    page = opened(address, reduced_motion="reduce")
    page.locator("#neutral").click()
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.evaluate("songscape.map.moving()") is False


def test_hostile_tags_are_shown_as_text_and_nothing_of_them_runs(
    opened: Callable[..., Any], served: Callable[..., str], tmp_path: Path, results_of: ModuleType
) -> None:
    folder = results_of.make_results(tmp_path / "x", 30, hostile=True)
    page = opened(served(folder))
    for row, title in enumerate(results_of.HOSTILE):
        page.evaluate(f"songscape.player.play({row})")
        assert page.locator("#now-title").inner_text().strip() == title.strip()
        page.locator("#why").click()
        page.wait_for_selector("#side pre", state="attached")
        page.mouse.move(*spot(page, row))
        page.locator("#side .songs .later").first.click(force=True)
    page.get_by_role("button", name="Compare with …").click()
    page.evaluate("document.querySelectorAll('#side .songs .title')[1].click()")
    page.wait_for_selector("#side h3:has-text('Why together?')")
    page.locator("#queue").click()
    for key in page.locator("#colour option").evaluate_all("all => all.map(one => one.value)"):
        page.locator("#colour").select_option(key)
    page.locator("#home").click()
    for at in range(3):
        page.locator("#side .group .open").nth(at).click()
        page.locator("#side .back").click()
    page.locator("#query").fill("script")
    page.wait_for_selector("#found [role=option]")
    assert page.evaluate("window.hacked") is None
    made = "script, img, b b, svg[onload], [onerror], [onmouseover]"
    assert (
        page.locator(", ".join(f"main {one}, aside {one}" for one in made.split(", "))).count() == 0
    )
    assert page.locator("head script:not([src])").count() == 0


def test_the_file_opens_without_a_server_and_plays_its_previews(
    opened: Callable[..., Any], folder: ResultsFolder, tmp_path: Path
) -> None:
    atlas = load_atlas(folder)
    path = write_map(atlas, tmp_path / "ü #1 map.html", make_previews(atlas, 2))
    page = opened(path.as_uri())
    assert "but no lyrics" in page.locator("#side").inner_text()
    page.locator("#side .song .play").first.click()
    plays(page, page.evaluate("songscape.player.now()"))
    page.locator("#query").fill("向こ")
    page.wait_for_selector("#found [role=option]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#side .song")
    assert page.locator("#side h2").inner_text() == "川の向こう"
    page.get_by_role("button", name="Path to …").click()
    page.locator("#query").fill("Song 10")
    page.locator("#found [role=option]").first.click()
    page.wait_for_selector("#side h2:has-text('→')")
    page.locator("#neutral").click()
    assert page.locator("#mix").is_hidden()
    page.locator("#home").click()
    page.locator("#side .group .open").first.click()
    assert page.locator("#side .hills").count() > 0
    page.get_by_label("Songs by one artist").select_option("1")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Playlist of 30").click()
    waiting.value.save_as(tmp_path / "list.txt")
    artists = [
        line.partition(" – ")[2] for line in (tmp_path / "list.txt").read_text().splitlines()
    ]
    assert len(artists) == len(set(artists)) > 1


def test_hostile_tags_stay_text_in_the_file_too(
    opened: Callable[..., Any], tmp_path: Path, results_of: ModuleType
) -> None:
    folder = results_of.make_results(tmp_path / "x", 30, hostile=True)
    page = opened(write_map(load_atlas(folder), tmp_path / "map.html").as_uri())
    for row, title in enumerate(results_of.HOSTILE):
        assert page.evaluate(f"songscape.songs.title({row})") == title
    assert page.evaluate("window.hacked") is None
