"""manage.py reset_second_factor: let a user who has lost the authenticator app sign in with the password alone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from dnbmon_site.accounts.models import User
from dnbmon_site.accounts.second_factor.codes import turn_off
from portfolio.plain_commands import PlainCommand


class Command(PlainCommand):
    help = "Reset two-step verification of a user who has neither the authenticator app nor a recovery code."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"User “{username}” was not found. The page Users lists all usernames.")
        turn_off(user, by="command")
        self.stdout.write(f"Two-step verification of {username} was reset. The user signs in with the password alone.")
