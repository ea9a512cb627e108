"""What trials are run on, and its files, so that no trial opens the library.

Views and reference spaces are memory-mapped: the trials on one machine share the memory.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.benchmark.targets import Targets
from songscape.experiment.fit import digest_of
from songscape.features.views import View, Views

if TYPE_CHECKING:
    from songscape.experiment.dataset import Dataset
    from songscape.settings import Settings

__all__ = ["TrialInputs", "read_shown", "read_targets", "read_views"]

_SPARSE = ("data", "indices", "indptr")
# What clusters are described by, beside their labels.
_DESCRIBED_BY = ("timbre", "lyrics")


@dataclass(frozen=True, eq=False)
class TrialInputs:
    """What the trials of a collection are run on and measured against.

    Attributes
    ----------
    dataset : Dataset
    targets : Targets
        Without reference spaces.
    shown : tuple of str
        Labels, and the nuisances that are columns of the collection: what clusters are described
        by.
    digests : mapping of view to digest
        Of the views that some track has.
    context : str
        Digest of everything that trials are measured against.
    """

    dataset: Dataset
    targets: Targets
    shown: tuple[str, ...]
    digests: Mapping[str, str]
    context: str

    @classmethod
    def of(cls, dataset: Dataset, settings: Settings) -> TrialInputs:
        """From a loaded collection."""
        from songscape.experiment.targets import targets_of

        targets = targets_of(dataset, dataset.label_columns if settings.labels else ())
        shown = tuple(name for name in targets.columns if name in dataset.columns)
        # No split separates the tracks of a group, so latents depend on the groups as well.
        rows = digest_of([dataset.track_ids, _plain(dataset.views.groups)])
        digests = {name: digest_of([rows, one]) for name, one in dataset.digests.items()}
        context = {
            "targets": _plain_targets(targets),
            "shown": shown,
            "arrays": [_plain(targets.groups), _plain(targets.copies)],
            "references": [digests.get(name) for name in _DESCRIBED_BY],
        }
        return cls(dataset, targets, shown, digests, digest_of(context))

    @property
    def track_ids(self) -> tuple[str, ...]:
        return self.dataset.track_ids

    def views(self, names: Iterable[str]) -> Views:
        """These views of all tracks."""
        return self.dataset.views.select(list(names))

    @contextmanager
    def written(self, root: Path, names: Iterable[str]) -> Iterator[Path]:
        """A folder below `root` with these views and everything else that trials read.

        It is removed at the end, and so is what a run that was killed has left.
        """
        from songscape.experiment.targets import reference_spaces

        for left in root.glob(".inputs-*"):
            shutil.rmtree(left, ignore_errors=True)
        wanted = [name for name in self.digests if name in {*names, *_DESCRIBED_BY}]
        views = self.views(wanted)
        targets = replace(self.targets, references=reference_spaces(views))
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".inputs-", dir=root))
        try:
            _write(folder, views, targets, self.shown)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, views: Views, targets: Targets, shown: tuple[str, ...]) -> None:
    import numpy as np

    document: dict[str, Any] = {
        "track_ids": views.track_ids,
        "views": {},
        "targets": _plain_targets(targets),
        "references": list(targets.references),
        "shown": shown,
    }
    arrays = {
        name: np.asarray(values)
        for name, values in {
            "split": views.groups,
            "groups": targets.groups,
            "copies": targets.copies,
        }.items()
        if values is not None
    }
    for number, (name, view) in enumerate(views.items()):
        document["views"][name] = {
            "shape": view.shape,
            "sparse": view.is_sparse,
            "masked": view.mask is not None,
            "step_axis": view.step_axis,
            "feature_names": view.feature_names,
            "of_text": view.of_text,
        }
        parts = {"present": view.present}
        if view.is_sparse:
            parts |= {part: getattr(view.values, part) for part in _SPARSE}
        else:
            parts["values"] = view.values
        if view.mask is not None:
            parts["mask"] = view.mask
        arrays |= {f"view{number}-{part}": array for part, array in parts.items()}
    arrays |= {f"reference{i}": space for i, space in enumerate(targets.references.values())}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / "inputs.json").write_text(json.dumps(document), encoding="utf-8")


def read_views(folder: Path) -> Views:
    """The views that were written there; what is changed in them stays in this process."""
    import scipy.sparse as sp

    document = _document(folder)
    blocks = {}
    for number, (name, about) in enumerate(document["views"].items()):

        def array(part: str, number: int = number) -> Any:
            return _array(folder, f"view{number}-{part}")

        if about["sparse"]:
            stored = tuple(array(part) for part in _SPARSE)
            values = sp.csr_array(stored, shape=tuple(about["shape"]))
        else:
            values = array("values")
        blocks[name] = View(
            values,
            array("present"),
            mask=array("mask") if about["masked"] else None,
            step_axis=about["step_axis"],
            feature_names=tuple(about["feature_names"]),
            of_text=about["of_text"],
        )
    return Views(tuple(document["track_ids"]), blocks, _array(folder, "split"))


def read_targets(folder: Path) -> Targets:
    """The targets that were written there, with reference spaces."""
    document = _document(folder)
    plain = document["targets"]
    return Targets(
        labels=_columns(plain["labels"]),
        nuisances=_columns(plain["nuisances"]),
        artists=None if plain["artists"] is None else _objects(plain["artists"]),
        groups=_array(folder, "groups"),
        references={
            name: _array(folder, f"reference{i}") for i, name in enumerate(document["references"])
        },
        copies=_array(folder, "copies"),
    )


def read_shown(folder: Path) -> list[str]:
    """Names of the columns that clusters are described by."""
    return list(_document(folder)["shown"])


def _columns(stored: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: _objects(values) for name, values in stored.items()}


def _objects(values: list[Any]) -> Any:
    import numpy as np

    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _plain_targets(targets: Targets) -> dict[str, Any]:
    return {
        "labels": {name: _plain(values) for name, values in targets.labels.items()},
        "nuisances": {name: _plain(values) for name, values in targets.nuisances.items()},
        "artists": _plain(targets.artists),
    }


def _plain(values: Any) -> list[Any] | None:
    """Python's own types."""
    import numpy as np

    if values is None:
        return None
    array = np.asarray(values, dtype=object)
    return [value.item() if isinstance(value, np.generic) else value for value in array]


def _document(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "inputs.json").read_text(encoding="utf-8"))
    return document


def _array(folder: Path, name: str) -> Any:
    """None where there is none; copied on write, for torch takes no array that is read-only."""
    import numpy as np

    path = folder / f"{name}.npy"
    if not path.exists():
        return None
    try:
        return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))
    except ValueError:  # an empty array cannot be mapped
        return np.load(path, allow_pickle=False)
