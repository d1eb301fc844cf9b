# make demo   mask, depth, cut-out and panel of the sample pair, with the base install (no PyTorch)
# make test   what CI runs: format, lint, types, tests
# make campaign  every fault of the data factory, many times over: minutes, ends with a table
# make bench  speed against the obvious alternatives; nothing fails, it prints ratios
# make clean  remove both environments and the demo's results

PYTHON ?= python3
PIP = -m pip install -qq --disable-pip-version-check --constraint constraints.txt
SAMPLE = src/mdeas/weights/sample

.PHONY: demo test campaign bench clean

demo: .venv/base.stamp
	@.venv/bin/mdeas predict $(SAMPLE)/image.png --background $(SAMPLE)/background.png --out demo --force

test: .venv-test/test.stamp
	@.venv-test/bin/ruff check .
	@.venv-test/bin/ruff format --check --quiet .
	@OMP_NUM_THREADS=1 .venv-test/bin/python -m pytest --numprocesses 2 --dist loadfile

campaign: .venv-test/test.stamp
	@MDEAS_CAMPAIGN=full OMP_NUM_THREADS=1 .venv-test/bin/python -m pytest --numprocesses 2 --dist worksteal tests/campaign

bench: .venv-test/test.stamp
	@for benchmark in benchmarks/*.py; do .venv-test/bin/python $$benchmark || exit 1; done

clean:
	rm -rf .venv .venv-test demo

.venv/base.stamp: pyproject.toml constraints.txt
	@$(call environment,.venv)
	@echo "installing mdeas (without PyTorch) into .venv"
	@.venv/bin/python $(PIP) --editable .
	@touch $@

.venv-test/test.stamp: pyproject.toml constraints.txt
	@$(call environment,.venv-test)
	@echo "installing mdeas with PyTorch and the test tools into .venv-test: a few minutes, once"
	@.venv-test/bin/python $(PIP) --editable '.[train,teacher,3d,ray,dev]'
	@touch $@

# Debian ships Python without ensurepip; its own message is a page long.
define environment
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "mdeas needs Python 3.11 or newer, got `$(PYTHON) --version`; set PYTHON=" >&2; exit 1; }; \
$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
  || { echo "Python's venv is missing: run 'apt install python3-venv', then make again" >&2; exit 1; }; \
test -x $(1)/bin/pip || $(PYTHON) -m venv $(1)
endef
