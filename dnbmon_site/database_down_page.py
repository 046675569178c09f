"""What is seen while the database is away or behind: what is wrong and what to do, without asking it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from health.runbook_page import section
from health.views import words

UNAVAILABLE = 503


def away(request: HttpRequest, trouble: str) -> HttpResponse:
    """A page for people, a sentence for programs. Whoever looks at health runs the program and reads what to do."""
    if "text/html" not in request.headers.get("Accept", ""):
        return words(trouble, UNAVAILABLE)
    steps = section("operate/troubleshooting.md", "database") if request.path_info == "/health/" else ""
    page = render_to_string("dnbmon_site/database_down_page.html", {"trouble": trouble, "steps": steps})
    answer = HttpResponse(page, status=UNAVAILABLE)
    answer["Cache-Control"] = "no-store"
    return answer
