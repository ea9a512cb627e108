"""Benchmark: anybody's embeddings, compared on labels, leakage, structure and stability."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songscape.benchmark.evidence import Evidence, tidy_table
from songscape.benchmark.keys import SPACE, PartitionKey, partition_keys
from songscape.benchmark.measure import MEASURES, N_SUBSAMPLES, measure
from songscape.benchmark.metric_table import Figures, Setup
from songscape.benchmark.number_of_clusters import NumberOfClusters, check_k, number_of_clusters
from songscape.benchmark.recommendation import Assessment, assess
from songscape.benchmark.significance import paired_tests
from songscape.benchmark.summary import summarise
from songscape.benchmark.targets import Targets
from songscape.benchmark.verdicts import PairedTest, Recommendation, Verdict
from songscape.benchmark.yardstick import BASELINE, yardstick
from songscape.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from songscape.audit.finding import Finding


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured: see `tidy_table`, `summarise`, and `PairedTest` for the differences."""

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
    import pandas as pd

    summary = summarise(evidence, targets, progress)
    figures = Figures(summary)
    tests = paired_tests(evidence, targets, figures, baseline=baseline, headline=headline)
    columns = [field.name for field in fields(PairedTest)]
    differences = pd.DataFrame([vars(test) for test in tests], columns=columns)
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
    return Setup(
        baseline=baseline,
        headline=partition_keys(clusterers, clusters.ks)[0],
        labels=tuple(targets.labels),
        nuisances=tuple(targets.nuisances),
        n_tracks=targets.n_tracks,
        n_groups=len(np.unique(np.asarray(targets.groups))),
        n_seeds=n_seeds,
        k_origin=clusters.origin,
        k_reason=clusters.reason,
        has_artists=targets.artists is not None,
    )


@dataclass(frozen=True, eq=False)
class BenchmarkResults(Evaluation):
    """What a benchmark found: the frames of `Evaluation`, and what follows from them.

    `models` has a row per model and seed (status, and reason where its space could not be
    measured), `findings` are what is odd about the targets, and `assessment` holds verdicts and
    recommendation.
    """

    models: pd.DataFrame
    findings: tuple[Finding, ...]
    clusters: NumberOfClusters
    assessment: Assessment

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One per embedding, with tests, flags and a sentence."""
        return self.assessment.verdicts

    @property
    def recommendation(self) -> Recommendation:
        return self.assessment.recommendation

    def report(self, path: Path | str) -> Path:
        """Write one self-contained page and return its path."""
        # The page is a floor above: it is imported only when it is asked for.
        write = import_module("songscape.report.page").write_benchmark_page
        return Path(write(self, Path(path)))


class Benchmark:
    """Compare embeddings of the same tracks; `run` gives `BenchmarkResults`.

    Parameters
    ----------
    targets : DataFrame, mapping of name to array-like of shape (n_tracks,), or Targets
        Columns to compare with; see `Targets.from_columns` for how they are sorted into labels
        and nuisances. `Targets` also takes copies of recordings and shared spaces.
    embeddings : mapping of name to array-like of shape (n_tracks, n_dimensions), or list of such
        Rows in the order of the targets. Several arrays are one embedding trained with several
        seeds: the intervals then include the variation between trainings. Names of Songscape's
        models keep their meaning: "random" and the like are references, not candidates.
    artist : str, optional
        Column of the artist: switches on the artist filter and artist retrieval, and intervals
        resample artists. Default: by the columns' names.
    nuisances, labels : sequence of str
        Columns that should not decide, and those to be found (default: all others that group).
    baseline : str, optional
        What the others are tested against; default: the strongest of Songscape's training-free
        models that are there (see `songscape.benchmark.yardstick`), else the first.
    clusterers : sequence of str
        Of `songscape.clustering.methods`; agreement of the first is tested.
    k : int or sequence of int, optional
        Numbers of clusters; default: chosen by stability in the space of the baseline if it is
        given, else of "balanced-pca" or the first.
    measures : iterable of str
        "ilisi" and "kbet", which are left out by default.
    seed : int
        Of clustering, permutations and probes; the further arrays of an embedding count on.

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
        measures: Iterable[str] = (),
        seed: int = 0,
    ) -> None:
        from songscape.clustering.methods import CLUSTERERS

        if not isinstance(targets, Targets):
            targets = Targets.from_columns(
                targets, labels=labels, nuisances=nuisances, artist=artist
            )
        self.targets, n = targets, targets.n_tracks
        self.embeddings = {str(name): _seeds(str(name), X, n) for name, X in embeddings.items()}
        self.clusterers = (clusterers,) if isinstance(clusterers, str) else tuple(clusterers)
        self.measures = tuple(measures)
        self.k = (k,) if isinstance(k, int) else tuple(k or ())
        self.seed = seed
        names = list(self.embeddings)
        if not names or not self.clusterers:
            raise UsageError("embeddings and clusterers: name at least one of each")
        self.baseline = baseline
        _known("baseline", [] if baseline is None else [baseline], names)
        _known("clusterer", self.clusterers, CLUSTERERS)
        _known("measure", self.measures, MEASURES)
        check_k(self.k, n)

    def run(self) -> BenchmarkResults:
        """Measure everything."""
        first = next(iter(self.embeddings))
        chosen_in = self.baseline or (BASELINE if BASELINE in self.embeddings else first)
        clusters = number_of_clusters(self.embeddings[chosen_in][0], self.k)
        keys, evidence = [SPACE, *partition_keys(self.clusterers, clusters.ks)], []
        for name, spaces in self.embeddings.items():
            seeds = {}
            for seed, X in enumerate(spaces, start=self.seed):
                asked: Any = {"seed": seed, "measures": self.measures}
                asked["subsamples"] = N_SUBSAMPLES if seed == self.seed else 0
                seeds[seed] = measure(X, self.targets, keys, **asked)
            evidence.append(Evidence.of(name, _kind(name), seeds))
        baseline = self.baseline or yardstick(evidence, self.targets) or first
        setup = setup_of(
            self.targets,
            baseline=baseline,
            clusterers=self.clusterers,
            clusters=clusters,
            n_seeds=max(map(len, self.embeddings.values())),
        )
        found = evaluate(evidence, self.targets, baseline=baseline, headline=setup.headline)
        findings, models = _findings(self.targets), _models(evidence)
        assessment = assess(found.summary, found.differences, models, findings, setup)
        frames = found.table, found.summary, found.differences
        return BenchmarkResults(*frames, models, findings, clusters, assessment)


