# One command each, here as in CI. `make` alone lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help up test test-all calendar check bench faults mutants docs messages catalogue frozen lock clean
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
QUICK := -m "not test_all and not slow"
TOGETHER := -n auto --maxprocesses=4 --dist=worksteal
EVERY_BRANCH := --cov=ledger.domain --cov-branch --cov-fail-under=100 --cov-report=term-missing:skip-covered
FAULTS := tests/faults tests/acceptance/test_sample_book.py tests/schedulers/test_five_simulated_years.py \
  tests/ledger/application/test_two_at_once.py tests/ledger/http/test_hostile_requests.py
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install -qq
RUNTIME := .venv/.runtime-installed
DEV := .venv/.dev-installed
DEMO := $(CURDIR)/.demo

help: ## list what there is
	@echo "The ledger decides. Projections show. Schedulers remind."
	@echo
	@sed -n 's/^\([a-z][a-z-]*\):.*## /  make \1: /p' Makefile | awk '{ at = index($$0, ": "); printf "%-16s %s\n", substr($$0, 1, at - 1), substr($$0, at + 2) }'

up: $(RUNTIME) ## the running ledger with a sample book, in .demo (Ctrl-C ends it)
	@trap : INT TERM; \
	COVERLEDGER_HOME="$(DEMO)" $(BIN)/coverledger up --demo; ended=$$?; \
	test $$ended -eq 130 || test $$ended -eq 143 || exit $$ended

test: $(DEV) ## the tests that need Python and the embedded Postgres only; TESTS=folder for a part
ifdef TESTS
	$(BIN)/python -m pytest $(TOGETHER) $(QUICK) $(TESTS)
else
	$(BIN)/python -m pytest $(TOGETHER) $(QUICK) tests/ledger/domain $(EVERY_BRANCH)
	$(BIN)/python -m pytest $(TOGETHER) $(QUICK) --ignore=tests/ledger/domain
endif

test-all: $(DEV) ## the rest: installs what it needs where it may, and says what it did not run
	@.ci/test-all

calendar: $(DEV) ## the tests as on other days: months and years end, clocks change (hours); DAYS=2028-02-29 for one
	@.ci/calendar

check: $(DEV) ## format, lint, types, who may import whom, docs, migrations, translations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/architecture tests/projections/web/test_words.py

bench: $(DEV) ## measure, side by side with the stock recorder and with the limit
	$(BIN)/python -m benchmarks

faults: $(DEV) ## cut connections, kill programs, abort writers: the full counts (an hour or so)
	FAULTS_FULL=1 $(BIN)/python -m pytest -m "test_all or not test_all" $(FAULTS)

mutants: $(DEV) ## ask whether the domain's tests notice each small change of a rule (hours)
	$(BIN)/mutmut run
	$(BIN)/mutmut results

docs: $(DEV) ## build the docs as a site in site/, which asks nobody else for anything
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "file://$(CURDIR)/site/index.html (for its search: $(BIN)/python -m http.server -d site)"

messages: $(DEV) ## merge what the site says into its catalogues; what is new there is left to translate
	$(BIN)/python tests/projections/web/spoken.py

catalogue: $(DEV) ## draw anew what the migrations make, which verify and doctor hold the schema against
	$(BIN)/python tests/ledger/store/draw_catalogue.py

frozen: $(DEV) ## print how today's answers differ from those of the frozen ledger
	cd tests && ../$(BIN)/python -m frozen.compare

lock: $(RUNTIME) ## draw the hashed locks anew from pyproject.toml
	$(INSTALL) uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-strip-extras --python-version 3.11 \
	  --custom-compile-command "make lock" --no-emit-index-url --all-extras \
	  --group build --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-strip-extras --python-version 3.11 \
	  --custom-compile-command "make lock" --no-emit-index-url --all-extras \
	  --group build --group dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean: ## remove the sample book and whatever can be made again (.venv stays)
	@if test -d .demo && test -x $(BIN)/python; then \
	  $(BIN)/python -c 'import pathlib, ledger.postgres; ledger.postgres.EmbeddedPostgres(pathlib.Path(".demo")).remove()'; fi
	rm -rf .demo site .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* mutants build dist .test-all-install.log
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@.ci/make-venv

# A stamp holds while neither the lock nor pyproject.toml changes, so a second make starts at once.
$(RUNTIME): $(BIN)/python requirements.lock pyproject.toml
	@echo "Installing the ledger and what it needs into .venv …"
	@$(INSTALL) --require-hashes --only-binary=:all: -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.lock
	@echo "Installing what the tests and checks need into .venv …"
	@$(INSTALL) --require-hashes --only-binary=:all: -r requirements-dev.lock
	@touch $@
