r"""The LaTeX table holds together: every row has its columns, every environment ends."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from songscape.report.latex import escape, latex_table
from songscape.report.read import read_results

UNESCAPED_AMPERSAND = re.compile(r"(?<!\\)&")
SPAN = re.compile(r"\\multicolumn\{(\d+)\}")


def check(latex: str) -> int:
    """Environments, braces and dollars close; every row has as many columns as were declared."""
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", latex):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    bare = re.sub(r"\\[{}$]", "", latex)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    for rule in ("toprule", "midrule", "bottomrule"):
        assert f"\\{rule}" in latex
    assert "\\hline" not in latex
    declared = re.search(r"\\begin\{tabular\}\{(l(c*))\}", latex)
    assert declared is not None
    width = len(declared[1])
    body = latex[latex.index(r"\toprule") : latex.index(r"\bottomrule")]
    for line in body.splitlines():
        if line.endswith(r"\\"):
            cells = UNESCAPED_AMPERSAND.split(line)
            spanned = sum(int(SPAN.search(cell)[1]) if SPAN.search(cell) else 1 for cell in cells)
            assert spanned == width, line
        for first, last in re.findall(r"\\cmidrule\(lr\)\{(\d+)-(\d+)\}", line):
            assert 2 <= int(first) <= int(last) <= width
    return width


def test_methods_by_tested_figures_with_interval_and_verdict(compared_folder: Path) -> None:
    latex = latex_table(read_results(compared_folder))
    assert check(latex) == 1 + 2
    rows = dict(line.split(" & ", 1) for line in latex.splitlines() if line.endswith(r"\\"))
    assert rows["song-vae"] == (
        r"0.500\,$\blacktriangle$ {\tiny[0.480, 0.520]} & "
        r"0.550\,$\blacktriangle$ {\tiny[0.530, 0.570]} \\"
    )
    assert r"\triangledown" in rows["tfidf"]
    assert "triangle" not in rows["balanced-pca"]
    assert "random (reference)" in latex


def test_many_labels_are_columns_and_names_are_escaped(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path
) -> None:
    labels = [f"50% {{x}}_{i} & $" for i in range(5)]
    models = ("balanced-pca", "song-vae")
    rows = [
        made.row(model, "agreement", metric, label, -0.1 if model == "song-vae" else 0.1)
        for model in models
        for label in labels
        for metric in ("knn_balanced", "ami")
    ]
    tests = [
        made.outcome("song-vae", "same", metric, label)
        for label in labels
        for metric in ("knn_balanced", "ami")
    ]
    folder = write_results(tmp_path / "results", rows, tests, labels=labels)
    latex = latex_table(read_results(folder))
    assert check(latex) == 1 + 10
    assert r"50\% \{x\}\_0 \& \$" in latex
    assert len(latex.splitlines()) < 60


def test_nothing_tested_is_still_a_table(
    made: ModuleType, write_results: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write_results(tmp_path / "results", made.model_rows("balanced-pca"), [], labels=[])
    latex = latex_table(read_results(folder))
    assert r"\begin{tabular}{l}" in latex


@pytest.mark.parametrize(
    ("text", "wanted"), [("a_b", r"a\_b"), ("\\", r"\textbackslash{}"), ("গান", "গান")]
)
def test_special_characters(text: str, wanted: str) -> None:
    assert escape(text) == wanted
