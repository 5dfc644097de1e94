# Everything from a fresh clone: `make run`. Needs Python 3.11 or newer and make, nothing else.
# Settings come from the environment or from .env (see .env.example), for instance: make run PORT=9001

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run test test-cluster test-postgres test-compose lint format schema bench clean upgrade-check

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/installed ## start the server on http://127.0.0.1:9000/ (Ctrl-C stops it)
	@exec $(BIN)/python manage.py serve

test: $(VENV)/installed-dev ## run the tests: SQLite, one Valkey
	@exec $(PYTEST) $(ARGS)

test-cluster: $(VENV)/installed-dev ## run the tests again: PostgreSQL, a Valkey cluster of three
	@exec env FOYER_TEST_STORE=cluster $(BIN)/python -m tests.postgres $(PYTEST) $(ARGS)

test-postgres: $(VENV)/installed-dev ## run the tests again: PostgreSQL, one Valkey
	@exec $(BIN)/python -m tests.postgres $(PYTEST) $(ARGS)

test-compose: $(VENV)/installed-dev ## run what docker-compose.yml runs, behind nginx, and kill an instance
	@exec $(BIN)/python -m tests.postgres $(PYTEST) -n 0 -m compose tests/compose $(ARGS)

lint: $(VENV)/installed-dev ## check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev ## lay the code out as `make lint` wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(VENV)/installed-dev ## write schema.yml anew, the description of REST that is served at /schema
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file schema.yml

bench: $(VENV)/installed-dev ## measure deliveries and posts a second
	@exec $(BIN)/python -m bench $(ARGS)

upgrade-check: $(VENV)/installed-dev ## list pinned packages of which there is a newer release
	@$(BIN)/python -m pip list --outdated --disable-pip-version-check

clean: ## remove the virtualenv and caches; var/ and its data stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than its requirements once they are installed; an interrupted installation leaves none.
$(VENV)/installed: requirements.txt
	$(call install,requirements.txt)

$(VENV)/installed-dev: requirements-dev.txt requirements.txt
	$(call install,requirements-dev.txt)
	@touch $(VENV)/installed

define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Foyer needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing)." \
			"Install it, or name another: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing $(1) into $(VENV)/"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(1)
	@touch $@
endef
