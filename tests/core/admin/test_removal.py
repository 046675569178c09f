"""What goes is seen to, however it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest

from core.admin.base import PageAdmin
from core.admin.removal import WatchedRemoval
from portfolio.models import Company


class SomeAdmin(WatchedRemoval, PageAdmin):
    """Notes what is still there before and after."""

    noted: list[Any]

    def before_removal(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        self.noted = [*rows]

    def after_removal(self) -> None:
        self.noted.append(Company.objects.count())


@pytest.mark.django_db
def test_of_one_row_and_of_those_that_were_ticked() -> None:
    page, request = SomeAdmin(Company, admin.site), HttpRequest()
    one, two, three = (Company.objects.create(duns=f"{number:09}") for number in (1, 2, 3))
    page.delete_model(request, one)
    assert page.noted == [one, 2]
    page.delete_queryset(request, Company.objects.filter(duns=two.duns))
    assert page.noted == [two, 1]
    assert Company.objects.get() == three


def test_no_admin_watches_only_one_way() -> None:
    """Else what is ticked goes unseen."""
    ours = [type(page) for page in admin.site._registry.values() if type(page).__module__.split(".")[0] != "django"]
    half = [page.__name__ for page in ours if ("delete_model" in vars(page)) != ("delete_queryset" in vars(page))]
    assert sorted(half) == ["FileServerAdmin", "TierRuleAdmin"], "they have no list to tick in"
