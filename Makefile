# `make help` lists what can be done here. Works with GNU make 3.81 and later.
PYTHON_HERE = .venv/bin/python
ARGS =

# Nothing secret: these only have to look like production's to Django's checks.
AS_IN_PRODUCTION = env ENV_FILE=/dev/null ENVIRONMENT=production ALLOWED_HOSTS=monitoring.example.com \
	SECRET_KEY=not-a-secret-0123456789-abcdefghijklmnopqrstuvwxyz-checks-only \
	DATABASE_URL=sqlite:///var/check.sqlite3 EMAIL_URL=dummymail://

.PHONY: help run start stop status test check audit lint format packages dev-packages

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: packages ## a demo with fictional companies, on this machine only
	@$(PYTHON_HERE) manage.py up --demo $(ARGS)

start: packages ## D&B Monitoring on your own data; settings come from .env
	@$(PYTHON_HERE) manage.py up $(ARGS)

stop: ## end what run or start has begun, from another window or with ARGS=--background
	@$(PYTHON_HERE) manage.py stop $(ARGS)

status: ## what runs, where, since when and how it is; ends with 3 when nothing runs
	@$(PYTHON_HERE) manage.py status $(ARGS)

test: dev-packages ## the whole suite on SQLite, MongoDB and PostgreSQL
	@$(PYTHON_HERE) -m tests.everywhere -n 3 --maxschedchunk 30 $(ARGS)

check: dev-packages lint ## style, types, layers, sizes, migrations, deployment
	@$(PYTHON_HERE) -m mypy .
	@$(AS_IN_PRODUCTION) $(PYTHON_HERE) manage.py check --deploy --fail-level WARNING
	@$(PYTHON_HERE) -m tests.everywhere -q tests/test_migrations.py tests/test_structure.py tests/test_layers.py

audit: dev-packages ## known holes in the packages; says so in a line when it cannot ask
	@.ci/audit

lint: dev-packages ## style only
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

format: dev-packages ## put the style right
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

packages:
	@dnbmon_site/make_venv.sh requirements.lock

dev-packages: ## what tests and checks need, beside what the program needs
	@dnbmon_site/make_venv.sh requirements-dev.lock
