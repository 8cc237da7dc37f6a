# Needs Python 3.11 or newer with venv; everything else is installed into .venv, pinned by hash.
.POSIX:
.PHONY: help demo test check campaign bench docs lock inspector clean

help:
	@echo "make demo       the whole workflow against the embedded sandbox: no token, no account, no cost"
	@echo "make test       every test; ARGS='-k name' narrows them down"
	@echo "make check      everything that runs no test: formatting, lint, types, what is generated, security, documentation"
	@echo "make campaign   the tests of money under faults at their whole size, mutation testing, guards removed (hours)"
	@echo "make bench      measure this server beside its alternatives, compare with the committed figures (Linux)"
	@echo "make docs       the documentation as HTML, in build/docs"
	@echo "make lock       make the lock files anew; ARGS=--upgrade moves the pins"
	@echo "make inspector  install the Node programs that the tests use (needs Node and npm)"
	@echo "make clean      remove all that make has made"
	@echo "PYTHON=python3.12 chooses the interpreter."

demo:
	@PYTHON='$(PYTHON)' scripts/setup run
	@.venv/bin/vercel-marketplace-mcp demo $(ARGS)

# Tests wait for a third of their time, so there are half again as many processes as processors.
test:
	@PYTHON='$(PYTHON)' scripts/setup dev
	@scripts/setup-agents
	@.venv/bin/python -m pytest --quiet --numprocesses $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )) --dist worksteal $(ARGS)

check:
	@PYTHON='$(PYTHON)' scripts/setup dev
	@scripts/check

campaign:
	@PYTHON='$(PYTHON)' scripts/setup dev
	@scripts/campaign $(ARGS)

bench:
	@PYTHON='$(PYTHON)' benchmarks/run $(ARGS)

docs:
	@PYTHON='$(PYTHON)' scripts/setup dev
	@scripts/docs

lock:
	@PYTHON='$(PYTHON)' scripts/lock $(ARGS)

inspector:
	@npm ci --loglevel error

clean:
	rm -rf .venv node_modules build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
