"""manage.py prepare_demo: a contract as a customer has it, with lists taken over; `up --demo` calls it once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from direct_plus.sandbox.control import SandboxControl
from direct_plus.sandbox.demo import CUSTOMERS, SUPPLIERS
from portfolio.adopting import take_as_wanted
from portfolio.delivered_files import apply_export
from portfolio.models import Contract, Registration

ACTOR = "manage.py prepare_demo"
# The third list is left for people to take over themselves.
TAKEN_OVER = (SUPPLIERS, CUSTOMERS)


class Command(BaseCommand):
    help = "Give the demo a contract, and take over two of the sandbox's lists. Only for the demo."

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is not the demo: nothing was changed.")
        Contract.objects.update(
            anniversary=timezone.now().date() + timedelta(days=75), contracted_number=6_000, cap=10_000
        )
        sandbox = SandboxControl(settings.DNB_BASE_URL)
        for registration in Registration.objects.filter(reference__in=TAKEN_OVER, adopted=False):
            files = [Path(path) for path in sandbox.deliver(registration.reference, "DunsExport")]
            apply_export(registration, files, by=ACTOR)
            take_as_wanted(registration, by=ACTOR)
