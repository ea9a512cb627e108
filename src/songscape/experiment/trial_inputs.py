"""The inputs of trials, as files, so that no trial opens the library.

Arrays are memory-mapped: the trials on one machine share the memory.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from songscape.benchmark.targets import Targets
from songscape.errors import UsageError
from songscape.experiment.fit import digest_of
from songscape.features.loading import LazyBlocks
from songscape.features.views import View, Views

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from songscape.experiment.dataset import Dataset
    from songscape.settings import Settings

_DESCRIBED_BY = ("timbre", "lyrics")


@dataclass(frozen=True, eq=False)
class TrialInputs:
    """What the trials of a collection are run on and measured against.

    The targets have no reference spaces yet. `shown` are labels, and nuisances that are columns:
    what clusters are described by. `digests` are of the views that some track has and of who is
    grouped with whom, `context` of everything that trials are measured against.
    """

    dataset: Dataset
    targets: Targets
    shown: tuple[str, ...]
    digests: Mapping[str, str]
    context: str

    @classmethod
    def of(cls, dataset: Dataset, settings: Settings) -> TrialInputs:
        """From a loaded collection; no view is read."""
        targets = targets_of(dataset, dataset.label_columns if settings.labels else ())
        shown = tuple(name for name in targets.columns if name in dataset.columns)
        # No split separates the tracks of a group: latents depend on the groups too.
        rows = digest_of([dataset.track_ids, _plain(dataset.views.groups)])
        digests = {name: digest_of([rows, one]) for name, one in dataset.digests.items()}
        named = {"labels": targets.labels, "nuisances": targets.nuisances}
        plain = {kind: {n: _plain(v) for n, v in its.items()} for kind, its in named.items()}
        parts: list[Any] = [plain | {"artists": _plain(targets.artists)}, shown]
        parts += [_plain(targets.groups), _plain(targets.copies)]
        parts += [digests.get(name) for name in _DESCRIBED_BY]
        return cls(dataset, targets, shown, digests, digest_of(parts))

    @property
    def track_ids(self) -> tuple[str, ...]:
        return self.dataset.track_ids

    @contextmanager
    def written(self, root: Path, names: Iterable[str]) -> Iterator[Path]:
        """A folder below `root` with these views and everything else that trials read.

        It is removed at the end, and so is what a run that was killed has left.
        """
        for left in root.glob(".inputs-*"):
            shutil.rmtree(left, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".inputs-", dir=root))
        try:
            views = self.dataset.views
            both = views.select([name for name in _DESCRIBED_BY if name in self.digests])
            targets = replace(self.targets, references=reference_spaces(both))
            del both
            _write(folder, "targets", vars(targets))
            wanted = [name for name in self.digests if name in {*names, *_DESCRIBED_BY}]
            about = {"track_ids": views.track_ids, "groups": views.groups, "views": wanted}
            _write(folder, "inputs", about | {"shown": self.shown})
            for number, name in enumerate(wanted):
                _write(folder, f"view{number}", _parts(views[name]))
                if isinstance(views.blocks, LazyBlocks):
                    views.blocks.forget()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def targets_of(dataset: Dataset, named: Sequence[str] = ()) -> Targets:
    """What the collection's labels, nuisances and artists are; reference spaces come later.

    Columns that the user named are labels, even where they would be nuisances; but for the artist,
    which every comparison measures by retrieval. It is both what tracks are grouped by and a
    nuisance: clusters of artists are no styles.
    """
    from songscape.audit.nuisances import nuisance_table

    roles, artists = dataset.roles, dataset.artists
    extra = dataset.nuisance_columns
    table = nuisance_table(dataset.columns, dataset.facts, dataset.views, extra=extra, roles=roles)
    assert dataset.views.groups is not None
    if roles.artist in named:
        raise UsageError(
            f"labels: {roles.artist} is measured in every comparison, by retrieval and as leakage; "
            "name other columns"
        )
    nuisances = {
        str(name): table[name].to_numpy(dtype=object)
        for name in table.columns
        if name not in named and roles.nuisances.get(str(name)) not in named
    }
    return Targets(
        labels={name: dataset.columns[name].to_numpy(object) for name in dataset.label_columns},
        nuisances=nuisances,
        artists=None if artists is None else np.asarray(artists, dtype=object),
        groups=dataset.views.groups,
        copies=dataset.copies,
    )


def reference_spaces(views: Views) -> dict[str, NDArray[np.floating]]:
    """Spaces that no model was trained in: standardised timbre, words, and both balanced.

    A view that is the same for every track stays a space, so that it is named as unmeasured, and
    takes no part in the balanced one.
    """
    from songscape.audit.checks import uninformative_views
    from songscape.models.presets import make_model

    timbre = views["timbre"]
    known = timbre.values[timbre.present]
    spread = known.std(axis=0)
    standardised = np.full(timbre.values.shape, np.nan)
    standardised[timbre.present] = (known - known.mean(axis=0)) / np.where(spread > 0, spread, 1)
    spaces = {"timbre": standardised}
    if "lyrics" not in views:
        return spaces
    lyrics, both = views["lyrics"], views.select(["timbre", "lyrics"])
    same = uninformative_views(both)
    if lyrics.present.sum() >= 2 and "lyrics" in same:
        spaces["lyrics"] = np.where(lyrics.present[:, None], 0.0, np.nan)
    elif lyrics.present.sum() >= 2 and lyrics.shape[1] >= 2:
        words = make_model("tfidf").fit_transform(views.select(["lyrics"]))
        spaces["lyrics"] = np.where(lyrics.present[:, None], words, np.nan)
        if not same:
            spaces["joint"] = make_model("balanced-pca").fit_transform(both)
    return spaces


def read_inputs(folder: Path) -> tuple[Views, Targets, list[str]]:
    """What was written there: views, targets with reference spaces, and what clusters are shown by.

    What is changed in the views stays in this process.
    """
    import scipy.sparse as sp

    about, blocks = _read(folder, "inputs"), {}
    for number, name in enumerate(about["views"]):
        parts = _read(folder, f"view{number}")
        if (sparse := parts.pop("sparse")) is not None:
            parts["values"] = sp.csr_array(tuple(sparse[1:]), shape=tuple(sparse[0]))
        blocks[name] = View(**parts | {"feature_names": tuple(parts["feature_names"])})
    views = Views(tuple(about["track_ids"]), blocks, about["groups"])
    return views, Targets(**_read(folder, "targets")), about["shown"]


def _parts(view: View) -> dict[str, Any]:
    """What a view is made of, in types that can be written."""
    values, sparse = view.values, None
    if view.is_sparse:
        sparse = [view.shape, values.data, values.indices, values.indptr]
    return vars(view) | {"values": values if sparse is None else None, "sparse": sparse}


def _write(folder: Path, name: str, value: Any) -> None:
    """Write a value as JSON, and the arrays of numbers in it into files beside that."""
    number = count()

    def beside(part: Any) -> dict[str, Any]:
        if part.dtype == object:
            return {"__objects__": _plain(part)}
        file = f"{name}-{next(number)}.npy"
        np.save(folder / file, part, allow_pickle=False)
        return {"__array__": file}

    text = json.dumps(value, default=beside)
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


def _read(folder: Path, name: str) -> dict[str, Any]:
    """What `_write` wrote."""

    def whole(part: dict[str, Any]) -> Any:
        if "__objects__" in part:
            array = np.empty(len(part["__objects__"]), dtype=object)
            array[:] = part["__objects__"]
            return array
        if "__array__" not in part:
            return part
        path = folder / part["__array__"]
        try:  # copied on write, for torch takes no array that is read-only
            return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))
        except ValueError:  # an empty array cannot be mapped
            return np.load(path, allow_pickle=False)

    text = (folder / f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text, object_hook=whole)
    return document


def _plain(values: Any) -> list[Any] | None:
    """Python's own types."""
    if values is None:
        return None
    array = np.asarray(values, dtype=object)
    return [value.item() if isinstance(value, np.generic) else value for value in array]
