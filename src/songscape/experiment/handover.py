"""What trials read: views and reference spaces as memory-mapped files, so that no trial opens the
library and trials on one machine share the memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songscape.features.views import View, Views

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_references", "read_views", "write_inputs"]

_SPARSE = ("data", "indices", "indptr")


def write_inputs(
    folder: Path, views: Views, references: Mapping[str, NDArray[np.floating]]
) -> None:
    """Write views and reference spaces into a folder that is made for them."""
    import numpy as np

    folder.mkdir(parents=True)
    document: dict[str, Any] = {
        "track_ids": views.track_ids,
        "grouped": views.groups is not None,
        "views": {},
        "references": list(references),
    }
    arrays: dict[str, Any] = {} if views.groups is None else {"groups": views.groups}
    for number, (name, view) in enumerate(views.items()):
        document["views"][name] = {
            "shape": view.shape,
            "sparse": view.is_sparse,
            "masked": view.mask is not None,
            "step_axis": view.step_axis,
            "feature_names": view.feature_names,
        }
        parts = {"present": view.present}
        if view.is_sparse:
            parts |= {part: getattr(view.values, part) for part in _SPARSE}
        else:
            parts["values"] = view.values
        if view.mask is not None:
            parts["mask"] = view.mask
        arrays |= {f"view{number}-{part}": array for part, array in parts.items()}
    arrays |= {f"reference{i}": space for i, space in enumerate(references.values())}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / "inputs.json").write_text(json.dumps(document), encoding="utf-8")


def read_views(folder: Path) -> Views:
    """The views that `write_inputs` wrote; what is changed in them stays in this process."""
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
        )
    groups = _array(folder, "groups") if document["grouped"] else None
    return Views(tuple(document["track_ids"]), blocks, groups)


def read_references(folder: Path) -> dict[str, NDArray[np.floating]]:
    """The reference spaces that `write_inputs` wrote."""
    names = _document(folder)["references"]
    return {name: _array(folder, f"reference{i}") for i, name in enumerate(names)}


def _document(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "inputs.json").read_text(encoding="utf-8"))
    return document


def _array(folder: Path, name: str) -> Any:
    """Copied on write: torch takes no array that it may not write to. Empty ones can't be mapped."""
    import numpy as np

    path = folder / f"{name}.npy"
    try:
        return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))
    except ValueError:
        return np.load(path, allow_pickle=False)
