"""Writes the page: one HTML file that needs no network, made from a results folder alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from songscape._version import __version__
from songscape.benchmark.wording import finding_sentence
from songscape.report.figures import number_figures
from songscape.report.read import Results, read_results
from songscape.report.sections import EVIDENCE, FIRST, short
from songscape.report.style import share
from songscape.results import write_bytes

if TYPE_CHECKING:
    from jinja2 import Template

    from songscape.benchmark.benchmark import BenchmarkResults


def write_page(results: Results | Path | str, path: Path | None = None) -> Path:
    """Write the page of a results folder (or of its frames) and return its path.

    The page is a function of the files in the folder or of the frames, and equal ones give equal
    bytes. Sections for which there is nothing are left out.
    """
    if not isinstance(results, Results):
        results = read_results(results)
    path = path or (results.folder or Path()) / "report.html"
    figures = number_figures(results)
    first, evidence = (
        [
            (anchor, title, content)
            for anchor, (title, make) in sections.items()
            if any((content := make(results) | {"figures": figures.get(anchor)}).values())
        ]
        for sections in (FIRST, EVIDENCE)
    )
    text = _template().render(
        title=results.document.get("title") or "Songs",
        counts=results.document.get("counts"),
        size=_size(results),
        short=short(results),
        has_groups=bool(results.document.get("groups")),
        first=first,
        evidence=evidence,
    )
    write_bytes(path, text.encode("utf-8", "replace"))  # "?" for names that aren't UTF-8
    return path


def _template() -> Template:
    """A template of the page; all values put in are escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["share"] = share
    return templates.get_template("page.html.j2")


def _size(results: Results) -> str:
    """How much was measured on how many songs."""
    setup, models = results.setup, results.models
    clusterers = {one.key.clusterer for one in results.partitions}
    parts = [f"{len(results.kinds)} methods", f"{len(clusterers)} clusterers"]
    parts.append(f"{models['seed'].nunique()} seeds")
    text = " × ".join(part[:-1] if part.startswith("1 ") else part for part in parts)
    artists = " (songs of one artist are one group)" if setup.has_artists else ""
    return f"{text} on {setup.n_tracks:,} songs in {setup.n_groups:,} groups{artists}."


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
