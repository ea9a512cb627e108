"""`songscape export`: the map as one file for a browser, or as a table for other programs."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import add_results, add_verb, path
from songscape.cli.outcome import DONE


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "export",
        _export,
        "write the map of a collection as one file that any browser opens",
        "The file needs no server and no network. It holds titles and groups, but no lyrics and no "
        "songs: it has no slider, no search in lyrics, and no renaming of groups.",
    )
    parser.add_argument("what", choices=["map"], help="what to write: the map")
    parser.add_argument("file", type=path, help="HTML file to write")
    add_results(parser)
    parser.add_argument(
        "--previews",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="put this much of every song into the file, as MP3 (20 s: about 0.1 MB a song)",
    )
    parser.add_argument(
        "--atlas", type=path, metavar="FILE", help="also write a Parquet table for embedding-atlas"
    )


def _export(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.errors import UsageError
    from songscape.progress import progress_bar
    from songscape.results import find_folder
    from songscape.web.atlas import load_atlas
    from songscape.web.export import make_previews, write_atlas_table, write_map

    if not 0 <= parsed.previews <= 600:
        raise UsageError("--previews: seconds, 0 to 600")
    if parsed.file.is_dir():
        raise UsageError(f"{parsed.file}: is a folder; name a file")
    atlas, previews = load_atlas(find_folder(parsed.results)), {}
    if parsed.previews:
        with progress_bar("making previews", "song") as advance:
            previews = make_previews(atlas, parsed.previews, advance)
    write_map(atlas, parsed.file, previews)
    size = parsed.file.stat().st_size / 1e6
    print(f"map: {parsed.file.resolve().as_uri()} ({len(atlas.ids):,} songs, {size:.1f} MB)")
    if parsed.atlas is not None:
        write_atlas_table(atlas, parsed.atlas, previews)
        print(f"table: {parsed.atlas} (open it with embedding-atlas)")
    return DONE
