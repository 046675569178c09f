"""What people read when the program has started, and what to do when something is missing."""

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
    if plan.demo:
        report("  A second user, “approver”, has the same password and can give second approvals.")
    if not plan.demo and (access.password or access.api_key):
        report("  Save them now: they are not shown again.")
    report("")
    for line in look_first(plan):
        report(f"  {line}")
    report("")
    report(RUNS)


def access_lines(access: Access) -> list[str]:
    lost = f"set earlier; to reset it, run “manage.py changepassword {access.user}”"
    return [
        f"User      {access.user}",
        f"Password  {access.password or lost}",
        f"API key   {access.api_key or 'created earlier; add more under “API keys”'}",
    ]


def look_first(plan: Plan) -> list[str]:
    pages: list[tuple[str, str]] = [
        ("", "Overview: latest changes and what needs attention"),
        ("portfolio/company/", "Companies, each with its timeline"),
        ("monitoring/change/", "Changes, to filter and search"),
        ("portfolio/registration/", "Registrations, with last and next pull"),
        ("api/docs/", "API documentation, to try when signed in or with the API key"),
    ]
    return ["Where to start", *(f"  {plan.url + path:<48} {what}" for path, what in pages)]


def hints(settings: Any, missing: list[str]) -> list[str]:
    """What keeps own data from being pulled; the pages work without it."""
    if missing:
        return [
            "Not connected to D&B, so nothing is pulled. These settings are missing:",
            *(f"  {line}" for line in missing),
            "Add them to .env (see .env.example) and restart. To try it without them, run “manage.py up --demo”.",
        ]
    if not settings.DNB_PULL and settings.DNB_BASE_URL.startswith("https://plus.dnb.com"):
        return [
            "Pulling is off: this is not a production installation, and could take the notifications of another one.",
            "If this is the only installation that pulls, set DNB_PULL=yes or ENVIRONMENT=production.",
        ]
    return []
