# Two commands work on a fresh Debian or Ubuntu machine with Python >= 3.11: `make demo` and `make test`.
# Both make a virtual environment; as root they also install the Debian packages that carry the real servers.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAB := .lab
export AWS_EC2_METADATA_DISABLED = true

.PHONY: help demo test lint format bench servers clean

.PHONY: help-text
help:
	@echo "make demo    a demo estate on loopback, scanned for real; the HTML report is demo/report.html"
	@echo "make test    the tests, against real servers"
	@echo "make lint    ruff, mypy, import contracts"
	@echo "make bench   the benchmarks, as ratios"
	@echo "make format  let ruff format"

# A machine without python3-venv can have it from Debian when we are root.
$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv; } || \
	  { echo "python3-venv is missing: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# As root: what Debian carries. Without root: what is there already; the rest is skipped by name.
servers: $(VENV)/installed
	$(BIN)/python -m exposure_audit.lab.install --directory $(LAB)

demo: servers
	@mkdir -p demo
	@$(BIN)/exposure-audit lab --directory $(LAB) -- $(BIN)/exposure-audit scan --loopback-only \
	  --region eu-central-1 --region us-east-1 --format html=demo/report.html --format markdown=demo/checklist.md \
	  --format json=demo/report.json; code=$$?; \
	  echo; echo "The gate said $$code (1: it failed, as it should for this estate)."; \
	  echo "Report: demo/report.html   Checklist: demo/checklist.md   Data: demo/report.json"; \
	  test $$code -eq 1

test: $(VENV)/installed
	$(BIN)/python -m exposure_audit.lab.install --directory $(LAB) --tests
	$(BIN)/pytest -n 2 --dist loadgroup

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: servers
	@for name in startup collect analysis whole rules probing busy; do \
	  echo "== $$name"; $(BIN)/python benchmarks/$$name.py || exit 1; done

clean:
	rm -rf $(VENV) $(LAB) demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .exposure-audit

# The root help is a file, so that `--help` loads nothing; a test keeps it true.
help-text: $(VENV)/installed
	COLUMNS=80 $(BIN)/python -c 'from exposure_audit.cli.app import app; app(["--help"], prog_name="exposure-audit")' \
	  > exposure_audit/cli/help.txt
