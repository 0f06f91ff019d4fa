# One tool of each kind; every target works from a fresh clone with Python 3.11+ and make alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := .venv-assets
GENERATOR := .venv-client
PEERS := .venv-peers
PORT ?= 8000
SAMPLE := .sample
SERVE := --no-access-log --no-server-header --timeout-keep-alive 10 --timeout-graceful-shutdown 8 --limit-concurrency 200
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# What is compiled once is not compiled again by each process that the tests start.
unexport PYTHONDONTWRITEBYTECODE
# With an arena for each thread the C library gives little back of what large files took.
export MALLOC_ARENA_MAX = 2
.DEFAULT_GOAL := help

.PHONY: help demo try serve test cover collect prove corpus peers bench docs pictures client lint types contracts unit format lock release sample model assets clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/run.stamp: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	touch $@

demo: $(VENV)/run.stamp  ## Set everything up and score the invented force's newest statement
	$(BIN)/cardwatch demo

try: $(VENV)/run.stamp  ## Serve the pages over a casebook of the invented force; docs/using.md says how to begin
	$(BIN)/cardwatch demo --casebook $(SAMPLE)
	CARDWATCH_HOME=$(SAMPLE) $(BIN)/uvicorn api.main:app --host 127.0.0.1 --port $(PORT) $(SERVE)

serve: $(VENV)/run.stamp  ## Run the service on this machine; docs/api.md says how to begin
	$(BIN)/uvicorn api.main:app --host 127.0.0.1 --port $(PORT) $(SERVE)

test: lint types contracts unit  ## Lint, format, types, import contracts, Dockerfile, all tests

lint: $(VENV)/dev.stamp  ## Lint and check the format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint Dockerfile

types: $(VENV)/dev.stamp  ## Check the types
	$(BIN)/mypy

contracts: $(VENV)/dev.stamp  ## Check that rooms import only the rooms below them
	$(BIN)/lint-imports

unit: $(VENV)/dev.stamp  ## Run the tests
	$(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder --max-worker-restart 0 -m "not prove"

cover: $(VENV)/dev.stamp  ## Run the tests and measure what they reach, branches too, against the floor
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --dist loadscope --no-loadscope-reorder --max-worker-restart 0 -m "not prove"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --format=total

collect: $(VENV)/dev.stamp
	$(BIN)/pytest --collect-only --quiet --quiet

prove: $(VENV)/dev.stamp  ## Run the long proofs; figures go to docs/measurements.md
	$(BIN)/pytest -m prove -s

corpus: $(VENV)/run.stamp  ## Read every file of DIR and say how it differs from DIR/expectations.toml
	$(BIN)/cardwatch corpus $(DIR)

$(PEERS)/stamp: requirements-peers.lock
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --require-hashes --requirement requirements-peers.lock
	touch $@

peers: $(PEERS)/stamp  ## Install the libraries that bench compares with and cardwatch does not need

bench: $(VENV)/dev.stamp $(PEERS)/stamp  ## Measure speed as ratios in one run, peers included
	$(BIN)/python benchmarks/peers.py
	$(BIN)/python benchmarks/speed.py
	PYTHONPATH=. $(BIN)/python benchmarks/waits.py
	$(BIN)/python benchmarks/shapes.py
	$(BIN)/python benchmarks/detection.py
	$(BIN)/python benchmarks/casebook.py
	$(BIN)/python benchmarks/registers.py
	PYTHONPATH=tests $(BIN)/python benchmarks/national.py
	PYTHONPATH=tests $(BIN)/python benchmarks/efficiency.py

docs: $(VENV)/run.stamp  ## Make the pages that are made from the code
	$(BIN)/python docs/make.py

pictures: $(VENV)/dev.stamp  ## Take the documents' pictures of the pages in Chromium
	PYTHONPATH=tests $(BIN)/python docs/pictures.py

format: $(VENV)/dev.stamp  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

sample: $(VENV)/run.stamp  ## Make the invented force again
	$(BIN)/python sample_data/generate.py

model: $(VENV)/run.stamp  ## Fit the demonstration model again
	$(BIN)/cardwatch model train sample_data/statements --policy sample_data/policy.toml --out models/demo

$(GENERATOR)/stamp: requirements-client.lock
	$(PYTHON) -m venv $(GENERATOR)
	$(GENERATOR)/bin/pip install --quiet --require-hashes --requirement requirements-client.lock
	touch $@

client: $(GENERATOR)/stamp  ## Generate a typed Python client of the API in .client/
	PATH="$(CURDIR)/$(GENERATOR)/bin:$$PATH" $(GENERATOR)/bin/openapi-python-client generate --overwrite \
	  --fail-on-warning --path tests/golden/openapi.json --config api/client.yaml --output-path .client

$(NODE)/stamp: requirements-assets.lock
	$(PYTHON) -m venv $(NODE)
	$(NODE)/bin/pip install --quiet --require-hashes --requirement requirements-assets.lock
	touch $@

assets: $(NODE)/stamp  ## Build the style and the script of the pages again
	$(NODE)/bin/python api/assets/build.py

lock: $(VENV)/dev.stamp  ## Choose the versions that CI and the image install
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade --extra service pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links --constraint requirements.lock \
	  --extra dev pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade \
	  --group assets -o requirements-assets.lock
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade \
	  --group client -o requirements-client.lock
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade \
	  --group peers -o requirements-peers.lock

release: $(VENV)/dev.stamp  ## Build wheel and source twice, compare them, and write the SBOM and checksums to dist/
	rm -rf dist
	for place in dist dist/again; do \
	  SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/hatchling build --directory $$place || exit 1; done
	cd dist/again && for file in *; do cmp $$file ../$$file || exit 1; done
	rm -r dist/again
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --spec-version 1.6 \
	  --output-format JSON --output-file dist/cardwatch.cdx.json requirements.lock
	cd dist && sha256sum * > SHA256SUMS

clean:  ## Remove what the other targets made
	rm -rf $(VENV) $(NODE) $(GENERATOR) $(PEERS) .client $(SAMPLE) dist api/assets/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
