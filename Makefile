# Every target sets up what it needs: Python >= 3.11, make and a package index that pip can reach are enough.
PORT ?= 3000
ARGS =
# Files of tests that run side by side; JOBS=0 where a debugger is to be heard.
JOBS ?= 3
VENVS := .venvs
TEST := $(VENVS)/test/default
BENCH := $(VENVS)/bench

.PHONY: help demo test check bench matrix docs lock clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

demo: $(VENVS)/demo/.stamp  ## the FastAPI example through the local Lambda; PORT=3000
	@$(VENVS)/demo/bin/lambent dev app:app --app-dir examples/fastapi_app --port $(PORT) $(ARGS)

# Many tests start processes of ours; some machines keep Python from writing the bytecode that these would share.
test: $(TEST)/.stamp  ## the tests; ARGS="-k name" goes to pytest
	@$(TEST)/bin/python -m compileall -q src
	$(TEST)/bin/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

check: $(TEST)/.stamp  ## lint, format, types, architecture
	$(TEST)/bin/ruff check
	$(TEST)/bin/ruff format --check
	$(TEST)/bin/mypy
	$(TEST)/bin/python -m pytest -q tests/test_architecture.py

bench: $(BENCH)/.stamp  ## every figure the README claims, against the peers
	@$(BENCH)/bin/python -m compileall -q src bench
	$(BENCH)/bin/python -m bench $(ARGS)

matrix:  ## the tests on every CPython >= 3.11 installed
	@scripts/matrix $(ARGS)

docs: $(VENVS)/docs/.stamp  ## the site, into site/, without a warning
	NO_MKDOCS_2_WARNING=1 $(VENVS)/docs/bin/mkdocs build --strict $(ARGS)

lock: $(VENVS)/lock/.stamp  ## pin requirements/*.txt again; ARGS=--upgrade for newer versions
	scripts/lock $(ARGS)

clean:  ## remove everything these targets made
	rm -rf $(VENVS) .cache site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests bench examples -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(VENVS)/demo/.stamp: pyproject.toml requirements/test.txt examples/fastapi_app/requirements.txt
	@scripts/make-venv $(@D) -c requirements/test.txt -e .[dev] -r examples/fastapi_app/requirements.txt

$(VENVS)/test/%/.stamp: requirements/test.txt
	@scripts/make-venv $(@D) -r requirements/test.txt -e .

# An import is timed with its bytecode compiled, even where PYTHONDONTWRITEBYTECODE is set: pip compiles too, but may be told not to.
$(BENCH)/.stamp: requirements/bench.txt
	@scripts/make-venv $(@D) -r requirements/bench.txt -e .
	@$(BENCH)/bin/python -m compileall -q $(BENCH)/lib

$(VENVS)/docs/.stamp: requirements/docs.txt
	@scripts/make-venv $(@D) -r requirements/docs.txt

$(VENVS)/lock/.stamp:
	@scripts/make-venv $(@D) uv
