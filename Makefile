# Everything here sets up what it needs: a Python of 3.11 or newer, make and a package index will do
# (but for `lock`, which needs uv).

.DEFAULT_GOAL := help
.PHONY: help setup run test test-all check bench docs pictures audit sbom lock clean

DATA ?= data
STRIDE ?= 5
EXTRA ?= alerts
READY := .venv/.ready
TOOLS := build/audit
LOCKS := $(wildcard requirements/*.lock)

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(READY) ## Make .venv, with the command at .venv/bin/analytics

$(READY): $(LOCKS) pyproject.toml setup.sh
	@sh setup.sh .venv requirements/dev.lock
	@touch $@

.venv-fleet/.ready: $(LOCKS) pyproject.toml setup.sh
	@sh setup.sh .venv-fleet requirements/fleet-tests.lock
	@touch $@

run: $(READY) ## Three months of batches against the emulator, then reports to open (DATA=data)
	@.venv/bin/analytics demo --data-dir $(DATA)

# Where this is set, each of some hundred processes compiles all modules anew.
test test-all: export PYTHONDONTWRITEBYTECODE :=

test: $(READY) ## Run the suite against the emulator (COVER=--cov also holds its branch coverage)
	@.venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(COVER)

test-all: test .venv-fleet/.ready ## Also what takes hours (STRIDE=5), and the fleet in an environment of 1.7 GB
	@.venv/bin/python -m pytest -m long -n auto --stride $(STRIDE)
	@.venv-fleet/bin/python -m pytest tests/fleet -m "long or not long"

check: $(READY) ## Lint, types and layers, of Python and of the script (its types need npm)
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache
	@.venv/bin/oxlint -c tests/engine/.oxlintrc.json --deny-warnings reports/engine tests/engine
	@if command -v npm >/dev/null && npm ci --silent --fetch-timeout=20000 --fetch-retries=0 \
	  --prefix tests/engine; then tests/engine/node_modules/.bin/tsc -p tests/engine; \
	else echo "npm cannot install TypeScript: types of the script are not checked"; fi

bench: $(READY) ## Measure ours beside dlt, against the same emulator
	@.venv/bin/python -m benchmarks

docs: $(READY) ## Write generated parts of docs/ anew, and make its site in build/docs
	@.venv/bin/python -m docs.generate
	@.venv/bin/properdocs build --strict --quiet
	@echo "file://$(CURDIR)/build/docs/index.html"

pictures: $(READY) ## Take the pictures of the docs anew, of the demo's site (DATA=data)
	@.venv/bin/python -m docs.pictures $(DATA)/site

audit: $(TOOLS) ## Audit the locked dependencies against known vulnerabilities (needs a network)
	@.venv/bin/python .ci/audit.py $(TOOLS)/bin/pip-audit $(LOCKS)

sbom: $(TOOLS) ## Write the bill of materials of the image (EXTRA=alerts) to build/sbom.json (CycloneDX)
	@$(TOOLS)/bin/python -W ignore -m cyclonedx_py requirements requirements/$(EXTRA).lock \
	  --pyproject pyproject.toml --output-reproducible --output-file build/sbom.json
	@echo build/sbom.json

$(TOOLS): requirements/audit.lock | $(READY)
	@rm -rf $@
	@.venv/bin/python -m venv $@
	@$@/bin/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --require-hashes -r $< || { rm -rf $@; exit 1; }

lock: ## Renew the locks of requirements/ (needs uv)
	@sh .ci/lock

clean: ## Remove the environment and what the demo, tests and benchmarks made
	@rm -rf .venv .venv-fleet .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build
	@if [ -f $(DATA)/demo.toml ]; then rm -rf $(DATA); fi
