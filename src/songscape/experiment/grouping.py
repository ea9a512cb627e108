"""The groups of a run: their space, their ids and names from the last run, their files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from songscape._version import __version__
from songscape.errors import SongscapeError, UsageError
from songscape.experiment.fit import digest_of
from songscape.models.presets import DEFAULT_FREE, DEFAULT_NEUTRAL
from songscape.packed import pack
from songscape.progress import progress_bar
from songscape.results import (
    ResultsFolder,
    read_json,
    read_latents,
    read_packed,
    write_bytes,
    write_json,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from songscape.clustering.groups import Groups
    from songscape.experiment.request import RequestResult
    from songscape.experiment.trial_inputs import TrialInputs
    from songscape.library import Library

RECIPE = 2
"""Raised when the same songs would be grouped or described in another way."""
MOSTLY, LEAST_SHARE = 0.5, 0.05
_DESCRIBED_BY = ("descriptors", "lyrics-counts", "musicnn")


def find_groups(
    folder: ResultsFolder, library: Library, inputs: TrialInputs, outcome: RequestResult
) -> Groups:
    """Group the songs, and write `results/groups.json` and `results/groups.csv`.

    The space is that of the default representation, or of the first model where that was not
    trained; where its neighbours mostly share their language, it is the language-neutral one, if
    that was trained. Groups keep their ids and the names that people gave them. Equal songs in an
    equal space keep their groups.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from songscape.clustering.groups import group

    settings, path = outcome.request.settings, folder.tables / "groups.json"
    seed = outcome.request.first
    trained = [model for model, its in outcome.trials if its == seed]
    free = DEFAULT_FREE if DEFAULT_FREE in trained else trained[0]
    model, note, X = free, "", read_latents(folder.latents(free, seed))[1]
    choice = free == DEFAULT_FREE and DEFAULT_NEUTRAL in trained
    share = _same_language(X, inputs) if choice and settings.languages != "together" else None
    if share is not None:
        if settings.languages == "ignored" or share >= MOSTLY:
            model, X = DEFAULT_NEUTRAL, read_latents(folder.latents(DEFAULT_NEUTRAL, seed))[1]
            note = "The groups ignore the language: "
            note += "by sound and words together, songs group by language first. "
            note += "Run again with --languages together to let the language count."
        else:
            note = "The language counts in these groups; --languages ignored leaves it out."
    k = settings.groups or (settings.k[0] if len(settings.k) == 1 else None)
    data = inputs.dataset
    known = hashlib.sha256(X.tobytes()).hexdigest()
    key = digest_of([RECIPE, __version__, known, data.digest, k, note])
    memory = folder.root / "trials" / "groups.bin"
    document = read_packed(memory)
    kept = document.get("groups")
    before = read_json(path) or (None if kept is None else kept.as_dict())
    if kept is None or document["key"] != key:
        if before is not None and isinstance(before.get("tracks"), list):
            before |= {"tracks": library.present_ids(before["tracks"])}
        there = [n for n in _DESCRIBED_BY if n in data.digests]
        there += ["language"] if "language" in data.views else []
        options: Any = {"k": k, "before": before, "roles": data.roles, "random_state": seed}
        with progress_bar("finding groups", unit=""), threadpool_limits(1):
            kept = replace(group(X, data.views.select(there), data.columns, **options), note=note)
        write_bytes(memory, pack({"key": key, "groups": kept}))
    found = kept.named(_names(folder))
    write_json(path, {"key": key, "model": model, **found.as_dict()})
    folder.write_table("groups", found.table())
    return found


def name_group(folder: ResultsFolder, wanted: str, name: str) -> tuple[str, str]:
    """Give a group a name that later runs keep; an empty one brings back the made name.

    `wanted` is an id, a name, or the beginning of a name. Returns the names before and after; the
    tables and the page of the folder have the new one.
    """
    import pandas as pd

    from songscape.clustering.identity import REGIONS
    from songscape.neighbours.collection import find_group, read_groups
    from songscape.report.page import write_page

    path = folder.tables / "groups.json"
    document = read_json(path)
    if document is None:
        raise SongscapeError(f"{path}: no groups here; make them with songscape run")
    found = find_group(read_groups(folder), wanted)
    if found is None:
        there = "; ".join(f"{one.id} {one.name}" for one in read_groups(folder, REGIONS))
        raise UsageError(f"{wanted!r}: no such group; there are {there}")
    every = [group for level in document["levels"] for group in level["groups"]]
    group, before = next(one for one in every if one["id"] == found.id), found.name
    after = " ".join(name.split()) or group["made_name"]
    if any(one["name"].casefold() == after.casefold() and one is not group for one in every):
        raise UsageError(f"{after!r}: another group is called so; choose another name")
    kept = {i: text for i, text in _names(folder).items() if i != group["id"]}
    if after != group["made_name"]:
        kept[group["id"]] = after
    write_json(folder.tables / "names.json", {"names": kept})
    group["name"] = after
    write_json(path, document)
    table = folder.tables / "groups.csv"
    if table.exists():
        frame = pd.read_csv(table, dtype=str, keep_default_na=False)
        frame.loc[frame["group"] == group["id"], "name"] = after
        frame["could_also_be"] = frame["could_also_be"].replace(before, after)
        folder.write_table("groups", frame)
    if (folder.tables / "table.csv").exists():
        write_page(folder.tables)
    return before, after


def _names(folder: ResultsFolder) -> Mapping[str, str]:
    """Names that people gave to groups, by id."""
    names = (read_json(folder.tables / "names.json") or {}).get("names", {})
    return {str(i): str(name) for i, name in names.items()} if isinstance(names, dict) else {}


def _same_language(X: NDArray[np.float32], inputs: TrialInputs) -> float | None:
    """How much more often than by chance neighbours share their language: 0 never, 1 always.

    None where fewer than half of the songs have a known language, or all have one language.
    """
    import numpy as np

    from songscape.clustering.portraits import primary_languages
    from songscape.clustering.smoothed import nearest

    data: Any = inputs.dataset
    spoken = np.array(
        [one or "" for one in primary_languages(data.views, data.columns, data.roles)]
    )
    known = spoken != ""
    if known.mean() < 0.5:
        return None
    shares = np.unique(spoken[known], return_counts=True)[1] / known.sum()
    if (shares >= LEAST_SHARE).sum() < 2:
        return None
    points, spoken = X[known], spoken[known]
    step = max(1, len(points) // 2_000)
    rows = np.arange(0, len(points), step)
    near = nearest(points[rows], points, 11)[:, 1:]
    same = float((spoken[near] == spoken[rows][:, None]).mean())
    chance = float(np.square(shares).sum())
    return (same - chance) / (1.0 - chance)
