"""What people read when the program has started, and what to do when something is missing."""

from __future__ import annotations

from typing import Any

from dnbmon_site.accounts.first_user import Access
from dnbmon_site.operations.processes.start import Plan
from dnbmon_site.operations.processes.tree import Report

RUNS = "Ctrl-C stops everything."


def welcome(plan: Plan, access: Access, report: Report) -> None:
    report("")
    report(f"D&B Monitoring{' (demo)' if plan.demo else ''} answers at {plan.url}")
    report("")
    for line in access_lines(access):
        report(f"  {line}")
    if plan.demo:
        report("  A second person, “approver”, has the same password and approves what one may not confirm alone.")
    if not plan.demo and (access.password or access.api_key):
        report("  Note them now: they are not shown again.")
    report("")
    for line in look_first(plan):
        report(f"  {line}")
    report("")
    report(RUNS)


def access_lines(access: Access) -> list[str]:
    lost = f"yours; lost? “manage.py changepassword {access.user}” sets another"
    return [
        f"User      {access.user}",
        f"Password  {access.password or lost}",
        f"API key   {access.api_key or 'made earlier; more are made under “API keys”'}",
    ]


def look_first(plan: Plan) -> list[str]:
    pages: list[tuple[str, str]] = [
        ("", "the front page: what changed, and what needs a person"),
        ("portfolio/company/", "the companies, each with its timeline"),
        ("monitoring/change/", "every change, to filter and search"),
        ("portfolio/registration/", "the registrations: when each was pulled, and when it is next"),
        ("api/docs/", "the API, to try once you are signed in, or with the key"),
    ]
    return ["Look first at", *(f"  {plan.url + path:<48} {what}" for path, what in pages)]


def hints(settings: Any, missing: list[str]) -> list[str]:
    """What keeps own data from being pulled; the pages work without it."""
    if missing:
        return [
            "D&B is not connected, so nothing is pulled. These settings are missing:",
            *(f"  {line}" for line in missing),
            "Put them into .env (.env.example shows how) and start again; “up --demo” shows the program without them.",
        ]
    if not settings.DNB_PULL and settings.DNB_BASE_URL.startswith("https://plus.dnb.com"):
        return [
            "Nothing is pulled: this is no production installation, and would take another one's notifications.",
            "DNB_PULL=yes allows it, for the only installation that pulls; ENVIRONMENT=production includes it.",
        ]
    return []
