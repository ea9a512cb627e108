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

_SPARSE = ("data", "indices", "indptr")
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
        parts: list[Any] = [_plain_targets(targets), shown]
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
            wanted = [name for name in self.digests if name in {*names, *_DESCRIBED_BY}]
            both = self.dataset.views.select([n for n in _DESCRIBED_BY if n in self.digests])
            targets = replace(self.targets, references=reference_spaces(both))
            del both
            _write(folder, self.dataset.views, wanted, targets, self.shown)
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


def _write(
    folder: Path, views: Views, names: Iterable[str], targets: Targets, shown: tuple[str, ...]
) -> None:
    arrays = {"split": views.groups, "groups": targets.groups, "copies": targets.copies}
    arrays |= {f"reference{i}": space for i, space in enumerate(targets.references.values())}
    _save(folder, arrays)
    about = {}
    for number, name in enumerate(names):
        view = views[name]
        about[name] = [view.shape, view.step_axis, view.feature_names, view.modality]
        about[name].append(view.standardise)
        parts = {"present": view.present, "mask": view.mask}
        if view.is_sparse:
            parts |= {part: getattr(view.values, part) for part in _SPARSE}
        else:
            parts["values"] = view.values
        _save(folder, {f"view{number}-{part}": array for part, array in parts.items()})
        del view, parts
        if isinstance(views.blocks, LazyBlocks):
            views.blocks.forget()
    document = {
        "track_ids": views.track_ids,
        "views": about,
        "targets": _plain_targets(targets),
        "references": list(targets.references),
        "shown": shown,
    }
    (folder / "inputs.json").write_text(json.dumps(document), encoding="utf-8")


def _save(folder: Path, arrays: Mapping[str, Any]) -> None:
    for name, array in arrays.items():
        if array is not None:
            np.save(folder / f"{name}.npy", np.asarray(array), allow_pickle=False)


def read_views(folder: Path) -> Views:
    """The views that were written there; what is changed in them stays in this process."""
    import scipy.sparse as sp

    document = _document(folder)
    blocks = {}
    for number, (name, about) in enumerate(document["views"].items()):
        shape, step_axis, words, *kind = about
        there = {
            part: _array(folder, f"view{number}-{part}")
            for part in ("values", "present", "mask", *_SPARSE)
        }
        values = there["values"]
        if values is None:
            values = sp.csr_array(tuple(there[part] for part in _SPARSE), shape=tuple(shape))
        blocks[name] = View(values, there["present"], there["mask"], step_axis, tuple(words), *kind)
    return Views(tuple(document["track_ids"]), blocks, _array(folder, "split"))


def read_targets(folder: Path) -> Targets:
    """The targets that were written there, with reference spaces."""
    document = _document(folder)
    plain, names = document["targets"], document["references"]
    return Targets(
        labels={name: _objects(values) for name, values in plain["labels"].items()},
        nuisances={name: _objects(values) for name, values in plain["nuisances"].items()},
        artists=None if plain["artists"] is None else _objects(plain["artists"]),
        groups=_array(folder, "groups"),
        references={name: _array(folder, f"reference{i}") for i, name in enumerate(names)},
        copies=_array(folder, "copies"),
    )


def read_shown(folder: Path) -> list[str]:
    """Names of the columns that clusters are described by."""
    return list(_document(folder)["shown"])


def _document(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "inputs.json").read_text(encoding="utf-8"))
    return document


def _array(folder: Path, name: str) -> Any:
    """None where there is none; copied on write, for torch takes no array that is read-only."""
    path = folder / f"{name}.npy"
    if not path.exists():
        return None
    try:
        return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))
    except ValueError:  # an empty array cannot be mapped
        return np.load(path, allow_pickle=False)


def _plain_targets(targets: Targets) -> dict[str, Any]:
    named = {"labels": targets.labels, "nuisances": targets.nuisances}
    plain = {kind: {n: _plain(v) for n, v in columns.items()} for kind, columns in named.items()}
    return plain | {"artists": _plain(targets.artists)}


def _plain(values: Any) -> list[Any] | None:
    """Python's own types."""
    if values is None:
        return None
    array = np.asarray(values, dtype=object)
    return [value.item() if isinstance(value, np.generic) else value for value in array]


def _objects(values: list[Any]) -> Any:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
