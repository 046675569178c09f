"""What every test may count on."""

import os
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from tests import mongodb_cleaning
from tests.engines import SHARED
from tests.support import find_chromium


def pytest_configure(config: pytest.Config) -> None:
    # Otherwise each first request of a test client would look through all static files.
    settings.WHITENOISE_AUTOREFRESH = True
    # Its tests switch it on: each login of a test client would count for three queries.
    settings.AXES_ENABLED = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    default = settings.DATABASES["default"]
    if default["ENGINE"].endswith("sqlite3"):
        # A file, as in real life: threads that share SQLite in memory do not wait for each other's locks.
        default.setdefault("TEST", {})["NAME"] = str(Path(os.environ[SHARED]) / "test.sqlite3")
    if settings.MONGODB:
        mongodb_cleaning.listen()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    if settings.MONGODB:
        with django_db_blocker.unblock():
            mongodb_cleaning.install()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Browser tests fall away in one line, not one each, where there is no browser."""
    if find_chromium():
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser and os.environ.get("CI"):
        raise pytest.UsageError("Chromium was not found, and on CI the browser tests may not be left out.")
    items[:] = [item for item in items if item not in browser]
    config.hook.pytest_deselected(items=browser)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not find_chromium():
        terminalreporter.write_line("Browser tests left out: no Chromium was found (CHROMIUM names one).")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser, for playwright's `executable_path`."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium")
    return path
