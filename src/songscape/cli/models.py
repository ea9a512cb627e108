"""`songscape models`: the models and the clusterers."""

from __future__ import annotations

import argparse
from typing import Any

from songscape.cli.options import add_verb
from songscape.cli.outcome import DONE, print_json


def add_parser(verbs: Any) -> None:
    parser = add_verb(verbs, "models", _models, "list the models and the clusterers")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _models(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.clustering.methods import CLUSTERERS
    from songscape.models.presets import PRESETS

    models = [
        {"name": name, "views": list(preset.views), "summary": preset.summary}
        for name, preset in PRESETS.items()
        if name == preset.name
    ]
    if parsed.json:
        print_json({"models": models, "clusterers": list(CLUSTERERS)})
        return DONE
    width = max(len(name) for name in PRESETS)
    for model in models:
        print(f"{model['name']:<{width}}  {', '.join(model['views'])}: {model['summary']}")
    print(f"\nclusterers: {', '.join(CLUSTERERS)}")
    return DONE
