"""Groups as lines for a terminal: languages, and for each group its size and typical songs."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from songscape.clustering.groups import Group, Groups

MOST_LANGUAGES, TWO = 5, 2
OF_YOURS = " of your music"


def described(groups: Groups, *, fine: bool = False) -> list[str]:
    """What was found: languages, groups with their most typical songs, how sure they are."""
    width = max(60, min(shutil.get_terminal_size().columns, 100))
    n = len(groups.track_ids)
    known = [f"{s.value} {100 * s.share:.0f} %" for s in groups.languages if s.share >= 0.005]
    spoken = ", ".join(known[:MOST_LANGUAGES]) + (", …" if len(known) > MOST_LANGUAGES else "")
    lines = [f"Languages: {spoken}"] if known else []
    level = groups.levels.level
    if level is None:
        lines.append(f"{n} songs are too few for groups; here is what is typical of them.")
    else:
        back, null = (f"{100 * share:.0f} %" for share in (level.jaccard, level.null))
        lines.append(
            f"{len(groups.regions)} groups. When a fifth of the songs is missing, {back} of a "
            f"group comes back (in music without any groups: {null})."
        )
    for text in (groups.note, groups.warning):
        lines += textwrap.wrap(text, width)
    for region in groups.regions:
        lines += ["", *_card(region, groups, width)]
        pieces = [one for one in groups.neighbourhoods if one.parent == region.id]
        for one in pieces if fine else ():
            lines.append(shortened(f"      {one.size:>4}  {one.name}", width))
    lines.append("")
    between = int(groups.levels.between.sum())
    if between:
        songs = "1 song lies" if between == 1 else f"{between:,} songs lie"
        lines.append(f"{songs} between two groups; groups.csv says which.")
    lines += [f"Since last time: {sentence}." for sentence in groups.changes]
    return lines


def _card(one: Group, groups: Groups, width: int) -> list[str]:
    portrait = one.portrait
    songs = "1 song" if one.size == 1 else f"{one.size:,} songs"
    rest = f": {songs}{', ' + one.sure if one.sure else ''}"
    lines = [f"  {shortened(one.name[:1].upper() + one.name[1:], width - len(rest) - 2)}{rest}"]
    places = [trait.sentence.removesuffix(OF_YOURS) for trait in portrait.traits[:TWO]]
    texts = [f"{' and '.join(places)}{OF_YOURS}"] if places else []
    texts += [f"{s.label}\u00a0×{s.lift:.1f}" for s in portrait.labels[:1]]
    if texts:
        indent = " " * 6
        lines += textwrap.wrap(
            "; ".join(texts), width, initial_indent=indent, subsequent_indent=indent
        )
    words = [f"{', '.join(found[:4])} ({language})" for language, found in portrait.words.items()]
    if words:
        lines.append(f"      typical words: {' · '.join(words[:TWO])}")
    lines += [f"      ♪ {groups.titles[row]}" for row in portrait.typical[:TWO]]
    return [shortened(line, width) for line in lines]


def shortened(line: str, width: int) -> str:
    """A line that fits, with an ellipsis where it was cut."""
    return line if len(line) <= width else f"{line[: width - 1].rstrip()}…"
