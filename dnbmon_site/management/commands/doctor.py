"""manage.py doctor: what is wrong, and what to do about it."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings

from dnbmon_site.operations.doctor.examine import examine
from portfolio.plain_commands import PlainCommand


class Command(PlainCommand):
    help = "Check this installation and show how to fix each problem. Exits with 1 if there is a problem."
    # It has to work where the checks of Django fail, and say so in its own words.
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        wrong = 0
        self.stdout.write(f"D&B Monitoring {settings.VERSION}, {settings.ENVIRONMENT}\n\n")
        for name, found in examine():
            self.stdout.write(f"{'problem' if found else 'OK':9}{name}")
            for finding in found:
                self.stdout.write(f"         {finding.what}\n         → {finding.do}")
            wrong += len(found)
        if wrong:
            self.stdout.write(f"\n{wrong} problem{'s' if wrong > 1 else ''} found.")
            sys.exit(1)
        self.stdout.write("\nNo problems found.")
