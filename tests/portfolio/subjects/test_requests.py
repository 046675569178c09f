"""Requesting many companies at once: each becomes what it would become alone."""

import pytest

from core.models import AuditEntry
from portfolio.models import Company, Registration, Subject, SubjectState
from portfolio.subjects import requests
from portfolio.subjects.requests import SubjectEntry, request_subjects, withdraw_subjects
from tests.builders.companies import duns_numbers
from tests.builders.subjects import a_subject, subject

pytestmark = pytest.mark.django_db
NEW, WITHDRAWN, REFUSED, PRESENT = duns_numbers(4)


@pytest.fixture
def listed(registration: Registration) -> Registration:
    a_subject(WITHDRAWN, registration, requested=False, tags="old", owner="bob")
    a_subject(REFUSED, registration, requested=False, state=SubjectState.REFUSED, code="10003", message="no")
    a_subject(PRESENT, registration, requested_by="carl", tags="kept")
    return registration


@pytest.mark.parametrize("at_once", [1, 3, 10_000])
def test_new_withdrawn_refused_and_present_ones_in_one_call(
    listed: Registration, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(requests, "AT_ONCE", at_once)
    entries = [
        SubjectEntry(NEW, "Ünï AG", "R-1", "a, b", "ann"),
        SubjectEntry(WITHDRAWN, "Other", tags="new"),
        SubjectEntry(REFUSED),
        SubjectEntry(PRESENT, customer_reference="R-4", owner="dora"),
    ]
    result = request_subjects(registration=listed, entries=entries, requested_by="ann")
    assert (result.newly, result.already) == ([NEW, WITHDRAWN, REFUSED], [PRESENT])
    rows = Subject.objects.in_bulk(field_name="id").values()
    found = {row.company_id: (row.requested_by, row.state, row.code, row.tags, row.owner) for row in rows}
    assert found == {
        NEW: ("ann", SubjectState.UNKNOWN, "", "a, b", "ann"),
        WITHDRAWN: ("ann", SubjectState.MONITORED, "", "new", "bob"),
        REFUSED: ("ann", SubjectState.UNKNOWN, "", "", ""),
        PRESENT: ("carl", SubjectState.MONITORED, "", "kept", "dora"),
    }
    assert subject(listed, PRESENT).customer_reference == "R-4"
    assert list(Company.objects.filter(name="Ünï AG").values_list("duns", "search_name")) == [(NEW, "ünï ag")]
    assert AuditEntry.objects.get(action="request").actor == "ann"


def test_a_second_call_changes_nothing(listed: Registration) -> None:
    entries = [SubjectEntry(one, tags="a") for one in (NEW, WITHDRAWN, REFUSED, PRESENT)]
    request_subjects(registration=listed, entries=entries, requested_by="ann")
    before = list(Subject.objects.order_by("pk").values())
    result = request_subjects(registration=listed, entries=entries, requested_by="bob")
    assert (result.newly, len(result.already)) == ([], 4)
    assert list(Subject.objects.order_by("pk").values()) == before


def test_only_requested_ones_are_withdrawn(listed: Registration) -> None:
    numbers = [NEW, WITHDRAWN, REFUSED, PRESENT]
    assert withdraw_subjects(registration=listed, duns=numbers, requested_by="ann") == [PRESENT]
    assert not Subject.objects.filter(requested=True).exists()
    assert subject(listed, PRESENT).requested_by == "ann"
    assert subject(listed, WITHDRAWN).requested_by == ""
