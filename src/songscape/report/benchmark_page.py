"""The page of a benchmark of anybody's embeddings: the page of a comparison, without a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from songscape._version import __version__
from songscape.benchmark.wording import finding_sentence
from songscape.report.comparison_page import write_comparison_report

if TYPE_CHECKING:
    from songscape.benchmark.benchmark import Benchmark

__all__ = ["write_benchmark_page"]


def write_benchmark_page(bench: Benchmark, path: Path) -> Path:
    """Write one self-contained page and return its path."""
    import pandas as pd

    rows = [finding.as_row(finding_sentence(finding)) for finding in bench.findings]
    columns = ["check", "severity", "message", "tracks", "values"]
    frames = {
        "summary": bench.summary,
        "differences": bench.differences,
        "models": bench.models,
        "warnings": pd.DataFrame(rows, columns=columns),
    }
    if bench.clusters.curve is not None:
        frames["stability"] = bench.clusters.curve
    document = {"title": "Embeddings", "songscape": __version__, "k": list(bench.clusters.ks)}
    document |= bench.setup.as_dict()
    with TemporaryDirectory() as folder:
        for name, frame in frames.items():
            frame.to_csv(Path(folder) / f"{name}.csv", index=False)
        text = json.dumps(document, ensure_ascii=False)
        (Path(folder) / "compare.json").write_text(text, encoding="utf-8")
        page = write_comparison_report(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, path)
    return path
