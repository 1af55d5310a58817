# LTP Lab. `make help` lists the targets.

PYTHON ?= python3
VENV   ?= .venv
HOST   ?= 127.0.0.1
PORT   ?= 8501
JOBS   ?= 2

RUN  := $(VENV)/bin/python
DEPS := requirements.txt pyproject.toml
WEB  := node_modules/.package-lock.json

# Two threads a worker on two cores only slow each other down: idle ones spin, and the browser tests took 1.6 times as long.
# `worksteal` leaves a file to one worker while it can, so that what its tests share is made once. Each worker of the browser
# tests has a lab of its own.
TESTS   = OMP_NUM_THREADS=1 $(RUN) -m pytest -n $(JOBS) --dist worksteal
UNIT    = $(TESTS) --ignore=tests/browser
BROWSER = $(TESTS) tests/browser

.DEFAULT_GOAL := help
.PHONY: help setup app base test test-all lint docs notebooks results finding lab-benchmark soak poll clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile
	@echo "Settings: HOST=$(HOST) PORT=$(PORT) PYTHON=$(PYTHON) VENV=$(VENV) JOBS=$(JOBS)"

setup: $(VENV)/.dev $(WEB) ## make .venv with the project (editable) and its development tools

app: $(VENV)/.runtime $(WEB) ## install what the lab needs and start it (HOST=0.0.0.0 serves a class, OWN_MODELS=1 lets it load any)
	$(RUN) -m ltp_core lab --host $(HOST) --port $(PORT) --no-browser $(if $(OWN_MODELS),--own-models)

base: $(VENV)/.runtime ## add the base of the twelve-layer models: 404 MB
	$(RUN) -m pip install --editable '.[base]'

test: $(VENV)/.dev $(WEB) ## run the whole suite, then the browser tests
	$(UNIT)
	$(BROWSER)

test-all: $(VENV)/.dev $(WEB) ## the same with the slow tests
	$(UNIT) -m ''
	$(BROWSER) -m ''

lint: $(VENV)/.dev ## check format, style and types
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy

notebooks: $(VENV)/.dev ## run all notebooks and store their outputs (takes a Chromium, for the pictures)
	PYTHONWARNINGS=ignore $(RUN) -m jupyter nbconvert --to notebook --execute --inplace \
	  --ExecutePreprocessor.record_timing=False notebooks/*.ipynb

docs: $(VENV)/.dev ## build the documentation into site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict

# imdb with options of its own, whose data is not where GLUE is: docs/results.md has the command of each model.
results: $(VENV)/.dev ## measure the shipped models of GLUE and the speed of sst2, write docs/results.md (DATA=folder or Hub id)
	for model in sst2 mrpc stsb rte cola; do \
	  $(RUN) -m ltp_core results --model $$model $(if $(DATA),--data $(DATA)) || exit; done
	$(RUN) -m ltp_core benchmark --model sst2 --target-flops 2.1 --against sdpa,onnxruntime --write sst2
	$(RUN) -m ltp_core report

finding: $(VENV)/.dev ## set attribution beside pruning over sst2's development set (DATA=…, OTHERS=folders)
	$(RUN) -m ltp_core finding --model sst2 $(if $(DATA),--data $(DATA)) $(if $(OTHERS),--others $(OTHERS))
	$(RUN) -m ltp_core report

lab-benchmark: $(VENV)/.dev $(WEB) ## measure the lab in a browser against its budgets, and visitors at once (assets/results/lab.json)
	$(RUN) -m tests.browser.lab_benchmark --output assets/results/lab.json

soak: $(VENV)/.dev $(WEB) ## thirty visitors for ten minutes on a lab of its own, and one that misbehaves (assets/results/soak.json)
	$(RUN) -m tests.soak --output assets/results/soak.json

poll: $(VENV)/.dev ## a hundred phones vote in a lab of their own (assets/results/poll.json)
	$(RUN) -m tests.poll --output assets/results/poll.json

clean: ## remove caches and build products; .venv stays and is installed again at the next call
	rm -rf node_modules build dist site *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f $(VENV)/.runtime $(VENV)/.dev
	find . -path ./.git -prune -o -path './$(VENV)' -prune -o -name __pycache__ -type d -exec rm -rf {} +

# The stamps .runtime and .dev are written after an installation has succeeded, so one that was
# interrupted is repeated. An existing .venv is used as it is (say, with a torch of your choice).
$(VENV)/.runtime: $(DEPS)
	$(make-venv)
	$(RUN) -m pip install --editable .
	@touch $@

$(VENV)/.dev: $(DEPS)
	$(make-venv)
	$(RUN) -m pip install --editable '.[dev]'
	@touch $(VENV)/.runtime $@

# What runs in the visitor's browser. Without npm, or without a network, the server answers instead.
$(WEB): package.json package-lock.json
	@if ! command -v npm >/dev/null; then \
	  echo "npm is not here: the lab's server answers while a threshold is dragged, not the browser (docs/live.md)"; \
	elif ! npm ci --fetch-retries=1 --fetch-timeout=20000; then \
	  echo "npm could not fetch onnxruntime-web: the lab's server answers while a threshold is dragged"; fi

define make-venv
@$(RUN) -m pip --version >/dev/null 2>&1 || { \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "LTP Lab needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")' && \
	$(PYTHON) -m venv $(VENV); }
endef
