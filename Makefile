# A fresh machine needs Python >= 3.11 and make. `make help` lists the targets.

PYTHON ?= python3
BIN    := .venv/bin
UV     := uv==0.13.9
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Tests mostly wait, for leases and processes: twice the two cores of the smallest machine.
PYTEST := $(BIN)/pytest -n 5 --dist loadgroup

# Reading five thousand tests takes every one of these processes some ten seconds: each part reads what it needs.
STARTING_PROCESSES := tests/process tests/up tests/examples tests/scheduler
APART := $(addprefix --ignore=,tests/process tests/up tests/examples tests/browser tests/containers tests/prometheus)
# Tests whose outcome may depend on which server it is.
OF_THE_SERVER := tests/store tests/broker $(addprefix tests/process/test_,kills.py outage.py server_trouble.py)

.DEFAULT_GOAL := help
.PHONY: run test test-process test-fuzz test-redis test-postgres test-prometheus test-containers test-browser test-soak test-large check format-check lint types imports format openapi bench lock clean help

run: $(BIN)/.installed ## start web, workers and an embedded server; Ctrl-C stops all
	@$(BIN)/worker-service up

test: $(BIN)/.installed-dev ## run the tests in parallel
	$(PYTEST) $(APART) -m "not soak and not bound and not fuzz and not process"
	$(BIN)/pytest $(APART) -m "bound and not soak and not process"

test-process: $(BIN)/.installed-dev ## start, kill and cut off the service, its workers and servers, and see that nothing is lost
	$(PYTEST) $(STARTING_PROCESSES) -m "process and not soak and not bound"
	$(PYTEST) $(STARTING_PROCESSES) -m "process and bound and not soak"

test-fuzz: $(BIN)/.installed-dev ## send to every operation of the HTTP interface what no person would
	$(BIN)/pytest -n 2 -m fuzz tests/openapi

test-redis: $(BIN)/.installed-dev ## run what depends on the server against the redis-server of this system
	@if command -v redis-server >/dev/null; then \
		export TEST_SERVER_BINARY=redis-server; \
		$(PYTEST) -m "not soak and not bound and not fuzz" $(OF_THE_SERVER) && $(PYTEST) -m "bound and not soak" $(OF_THE_SERVER); \
	elif [ "$${CI:-}" = true ]; then \
		echo "test-redis FAILED: no redis-server on PATH (apt-get install redis-server)" >&2; exit 1; \
	else \
		echo "test-redis SKIPPED: no redis-server on PATH (apt-get install redis-server)"; \
	fi

test-postgres: $(BIN)/.installed-dev ## run the tests of receipts against the PostgreSQL of this system
	@if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then \
		TEST_DATABASE=postgresql $(BIN)/pytest -m "sql and not soak" tests/broker tests/process tests/examples; \
	elif [ "$${CI:-}" = true ]; then \
		echo "test-postgres FAILED: no initdb (apt-get install postgresql)" >&2; exit 1; \
	else \
		echo "test-postgres SKIPPED: no initdb (apt-get install postgresql)"; \
	fi

test-prometheus: $(BIN)/.installed-dev ## let the Prometheus of this system scrape a running service, and judge the alerts
	@if command -v prometheus >/dev/null && command -v promtool >/dev/null; then \
		$(BIN)/pytest -n 2 tests/prometheus; \
	elif [ "$${CI:-}" = true ]; then \
		echo "test-prometheus FAILED: no prometheus on PATH (apt-get install prometheus)" >&2; exit 1; \
	else \
		echo "test-prometheus SKIPPED: no prometheus on PATH (apt-get install prometheus)"; \
	fi

test-containers: $(BIN)/.installed-dev ## build the image, run it with podman, and kill, stop and replace its containers
	@for tool in debootstrap buildah podman runc iptables; do \
		command -v $$tool >/dev/null || missing="$$missing $$tool"; \
	done; \
	if [ -z "$$missing" ]; then \
		$(BIN)/pytest tests/containers -o faulthandler_timeout=600; \
	elif [ "$${CI:-}" = true ]; then \
		echo "test-containers FAILED: missing:$$missing (apt-get install$$missing)" >&2; exit 1; \
	else \
		echo "test-containers SKIPPED: missing:$$missing (apt-get install$$missing)"; \
	fi

test-browser: $(BIN)/.installed-dev ## look at every page, and do what can be done there, in the Chromium of this system
	@if command -v chromium >/dev/null; then \
		$(BIN)/pytest -n 2 tests/browser; \
	elif [ "$${CI:-}" = true ]; then \
		echo "test-browser FAILED: no chromium on PATH (apt-get install chromium)" >&2; exit 1; \
	else \
		echo "test-browser SKIPPED: no chromium on PATH (apt-get install chromium)"; \
	fi

screenshots: $(BIN)/.installed-dev ## make the pictures of docs/screenshots anew, in Chromium
	SCREENSHOTS=docs/screenshots $(BIN)/pytest -m browser tests/browser/test_screenshots.py

test-soak: $(BIN)/.installed-dev ## run the long tests
	$(BIN)/pytest -n 3 $(filter-out --ignore=tests/process --ignore=tests/up --ignore=tests/examples,$(APART)) -m "soak and not large" -o faulthandler_timeout=900

test-large: $(BIN)/.installed-dev ## fill a server with a million jobs, and take the time of each page; on a quiet machine
	$(BIN)/pytest -m large tests/http -o faulthandler_timeout=900

check: format-check lint types imports test test-process test-fuzz ## all that CI asks of a change

format-check: $(BIN)/.installed-dev
	$(BIN)/ruff format --check .

lint: $(BIN)/.installed-dev
	$(BIN)/ruff check .

types: $(BIN)/.installed-dev
	$(BIN)/mypy

imports: $(BIN)/.installed-dev
	$(BIN)/lint-imports

format: $(BIN)/.installed-dev ## format the code and apply safe lint fixes
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

openapi: $(BIN)/.installed ## write docs/openapi.json anew
	JOBS_ACTOR_MODULES= $(BIN)/worker-service openapi | $(BIN)/python -m json.tool --indent 1 --no-ensure-ascii - docs/openapi.json

bench: $(BIN)/.installed-dev ## run the benchmarks; ARGS="--quick" for some minutes in place of hours
	$(BIN)/python -m benchmarks $(ARGS)

# The locks hold versions and hashes only, no address: the index is the business of the machine that installs.
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --upgrade --quiet --custom-compile-command "make lock"
lock: $(BIN)/python ## write both lock files anew, with the newest versions allowed
	$(PIP) $(UV)
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@! grep -n '://' requirements.lock requirements-dev.lock

clean: ## remove what make made; .data/ stays
	rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 14

# Set-up, done again when a lock or pyproject.toml changes.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "worker-service needs Python 3.11 or newer; '$(PYTHON)' is older or missing." >&2; \
		echo "Name another one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv

$(BIN)/.installed: $(BIN)/python requirements.lock pyproject.toml
	@echo "installing requirements.lock into .venv"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(BIN)/.installed-dev: $(BIN)/.installed requirements-dev.lock
	@echo "installing requirements-dev.lock into .venv"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
