# `make help` lists what can be done here. Works with GNU make 3.81 and later.
PYTHON_HERE = .venv/bin/python
ARGS =
# One more than there are processors: tests that start programs wait for them.
TEST_PROCESSES = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

# Nothing secret: these only have to look like production's to Django's checks.
AS_IN_PRODUCTION = env ENV_FILE=/dev/null ENVIRONMENT=production ALLOWED_HOSTS=monitoring.example.com \
	SECRET_KEY=not-a-secret-0123456789-abcdefghijklmnopqrstuvwxyz-checks-only \
	DATABASE_URL=sqlite:///var/check.sqlite3 EMAIL_URL=dummymail://

.PHONY: help run start stop status test bench check audit lint format screenshots packages dev-packages

help: ## list all targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: packages ## start a demo with sample companies, on this machine only
	@$(PYTHON_HERE) manage.py up --demo $(ARGS)

start: packages ## start D&B Monitoring on your own data; settings come from .env
	@$(PYTHON_HERE) manage.py up $(ARGS)

stop: ## stop what run or start has started
	@$(PYTHON_HERE) manage.py stop $(ARGS)

status: ## show what is running and its health; make reports an error unless all is well
	@$(PYTHON_HERE) manage.py status $(ARGS)

test: dev-packages ## run all tests on SQLite, MongoDB and PostgreSQL
	@$(PYTHON_HERE) -m tests.everywhere -n $(TEST_PROCESSES) --maxschedchunk 30 $(ARGS)

bench: dev-packages ## measure speed beside a hand-written loader; needs a machine without other work
	@$(PYTHON_HERE) -m benchmarks $(ARGS)

check: dev-packages lint ## check style, types, layers, sizes, migrations and deployment
	@$(PYTHON_HERE) -m mypy .
	@$(AS_IN_PRODUCTION) $(PYTHON_HERE) manage.py check --deploy --fail-level WARNING
	@$(PYTHON_HERE) -m tests.everywhere -q tests/test_migrations.py tests/test_structure.py tests/test_layers.py

audit: dev-packages ## check packages for known vulnerabilities
	@.ci/audit

lint: dev-packages ## check style only
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

format: dev-packages ## fix style
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

screenshots: dev-packages ## take the images of the documents again, from a demo
	@$(PYTHON_HERE) docs/screenshots.py $(ARGS)

packages:
	@dnbmon_site/make_venv.sh requirements.lock

dev-packages: ## install packages for tests and checks
	@dnbmon_site/make_venv.sh requirements-dev.lock
