"""Benchmark: anybody's embeddings, compared on labels, leakage, structure and stability."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.benchmark.evidence import Evidence, tidy_table
from songscape.benchmark.keys import PartitionKey
from songscape.benchmark.measure import MEASURES, measure
from songscape.benchmark.metric_table import Setup
from songscape.benchmark.number_of_clusters import NumberOfClusters, check_k, number_of_clusters
from songscape.benchmark.recommendation import Assessment, assess
from songscape.benchmark.significance import differences_to_baseline
from songscape.benchmark.summary import summarise
from songscape.benchmark.targets import Targets
from songscape.benchmark.verdicts import Recommendation, Verdict
from songscape.errors import SongscapeError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from songscape.audit.finding import Finding

__all__ = ["Benchmark", "Evaluation", "evaluate", "setup_of"]

BASELINE = "balanced-pca"
NOT_RUN = "nothing was measured yet; call run() first"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Tables of what was measured: see `tidy_table`, `summarise`, `differences_to_baseline`."""

    table: pd.DataFrame
    summary: pd.DataFrame
    differences: pd.DataFrame


def evaluate(
    evidence: Sequence[Evidence],
    targets: Targets,
    *,
    baseline: str,
    headline: PartitionKey,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Evidence of all models -> intervals on every figure, and tests against the baseline."""
    summary = summarise(evidence, targets, progress)
    differences = differences_to_baseline(
        evidence, targets, summary, baseline=baseline, headline=headline
    )
    return Evaluation(tidy_table(evidence), summary, differences)


def setup_of(
    targets: Targets,
    *,
    baseline: str,
    clusterers: Sequence[str],
    clusters: NumberOfClusters,
    n_seeds: int,
) -> Setup:
    """What is compared; the headline partition is of the first clusterer and the first k."""
    from songscape.clustering.methods import NEEDS_K

    first = clusterers[0]
    return Setup(
        baseline=baseline,
        headline=PartitionKey(first, clusters.ks[0] if first in NEEDS_K else None),
        labels=tuple(targets.labels),
        nuisances=tuple(targets.nuisances),
        n_tracks=targets.n_tracks,
        n_groups=len(np.unique(np.asarray(targets.groups))),
        n_seeds=n_seeds,
        k_origin=clusters.origin,
        k_reason=clusters.reason,
        has_artists=targets.artists is not None,
    )


class Benchmark:
    """Compare embeddings of the same tracks.

    Parameters
    ----------
    targets : DataFrame, mapping of name to array-like of shape (n_tracks,), or Targets
        Columns to compare with; see `Targets.from_columns` for how they are sorted into labels
        and nuisances.
    embeddings : mapping of name to array-like of shape (n_tracks, n_dimensions), or list of such
        Rows in the order of the targets. Several arrays are one embedding trained with several
        seeds: the intervals then include the variation between trainings. Names of Songscape's
        models keep their meaning: "random" and the like are references, not candidates.
    artist : str, optional
        Column of the artist: switches on the artist filter and artist retrieval, and intervals
        resample artists. Default: a column named artist or composer.
    nuisances, labels : sequence of str
        Columns that should not decide, and those to be found (default: all others that group).
    baseline : str, optional
        What the others are tested against; default: "balanced-pca" if it is there, else the first.
    clusterers : sequence of str
        Of `songscape.clustering.methods`; agreement of the first is tested.
    k : int or sequence of int, optional
        Numbers of clusters; default: chosen by stability in the baseline's space.
    copies : array-like of shape (n_tracks,), optional
        Tracks of one recording have one number: they are no neighbours and one piece of evidence.
    references : mapping of name to array-like of shape (n_tracks, n_dimensions), optional
        Shared spaces that the structure of every partition is measured in.
    measures : iterable of str
        "ilisi" and "kbet", which are left out by default.
    seed : int
        Of clustering, permutations and probes; the further arrays of an embedding count on.

    Attributes
    ----------
    table : DataFrame
        Every measured value: one row per model, clusterer, k, seed, axis, metric and column.
    summary : DataFrame
        One row per figure, with estimate and interval.
    differences : DataFrame
        Every test against the baseline.
    verdicts : tuple of Verdict
        One per embedding, with flags and a sentence.
    recommendation : Recommendation
    assessment : Assessment
        Verdicts and recommendation with their sentences.

    Raises
    ------
    UsageError
        Lengths that differ, values that are not finite, unknown columns, names or clusterers,
        fewer than 4 tracks, k not below the number of tracks.
    """

    def __init__(
        self,
        targets: pd.DataFrame | Mapping[str, ArrayLike] | Targets,
        embeddings: Mapping[str, ArrayLike | Sequence[ArrayLike]],
        *,
        artist: str | None = None,
        nuisances: Sequence[str] = (),
        labels: Sequence[str] | None = None,
        baseline: str | None = None,
        clusterers: Sequence[str] = ("kmeans",),
        k: int | Sequence[int] | None = None,
        copies: ArrayLike | None = None,
        references: Mapping[str, ArrayLike] | None = None,
        measures: Iterable[str] = (),
        seed: int = 0,
    ) -> None:
        from songscape.clustering.methods import CLUSTERERS

        given = {n: _space(f"reference {n!r}", X) for n, X in (references or {}).items()}
        if isinstance(targets, Targets):
            self.targets = targets
        else:
            self.targets = Targets.from_columns(
                targets,
                labels=labels,
                nuisances=nuisances,
                artist=artist,
                copies=copies,
                references=given,
            )
        if not embeddings:
            raise UsageError("embeddings: none given; name at least one")
        self.embeddings = {str(name): _seeds(str(name), X) for name, X in embeddings.items()}
        n_tracks = self.targets.n_tracks
        for name, spaces in {**self.embeddings, **{n: [X] for n, X in given.items()}}.items():
            for X in spaces:
                if len(X) != n_tracks:
                    raise UsageError(
                        f"{name}: {len(X)} rows for {n_tracks} rows of targets; one row per track"
                    )
        names = list(self.embeddings)
        self.baseline = baseline or (BASELINE if BASELINE in names else names[0])
        if self.baseline not in names:
            raise UsageError(f"baseline {self.baseline!r}: not among {', '.join(names)}")
        self.clusterers = (clusterers,) if isinstance(clusterers, str) else tuple(clusterers)
        for kind, chosen, known in (
            ("clusterer", self.clusterers, CLUSTERERS),
            ("measure", tuple(measures), MEASURES),
        ):
            for name in chosen:
                if name not in known:
                    raise UsageError(f"no {kind} {name!r}; known: {', '.join(known)}")
        if not self.clusterers:
            raise UsageError("clusterers is empty; name at least one")
        self.measures = tuple(measures)
        self.k = (k,) if isinstance(k, int) else tuple(k or ())
        check_k(self.k, n_tracks)
        self.seed = seed
        self._evaluation: Evaluation | None = None
        self._assessment: Assessment | None = None

    def run(self, progress: Callable[[int, int], None] | None = None) -> Benchmark:
        """Measure everything; `progress` is called with (done, total) embeddings."""
        clusters = number_of_clusters(self.embeddings[self.baseline][0], self.k)
        evidence = []
        for done, (name, spaces) in enumerate(self.embeddings.items(), start=1):
            seeds = {
                seed: measure(
                    X,
                    self.targets,
                    self.clusterers,
                    ks=clusters.ks,
                    seed=seed,
                    subsamples=10 if seed == self.seed else 0,
                    measures=self.measures,
                )
                for seed, X in enumerate(spaces, start=self.seed)
            }
            evidence.append(Evidence.of(name, _kind(name), seeds))
            if progress is not None:
                progress(done, len(self.embeddings))
        self.clusters = clusters
        self.setup = setup_of(
            self.targets,
            baseline=self.baseline,
            clusterers=self.clusterers,
            clusters=clusters,
            n_seeds=max(map(len, self.embeddings.values())),
        )
        found = evaluate(
            evidence, self.targets, baseline=self.baseline, headline=self.setup.headline
        )
        self.findings = _findings(self.targets)
        self.models = _models(evidence)
        self._evaluation = found
        self._assessment = assess(
            found.summary, found.differences, self.models, self.findings, self.setup
        )
        return self

    @property
    def table(self) -> pd.DataFrame:
        return self._evaluated.table

    @property
    def summary(self) -> pd.DataFrame:
        return self._evaluated.summary

    @property
    def differences(self) -> pd.DataFrame:
        return self._evaluated.differences

    @property
    def assessment(self) -> Assessment:
        if self._assessment is None:
            raise SongscapeError(NOT_RUN)
        return self._assessment

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return self.assessment.verdicts

    @property
    def recommendation(self) -> Recommendation:
        return self.assessment.recommendation

    @property
    def _evaluated(self) -> Evaluation:
        if self._evaluation is None:
            raise SongscapeError(NOT_RUN)
        return self._evaluation

    def report(self, path: Path | str) -> Path:
        """Write one self-contained page and return its path."""
        # The page is a floor above: it is imported only when it is asked for.
        write = import_module("songscape.report.benchmark_page").write_benchmark_page
        return Path(write(self, Path(path)))


def _seeds(name: str, given: Any) -> list[NDArray[np.floating]]:
    several = isinstance(given, list | tuple) and bool(given) and np.ndim(given[0]) == 2
    if not several and isinstance(given, np.ndarray) and given.ndim == 3:
        several = True
    return [_space(f"embedding {name!r}", X) for X in (given if several else [given])]


def _space(what: str, given: Any) -> NDArray[np.floating]:
    try:
        X = np.asarray(given)
        X = X if X.dtype.kind == "f" else X.astype(np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{what}: not an array of numbers") from None
    if X.ndim != 2 or X.shape[1] == 0:
        raise UsageError(f"{what}: shape {X.shape}, expected (n_tracks, n_dimensions)")
    bad = int((~np.isfinite(X)).any(axis=1).sum())
    if bad:
        raise UsageError(f"{what}: {bad} rows have missing or infinite values; leave them out")
    return X


def _kind(name: str) -> str:
    """Kind of a preset of that name, else a candidate."""
    from songscape.models.presets import PRESETS

    return PRESETS[name].kind if name in PRESETS else "candidate"


def _findings(targets: Targets) -> list[Finding]:
    import pandas as pd

    from songscape.audit.confounding import confounded_labels

    labels, nuisances = (pd.DataFrame(dict(c)) for c in (targets.labels, targets.nuisances))
    return confounded_labels(labels, list(labels.columns), nuisances)


def _models(evidence: Sequence[Evidence]) -> pd.DataFrame:
    """A row per embedding and seed; failed where its space could not be measured at all."""
    import pandas as pd

    rows = []
    for one in evidence:
        for seed in dict.fromkeys(row["seed"] for row in one.rows):
            mine = [row for row in one.rows if row["seed"] == seed]
            failed = mine[0] if len(mine) == 1 and mine[0]["axis"] == "failed" else None
            row = {"model": one.model, "kind": one.kind, "seed": seed, "collapsed": False}
            row["status"] = "ok" if failed is None else "failed"
            row["reason"] = "" if failed is None else failed["reason"]
            rows.append(row)
    return pd.DataFrame(rows)
