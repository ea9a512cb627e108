"""The one place where verdicts, flags, caveats and findings become sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from songscape.audit.finding import Check, Finding, Severity
from songscape.benchmark.metric_table import Figure, Figures, KOrigin, Setup
from songscape.benchmark.verdicts import (
    Flag,
    FlagKind,
    Outcome,
    PairedTest,
    Recommendation,
    Trust,
    Verdict,
    Weight,
)

METRIC_NAMES = {"knn": "kNN", "knn_balanced": "kNN", "ami": "AMI", "hit": "hit@10", "map": "mAP"}
METRIC_NAMES |= {"ilisi": "iLISI", "kbet": "kBET"}
FLAG_WORDS = {
    FlagKind.COLLAPSED: "collapsed",
    FlagKind.FAILED: "failed",
    FlagKind.ALL_NOISE: "all noise",
    FlagKind.ONE_CLUSTER: "one cluster holds nearly all",
    FlagKind.MOSTLY_NOISE: "mostly noise",
    FlagKind.AT_CHANCE: "no better than chance",
    FlagKind.FINDS: "finds the",
    FlagKind.NO_LABEL: "clusters match no label beyond chance",
}
TRUST_WORDS = {
    Trust.GOOD: "Nothing in the data speaks against it.",
    Trust.LIMITED: "Read it with care:",
    Trust.LOW: "Do not rely on it yet:",
}
# What each reference knows, and what is seen of a label that it finds.
_REFERENCES = {
    "random": ("nothing", "chance"),
    "language-only": ("nothing but the language", "the language"),
    "has-lyrics-only": ("nothing but whether there are lyrics", "whether there are lyrics"),
}
# Of the way from chance to certainty.
_GIVES_AWAY = 0.5
_LISTED = 5


# -- figures and lists -----------------------------------------------------------------------


def metric_name(metric: str) -> str:
    """The name of a metric in a sentence."""
    return METRIC_NAMES.get(metric, metric)


def figure(value: float) -> str:
    """Two decimals and a real minus sign."""
    text = f"{value:.2f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def listed(items: Sequence[str], last: str = "and") -> str:
    """Items with commas and a last "and"."""
    return "".join(items) if len(items) < 2 else f"{', '.join(items[:-1])} {last} {items[-1]}"


def _difference(value: float, low: float, high: float) -> str:
    sign = "" if figure(value).startswith("−") else "+"
    return f"{sign}{figure(value)}, 95 % {figure(low)} … {figure(high)}"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _first(names: Sequence[str], joint: str = ", ") -> str:
    more = f"{joint}and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return joint.join(names[:_LISTED]) + more


def _tests(tests: Sequence[PairedTest]) -> str:
    """What a method is better or worse at, with the figures."""
    what = {"ami": "clusters that follow the {}", "hit": "finding songs of the same {}"}
    other = "neighbours that share the {}"
    return listed(
        [
            f"{what.get(t.metric, other).format(t.column)} ({metric_name(t.metric)} "
            f"{_difference(t.difference, t.low, t.high)})"
            for t in tests
        ]
    )


# -- verdicts --------------------------------------------------------------------------------


def flag_words(flag: Flag) -> str:
    """A flag in a few words: "finds the language", "dbscan: mostly noise"."""
    words = FLAG_WORDS[flag.kind]
    if flag.kind is FlagKind.FINDS:
        words += f" {flag.column}"
    elif flag.reason:
        words += f" with every seed ({flag.reason.rstrip('.')})"
    elif flag.n_seeds < flag.of_seeds:
        words += f" with {flag.n_seeds} of {flag.of_seeds} seeds"
    return words if flag.partition is None else f"{flag.partition.title}: {words}"


def verdict_sentence(verdict: Verdict, figures: Figures, setup: Setup) -> str:
    """All that is said of one method; begins with its name."""
    model, baseline = verdict.model, setup.baseline
    flags = [flag_words(flag) for flag in verdict.flags]
    if verdict.failed:
        return f"{model}: {flags[0]}"
    parts = []
    if model == baseline:
        parts.append(f"the baseline; {_baseline_words(model, figures, setup)}")
    elif verdict.kind == "reference":
        parts.append("a reference, not a candidate")
    if verdict.wins:
        parts.append(f"better than {baseline} at {_tests(verdict.wins)}")
    same = verdict.having(Outcome.SAME)
    withheld = [t for t in same if t.withheld and t.difference > 0]
    for why in dict.fromkeys(t.withheld for t in withheld if t.withheld):
        because = f"its partition is degenerate ({FLAG_WORDS[why]})"
        if why is FlagKind.AT_CHANCE:
            because = f"its own figure is {FLAG_WORDS[why]}"
        ahead = _tests([t for t in withheld if t.withheld == why])
        parts.append(f"not claimed, because {because}: ahead of {baseline} at {ahead}")
    if verdict.losses:
        parts.append(f"worse than {baseline} at {_tests(verdict.losses)}")
    equal = [t for t in same if t not in withheld]
    if equal and all(t.verdict is Outcome.SAME for t in verdict.tests):
        parts.append(f"not distinguishable from {baseline} on any test")
    elif equal:
        names = ", ".join(dict.fromkeys(t.column for t in equal))
        parts.append(f"not distinguishable on {_count(len(equal), 'test')} ({names})")
    return f"{model}: {'; '.join([*parts, *_leakage_words(verdict, figures, setup), *flags])}"


def _baseline_words(model: str, figures: Figures, setup: Setup) -> str:
    """What the baseline reaches, since it is not tested against itself."""
    asked = [(name, "knn_balanced") for name in setup.labels] + [("artist", "hit")]
    rows = [(c, m, figures.known(model, m, c, "agreement")) for c, m in asked]
    shown = [f"{c} {metric_name(m)} {figure(r['estimate'])}" for c, m, r in rows if r]
    return "; ".join(shown) or "no label could be measured"


def _leakage_words(verdict: Verdict, figures: Figures, setup: Setup) -> list[str]:
    """Whether nearest songs give the language away, and which other nuisances more of."""
    language, parts = setup.language or "", []
    row = figures.known(verdict.model, "knn", language, "leakage")
    leaks = [verdict.having(outcome, "leakage") for outcome in (Outcome.BETTER, Outcome.WORSE)]
    if row is not None and row["chance"] < 1:
        words = f"hides the {language}"
        if (row["estimate"] - row["chance"]) / (1 - row["chance"]) >= _GIVES_AWAY:
            words = f"gives the {language} away"
        elif row["low"] > row["chance"]:
            words = f"gives away something of the {language}"
        words += f" (kNN {figure(row['estimate'])}, chance {figure(row['chance'])})"
        for than, tests in zip(("less", "more"), leaks):
            if any(t.column == language for t in tests):
                words += f", {than} than {setup.baseline}"
        parts.append(words)
    others = list(dict.fromkeys(t.column for t in leaks[1] if t.column != language))
    return [*parts, f"gives away more of {listed(others)}"] if others else parts


# -- recommendation --------------------------------------------------------------------------


def recommendation_sentence(chosen: Recommendation, setup: Setup) -> str:
    """Which method to use."""
    baseline = setup.baseline
    if not chosen.models:
        return f"No recommendation: {baseline} is missing, so nothing could be tested."
    if not chosen.wins:
        why = "nothing else, trained or not, is distinguishably better"
        if chosen.mixed:
            why = "every method that is better on one label is worse on another"
        return f"Use {baseline}: {why}."
    if len(chosen.models) > 1:
        return (
            f"Use {' or '.join(chosen.models)}: each is better than {baseline} on "
            f"{len(chosen.wins)} of the tests on labels and worse on none."
        )
    won = _tests(chosen.wins)
    return f"Use {chosen.model}: better than {baseline} at {won}, worse on no label."


def trust_sentence(chosen: Recommendation) -> str:
    """How far to trust it, with what speaks against it."""
    against = [caveat.sentence for caveat in chosen.caveats if caveat.weight > Weight.SUPPORTS]
    return f"trust: {chosen.trust}" + (f" ({' '.join(against)})" if against else "")


def neutral_sentences(chosen: Recommendation, figures: Figures, setup: Setup) -> tuple[str, ...]:
    """What to use where the language must not decide."""
    language, baseline = setup.language, setup.baseline
    if not chosen.neutral or language is None:
        return ()
    rows = {m: figures.known(m, "knn", language, "leakage") for m in (*chosen.neutral, baseline)}
    shown = {m: f"{m} ({figure(r['estimate'])})" if r else m for m, r in rows.items()}
    base = rows[baseline]
    chance = f"; chance {figure(base['chance'])}" if base else ""
    named = listed([shown[model] for model in chosen.neutral], "or")
    return (
        f"Where the {language} must not decide, use {named}: worse than {shown[baseline]} "
        f"on no label (in brackets: share of nearest songs in the same {language}{chance}).",
    )


# -- caveats ---------------------------------------------------------------------------------


def groups_sentence(setup: Setup, detectable: Mapping[str, float], *, few: bool) -> str:
    """How much evidence there is, and the smallest difference of each metric that it can show."""
    only = "only " if few else ""
    text = f"The intervals rest on {only}{setup.n_tracks:,} songs in {setup.n_groups:,} groups"
    text += " (songs of one artist count as one)." if setup.has_artists else "."
    seen = [f"{figure(value)} in {metric_name(metric)}" for metric, value in detectable.items()]
    if seen:
        text += f" A difference smaller than about {listed(seen)} cannot be seen here."
    return text


def seeds_sentence(n_seeds: int, *, few: bool) -> str:
    """How well the variation between trainings is known."""
    if few:
        seeds = _count(n_seeds, "seed")
        return f"With only {seeds}, the variation between trainings is known only roughly."
    return f"Every model was trained with {_count(n_seeds, 'seed')}."


def k_sentence(setup: Setup) -> str:
    """Where the number of clusters comes from."""
    k = setup.headline.k
    if setup.k_origin is KOrigin.GIVEN:
        return f"k = {k} was given: nothing here shows that there are {k} groups."
    text = f"Number of clusters: {setup.k_reason.rstrip('.') or f'k = {k}'}"
    if setup.k_origin is KOrigin.NO_GROUPS:
        text += f"; k = {k} is used, but the clusters are not to be read as groups"
    return f"{text}."


def flag_sentence(model: str, flag: Flag, ami: float, best: tuple[str, float] | None) -> str:
    """What is wrong with clusters; their AMI with the flag's column, and the best with a label."""
    clusters = f"The clusters of {model}"
    if flag.kind is FlagKind.NO_LABEL:
        return f"{clusters} agree with no label more than shuffled labels do."
    if flag.kind is not FlagKind.FINDS:
        return f"{clusters}: {FLAG_WORDS[flag.kind]}."
    beside = f" ({best[0]}: {figure(best[1])})" if best else ""
    return f"{clusters} follow the {flag.column} (AMI {figure(ami)}) more than any label{beside}."


