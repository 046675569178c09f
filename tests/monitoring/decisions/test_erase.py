"""Decisions are kept without limit, and go with a company that is erased."""

import json

import pytest

from dnbmon_site.operations.erase.company import forget
from dnbmon_site.operations.erase.registration import forget as forget_registration
from dnbmon_site.operations.purge import forget_old_records
from monitoring.decisions.upload import confirm_tiers, rows_of, work_on
from monitoring.models import Decision, Review
from portfolio.models import Company
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.decisions import a_decision, a_draft, a_tier_import
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db


def test_an_erased_company_takes_its_decisions_along() -> None:
    a_company(DUNS, "Acme Limited")
    a_decision()
    forget(DUNS, by="ann")
    assert not (Decision.objects.exists() or Review.objects.exists() or Company.objects.exists())


def test_decisions_on_others_no_longer_name_it() -> None:
    a_company(DUNS, "Acme Limited")
    a_company(OTHER, "Other GmbH", parent=DUNS)
    a_decision(a_draft(reason=f"Parent Acme Limited ({DUNS}) vouches."), duns=OTHER)
    forget(DUNS, by="ann")
    row = Decision.objects.get()
    assert DUNS not in row.known + row.reason and "Acme" not in row.reason
    assert json.loads(row.known)["company"]["name"] == "Other GmbH"


def test_a_file_of_tiers_no_longer_names_it_and_can_still_be_applied() -> None:
    a_company(DUNS)
    a_company(OTHER)
    upload = a_tier_import("D-U-N-S;Tier", f"{DUNS};critical", f"{OTHER};critical")
    work_on(upload)
    forget(DUNS, by="ann")
    assert DUNS not in {row.duns for row in rows_of(upload)}
    confirm_tiers(upload, confirmed=2, by=an_actor("mia"))
    work_on(upload)
    assert dict(Company.objects.values_list("duns", "tier")) == {OTHER: "critical"}


def test_an_erased_registration_leaves_companies_that_were_decided_on() -> None:
    registration = a_registration(state="paused")
    for duns in (DUNS, OTHER):
        a_company(duns)
        a_subject(duns, registration)
    a_decision()
    forget_registration(registration, by="ann")
    assert list(Company.objects.values_list("duns", flat=True)) == [DUNS]
    assert Decision.objects.count() == 1


def test_old_records_are_deleted_and_decisions_stay() -> None:
    a_company()
    a_decision()
    Decision.objects.update(decided_at="2001-01-01T00:00:00Z")
    Review.objects.update(reviewed_at="2001-01-01T00:00:00Z")
    forget_old_records()
    assert (Decision.objects.count(), Review.objects.count()) == (1, 1)
