"""Nobody stops the program by a pattern that is tried on every row: only declared filters are look-ups."""

from collections.abc import Iterator

from django.contrib import admin
from django.db.models import CharField, TextField

from monitoring.models import ReviewSettings
from portfolio.models import CallBudget, Entitlements
from tests.attacks.production import Production

SAVE = """
from django.utils import timezone
from core.models import SavedFilter
SavedFilter.objects.create(name="bomb", listing="portfolio.company", query="name__regex=(a%2B)%2B%24", shared=True,
    owner="filter-owner", created_at=timezone.now())
"""
DOCTOR = """
from dnbmon_site.operations.doctor.filters import saved_filters
print(*saved_filters())
"""
# Each is one page without a list.
WITHOUT_FILTERS = {CallBudget, Entitlements, ReviewSettings}
PATTERN = "(a%2B)%2B%24"


def lists() -> Iterator[str]:
    """Each list, and a column of it that holds text."""
    for model in admin.site._registry.keys() - WITHOUT_FILTERS:
        text = (one for one in model._meta.concrete_fields if isinstance(one, CharField | TextField))
        if column := next(text, None):
            yield f"{model._meta.app_label}/{model._meta.model_name}/?{column.name}"


def test_only_declared_filters_are_looked_up(production: Production) -> None:
    production.inside(SAVE)
    browser = production.person("filter-owner", "Administrator")
    for page in lists():
        answer = browser.ask(f"/{page}__regex={PATTERN}")
        assert (answer.status_code, "cannot be filtered by" in answer.text) == (400, True), page
    assert browser.ask("/accounts/user/?is_active__exact=1").status_code == 200
    export = browser.submit(f"/portfolio/company/export/?name__regex={PATTERN}", {"format": "csv"})
    assert export.status_code in (400, 404), export.status_code
    browser.submit("/portfolio/company/save/", {"name": "second", "query": f"name__regex={PATTERN}", "shared": "yes"})
    page = browser.ask("/portfolio/company/").text
    assert "disabled" in page and "second" not in page
    other = production.person("filter-other", "Administrator")
    assert "bomb" not in other.ask("/portfolio/company/").text
    said = production.inside(DOCTOR)
    assert "bomb" in said and "name__regex" in said
