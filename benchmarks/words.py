"""Words that are said of groups, and those of them that are grammar.

    python benchmarks/words.py LIBRARY ...

Songs are grouped in the language-neutral default space (`songscape.group`), and the words of all
regions and neighbourhoods are compared with tests/clustering/function_words.py: lists of thirteen
languages, Latin and early modern English among them. A word is named if it is in the list of its
language; of English, in that of early modern English too.
"""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path

import numpy as np
from levels import read_library
from shared_inputs import markdown, name_of

from songscape.clustering.groups import group
from songscape.features.loading import load_views
from songscape.features.text import tokenize
from songscape.features.views import Views
from songscape.library import Library
from songscape.models.presets import DEFAULT_NEUTRAL, find_preset, make_model

LISTS = Path(__file__).parents[1] / "tests" / "clustering" / "function_words.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("libraries", type=Path, nargs="+")
    lists = runpy.run_path(str(LISTS))["FUNCTION_WORDS"]
    grammar = {name: {w for t in text.split() for w in tokenize(t)} for name, text in lists.items()}
    grammar["English"] |= grammar["early modern English"]
    rows = []
    for path in parser.parse_args().libraries:
        views, _ = read_library(path)
        with Library.open(path, must_exist=True) as library:
            described = load_views(library, ["lyrics-counts"])
            columns = library.columns().reindex(list(views.track_ids))
        there = tuple(one for one in find_preset(DEFAULT_NEUTRAL).modelled_views if one in views)
        X = np.asarray(make_model(DEFAULT_NEUTRAL, views=there).fit_transform(views), np.float32)
        blocks = {name: described[name] for name in described}
        found = group(X, Views(views.track_ids, blocks), columns)
        for level in (found.regions, found.neighbourhoods):
            said = [(lang, w) for g in level for lang, ws in g.portrait.words.items() for w in ws]
            named = {w for g in level for w in tokenize(g.made_name.partition("like ")[0])}
            every = {w for text in grammar.values() for w in text}
            rows.append(
                {
                    "collection": name_of(path),
                    "groups": len(level),
                    "with words": sum(bool(g.portrait.words) for g in level),
                    "words": len(said),
                    "grammar": ", ".join(w for lang, w in said if w in grammar.get(lang, ())) or 0,
                    "of": ", ".join(dict.fromkeys(w for _, w in said)),
                }
            )
            if level is found.regions:
                print(name_of(path), sorted(named & every), [g.made_name for g in level])
    print(markdown(rows))


if __name__ == "__main__":
    main()
