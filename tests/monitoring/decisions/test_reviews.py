"""When a company is reviewed next: it follows from tier, reviews and decisions, whoever writes it."""

from datetime import date, timedelta
from typing import Any

import pytest

from core.models import AuditEntry
from monitoring.decisions import reviews as module
from monitoring.decisions.reviews import (
    last_review,
    mark_reviewed,
    next_review,
    refresh_all_reviews,
    refresh_reviews,
)
from monitoring.decisions.trail import write_missing_entries
from monitoring.models import Review, ReviewSettings
from monitoring.open_counts import reviews
from portfolio.exposure.days import today
from portfolio.imports.states import Refused
from portfolio.models import Company, Tier
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.decisions import a_decision, a_draft, a_tiered_company, days_ago, review_settings_of
from tests.builders.people import an_actor
from tests.interleaving import all_orders, cut_before, interleave

pytestmark = pytest.mark.django_db
ANN = an_actor("ann")
JAN, MARCH = date(2026, 1, 1), date(2026, 3, 1)


@pytest.mark.parametrize(
    ("tier", "reviewed", "valid_until", "expected"),
    [
        ("", None, None, None),
        (Tier.CRITICAL, None, None, JAN + timedelta(days=90)),
        (Tier.IMPORTANT, None, None, JAN + timedelta(days=180)),
        (Tier.NORMAL, MARCH, None, MARCH + timedelta(days=365)),
        # A decision that ends before: the day after.
        (Tier.NORMAL, MARCH, date(2026, 4, 30), date(2026, 5, 1)),
        (Tier.CRITICAL, MARCH, date(2027, 4, 30), MARCH + timedelta(days=90)),
        ("", None, date(2026, 4, 30), date(2026, 5, 1)),
        # Somebody has looked since it ended.
        (Tier.NORMAL, MARCH, date(2026, 2, 1), MARCH + timedelta(days=365)),
        ("", MARCH, date(2026, 2, 1), None),
    ],
)
def test_the_next_review(tier: str, reviewed: date | None, valid_until: date | None, expected: date | None) -> None:
    company = Company(duns=DUNS, tier=tier, tier_set_on=JAN if tier else None)
    assert next_review(company, reviewed, valid_until, ReviewSettings()) == expected


def test_a_review_without_a_decision_moves_the_date() -> None:
    company = a_tiered_company(set_days_ago=400)
    made = mark_reviewed(company, seen=None, note=" Nothing new. ", by=ANN)
    assert (made.note, made.due_on, made.decision_id) == ("Nothing new.", days_ago(35), None)
    assert Company.objects.get().next_review_on == today() + timedelta(days=365)


def test_whoever_dies_behind_a_review_leaves_an_entry_that_the_night_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    company = a_tiered_company()

    def dies(duns: str) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(module, "_after", dies)
        with pytest.raises(SystemExit):
            mark_reviewed(company, seen=None, note="Fine.", by=ANN)
    assert write_missing_entries() == 1
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.key, entry.actor) == ("review.done", DUNS, "ann")
    last = last_review(DUNS)
    assert last and mark_reviewed(company, seen=last.pk, note="", by=ANN)
    assert (write_missing_entries(), AuditEntry.objects.count()) == (0, 2)


def test_the_second_of_two_who_review_is_told() -> None:
    company = a_tiered_company()
    mark_reviewed(company, seen=None, note="", by=ANN)
    with pytest.raises(Refused, match="ann has reviewed this company since"):
        mark_reviewed(company, seen=None, note="", by=an_actor("bob"))
    last = last_review(DUNS)
    assert last and mark_reviewed(company, seen=last.pk, note="", by=an_actor("bob"))
    assert Review.objects.count() == 2


def test_two_who_review_at_once_make_one_review(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_before(monkeypatch, (module, "last_review"), (module, "_insert"))
    for number, order in enumerate(all_orders(3, 3)):
        company = a_tiered_company(f"{100_000_000 + number}")
        refused: list[str] = []

        def review(by: str, company: Company = company, refused: list[str] = refused) -> None:
            try:
                mark_reviewed(company, seen=None, note="", by=an_actor(by))
            except Refused:
                refused.append(by)

        interleave(order, lambda: review("ann"), lambda: review("bob"))  # noqa: B023
        assert len(refused) == 1 and Review.objects.filter(company=company).count() == 1, order


def test_a_date_that_was_made_of_what_was_read_before_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A review comes between reading and writing, in every order of the steps."""
    cut_before(monkeypatch, (module, "update_together"), (module, "_differences"))
    for number, order in enumerate(all_orders(3, 4)):
        company = a_tiered_company(f"{100_000_000 + number}", set_days_ago=100)
        Company.objects.filter(pk=company.pk).update(next_review_on=None)
        interleave(
            order,
            lambda: refresh_reviews([company.pk]),  # noqa: B023
            lambda: mark_reviewed(company, seen=None, note="", by=ANN),  # noqa: B023
        )
        company.refresh_from_db()
        assert company.next_review_on == today() + timedelta(days=365), order


def test_other_intervals_count_for_all() -> None:
    a_tiered_company(DUNS, Tier.CRITICAL)
    a_tiered_company(OTHER, Tier.NORMAL)
    review_settings_of(critical_days=30)
    assert refresh_all_reviews() == 1
    assert refresh_all_reviews() == 0
    days = dict(Company.objects.values_list("duns", "next_review_on"))
    assert days == {DUNS: today() + timedelta(days=30), OTHER: today() + timedelta(days=365)}


def test_a_process_that_dies_before_the_date_does_not_lose_the_review_of_a_decision_that_ends() -> None:
    a_company()
    a_decision(a_draft(valid_until=today()))
    Company.objects.update(next_review_on=None)
    assert refresh_all_reviews() == 1
    assert Company.objects.get().next_review_on == today() + timedelta(days=1)


@pytest.mark.parametrize("fields", [{"merged_into": OTHER}, {"operating_status": "Deleted at D&B"}])
def test_a_company_that_d_b_merged_or_deleted_is_not_reviewed(fields: dict[str, str]) -> None:
    a_tiered_company(set_days_ago=400)
    Company.objects.update(**fields)
    refresh_all_reviews()
    assert Company.objects.get().next_review_on is None


def test_what_is_due_is_counted() -> None:
    a_tiered_company("100000001", set_days_ago=400)
    a_tiered_company("100000002", set_days_ago=365)
    a_tiered_company("100000003", set_days_ago=364)
    a_company(OTHER)
    assert reviews() == {"overdue": 1, "due": 1}


def test_a_company_whose_decision_has_no_end_is_not_due_because_of_it() -> None:
    a_company()
    a_decision(a_draft("stop"))
    assert Company.objects.get().next_review_on is None


# MongoDB's driver counts each row of a bulk write.
@pytest.mark.one_engine
def test_thousands_of_companies_take_few_queries(django_assert_max_num_queries: Any) -> None:
    duns = [f"{100_000_000 + number}" for number in range(600)]
    Company.objects.bulk_create(
        [Company(duns=one, tier=Tier.NORMAL, tier_set_on=today(), tier_set_by="mia") for one in duns]
    )
    with django_assert_max_num_queries(30):
        assert refresh_reviews(duns) == 600
