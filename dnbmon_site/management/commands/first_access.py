"""manage.py first_access: the first person and the first API key, shown once."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from dnbmon_site.accounts.first_user import Access, give_first_access
from portfolio.plain_commands import PlainCommand


class Command(PlainCommand):
    help = "Make a person who may do everything, and an API key, where there are none. They are shown once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--again", action="store_true", help="a new password and a new key for who lost them")
        parser.add_argument("--json", action="store_true", dest="as_json", help="for other programs")

    def handle(self, *, again: bool, as_json: bool, **options: Any) -> None:
        access = give_first_access(again=again)
        for line in [json.dumps(asdict(access))] if as_json else lines(access):
            self.stdout.write(line)


def lines(access: Access) -> list[str]:
    """What was made, or how to get in where nothing was."""
    password = access.password or f"as you set it; lost? “manage.py changepassword {access.user}” sets another"
    key = access.api_key or "made earlier; the admin makes more, under “API keys”"
    return [f"User      {access.user}", f"Password  {password}", f"API key   {key}"]
