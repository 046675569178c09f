"""manage.py prepare_demo: a contract as a customer has it, lists taken over with their seeds, a second person.

`up --demo` calls it.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.actors import Actor, actor_at_the_shell
from core.cached_counts import update_counts
from direct_plus.delivered_files import FileKind, parse_file_name
from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.demo.exposure import RATES, exposure_file
from direct_plus.sandbox.demo.world import CUSTOMERS, SEED, SUPPLIERS
from dnbmon_site.accounts.first_user import first_person
from dnbmon_site.accounts.models import User
from dnbmon_site.accounts.roles import APPROVER
from dnbmon_site.operations.processes.demo_reviews import make_reviews
from monitoring.file_intake.intake import import_paths
from portfolio.exposure.rates import set_rate
from portfolio.exposure.refresh import refresh_columns
from portfolio.exposure.upload import apply_exposure, create_exposure_import, read_exposure
from portfolio.models import Contract, ExposureMode, Registration
from portfolio.registrations.adopt import adopt_as_requested
from portfolio.registrations.dnb_list_files import apply_export

ACTOR = "demo setup"
SECOND_PERSON = "approver"
# The third list is left for people to take over themselves.
TAKEN_OVER = (SUPPLIERS, CUSTOMERS)


class Command(BaseCommand):
    help = "Prepare the demo: set its contract, create a second user and adopt two of the sandbox's lists."

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is not the demo, so nothing was changed. Start the demo with “make run”.")
        Contract.objects.update(
            anniversary=timezone.now().date() + timedelta(days=75), contracted_number=6_000, cap=1_000
        )
        sandbox = SandboxControl(settings.DNB_BASE_URL)
        for registration in Registration.objects.filter(reference__in=TAKEN_OVER, adopted=False):
            files = [Path(path) for path in sandbox.deliver(registration.reference, "DunsExport")]
            apply_export(registration, files, by=ACTOR)
            adopt_as_requested(registration, by=ACTOR)
        import_seed_files(sandbox)
        import_exposure()
        self.pull()
        make_second_person()
        make_decisions()
        update_counts("held", "reviews", "decisions")

    def pull(self) -> None:
        """So that decisions are made with what D&B has reported until today. The demo also starts without it: the
        worker pulls again."""
        try:
            call_command("pull", *TAKEN_OVER, stdout=self.stdout)
        except CommandError as error:
            self.stderr.write(str(error))


def import_seed_files(sandbox: SandboxControl) -> None:
    """What D&B knew of the companies when they joined their lists, so that every day since then can be shown."""
    names = {Path(path): parse_file_name(Path(path).name) for path in sandbox.files()}
    import_paths(
        [
            path
            for path, name in names.items()
            if name and name.kind in (FileKind.SEED, FileKind.SEED_HEADER) and name.reference in TAKEN_OVER
        ],
        by=ACTOR,
    )


def import_exposure() -> None:
    """What the demo's customer has at stake, as a file of its bookkeeping lists it, and the rates that it takes."""
    today = timezone.now().date()
    for currency, rate in RATES.items():
        set_rate(currency=currency, day=today - timedelta(days=365), rate=Decimal(rate), set_by=ACTOR)
    upload = create_exposure_import(
        content=exposure_file(SEED, today),
        file_name="exposure.csv",
        mode=ExposureMode.REPLACE,
        book="",
        currency="",
        as_of=today,
        source="demo",
        requested_by=ACTOR,
    )
    read_exposure(upload)
    upload.refresh_from_db()
    first = first_person()
    apply_exposure(upload, applied_by=Actor(first.get_username(), first.pk) if first else actor_at_the_shell())
    refresh_columns()


def make_second_person() -> None:
    """Signs in with the first one's password, and approves what that one may not confirm alone."""
    first = first_person()
    if first and not User.objects.filter(username=SECOND_PERSON).exists():
        person = User.objects.create(username=SECOND_PERSON, password=first.password, is_staff=True)
        person.groups.add(Group.objects.get(name=APPROVER))


def make_decisions() -> None:
    """By the first person, confirmed by the second one."""
    first, second = first_person(), User.objects.filter(username=SECOND_PERSON).first()
    if first and second:
        make_reviews(Actor(first.get_username(), first.pk), Actor(second.get_username(), second.pk))
