"""The page of a benchmark of anybody's embeddings: the page of an experiment, without a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from songscape._version import __version__
from songscape.benchmark.wording import finding_sentence
from songscape.report.page import write_page
from songscape.report.read import Results

if TYPE_CHECKING:
    from songscape.benchmark.benchmark import BenchmarkResults


def write_benchmark_page(bench: BenchmarkResults, path: Path) -> Path:
    """Write one self-contained page and return its path."""
    import pandas as pd

    rows = [finding.as_row(finding_sentence(finding)) for finding in bench.findings]
    frames = {
        "table": bench.table,
        "summary": bench.summary,
        "differences": bench.differences,
        "models": bench.models,
        "warnings": pd.DataFrame(rows),
    }
    document = {"title": "Embeddings", "songscape": __version__, "k": list(bench.clusters.ks)}
    document |= asdict(bench.assessment.setup)
    return write_page(Results.of(document, frames), path)
