"""The map as one file that opens without a server: the page's own modules, and the songs in it."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np

from songscape.errors import SongscapeError
from songscape.results import write_bytes, write_parquet
from songscape.web.atlas import Atlas
from songscape.web.packing import as_json, groups_document, map_document, packed

NEIGHBOURS = 12
STATIC = files("songscape.web") / "static"
_POLICY = (
    "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; "
    "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
)
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|const) (\w+)", re.MULTILINE)
Progress = Callable[[int, int], None]


def write_map(atlas: Atlas, path: Path, previews: Mapping[str, bytes] | None = None) -> Path:
    """Write the page with its songs as HTML; equal collections give equal bytes.

    `previews` are MP3s by id, see `make_previews`. Raises SongscapeError where there is no map yet.
    """
    from songscape.metrics.neighbours import nearest_neighbors

    _check_map(atlas)
    found = previews or {}
    nearest = [nearest_neighbors(layout.vectors, NEIGHBOURS) for layout in atlas.layouts]
    sounds = {i: f"data:audio/mpeg;base64,{_base64(data)}" for i, data in found.items()}
    written = {
        "map": map_document(atlas) | {"plays": packed([i in found for i in atlas.ids], "uint8")},
        "groups": groups_document(atlas),
        "neighbours": [packed(near.indices, "int32") for near in nearest],
        "previews": sounds,
    }
    write_bytes(path, _page(as_json(written).decode()).encode("utf-8"))
    return path


def _check_map(atlas: Atlas) -> None:
    if not atlas.layouts:
        raise SongscapeError("there is no map yet; finish songscape run first")


def _page(data: str) -> str:
    """`index.html` with its style, its modules and the data in it."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    script = joined_modules("main.js")
    policy = _POLICY.format(script=_digest(script), style=_digest(style))
    safe = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    for old, new in {
        '<meta charset="utf-8">': '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<link rel="stylesheet" href="/static/style.css">': f"<style>{style}</style>",
        '<script type="module" src="/static/main.js"></script>': "",
        "</body>": f'<script type="application/json" id="written">{safe}</script>\n'
        f'<script type="module">{script}</script>\n</body>',
    }.items():
        assert page.count(old) == 1, old
        page = page.replace(old, new)
    return page


def joined_modules(name: str) -> str:
    """A module and all that it imports as one script; no exported name may occur twice."""
    parts: dict[str, str] = {}

    def add(one: str) -> None:
        if one in parts:
            return
        text = (STATIC / one).read_text(encoding="utf-8")
        for needed in _IMPORT.findall(text):
            add(needed)
        names = ", ".join(_EXPORT.findall(text))
        body = re.sub(r"^export ", "", _IMPORT.sub("", text), flags=re.MULTILINE)
        given = f"const {{ {names} }} = " if names else ""
        parts[one] = f"// {one}\n{given}(() => {{\n{body}return {{ {names} }};\n}})();\n"

    add(name)
    return "".join(parts.values()).replace("</script", "<\\/script")


def _digest(text: str) -> str:
    return _base64(hashlib.sha256(text.encode()).digest())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def make_previews(
    atlas: Atlas, seconds: float, progress: Progress = lambda done, total: None
) -> dict[str, bytes]:
    """So much of every song as MP3, from its middle, by id; of songs that can be read.

    `progress` takes (done, total).
    """
    import soundfile

    from songscape.features.decode import SAMPLE_RATE, load_mono
    from songscape.features.readers import DecodeError

    found = {}
    spans = atlas.spans or [None] * len(atlas.ids)
    for done, (track_id, path, span) in enumerate(zip(atlas.ids, atlas.audio, spans), 1):
        progress(done, len(atlas.ids))
        if path is None:
            continue
        try:
            samples = load_mono(path, span=span)
        except (DecodeError, OSError):
            continue
        n = int(seconds * SAMPLE_RATE)
        start = max(0, (len(samples) - n) // 2)
        data = io.BytesIO()
        part = np.clip(samples[start : start + n], -1, 1)
        kind = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "VARIABLE"}
        soundfile.write(data, part, SAMPLE_RATE, compression_level=0.8, **kind)
        found[track_id] = data.getvalue()
    return found


def write_atlas_table(
    atlas: Atlas, path: Path, previews: Mapping[str, bytes] | None = None
) -> Path:
    """Write a Parquet table that embedding-atlas opens: x, y, groups, titles and columns.

    Previews are objects with `bytes` and `path`, which it shows as players. Raises SongscapeError
    where there is no map yet.
    """
    _check_map(atlas)
    table = atlas.columns.assign(title=list(atlas.titles), artist=list(atlas.artists))
    table.insert(0, "track_id", list(atlas.ids))
    for number, layout in enumerate(atlas.layouts):
        end = "" if number == 0 else f"_{number + 1}"
        table[f"x{end}"], table[f"y{end}"] = layout.places[:, 0], layout.places[:, 1]
    for level in atlas.levels:
        names = [group["name"] for group in level.groups]
        table[level.name] = [names[i] if i >= 0 else None for i in level.member]
    if previews:
        parts = [previews.get(i) for i in atlas.ids]
        table["preview"] = [None if p is None else {"bytes": p, "path": "song.mp3"} for p in parts]
    write_parquet(path, table)
    return path
