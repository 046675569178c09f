"""What people read when D&B Monitoring has started, and what to do when a setting is missing."""

from __future__ import annotations

from typing import Any

from dnbmon_site.accounts.first_user import Access
from dnbmon_site.operations.processes.start import Plan
from dnbmon_site.operations.processes.tree import Report

RUNS = "Press Ctrl-C to stop."


def welcome(plan: Plan, access: Access, report: Report) -> None:
    report("")
    report(f"D&B Monitoring{' (demo)' if plan.demo else ''} is running at {plan.url}")
    report("")
    for line in access_lines(access):
        report(f"  {line}")
    report("")
    if plan.demo:
        report("  To approve requests as a second user, sign in as “approver” with the same password.")
    elif access.password or access.api_key:
        report("  Save the password and the API key now. They are not shown again.")
    report(f"  API documentation: {plan.url}api/docs/")
    report("")
    report(RUNS)


def access_lines(access: Access) -> list[str]:
    reset = f"set earlier; to reset it: .venv/bin/python manage.py changepassword {access.user}"
    return [
        f"User      {access.user}",
        f"Password  {access.password or reset}",
        f"API key   {access.api_key or 'created earlier; add another under “API keys”'}",
    ]


def hints(settings: Any, missing: list[str]) -> list[str]:
    """What keeps own data from being pulled; the pages work without it."""
    if missing:
        return [
            "D&B is not connected, so nothing is pulled. Add these settings to .env (see .env.example) and restart:",
            *(f"  {line}" for line in missing),
            "To try D&B Monitoring without them, run “make run”.",
        ]
    if not settings.DNB_PULL and settings.DNB_BASE_URL.startswith("https://plus.dnb.com"):
        return [
            "Nothing is pulled, because this is not a production installation and only one installation may pull.",
            "To pull here, set ENVIRONMENT=production, or DNB_PULL=yes if no other installation pulls.",
        ]
    return []
