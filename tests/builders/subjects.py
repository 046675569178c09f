"""Subjects of a registration, wanted and not."""

from collections.abc import Iterable
from typing import Any

from portfolio.companies.word_index import write_subject_words
from portfolio.models import Company, Registration, Subject, SubjectState
from portfolio.subjects.requests import SubjectEntry, request_subjects, withdraw_subjects
from tests.builders.companies import DUNS, a_company
from tests.builders.registrations import a_registration


def a_subject(duns: str = DUNS, registration: Registration | None = None, **fields: Any) -> Subject:
    """Wanted and monitored, unless told otherwise."""
    registration = registration or a_registration(adopted=True)
    if not Company.objects.filter(duns=duns).exists():
        a_company(duns, f"Company {duns}")
    values: dict[str, Any] = {"requested": True, "state": SubjectState.MONITORED, **fields}
    key = Subject.key(registration.pk, duns)
    values |= {"registration": registration, "company_id": duns}
    write_subject_words([(duns, values.get("customer_reference", ""), values.get("tags", ""))])
    return Subject.objects.update_or_create(id=key, defaults=values)[0]


def request_monitoring(registration: Registration, duns: Iterable[str], by: str = "ann") -> None:
    request_subjects(registration=registration, entries=[SubjectEntry(one) for one in duns], requested_by=by)


def withdraw_request(registration: Registration, duns: Iterable[str], by: str = "ann") -> None:
    withdraw_subjects(registration=registration, duns=list(duns), requested_by=by)


def subject(registration: Registration, duns: str) -> Subject:
    return Subject.objects.get(pk=Subject.key(registration.pk, duns))


def states(registration: Registration) -> dict[str, str]:
    rows = Subject.objects.filter(registration=registration)
    return dict(rows.values_list("company_id", "state"))
