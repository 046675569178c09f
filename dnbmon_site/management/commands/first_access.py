"""manage.py first_access: the first person and the first API key, shown once."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from dnbmon_site.accounts.first_user import Access, give_first_access
from portfolio.plain_commands import PlainCommand


class Command(PlainCommand):
    help = "Create the first administrator and API key, unless they exist. Both are shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--again", action="store_true", help="reset the password and create a new API key")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON")

    def handle(self, *, again: bool, as_json: bool, **options: Any) -> None:
        access = give_first_access(again=again)
        for line in [json.dumps(asdict(access))] if as_json else lines(access):
            self.stdout.write(line)


def lines(access: Access) -> list[str]:
    """What was made, or how to get in where nothing was."""
    password = (
        access.password or f"set earlier; to reset it, run “.venv/bin/python manage.py changepassword {access.user}”"
    )
    key = access.api_key or "created earlier; add more in the admin under “API keys”"
    return [f"User      {access.user}", f"Password  {password}", f"API key   {key}"]
