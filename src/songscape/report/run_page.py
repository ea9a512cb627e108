"""Write the report: one HTML file that needs no network, made from a results folder alone."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.report import style
from songscape.report.findings import findings, in_order
from songscape.report.pictures import picture_sections
from songscape.report.run_read import Results, read_results
from songscape.report.run_tables import (
    agreement_table,
    cluster_table,
    course_table,
    ledger_table,
    models_table,
    structure_table,
)

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["report_environment", "write_report"]

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(results_dir: Path | str, *, title: str = "Songscape report") -> Path:
    """Write ``report.html`` into a results folder and return its path.

    The page is a function of the files in the folder (`metrics.csv` and `run.json` must be there,
    `clusters.csv`, `models.csv`, `labels.csv`, `ledger.csv`, `course.csv`, `latents/` and
    `pictures/` may be), so it can be written again at any time, and equal files give equal bytes.

    Parameters
    ----------
    results_dir : path
        The folder `results` of a run.
    title : str
        Heading of the page.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    SongscapeError
        If the folder lacks `metrics.csv` or `run.json`, or one of the files can't be read.
    """
    results = read_results(results_dir)
    page = (
        report_environment()
        .get_template("report.html.j2")
        .render(
            title=title,
            counts=_counts(results),
            findings=findings(results),
            course=course_table(results),
            agreement=[(label, agreement_table(results, label)) for label in in_order(results)],
            clusters=cluster_table(results),
            structure=structure_table(results),
            models=models_table(results),
            ledger=ledger_table(results),
            sections=picture_sections(results),
            facts=_facts(results.run),
            command=shlex.join(str(word) for word in results.run.get("command", ())),
            settings=json.dumps(results.run.get("settings", {}), indent=2, ensure_ascii=False),
        )
    )
    path = results.folder / "report.html"
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def report_environment() -> "Environment":
    """Return the templates of all pages; whatever is put in is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _counts(results: Results) -> dict[str, Any]:
    """Return found, analysed, skipped and failed, and whether they add up."""
    raw: Mapping[str, Any] = results.run.get("counts", {})
    counts = {name: int(raw.get(name, 0)) for name in ("found", "analysed", "skipped", "failed")}
    adds_up = counts["found"] == counts["analysed"] + counts["skipped"] + counts["failed"]
    return {name: f"{value:,}" for name, value in counts.items()} | {"adds_up": adds_up}


def _facts(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and value of everything that somebody needs to repeat the run."""
    settings: Mapping[str, Any] = run.get("settings", {})
    seeds = settings.get("seeds", run.get("seeds"))
    ks = ", ".join(style.number(k, 0) for k in run.get("k", ()))
    versions: Mapping[str, Any] = run.get("versions", {})
    rows = [
        ("Songscape", run.get("songscape")),
        ("k", f"{ks} ({run['k_reason']})" if ks and run.get("k_reason") else ks),
        ("Seeds", ", ".join(map(str, seeds)) if isinstance(seeds, list | tuple) else seeds),
        ("Digest of the input features", run.get("input_digest")),
        ("Python", run.get("python")),
        ("Platform", run.get("platform")),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in versions.items())),
    ]
    return [(name, str(value)) for name, value in rows if value not in (None, "")]
