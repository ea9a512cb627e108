"""What an experiment writes: tables, pictures, `experiment.json` and the page."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.benchmark.keys import PartitionKey
from songscape.errors import SongscapeError
from songscape.experiment import tables
from songscape.experiment.checks import check_promises
from songscape.experiment.fit import digest_of
from songscape.experiment.request import Outcome
from songscape.experiment.trial_inputs import TrialInputs
from songscape.experiment.trials import RECIPE, Trial
from songscape.progress import progress_bar, say
from songscape.results import ResultsFolder, write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from songscape.audit.finding import Finding
    from songscape.benchmark.evidence import Evidence
    from songscape.benchmark.metric_table import Setup
    from songscape.benchmark.number_of_clusters import NumberOfClusters
    from songscape.library import Counts

__all__ = ["Collected", "ExperimentSummary", "write_results"]

BASELINE = "balanced-pca"
VERSIONS_OF = ("numpy", "scipy", "scikit-learn", "torch", "umap-learn", "soundfile", "soxr")
# What versions without trials wrote, and what would look current today.
OLD_TABLES = ("metrics", "seeds", "course", "calibration")
OLD_FILES = ("run.json", "compare.json", "differences.tex")
EARLIER_COMPARISON = (
    "A comparison in this folder was of an earlier state of the data or the settings; it is left "
    "out here, and songscape compare makes it again."
)
Name = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Collected:
    """What the library says of the collection: its own file, counts, title and ledger."""

    library: Path
    counts: Counts
    title: str
    ledger: pd.DataFrame


@dataclass(frozen=True, eq=False)
class ExperimentSummary:
    """What an experiment left behind.

    Attributes
    ----------
    report : Path
        The page to open.
    counts : Counts
        found = analysed + skipped + failed, in tracks.
    k : tuple of int
        Numbers of clusters used; `k_reason` says how they were chosen.
    table : DataFrame
        The tidy table: one row per model, clusterer, k, seed and measure.
    summary, differences : DataFrame or None
        Of a comparison: estimates with intervals, and every test against the baseline.
    verdicts, warnings, unmeasured : tuple of str
        A sentence each: what to use and whether to trust that, what is odd about the collection,
        what could not be measured and why.
    """

    report: Path
    counts: Counts
    k: tuple[int, ...]
    k_reason: str
    table: pd.DataFrame
    summary: pd.DataFrame | None = None
    differences: pd.DataFrame | None = None
    verdicts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()


def write_results(
    folder: ResultsFolder,
    collected: Collected,
    inputs: TrialInputs,
    clusters: NumberOfClusters,
    mine: Outcome,
    kept: Outcome | None,
) -> ExperimentSummary:
    """Write everything of `results/`.

    Parameters
    ----------
    folder : ResultsFolder
    collected : Collected
    inputs : TrialInputs
    clusters : NumberOfClusters
    mine : Outcome
        Of the command that runs.
    kept : Outcome or None
        What the other command (`run`, `compare`) left of the same data.
    """
