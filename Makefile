# `make demo` and `make test` need `make` and `python3-venv`, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_LOCK := requirements.lock
DEV_LOCK := requirements-dev.lock
TOOLS_LOCK := tools/image/requirements.lock

.PHONY: demo serve cluster-demo system-a-demo system-b-demo test unit laws check chaos release wheel-test matrix lock clean

demo: $(VENV)/.run
	$(BIN)/sightline demo

# Videos by HTTP, processed and kept, with the bundled model: http://127.0.0.1:8080
serve: $(VENV)/.run
	$(BIN)/sightline serve --model sightline-tiny

# A video through Kafka, PostgreSQL and S3 on this machine, workers killed meanwhile, compared with one machine.
cluster-demo: $(VENV)/.dev
	$(BIN)/python -m tests.cluster.demo

# The founding systems' calls, topics, tables and collections on such a cluster, read by programs that know nothing of ours.
system-a-demo: $(VENV)/.dev
	$(BIN)/python -m tests.cluster.founding a

system-b-demo: $(VENV)/.dev
	$(BIN)/python -m tests.cluster.founding b

test: check $(VENV)/.tools
	@echo "Tests: about 15 minutes on two cores, an hour with a browser and the servers of CI. Those that lack one, or"
	@echo "the real data (a folder that SIGHTLINE_SHARED names), are skipped and listed at the end; parity with the official"
	@echo "tracker is also tested on our own scenes."
	$(BIN)/python tools/test.py --hypothesis-profile=thorough

unit: $(VENV)/.dev
	$(BIN)/pytest tests/unit

laws: $(VENV)/.dev
	$(BIN)/pytest tests/laws tests/conformance

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.run: $(RUN_LOCK) pyproject.toml src/sightline/__init__.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(RUN_LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: $(DEV_LOCK) $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(DEV_LOCK)
	touch $@

# What says which parts are in an image or a release; its packages do not go with those of the tests.
$(VENV)/.tools: $(TOOLS_LOCK) $(VENV)/.run
	$(BIN)/python -m venv --clear $(VENV)/tools
	$(VENV)/tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(TOOLS_LOCK)
	touch $@

# Wheel, sdist, context of the image, bill of materials and their sums, of the last commit, into dist/: the same bytes anywhere.
release: $(VENV)/.tools
	$(BIN)/python -m tools.release.build

# A part of the tests, in a minute or two, of the wheel: what users install, where there is no src/.
wheel-test: $(VENV)/.dev
	$(BIN)/python -m tools.release.try_wheel

# The unit tests on every supported Python that is on this machine; minutes each.
matrix: $(VENV)/.dev
	$(BIN)/python -m tools.matrix

# The long forms of the crash tests: ten thousand schedules in process, sixty real kills of `track` and of the service, a cluster; about
# three hours, one of them a soak of the service.
chaos: $(VENV)/.dev
	$(BIN)/python -m tests.crash.schedules --count 10000
	$(BIN)/python -m tests.crash.killing --kills 60
	$(BIN)/python -m tests.crash.killing --file-calls
	$(BIN)/python -m tests.serving.killing --kills 60
	$(BIN)/python -m tests.serving.soak --minutes 60
	$(BIN)/python -m tests.cluster.chaos --events 200 --jobs 20
	$(BIN)/python -m tests.cluster.points
	$(BIN)/python -m tests.cluster.points --ledger mongo
	$(BIN)/python -m tests.cluster.outages --seconds 60
	$(BIN)/python -m tests.cluster.outages --seconds 60 --ledger mongo
	$(BIN)/python -m tests.model --schedules 2000
	$(BIN)/python -m tests.model.replay 400

# Names, versions and hashes only: the registry is whatever pip is set up to use.
lock:
	$(BIN)/python tools/lock.py

clean:
	rm -rf $(VENV) runs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