def agreement_sentence(model: str, labels: Mapping[str, Figure]) -> str:
    """Labels that clusters agree with beyond chance."""
    shown = [
        f"{name} (AMI {figure(row['estimate'])}, 95 % of shuffles stay below "
        f"{figure(row['null_95'])})"
        for name, row in labels.items()
    ]
    return f"The clusters of {model} agree beyond chance with {listed(shown)}."


def reference_sentence(test: PairedTest, model: str, reached: float, own: float) -> str:
    """A reference that finds a label better than a recommended model; NaN without its figures."""
    values = _difference(test.difference, test.low, test.high)
    if own == own:
        values = f"{figure(reached)} against {figure(own)}"
    knows, instead = _REFERENCES.get(test.model, ("next to nothing of the songs", ""))
    tail = f": what looks like {test.column} may be {instead}" if instead else ""
    return (
        f"{test.model}, which knows {knows}, is better at {test.column} than {model} "
        f"({metric_name(test.metric)} {values}){tail}."
    )


def simple_sentence(t: PairedTest) -> str:
    """A method without training that does as well as a recommended one."""
    how = "better than" if t.high < 0 else "as well as"
    gap = _difference(t.difference, t.low, t.high)
    return (
        f"On {t.column} ({metric_name(t.metric)}), {t.baseline}, which needs no training, does "
        f"{how} {t.model} ({gap})."
    )


