"""Songscape: joint audio-lyrics representations of music collections, compared honestly.

The public names below are imported when first used, so that importing the package stays cheap.
"""

from importlib import import_module
from typing import Any

from songscape._version import __version__

_HOMES = {
    "Benchmark": "songscape.benchmark.benchmark",
    "Hardware": "songscape.models.parameters",
    "Index": "songscape.neighbours.index",
    "Library": "songscape.experiment.library",
    "Objective": "songscape.models.parameters",
    "ParquetFeatures": "songscape.features.parquet",
    "Settings": "songscape.settings",
    "SongVAE": "songscape.models.vae",
    "SongscapeError": "songscape.errors",
    "Training": "songscape.models.parameters",
    "View": "songscape.features.views",
    "Views": "songscape.features.views",
    "agreement": "songscape.metrics.clusters",
    "cluster": "songscape.clustering.methods",
    "compare": "songscape.experiment.experiment",
    "compose_collection": "songscape.demo",
    "extract": "songscape.features.extract",
    "extract_to_parquet": "songscape.features.parquet",
    "group": "songscape.clustering.groups",
    "internal_metrics": "songscape.metrics.clusters",
    "load_model": "songscape.models.saving",
    "load_settings": "songscape.settings",
    "load_views": "songscape.features.loading",
    "make_model": "songscape.models.presets",
    "read_collection": "songscape.ingest",
    "run": "songscape.experiment.experiment",
    "save_model": "songscape.models.saving",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'songscape' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
