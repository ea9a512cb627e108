"""Names of groups: short, unique, the same on every machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from songscape.clustering.portraits import Portrait

MOST_LABEL_SHARE, MOST_LANGUAGE_SHARE = 0.5, 0.6
_MORE_THAN_USUAL = 1.3
_PARTS = 3


def name_groups(found: Sequence[Portrait], titles: Sequence[str]) -> tuple[str, ...]:
    """A name for each group, such as "slow, soft, mostly Spanish".

    The clearest property of the sound, a label that most of its songs have and others have not, the
    language if it is not the usual one, and then further properties: three parts in all. Where
    that is nothing, or the same as another group's, more properties follow, and at last the most
    typical song. `titles` are of all songs.
    """
    parts = [_parts(one) for one in found]
    taken = [_PARTS] * len(parts)
    while True:
        names = [", ".join(part[:n]) for part, n in zip(parts, taken)]
        counts = Counter(names)
        longer = {i for i, n in enumerate(taken) if counts[names[i]] > 1 and n < len(parts[i])}
        if not longer:
            break
        taken = [n + (i in longer) for i, n in enumerate(taken)]
    return told_apart(
        name
        if name and counts[name] == 1
        else f"{name}, like {titles[one.typical[0]]}".lstrip(", ")
        for one, name in zip(found, names)
    )


def told_apart(names: Iterable[str]) -> tuple[str, ...]:
    """The same names, with a number behind each that occurred before."""
    used: Counter[str] = Counter()
    found = []
    for name in names:
        used[name] += 1
        found.append(name if used[name] == 1 else f"{name} ({used[name]})")
    return tuple(found)


def _parts(one: Portrait) -> list[str]:
    """What the name may contain, the most distinctive first."""
    words = [trait.word for trait in one.traits]
    labels = [s.label for s in one.labels if s.share >= MOST_LABEL_SHARE]
    languages = [
        f"mostly {s.value}"
        for s in one.languages[:1]
        if s.share >= MOST_LANGUAGE_SHARE and s.share >= _MORE_THAN_USUAL * s.usual
    ]
    first = [*words[:1], *labels[:1], *languages]
    found = list(dict.fromkeys([*first, *words[1:], *labels[1:]]))
    return found or [f"partly {s.label}" for s in one.labels[:1]]
