"""The page shown while the database cannot be reached or needs a migration, drawn without it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from health.runbook_page import section
from health.views import words

UNAVAILABLE = 503


def away(request: HttpRequest, problem: str) -> HttpResponse:
    """A page for users, a sentence for programs. On the health page, operators read the steps to fix it."""
    if "text/html" not in request.headers.get("Accept", ""):
        return words(problem, UNAVAILABLE)
    steps = section("operate/troubleshooting.md", "database") if request.path_info == "/health/" else ""
    page = render_to_string("dnbmon_site/database_down_page.html", {"problem": problem, "steps": steps})
    answer = HttpResponse(page, status=UNAVAILABLE)
    answer["Cache-Control"] = "no-store"
    return answer
