"""Take the pictures of the page that the documentation shows: needs chromium and playwright.

songscape demo data/demo && songscape run data/demo --out results/demo --title "Demo collection"
python docs/make_screenshots.py results/demo
"""

from __future__ import annotations

import io
import shutil
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image
from playwright.sync_api import sync_playwright

from songscape.results import find_folder
from songscape.web.app import make_app

HERE = Path(__file__).resolve().parent
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
FLAGS += ["--autoplay-policy=no-user-gesture-required"]
COLOURS = 128


def first_screen(page: Any) -> None:
    page.locator("#side .song .play").first.click()
    page.wait_for_timeout(1500)
    page.mouse.move(*spot(page, 3))


def one_group(page: Any) -> None:
    page.locator("#side .group .open").nth(1).click()


def one_song(page: Any) -> None:
    page.locator("#query").fill("ال")
    page.locator("#found [role=option]").first.click()
    page.locator("#side .songs .play").first.click()
    page.wait_for_timeout(2500)


def spot(page: Any, row: int) -> tuple[float, float]:
    box = page.locator("#points").bounding_box()
    left, top = page.evaluate(f"songscape.map.spot({row})")
    return box["x"] + left, box["y"] + top


PICTURES = {
    "map": ((1360, 820), "light", first_screen),
    "map-group-dark": ((1360, 820), "dark", one_group),
    "map-right-to-left": ((1360, 820), "light", one_song),
    "map-phone": ((390, 800), "dark", first_screen),
}


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    app = make_app(find_folder(Path(sys.argv[1])))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    with sync_playwright() as run:
        browser = run.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, ((width, height), scheme, steps) in PICTURES.items():
            size = {"width": width, "height": height}
            page = browser.new_page(viewport=size, color_scheme=scheme)
            page.goto(f"http://127.0.0.1:{listening.getsockname()[1]}/")
            page.wait_for_selector("body[data-ready]")
            steps(page)
            page.wait_for_timeout(1000)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.quantize(COLOURS, dither=Image.Dither.NONE).save(
                HERE / f"{name}.png", optimize=True
            )
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
