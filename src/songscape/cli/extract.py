"""`songscape extract`: the features of a large collection as Parquet files."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from songscape.cli.options import add_verb, asked_workers, path
from songscape.cli.outcome import DONE, SOME_FAILED, in_one_line, print_json
from songscape.progress import progress_bar
from songscape.settings import EXCERPTS


def add_parser(verbs: Any) -> None:
    """Add `extract` to the verbs."""
    parser = add_verb(
        verbs,
        "extract",
        _extract,
        "write the features of a collection of millions of tracks as Parquet files",
        "The workers write them; started again, it goes on where it stopped. In Python, "
        "`songscape.ParquetFeatures(FOLDER)` reads them in batches.",
    )
    parser.add_argument("folder", type=path, help="folder of audio, its URL, or a tracks.csv")
    parser.add_argument("out", help="folder or URL to write to, which all workers can reach")
    parser.add_argument("--excerpt", choices=EXCERPTS, help="what is read of files over a minute")
    parser.add_argument(
        "--per-file", type=int, default=1024, help="tracks in a file (default 1024)"
    )
    parser.add_argument("--workers", type=int, help="processes (default: cores)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="Dask cluster whose workers write")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _extract(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.dask_cluster import connected
    from songscape.errors import UsageError
    from songscape.experiment.dataset import scan
    from songscape.features.excerpt import DEFAULT
    from songscape.features.parquet import extract_to_parquet

    if parsed.per_file < 1:
        raise UsageError("--per-file: at least 1")
    workers = asked_workers(parsed)
    with (
        tempfile.TemporaryDirectory() as beside,
        connected(parsed.cluster) if parsed.cluster else nullcontext() as cluster,
    ):
        collection = scan(parsed.folder, Path(beside) / "songscape.db")
        with progress_bar("reading audio") as advance:
            counts = extract_to_parquet(
                collection,
                parsed.out,
                excerpt=parsed.excerpt or DEFAULT,
                per_file=parsed.per_file,
                workers=workers or (cluster.workers if cluster else None),
                executor=cluster,
                progress=advance,
            )
    if parsed.json:
        print_json({"folder": parsed.out, "counts": asdict(counts)})
    else:
        print(in_one_line(counts))
    return DONE if counts.complete else SOME_FAILED
