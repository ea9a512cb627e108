"""The package as a user first meets it: import and help are light, every name is there."""

import subprocess
import sys

import songscape

HEAVY = ("torch", "sklearn", "numpy", "scipy", "pandas", "matplotlib", "librosa", "umap")


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not modules_after("import songscape") & set(HEAVY)


def test_help_loads_nothing_heavy() -> None:
    call = "try:\n    songscape.cli.main(['--help'])\nexcept SystemExit:\n    pass"
    statement = f"import songscape.cli\n{call}"
    assert not modules_after(statement) & set(HEAVY)


def test_every_public_name_can_be_imported() -> None:
    for name in songscape.__all__:
        assert getattr(songscape, name) is not None
