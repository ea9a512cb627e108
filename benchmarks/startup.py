"""How long `import songscape` and `songscape --help` take, as whole processes.

    python benchmarks/startup.py [--rounds 11]

The ways take turns; an empty Python stands beside them, because that much is not ours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

HEAVY = ("torch", "sklearn", "scipy", "pandas", "matplotlib", "umap", "numpy")
WAYS = {
    "python -c pass": ["-c", "pass"],
    "import songscape": ["-c", "import songscape"],
    "songscape --help": ["-c", "import sys; from songscape.cli import main; sys.exit(main())"],
}


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def loaded(code: str) -> list[str]:
    """Heavy packages that the code imports."""
    code = f"{code}; import sys; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return told.stdout.split()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    arguments = parser.parse_args()
    commands = {
        name: [sys.executable, *rest, *(["--help"] if "--help" in name else [])]
        for name, rest in WAYS.items()
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        seconds(command)  # writes the byte code
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            taken[name].append(seconds(command))
    heavy = {
        "import songscape": loaded("import songscape"),
        "songscape.cli": loaded("import songscape.cli"),
    }
    if arguments.json:
        json.dump({"seconds": taken, "heavy": heavy}, sys.stdout)
        print()
        return 0
    print(f"{'':20}  median s    min s    max s")
    for name, times in taken.items():
        print(f"{name:20}  {statistics.median(times):8.3f} {min(times):8.3f} {max(times):8.3f}")
    for name, modules in heavy.items():
        print(f"{name} loads of the heavy packages: {', '.join(modules) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
