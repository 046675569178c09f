"""Checks by area, as the page of health shows them."""

from __future__ import annotations

import pytest

from health.checks.areas import AREAS, by_area
from health.checks.registry import all_checks
from health.checks.result import Result
from health.models import State


@pytest.mark.django_db
@pytest.mark.usefixtures("well")
def test_every_check_stands_in_one_area() -> None:
    shown = [one for _, ones in by_area(all_checks()) for one in ones]
    assert sorted(one.dedup_key for one in shown) == sorted(one.dedup_key for one in all_checks())


def test_no_check_is_named_twice_and_empty_areas_are_left_out() -> None:
    checks = [check for _, checks in AREAS for check in checks]
    assert len(checks) == len(set(checks))
    assert [label for label, _ in by_area([Result("disk", "Disk", State.OK, "Fine.")])] == ["System"]
