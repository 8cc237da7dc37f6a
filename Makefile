# Needs Python 3.11 or newer with venv; everything else is installed into .venv, pinned by hash.
.POSIX:
.PHONY: help demo test check lock inspector clean

help:
	@echo "make demo       the whole workflow against the embedded sandbox: no token, no account, no cost"
	@echo "make test       every test; ARGS='-k name' narrows them down"
	@echo "make check      formatting, lint, types, generated files, lock files"
	@echo "make lock       make the lock files anew; ARGS=--upgrade moves the pins"
	@echo "make inspector  install the MCP Inspector that the tests use (needs Node and npm)"
	@echo "make clean      remove all that make has made"
	@echo "PYTHON=python3.12 chooses the interpreter."

demo:
	@PYTHON='$(PYTHON)' scripts/setup run
	@.venv/bin/vercel-marketplace-mcp demo $(ARGS)

test:
	@PYTHON='$(PYTHON)' scripts/setup dev
	@.venv/bin/python -m pytest --quiet $(ARGS)

check:
	@PYTHON='$(PYTHON)' scripts/setup dev
	@scripts/check

lock:
	@PYTHON='$(PYTHON)' scripts/lock $(ARGS)

inspector:
	@npm ci --loglevel error

clean:
	rm -rf .venv node_modules build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
