"""manage.py migrate, as Django's, which would stop half-way in a database whose tables began otherwise."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from health.checks.migrations import earlier_version, is_of_earlier_version


class Command(migrate.Command):
    def handle(self, *arguments: Any, **options: Any) -> None:
        if is_of_earlier_version():
            raise CommandError(earlier_version())
        super().handle(*arguments, **options)
