"""How fast the map is: time until it can be used, frames while it moves, time of a question.

    python benchmarks/page.py [--songs 10000 100000 1000000]

Invented songs in a real browser (chromium). Without a graphics card WebGL is drawn by the processor
(SwiftShader), which is the slowest case there is.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import uvicorn
from playwright.sync_api import sync_playwright

from songscape.clustering.portraits import Scale
from songscape.neighbours.songs import Songs
from songscape.results import ResultsFolder
from songscape.web.api import QUESTIONS
from songscape.web.app import make_app
from songscape.web.atlas import Atlas, Division, Layout
from songscape.web.desk import Desk
from songscape.web.shown import Shown

FLAGS = (
    *("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PAN_MS = 4000
TIMES = 50
ASKED = ("similar", "places", "path", "search")
_PAN = """async () => {
  let frames = 0;
  const begin = performance.now();
  while (performance.now() - begin < %d) {
    songscape.map.move(3 * Math.sin(frames / 20), 2 * Math.cos(frames / 20));
    await new Promise(requestAnimationFrame);
    frames++;
  }
  return 1000 * frames / (performance.now() - begin);
}"""
_HOVER = """() => {
  const begin = performance.now();
  const canvas = document.getElementById("points");
  for (let i = 0; i < 200; i++)
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: 200 + 3 * i, clientY: 300 }));
  return (performance.now() - begin) / 200;
}"""


def group(group_id: str, name: str, size: int, parent: str | None = None) -> dict[str, Any]:
    """A group of which nothing more is known."""
    lists = ("typical", "between", "languages", "decades", "descriptors", "tags")
    known = {"id": group_id, "name": name, "size": size, "parent": parent}
    return {
        **known,
        **{part: [] for part in lists},
        "stability": None,
        "sure": "",
        "is_sure": False,
        "words": {},
    }


def invented(n: int) -> Atlas:
    """Songs in 8 regions and 200 neighbourhoods, with the columns that a tagged library has."""
    rng = np.random.default_rng(0)
    fine = rng.integers(0, 200, n)
    centres = rng.normal(size=(200, 32)).astype(np.float32)
    vectors = centres[fine] + rng.normal(scale=0.5, size=(n, 32)).astype(np.float32)
    places = np.clip(vectors[:, :2] / 3, -1, 1)
    regions = tuple(group(f"r{i}", f"Slow, acoustic {i}", n // 8) for i in range(8))
    parts = tuple(group(f"n{i}", f"Folk, softer {i}", n // 200, f"r{i % 8}") for i in range(200))
    none = np.full(n, -1, np.int32)
    sure = rng.random(n, dtype=np.float32)
    sounds = {
        Scale(name, "low", "high", "lower than", "higher than"): rng.normal(size=n)
        for name in ("tempo", "loudness", "percussion", "brightness", "dynamics", "beat")
    }
    columns = {
        "genre": [f"genre {i}" for i in rng.integers(0, 30, n)],
        "language": [("English", "German", "Bangla", "Spanish")[i] for i in rng.integers(0, 4, n)],
        "year": rng.integers(1950, 2026, n).astype(str),
        "bpm": rng.normal(120, 20, n).round(1),
    }
    return Atlas(
        title=f"{n:,} invented songs",
        ids=tuple(f"Artist {i % 5000}/Album/{i:07}.mp3" for i in range(n)),
        titles=tuple(f"A Title of Usual Length {i}" for i in range(n)),
        artists=tuple(f"Artist {i % 5000}" for i in range(n)),
        audio=(None,) * n,
        lyrics=(None,) * n,
        columns=pd.DataFrame(columns),
        sounds=sounds,
        roles={"genre": "genre", "language": "language", "year": "year"},
        layouts=(Layout("", places, vectors), Layout("", -places, vectors)),
        levels=(
            Division("region", regions, (fine % 8).astype(np.int32), sure, none),
            Division("neighbourhood", parts, fine.astype(np.int32), sure, none),
        ),
    )


class FixedDesk(Desk):
    """Shows one atlas."""

    def __init__(self, atlas: Atlas) -> None:
        super().__init__(ResultsFolder(Path(tempfile.mkdtemp())))
        self._fixed = Shown(self.folder, (), atlas)
        vectors = atlas.layouts[0].vectors
        parts = {"sound": vectors[:, :16], "words": vectors[:, 16:]}
        table = atlas.columns.assign(title=list(atlas.titles), artist=list(atlas.artists))
        self._fixed.parts = parts
        self._fixed.songs = Songs.of_table(table.set_axis(list(atlas.ids)))

    @property
    def shown(self) -> Shown:
        return self._fixed


def serve(desk: Desk) -> tuple[uvicorn.Server, str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(desk), log_level="error", lifespan="off"))
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    while not server.started:
        time.sleep(0.01)
    return server, f"http://127.0.0.1:{listening.getsockname()[1]}"


def questions(desk: Desk) -> dict[str, float]:
    """Median milliseconds of a question, asked of the functions that answer."""
    found = {}
    atlas = desk.shown.atlas
    rng = np.random.default_rng(1)
    _ = desk.shown.search
    known = {question.path.rpartition("/")[2]: question for question in QUESTIONS}
    for name in ASKED:
        question, times = known[name], []
        few = name == "places" or len(atlas.ids) > 100_000
        for _ in range(5 if few else TIMES):
            one, other = (atlas.ids[i] for i in rng.integers(0, len(atlas.ids), 2))
            asked = {
                "similar": {"id": one},
                "places": {"words": rng.random()},
                "path": {"from": one, "to": other},
                "search": {"q": f"length {int(one[-11:-4])}"},
            }[name]
            values = question.read(asked)
            begin = time.perf_counter()
            question.answer(desk, values)
            times.append(1000 * (time.perf_counter() - begin))
        found[name] = statistics.median(times)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--songs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    songs = parser.parse_args().songs
    print(
        "songs      file MB  ready s  again s  frames/s  hover ms  similar  places  path  search ms"
    )
    with sync_playwright() as run:
        browser = run.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for n in songs:
            desk = FixedDesk(invented(n))
            size = len(desk.shown.map_json) / 1e6
            server, address = serve(desk)
            ready = []
            for _ in range(2):
                page = browser.new_page(viewport={"width": 1400, "height": 900})
                begin = time.perf_counter()
                page.goto(address)
                page.wait_for_selector("body[data-ready]", timeout=180_000)
                page.evaluate("new Promise(requestAnimationFrame)")
                ready.append(time.perf_counter() - begin)
                if len(ready) < 2:
                    page.close()
            frames, hover = page.evaluate(_PAN % PAN_MS), page.evaluate(_HOVER)
            page.close()
            server.should_exit = True
            asked = questions(desk)
            print(
                f"{n:<10,} {size:7.1f} {ready[0]:8.2f} {ready[1]:8.2f} {frames:9.1f} {hover:9.2f} "
                + " ".join(f"{asked[name]:7.1f}" for name in ASKED),
                flush=True,
            )
        browser.close()


if __name__ == "__main__":
    main()
