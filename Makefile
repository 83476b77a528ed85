# Everything here sets up what it needs: a Python of 3.11 or newer, make and a package index will do.

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench docs pictures lock clean

DATA ?= data
READY := .venv/.ready

help: ## Show the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(READY) ## Make .venv, with the command at .venv/bin/analytics

$(READY): requirements.lock pyproject.toml setup.sh
	@sh setup.sh
	@touch $@

run: $(READY) ## Three months of batches against the emulator, then reports to open (DATA=data)
	@.venv/bin/analytics demo $(DATA)

test: $(READY) ## Run the whole suite against the emulator, and hold its branch coverage
	@.venv/bin/python -m pytest -n 3 --dist loadfile --cov

check: $(READY) ## Lint, types and layers, of Python and of the script (its types need npm)
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache
	@.venv/bin/oxlint -c reports/engine/.oxlintrc.json --deny-warnings reports/engine tests/engine
	@if command -v npm >/dev/null && npm ci --silent --fetch-timeout=20000 --fetch-retries=0 \
	  --prefix tests/engine; then tests/engine/node_modules/.bin/tsc -p reports/engine; \
	else echo "npm cannot install TypeScript: types of the script are not checked"; fi

bench: $(READY) ## Measure ours beside dlt, against the same emulator
	@.venv/bin/python -m benchmarks

docs: $(READY) ## Write generated parts of docs/ anew, and make its site in build/docs
	@.venv/bin/python -m docs.generate
	@.venv/bin/properdocs build --strict --quiet
	@echo "file://$(CURDIR)/build/docs/index.html"

pictures: $(READY) ## Take the pictures of docs/charts.md anew, of the demo's site (DATA=data)
	@.venv/bin/python docs/pictures.py $(DATA)/site

lock: ## Renew requirements.lock (needs uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --all-extras --group dev \
	  pyproject.toml -o requirements.lock

clean: ## Remove the environment and what the demo, tests and benchmarks made
	@rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build
	@if [ -f $(DATA)/demo.toml ]; then rm -rf $(DATA); fi
