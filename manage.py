#!/usr/bin/env python
"""Run a command of this program: `python manage.py help` lists them."""

import gc
import os
import sys

# Python's own 700 is reached by every page of notifications, whose objects hold no circles.
COLLECTED_AFTER = 20_000


def load() -> None:
    """Django and all apps. They stay for ever, so the collector need not look at them again and again meanwhile."""
    import django

    gc.disable()
    django.setup()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
    gc.enable()


def refusals() -> tuple[type[Exception], ...]:
    """Asked for only when something failed: no other engine needs MongoDB's driver."""
    from django.db import OperationalError
    from pymongo.errors import ConnectionFailure

    return OperationalError, ConnectionFailure


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
    if sys.argv[-2:-1] == ["--watching"]:
        from dnbmon_site.operations.processes.watcher import watch

        watch(int(sys.argv[-1]))
        return
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        from dnbmon_site.version import version
    except ImportError as error:
        sys.exit(f"Django is not installed here ({error}). `make run` makes a .venv that has it.")
    if sys.argv[1:] in (["--version"], ["version"]):
        print(version())
        return
    try:
        load()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except refusals() as error:
        # Commands of Django's own, such as migrate; ours say it themselves.
        sys.exit(f"The database refuses: {error}\n“.venv/bin/python manage.py doctor” says what to look at.")


if __name__ == "__main__":
    main()