def _known(kind: str, chosen: Iterable[str], known: Iterable[str]) -> None:
    for name in chosen:
        if name not in known:
            raise UsageError(f"no {kind} {name!r}; known: {', '.join(known)}")


def _seeds(name: str, given: Any, n_tracks: int) -> list[NDArray[np.floating]]:
    """The arrays of one embedding, one per seed."""
    several = isinstance(given, list | tuple) and len(given) > 0 and np.ndim(given[0]) == 2
    if not several and getattr(given, "ndim", 2) != 3:
        given = [given]
    return [_space(name, X, n_tracks) for X in given]


def _space(name: str, given: Any, n_tracks: int) -> NDArray[np.floating]:
    try:
        X = np.asarray(given)
        X = X if X.dtype.kind == "f" else X.astype(np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{name}: not an array of numbers") from None
    if X.ndim != 2 or X.shape[1] == 0:
        raise UsageError(f"{name}: shape {X.shape}, expected (n_tracks, n_dimensions)")
    if len(X) != n_tracks:
        raise UsageError(f"{name}: {len(X)} rows, and the targets have {n_tracks}; one per track")
    bad = int((~np.isfinite(X)).any(axis=1).sum())
    if bad:
        raise UsageError(f"{name}: {bad} rows have missing or infinite values; leave them out")
    return X


def _kind(name: str) -> str:
    """Kind of a preset of that name, else a candidate."""
    from songscape.models.presets import PRESETS

    return PRESETS[name].kind if name in PRESETS else "candidate"


def _findings(targets: Targets) -> tuple[Finding, ...]:
    import pandas as pd

    from songscape.audit.confounding import confounded_labels

    labels, nuisances = (pd.DataFrame(dict(c)) for c in (targets.labels, targets.nuisances))
    return tuple(confounded_labels(labels, list(labels.columns), nuisances))


def _models(evidence: Sequence[Evidence]) -> pd.DataFrame:
    """A row per embedding and seed; failed where its space could not be measured."""
    import pandas as pd

    models: dict[tuple[str, int], dict[str, Any]] = {}
    for one in evidence:
        usual = {"model": one.model, "kind": one.kind, "collapsed": False}
        for row in one.rows:
            model = models.setdefault((one.model, row["seed"]), usual | {"seed": row["seed"]})
            if (row["axis"], row["metric"]) == ("failed", "space"):
                model |= {"status": "failed", "reason": row["reason"]}
    return pd.DataFrame([{"status": "ok", "reason": ""} | model for model in models.values()])
