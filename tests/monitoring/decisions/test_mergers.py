"""The tier of a merged company goes on at the company that remains."""

from datetime import timedelta
from typing import Any

import pytest

from core.models import AuditEntry
from monitoring.decisions import mergers as module
from monitoring.decisions.mergers import carry_tiers
from monitoring.decisions.reviews import last_reviews, mark_reviewed
from monitoring.decisions.rules import apply_rules
from monitoring.decisions.tiers import release_tier, set_tier
from monitoring.decisions.work import update_reviews
from portfolio.exposure.days import today
from portfolio.models import Company, Tier
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.decisions import a_tiered_company, days_ago
from tests.builders.people import an_actor

pytestmark = pytest.mark.django_db
MIA = an_actor("mia")


def remaining(duns: str = OTHER) -> Company:
    return Company.objects.get(pk=duns)


def a_merger(**fields: Any) -> None:
    a_company(OTHER, "Remaining Ltd", **fields)
    a_tiered_company(tier=Tier.CRITICAL, set_days_ago=80, merged_into=OTHER)


def test_the_company_that_remains_goes_on_being_reviewed() -> None:
    a_merger()
    update_reviews()
    found = remaining()
    assert (found.tier, found.tier_set_by, found.next_review_on) == (
        Tier.CRITICAL,
        "company merger",
        today() + timedelta(days=10),
    )
    entry = AuditEntry.objects.get(action="tier.carried")
    assert (entry.key, entry.actor) == (OTHER, "company merger") and DUNS in entry.summary
    assert Company.objects.get(pk=DUNS).next_review_on is None
    update_reviews()
    assert AuditEntry.objects.count() == 1 and remaining().tier == Tier.CRITICAL


def test_its_interval_goes_on_from_the_last_review() -> None:
    a_merger()
    mark_reviewed(Company.objects.get(pk=DUNS), seen=None, note="", by=MIA)
    carry_tiers()
    assert remaining().next_review_on == today() + timedelta(days=90)


@pytest.mark.parametrize("fields", [{"tier": Tier.NORMAL}, {"tier_set_by": "mia"}])
def test_a_tier_of_its_own_or_none_that_a_user_set_stays(fields: dict[str, str]) -> None:
    a_merger(**fields)
    assert carry_tiers() == 0
    assert remaining().tier == fields.get("tier", "") and not AuditEntry.objects.exists()


def test_a_company_that_was_merged_itself_passes_it_on() -> None:
    a_company("100000001")
    a_merger(merged_into="100000001")
    assert carry_tiers() == 2
    assert remaining("100000001").tier == Tier.CRITICAL


def test_a_tier_that_was_carried_over_and_released_is_not_carried_over_again() -> None:
    a_merger()
    carry_tiers()
    assert apply_rules() == 0
    release_tier(remaining(), by=MIA)
    apply_rules()
    assert (carry_tiers(), remaining().tier) == (0, "")


def test_a_user_who_sets_the_tier_meanwhile_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    a_merger()
    usual = last_reviews

    def with_a_user_meanwhile(batch: Any) -> Any:
        set_tier([remaining()], tier=Tier.NORMAL, by=MIA)
        return usual(batch)

    monkeypatch.setattr(module, "last_reviews", with_a_user_meanwhile)
    assert carry_tiers() == 0
    assert remaining().tier == Tier.NORMAL and not AuditEntry.objects.filter(action="tier.carried").exists()


def test_whoever_dies_behind_the_tier_leaves_an_entry_that_is_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    a_merger()

    def dies(**given: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(module, "record", dies)
        with pytest.raises(SystemExit):
            carry_tiers()
    assert remaining().tier_set_on == days_ago(80)
    update_reviews()
    assert AuditEntry.objects.filter(action="tier.carried").count() == 1
    assert remaining().next_review_on == today() + timedelta(days=10)
