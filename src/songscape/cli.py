"""The command line: each verb parses, calls one function, prints."""

from __future__ import annotations

import argparse
import atexit
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from songscape._version import __version__
from songscape.errors import SongscapeError, UsageError
from songscape.progress import progress_bar, say

if TYPE_CHECKING:
    import pandas as pd

    from songscape.library import Counts
    from songscape.settings import Settings

__all__ = ["main"]

DONE, FAILED, USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130

EPILOG = """\
exit codes: 0 done, 1 failed, 2 wrong usage, 3 finished with some tracks failed, 130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parsed = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # a shell's background job has it so
        signal.signal(signal.SIGINT, _interrupt)
    try:
        return int(parsed.verb(parsed, arguments))
    except UsageError as error:
        say(f"songscape: {error}")
        return USAGE
    except SongscapeError as error:
        say(f"songscape: {error}")
        return FAILED
    except KeyboardInterrupt:
        say("songscape: interrupted; the same command goes on from here")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
    except (OSError, sqlite3.OperationalError) as error:
        name = getattr(error, "filename", None)
        where = f"{name}: " if name else ""
        reason = getattr(error, "strerror", None) or str(error)
        say(f"songscape: {where}{reason}; check that the place exists, is writable and has room")
        return FAILED


def _interrupt(_signum: int, _frame: object) -> NoReturn:
    """End in good order; whoever asks a second time does not want to wait for that."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    # The interpreter gives up its handlers before it is gone; then 130 would turn into a signal.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _leave(_signum: int, _frame: object) -> NoReturn:
    say("songscape: stopped at once; the same command goes on from here")
    os._exit(INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="songscape",
        description="Cluster a music collection by sound and lyrics, and see what to believe.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"songscape {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_run(verbs)
    _add_compare(verbs)
    _add_demo(verbs)
    _add_impute(verbs)
    _add_ledger(verbs)
    _add_models(verbs)
    _add_report(verbs)
    return parser


def _verb(verbs: Any, name: str, call: Any, summary: str, details: str = "") -> Any:
    parser = verbs.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}. {details}".strip(),
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(verb=call)
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: whole numbers, separated by commas") from None


def _ks(text: str) -> tuple[int, ...]:
    return () if text == "auto" else _numbers(text)


def _path(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty path (an unset variable?)")
    return Path(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 0 to 1")
    return value


def _add_run(verbs: Any) -> None:
    parser = _verb(
        verbs,
        "run",
        _run,
        "read a collection, learn, cluster, measure, and write a report",
        "Started again, it goes on where it was.",
    )
    parser.add_argument(
        "folder",
        type=_path,
        help="folder of audio (lyrics beside it as .txt or .lrc, or in lyrics/), or a tracks.csv",
    )
    parser.add_argument("--out", type=_path, help="results folder (default: ./FOLDER-songscape)")
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """The options that `run` and `compare` share; each overrides the settings file."""
    parser.add_argument("--config", type=Path, help="settings as TOML; options below override it")
    parser.add_argument("--models", type=_names, help="models, e.g. conv1d-vae,pca")
    parser.add_argument("--clusterers", type=_names, help="clusterers, e.g. kmeans,ward,dbscan")
    parser.add_argument("--k", type=_ks, help="numbers of clusters, e.g. 5 or 4,6,8, or auto")
    parser.add_argument("--seeds", type=_numbers, help="seeds, e.g. 0 or 0,1,2")
    parser.add_argument("--labels", type=_names, help="label columns to compare with")
    parser.add_argument("--title", help="heading of the report")
    parser.add_argument("--workers", type=int, help="processes (default: cores)")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _overridden(settings: Settings, parsed: argparse.Namespace) -> Settings:
    return settings.updated(
        models=parsed.models,
        clusterers=parsed.clusterers,
        k=parsed.k,
        seeds=parsed.seeds,
        labels=parsed.labels,
        nuisances=getattr(parsed, "nuisances", None),
        title=parsed.title,
    )


def _greet(what: str) -> None:
    """A first line at once for a person at a terminal: importing torch takes seconds."""
    if sys.stderr.isatty():
        say(f"songscape: {what}")


def _workers(parsed: argparse.Namespace) -> int | None:
    if parsed.workers is not None and parsed.workers < 1:
        raise UsageError("--workers: at least 1")
    workers: int | None = parsed.workers
    return workers


def _run(parsed: argparse.Namespace, arguments: list[str]) -> int:
    from dataclasses import asdict

    from songscape.pipeline.run import default_folder, run
    from songscape.settings import Settings, load_settings

    settings = Settings() if parsed.config is None else load_settings(parsed.config)
    _greet(f"reading {parsed.folder}")
    out = parsed.out or default_folder(parsed.folder)
    done = run(
        parsed.folder,
        out,
        _overridden(settings, parsed),
        workers=_workers(parsed),
        command=["songscape", *arguments],
    )
    if parsed.json:
        _print_json(
            {
                "report": str(done.report),
                "counts": asdict(done.counts),
                "k": done.k,
                "k_reason": done.k_reason,
                "metrics": str(out / "results" / "metrics.csv"),
                "table": json.loads(done.table.to_json(orient="records")),
            }
        )
    else:
        counts = done.counts
        print(
            f"{counts.found} found = {counts.analysed} analysed + "
            f"{counts.skipped} skipped + {counts.failed} failed"
        )
        print(f"k = {', '.join(map(str, done.k))} ({done.k_reason})")
        if not done.table.empty:
            print()
            print(_course_text(done.table))
            print("Each row is measured in its own space: the rows can't be ranked.\n")
        print(f"report: {done.report.resolve().as_uri()}")
    return _outcome(done.counts, out)


def _outcome(counts: Counts, out: Path) -> int:
    if counts.complete:
        return DONE
    say(f"some files could not be read: `songscape ledger {out}` names each with its reason")
    return SOME_FAILED


def _course_text(table: pd.DataFrame) -> str:
    shown = table.drop(columns=["Space"], errors="ignore")
    text: str = shown.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.4f}")
    return text


def _add_compare(verbs: Any) -> None:
    parser = _verb(
        verbs,
        "compare",
        _compare,
        "put every model beside every baseline, with intervals, and say what to believe",
        "The baselines stand in every comparison; the first clusterer is the one that is tested. "
        "Stopped and started again, it goes on where it was.",
    )
    parser.add_argument(
        "library",
        type=_path,
        help="results folder of `songscape run`, its songscape.db, or a music folder",
    )
    parser.add_argument("--out", type=Path, help="where to write (default: compare/ beside it)")
    parser.add_argument("--quick", action="store_true", help="3 seeds instead of 10")
    parser.add_argument(
        "--nuisances", type=_names, help="columns that must not decide, beside those found"
    )
    _add_settings(parser)


def _compare(parsed: argparse.Namespace, arguments: list[str]) -> int:
    from songscape.features.extract import available_cores
    from songscape.pipeline.compare import default_settings, run_comparison
    from songscape.settings import load_settings

    _greet(f"comparing on {parsed.library}")
    base = default_settings(quick=parsed.quick) if parsed.config is None else None
    settings = _overridden(base or load_settings(parsed.config), parsed)
    workers = _workers(parsed) or available_cores()
    done = run_comparison(
        parsed.library,
        parsed.out,
        settings,
        workers=workers,
        command=["songscape", *arguments],
    )
    if parsed.json:
        _print_json(
            {
                "report": str(done.report),
                "verdicts": done.verdicts,
                "warnings": done.warnings,
                "failed": done.failed,
            }
        )
    else:
        for sentence in done.verdicts:
            print(sentence)
        for warning in done.warnings:
            print(f"warning: {warning}")
        print(f"report: {done.report.resolve().as_uri()}")
    for reason in done.failed:
        say(f"failed: {reason}")
    return _outcome(done.counts, done.library)


def _add_demo(verbs: Any) -> None:
    parser = _verb(
        verbs,
        "demo",
        _demo,
        "compose a small multilingual collection whose truth is known",
        "No download: the music is synthesised, the lyrics are written for it.",
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("songscape-demo"))
    parser.add_argument("--songs", type=int, default=240, help="how many songs (default 240)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same files (default 0)")
    parser.add_argument(
        "--confound",
        type=_share,
        default=0.0,
        help="0: language and style independent (default); 1: each style has its language",
    )
    parser.add_argument("--workers", type=int, help="processes (default: cores)")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def _demo(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.demo import compose_collection
    from songscape.features.extract import available_cores

    with progress_bar("composing", "song") as advance:
        folder = compose_collection(
            parsed.folder,
            n_songs=parsed.songs,
            seed=parsed.seed,
            confound=parsed.confound,
            workers=_workers(parsed) or available_cores(),
            progress=advance,
        )
    if parsed.json:
        _print_json({"folder": str(folder), "truth": str(folder / "tracks.csv")})
    else:
        print(f"collection: {folder}\nnext: songscape run {folder}")
    return DONE


def _add_impute(verbs: Any) -> None:
    parser = _verb(
        verbs,
        "impute",
        _impute,
        "name the nearest lyrics for tracks without any, by their sound, or the reverse",
        "Asks a model of a finished run: songscape run FOLDER --out OUT --models song-vae.",
    )
    parser.add_argument("out", type=_path, help="results folder of `songscape run`")
    parser.add_argument(
        "--wanted", choices=("lyrics", "audio"), default="lyrics", help="default lyrics"
    )
    parser.add_argument("--model", default="song-vae", help="default song-vae")
    parser.add_argument("--seed", type=int, default=0, help="of the model (default 0)")
    parser.add_argument(
        "--tracks", type=_names, default=(), help="track ids (default: all that lack it)"
    )
    parser.add_argument("--neighbors", type=int, default=5, help="how many each (default 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON array")


def _impute(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.pipeline.impute import impute

    found = impute(
        parsed.out,
        parsed.wanted,
        model=parsed.model,
        seed=parsed.seed,
        tracks=parsed.tracks,
        n_neighbors=parsed.neighbors,
    )
    if parsed.json:
        _print_json(found.to_dict(orient="records"))
    else:
        print(found.to_csv(index=False, sep="\t", float_format="%.4f", lineterminator="\n"), end="")
    return DONE


def _add_ledger(verbs: Any) -> None:
    parser = _verb(
        verbs, "ledger", _ledger, "list what was not simply analysed, each with its reason"
    )
    parser.add_argument("library", type=Path, help="a results folder or its songscape.db")
    parser.add_argument("--all", action="store_true", help="list the tracks without problems too")
    parser.add_argument("--json", action="store_true", help="print one JSON array")


def _ledger(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.library import Library
    from songscape.pipeline.run import ledger_frame

    path = parsed.library / "songscape.db" if parsed.library.is_dir() else parsed.library
    with Library.open(path, must_exist=True) as library:
        frame = ledger_frame(library)
    if not parsed.all:
        frame = frame[frame["status"] != "ok"]
    if parsed.json:
        _print_json(frame.to_dict(orient="records"))
        return DONE
    for row in frame.itertuples():
        print(f"{row.status}\t{row.stage}\t{row.track_id}\t{row.reason}")
    return DONE


def _add_models(verbs: Any) -> None:
    parser = _verb(verbs, "models", _models, "list the models and the clusterers")
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
        _print_json({"models": models, "clusterers": list(CLUSTERERS)})
        return DONE
    width = max(len(name) for name in PRESETS)
    for model in models:
        print(f"{model['name']:<{width}}  {', '.join(model['views'])}: {model['summary']}")
    print(f"\nclusterers: {', '.join(CLUSTERERS)}")
    return DONE


def _add_report(verbs: Any) -> None:
    parser = _verb(verbs, "report", _report, "write the report again from a results folder")
    parser.add_argument("out", type=Path, help="a results folder, as given to run --out")


def _report(parsed: argparse.Namespace, _arguments: list[str]) -> int:
    from songscape.report.page import write_report
    from songscape.results import ResultsFolder

    folder = ResultsFolder(parsed.out)
    path = folder.tables / "run.json"
    if not path.exists():
        raise SongscapeError(f"{path}: not there; `songscape run` writes it")
    title = json.loads(path.read_text(encoding="utf-8"))["title"]
    print(f"report: {write_report(folder.tables, title=title).resolve().as_uri()}")
    return DONE


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


if __name__ == "__main__":
    sys.exit(main())