# -- findings --------------------------------------------------------------------------------


def finding_sentence(finding: Finding) -> str:
    """What is odd about the data, in one or two sentences."""
    v, tracks = finding.values, _count(len(finding.tracks), "track")
    groups = v.get("groups", ())
    n_groups, named = _count(len(groups), "group"), _first([_first(g, " = ") for g in groups], "; ")
    match finding.check:
        case Check.DUPLICATE_AUDIO:
            return (
                f"{tracks} are copies of each other in {n_groups} (same audio, perhaps "
                f"re-encoded): {named}. A copy counts its song twice, and all copies must be on "
                "the same side of a split into training and test."
            )
        case Check.DUPLICATE_LYRICS:
            return (
                f"{tracks} ({100 * v['share']:.0f} % of those with lyrics) share their words with "
                f"another track, in {n_groups}: {named}."
            )
        case Check.TEMPLATED_LYRICS if "hapax_share" in v:
            return (
                f"The {v['language']} lyrics look generated: {tracks} use only {v['n_words']:,} "
                f"different words, and {100 * v['hapax_share']:.0f} % of these occur in one track "
                "alone (in lyrics that people wrote about half do), so they tell the language and "
                "little else."
            )
        case Check.TEMPLATED_LYRICS:
            tail = f", and {v['label']} alone decides which they are" if v["label"] else ""
            return (
                f"{tracks} ({100 * v['share']:.0f} % of those with lyrics) have nearly the same "
                f"words as other tracks, in {n_groups}{tail}: the lyrics look generated from a "
                "template, so agreement of lyrics with a label proves little."
            )
        case Check.LANGUAGE_MISMATCH:
            each = [
                f"{m['track']} ({m['tagged']}, reads like {m['fits']})" for m in v["mismatches"]
            ]
            return f"The words of {tracks} do not fit the language tag: {_first(each)}."
        case Check.CONFOUNDED_LABEL:
            return _confounded_sentence(v, warned=finding.severity is Severity.WARNING)
        case Check.UNINFORMATIVE_VIEW:
            return (
                f"{v['view']} is the same for every track: it carries no information and takes no "
                "part in any comparison."
            )
        case Check.NO_LYRICS:
            return "No track has lyrics: models that use words have nothing to learn from."
        case Check.KNOWN_SONGS:
            return (
                f"{tracks} have ids of the Million Song Dataset. Pretrained models that learnt "
                "from it know these songs, so that figures with such an embedding:NAME are too "
                "good; the encoder musicnn learnt from MagnaTagATune."
            )
        case Check.ONE_LANGUAGE:
            return (
                f"Every song whose language is known is in {v['language']}: whether songs group "
                "by language cannot be told."
            )


def _confounded_sentence(v: Mapping[str, Any], *, warned: bool) -> str:
    shares = v["open_share_given"]
    examples = v["examples"] if warned and len(shares) <= 2 else {}
    names = listed([name + examples.get(name, "") for name in shares])
    if not v["is_function"]:
        return (
            f"{v['column']} is closely tied to {names} "
            f"(at most {100 * max(shares.values()):.0f} % of it is not explained): much of what a "
            "method finds of the one may come from the other."
        )
    why = "these tracks cannot show whether a method found the one or the other."
    if not warned:
        why = "usual where people or small groups are concerned; keep them together in splits."
    return f"{v['column']} is almost a function of {names}: {why}"
