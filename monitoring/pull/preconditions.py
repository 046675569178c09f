"""Why a pull must not be made now: what it takes off D&B's queue has to have a safe place to go."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext, ngettext

from portfolio.dnb_client import NotConfigured, credentials, is_real
from portfolio.models import Contract

LEAST_FREE = 1_000_000_000
_migrated: set[str] = set()


def why_not_to_pull(contract: Contract) -> str:
    """A sentence that says what to do, or nothing when pulling is safe."""
    return missing_credentials(contract) or test_copy(contract) or why_not_to_store()


def why_not_to_store() -> str:
    """The same of anything that takes room."""
    return _disk() or _migrations()


def missing_credentials(contract: Contract) -> str:
    try:
        credentials(contract)
    except NotConfigured as error:
        return str(error)
    return ""


def test_copy(contract: Contract) -> str:
    if is_real(contract) and settings.ENVIRONMENT != "production" and not settings.DNB_PULL:
        return gettext(
            "This installation is not in production and would empty the real queue. "
            "If no other installation pulls, set DNB_PULL=yes."
        )
    return ""


def free_space() -> tuple[Path, int]:
    """Where this machine keeps what is stored, and how many bytes are free there."""
    folder = Path(str(settings.DATABASES["default"]["NAME"])).parent
    place = folder if connection.vendor == "sqlite" and folder.is_dir() else settings.BASE_DIR
    return place, shutil.disk_usage(place).free


def _disk() -> str:
    place, free = free_space()
    if free < LEAST_FREE:
        return gettext(
            "Only %(count)s MB of disk space is available in %(place)s. Pulling is paused until at least 1 "
            "GB is available. Free up disk space."
        ) % {"count": f"{free / 1000000.0:,.0f}", "place": place}
    return ""


def _migrations() -> str:
    """Once all are applied they stay so for the life of this process."""
    if connection.alias in _migrated:
        return ""
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return ngettext(
            "%(count)s database migration is pending. Run .venv/bin/python manage.py migrate.",
            "%(count)s database migrations are pending. Run .venv/bin/python manage.py migrate.",
            len(waiting),
        ) % {"count": len(waiting)}
    _migrated.add(connection.alias)
    return ""
