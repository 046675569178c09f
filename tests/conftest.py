"""What every test may count on."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoDbBlocker

from core.cached_counts import COUNTED_HERE, COUNTERS, keep_recent
from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import Sandbox, start_sandbox
from dnbmon_site.accounts import oidc
from dnbmon_site.accounts.models import User
from dnbmon_site.accounts.oidc_settings import backends
from tests import mongodb_cleaning
from tests.builders.programs import Program
from tests.builders.registrations import REFERENCE
from tests.engines import SHARED
from tests.servers.openid_providers import CLIENT, ROLES, SECRET, Provider, a_provider
from tests.support import find_chromium

# A test with one of these starts programs and waits for them.
PROGRAMS = {"database_url_for_processes", "production"}


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
    items.sort(key=place_in_order)
    leave_browsers_out(config, items)


def pytest_collection_finish() -> None:
    """What was imported stays: looking through it for garbage again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def place_in_order(item: pytest.Item) -> tuple[int, bool]:
    """Long tests first, so that none runs alone at the end while the other workers have nothing left to do.

    What a transaction holds still comes before what empties the tables afterwards, as pytest-django has it.
    """
    fixtures, mark = set(getattr(item, "fixturenames", ())), item.get_closest_marker("django_db")
    is_slow = item.get_closest_marker("slow") is not None
    if {"live_server", "transactional_db"} & fixtures or (mark and mark.kwargs.get("transaction")):
        return 2, not is_slow
    if mark or "db" in fixtures:
        return 1, not is_slow
    return 0 if is_slow or PROGRAMS & fixtures else 3, False


def leave_browsers_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In one line, not one each, where there is no browser."""
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


@pytest.fixture(autouse=True)
def nothing_counted_by_others() -> None:
    """The menu's numbers are kept in the process for some seconds, which may be another test's."""
    keep_recent(dict.fromkeys(COUNTERS, {}))
    COUNTED_HERE.clear()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser, for playwright's `executable_path`."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium")
    return path


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann", "ann@example.com", "secret words"))
    return client


@pytest.fixture
def program(db: None) -> Program:
    return Program.with_key(scopes="read")


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Over real HTTP, and where the program's calls to D&B go."""
    with start_sandbox(switches={"calls_per_second": 0}) as running:
        monkeypatch.setenv("DNB_BASE_URL", running.url)
        monkeypatch.setenv("DNB_API_KEY", "sandbox-key")
        monkeypatch.setenv("DNB_API_SECRET", "sandbox-secret")
        # The pace of calls is tested by itself.
        monkeypatch.setenv("DNB_CALLS_PER_SECOND", "1000")
        yield running


@pytest.fixture
def control(sandbox: Sandbox) -> SandboxControl:
    """A D&B that has one registration."""
    sandbox.control.add_registration(REFERENCE)
    return sandbox.control


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """The sign-in service that the program is set up with."""
    oidc._provider.cache_clear()
    with a_provider() as found:
        settings.OIDC_ISSUER = found.issuer
        settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = CLIENT, SECRET
        settings.OIDC_ROLES = ROLES
        settings.AUTHENTICATION_BACKENDS = backends(issuer=found.issuer, local_login=True)
        found.person["groups"] = ["credit", "choir"]
        yield found
