# make app            set up, start the app and print its address
# make test           set up and run everything that a machine without a GPU can run
# make check          formatting, lint, types, import rules
# make wheel-check    build the wheel and use it outside the checkout, from the shell and in Chromium
# make docs           build the documentation into docs/_build/html; its tutorials are run
# make test-kernels   the tests that compare numbers, computed with newer and with older instructions of the processor
# make test-lowest    a part of the tests with the lowest versions that pyproject.toml allows (.venv-lowest, 6 GB)
# make fuzz           open and score 10,000 odd files and print what goes wrong [N=500] [SEED=0]
# make bench          measure on labelled data: AD_BENCH_DATA=folder [ONLY=sensor] [SEEDS=0,1,2]
#
# WORKERS=N runs the tests in N processes (2). TORCH_INDEX=URL takes another build of torch than the default of this platform.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DOCS_STAMP := .venv/.installed-docs
LOWEST := .venv-lowest/bin
LOWEST_STAMP := .venv-lowest/.installed
PIP_TORCH := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
PORT ?= 8501
WORKERS ?= 2
ONLY ?=
SEEDS ?=
N ?= 10000
SEED ?= 0

# Tests of the numbers that this product computes.
NUMERIC := $(addprefix tests/,alerts/test_calibration.py alerts/test_extreme_values.py explain/test_attribution.py \
	explain/test_robust_distance.py methods/test_kernel_imputation.py methods/test_moments.py \
	methods/test_nearest_neighbours.py methods/test_principal_directions.py methods/test_score_normalisation.py \
	methods/losses methods/references methods/scorers projection)
# Tests that use every library which pyproject.toml names, in a few minutes.
LIBRARIES := $(addprefix tests/,alerts/test_calibration.py cli/test_verdicts.py data/files data/readers data/tables \
	explain/test_attribution.py methods/augmentations methods/encoders methods/references pages/test_pages.py projection \
	review/reports storage test_packaging.py test_registry.py test_settings.py test_types.py)

.PHONY: app test check wheel-check docs test-kernels test-lowest fuzz bench clean

app: $(STAMP)
	@echo "Anomaly Lens: http://127.0.0.1:$(PORT)   (your data stays on this machine; stop with Ctrl+C)"
	@$(BIN)/python -m ad_core app --port=$(PORT) --headless

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not gpu" --numprocesses=$(WORKERS) --dist=loadfile \
		--cov=ad_core --cov-report=term:skip-covered $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_structure.py

wheel-check: $(STAMP)
	$(BIN)/python -m tools.check_wheel

docs: $(DOCS_STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -j auto -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

test-kernels: export OMP_NUM_THREADS = 1
test-kernels: $(STAMP)
	OPENBLAS_CORETYPE=Haswell ATEN_CPU_CAPABILITY=avx2 $(BIN)/python -m pytest -q -n $(WORKERS) $(NUMERIC)
	OPENBLAS_CORETYPE=Prescott ATEN_CPU_CAPABILITY=default $(BIN)/python -m pytest -q -n $(WORKERS) $(NUMERIC)

test-lowest: export OMP_NUM_THREADS = 1
test-lowest: $(LOWEST_STAMP)
	$(LOWEST)/python -m pytest -q -m "not slow and not browser and not gpu" -n $(WORKERS) --dist=loadfile $(LIBRARIES)

fuzz: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --seed $(SEED) --count $(N)

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(SEEDS),--seeds $(SEEDS))

$(STAMP): pyproject.toml constraints.txt ad_core/__init__.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_TORCH) -c constraints.txt -e '.[dev]'
	touch $@

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_TORCH) -c constraints.txt -e '.[dev,docs]'
	touch $@

$(LOWEST_STAMP): pyproject.toml constraints-lowest.txt ad_core/__init__.py | $(STAMP)
	$(BIN)/uv venv --quiet --clear --python 3.11 .venv-lowest
	$(BIN)/uv pip install --quiet --python $(LOWEST)/python -c constraints-lowest.txt -e '.[dev]'
	touch $@

clean:
	rm -rf .venv .venv-lowest docs/_build docs/generated .mypy_cache .ruff_cache .pytest_cache
