"""How many queries each address takes, in a file whose numbers may only go down.

`RECORD_QUERY_COUNTS=yes` writes lower numbers, and those of new addresses, into the file.
"""

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitoring.benefit.review import count as count_review
from monitoring.models import (
    Change,
    DataFetch,
    DeliveredFile,
    DeliveredKind,
    FetchedCompany,
    FetchedState,
    FetchState,
    FileState,
    TreeKind,
    TreeState,
)
from portfolio.call_budgets.calls import counted_call
from portfolio.companies.external_references import Named, name_companies
from portfolio.imports.upload import create_import, read_import
from portfolio.models import CallKind, CompanySearch, Registration, SearchState, Subject, SubjectImport, SubjectState
from portfolio.subjects.requests import SubjectEntry, request_subjects
from tests.builders.alerts import an_alert
from tests.builders.company_searches import a_search
from tests.builders.data_fetches import entitled
from tests.builders.decisions import a_decision
from tests.builders.delivered_files import STAMP
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.exposures import exposure
from tests.builders.family_trees import a_tree
from tests.builders.notifications import a_seed, an_update
from tests.builders.operations import operations
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import REFERENCE, a_registration

pytestmark = [pytest.mark.django_db, pytest.mark.every_engine]
FILE = Path(__file__).with_name("query_counts.json")
RECORDED: dict[str, int] = json.loads(FILE.read_text())
MOST = 12
# They work on up to 10,000 rows, in batches, or make a call to D&B, which takes longer than any query.
BULK = {
    "POST company-searches/",
    "PUT tiers/",
    "POST imports/{id}/candidates/",
    "POST imports/{id}/candidates/stop/",
    "POST imports/{id}/candidates/add/",
    "POST files/{id}/confirm/",
    "POST registrations/{reference}/adoption/",
    "POST registrations/{reference}/subjects/",
    "DELETE registrations/{reference}/subjects/",
    "POST imports/{id}/confirm/",
    "POST data-fetches/",
    "POST data-fetches/{id}/resume/",
    "POST family-trees/",
    "POST family-trees/{id}/resume/",
    "POST family-trees/{id}/discard/",
    # It reads all kinds of rows about a company, each in one query.
    "GET companies/{duns}/dossier/",
}
DUNS = [f"{number:09}" for number in range(1, 9)]
BODIES: dict[str, Any] = {
    "POST companies/lookup/": {"duns": DUNS},
    "PUT references/": {"references": [{"duns": duns, "system": "erp", "id": duns} for duns in DUNS]},
    "PUT exposures/": {
        "exposures": [{"duns": duns, "book": "orders", "amount": "1", "currency": "EUR"} for duns in DUNS],
    },
    "POST decisions/": {"duns": DUNS[0], "kind": "stop", "reason": "Insolvent.", "after": 2},
    "PUT tiers/": {"tiers": [{"duns": duns, "tier": "critical"} for duns in DUNS]},
    "POST registrations/{reference}/subjects/": {"subjects": [{"duns": duns} for duns in DUNS]},
    "POST imports/{id}/confirm/": {"number": 1},
    "POST imports/{id}/candidates/": {"confirm_calls": {"match": 1}},
    "POST registrations/{reference}/adoption/": {"companies": 0, "incomplete": True},
    "PUT call-budgets/": {"kind": "match", "limit": 1000},
    "POST files/{id}/confirm/": {"gone": 0},
    "POST company-searches/": {"name": "Acme", "country": "US", "confirm_calls": {"match": 1}},
    "POST company-searches/{id}/decision/": {"duns": None},
    "POST data-fetches/": {"companies": DUNS[:1], "confirm_calls": {"data_blocks": 1}},
    "POST data-fetches/{id}/accept/": {"confirm_companies": 0},
    "POST data-fetches/{id}/discard/": {"companies": DUNS[:1]},
    "POST data-fetches/{id}/resume/": {"confirm_calls": {"data_blocks": 8}},
    "POST family-trees/": {"kind": "upward", "companies": DUNS[:1], "confirm_calls": {"family_tree": 1}},
    "POST family-trees/{id}/resume/": {"confirm_calls": {"family_tree": 1}},
    "POST alerts/{id}/assign/": {"assignee": None},
    "POST alerts/{id}/close/": {"reason": "noise", "comment": "A branch."},
    "POST alerts/bulk/": {"action": "wake", "alerts": ["019b95d1-5000-7c55-9d0a-2a4f4b0c9a11"]},
    "POST reference-data/fetch/": {"confirm_calls": {"reference_data": 13}},
}
QUERIES = {
    "POST files/": {"name": "ACME_LOD_01_20260108110647_NOTIFICATION_1.zip"},
    "DELETE exposures/": {"company": DUNS[0], "book": "receivables"},
    "DELETE references/": {"system": "crm", "id": DUNS[0]},
    "DELETE registrations/{reference}/subjects/": {"duns": DUNS[0]},
}
SCOPES = (
    "read,write:portfolio,write:references,read:exposure,write:exposure,write:files,pull,fetch,alerts,"
    "search:companies,fetch:reference_data,read:decisions,write:decisions,write:tiers"
)
ONLY_PEOPLE = {
    "POST imports/{id}/confirm/": "portfolio.confirm_import",
    "POST company-searches/{id}/decision/": "portfolio.add_subjectimport",
    "DELETE company-searches/{id}/decision/": "portfolio.add_subjectimport",
    "POST imports/{id}/candidates/add/": "portfolio.add_subjectimport",
    "POST files/{id}/confirm/": "portfolio.change_subject",
    "PUT call-budgets/": "portfolio.change_callbudget",
    "POST registrations/{reference}/adoption/": "portfolio.change_subject",
}


@pytest.fixture
def world(db: None) -> dict[str, str]:
    """Enough of everything that a query for each row would be seen."""
    registration = a_registration(adopted=True)
    request_subjects(registration=registration, entries=[SubjectEntry(duns) for duns in DUNS], requested_by="ann")
    name_companies([Named(duns, "crm", duns) for duns in DUNS], requested_by="ann")
    exposure(*(f"{duns};1" for duns in DUNS))
    for duns in DUNS:
        elements = [an_element(), an_element("organization.registeredName")]
        delivered(a_seed(duns), an_update(*elements, duns=duns), registration=registration)
    for number in range(3):
        import_ = create_import(
            registration=registration,
            content=b"duns,name,country\n150483782,,\n,Acme,US\n",
            file_name=f"{number}.csv",
            mode="add",
            source="api",
            requested_by="ann",
        )
        read_import(import_)
    for import_ in SubjectImport.objects.order_by("id"):
        a_search(registration.contract, id=import_.pk)
    for duns in DUNS:
        with counted_call(registration.contract, CallKind.DATA_BLOCKS, about=duns, requested_by="ann"):
            pass
    for number in range(3):
        an_alert(number, id=SubjectImport.objects.order_by("id")[number].pk)
    entitled(registration.contract)
    fetch = DataFetch.objects.create(
        id=SubjectImport.objects.order_by("id")[0].pk,
        contract=registration.contract,
        state=FetchState.OPEN,
        confirmed_calls=3,
        requested_at=timezone.now(),
        moved_at=timezone.now(),
    )
    for duns in DUNS:
        key, state = FetchedCompany.key(fetch.pk, duns), FetchedState.FAILED
        FetchedCompany.objects.create(id=key, fetch=fetch, company_id=duns, registration=registration, state=state)
    tree = a_tree(registration.contract, dict.fromkeys(DUNS, ""), id=fetch.pk, duns=DUNS[0], state=TreeState.STOPPED)
    a_tree(registration.contract, dict.fromkeys(DUNS, ""), kind=TreeKind.UPWARD, duns=DUNS[0], top=tree.top)
    Subject.objects.filter(company=DUNS[0]).update(state=SubjectState.MONITORED)
    change = Change.objects.order_by("-id")[0]
    change.pk = SubjectImport.objects.order_by("id")[0].pk
    change.save(force_insert=True)
    count_review()
    decisions = [a_decision(duns=duns) for duns in DUNS]
    decisions[0].pk, decisions[0].number = SubjectImport.objects.order_by("id")[0].pk, 2
    decisions[0].save(force_insert=True)
    a_list(registration, fetch.pk)
    return {"duns": DUNS[0], "reference": registration.reference, "id": str(SubjectImport.objects.all()[0].pk)}


def a_list(registration: Registration, key: uuid.UUID) -> None:
    """One of D&B's that waits for its confirmation."""
    name, moment = f"{REFERENCE}_{STAMP}_DunsExport_1.zip", timezone.now()
    DeliveredFile.objects.create(
        id=key, registration=registration, reference=REFERENCE, name=name, kind=DeliveredKind.EXPORT, size=1,
        written_at=moment, arrived_at=moment, wait_until=moment, state=FileState.IMPORTED, remark="Confirm it.",
    )  # fmt: skip


def decided(state: SearchState) -> None:
    """Of rows of an import, by people."""
    import_ = SubjectImport.objects.order_by("id")[0]
    rows = CompanySearch.objects.filter(pk=import_.pk)
    rows.update(state=state, subject_import=import_, line=3, chosen=DUNS[0] if state == SearchState.CHOSEN else "")


# What only one operation needs.
BEFORE: dict[str, Callable[[], None]] = {
    "DELETE company-searches/{id}/decision/": lambda: decided(SearchState.REJECTED),
    "POST imports/{id}/candidates/add/": lambda: decided(SearchState.CHOSEN),
}


def counted(operation: str, world: dict[str, str]) -> int:
    method, address = operation.split(" ")
    if operation in ONLY_PEOPLE:
        program = a_signed_in_person(ONLY_PEOPLE[operation])
    else:
        program = Program.with_key(scopes=SCOPES, budget=100)
    BEFORE.get(operation, lambda: None)()
    program.get("event-types/")  # the key's use is noted once a minute
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = program.send(method, address.format(**world), BODIES.get(operation), **QUERIES.get(operation, {}))
    assert answer.status_code < 300, answer.content
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


def check(counts: dict[str, int]) -> None:
    if os.environ.get("RECORD_QUERY_COUNTS"):
        known = json.loads(FILE.read_text())
        known |= {operation: min(count, known.get(operation, count)) for operation, count in counts.items()}
        FILE.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
        return
    more = {operation: count for operation, count in counts.items() if count > RECORDED[operation]}
    assert more == {}, "more than the file says"
    assert {operation for operation in set(counts) - BULK if counts[operation] > MOST} == set()


def test_reading_takes_no_more_queries_than_before(world: dict[str, str]) -> None:
    check({operation: counted(operation, world) for operation in operations() if operation.startswith("GET ")})


@pytest.mark.parametrize("operation", [operation for operation in operations() if not operation.startswith("GET ")])
def test_changing_takes_no_more_queries_than_before(operation: str, world: dict[str, str]) -> None:
    check({operation: counted(operation, world)})


def test_the_file_names_what_there_is() -> None:
    assert sorted(RECORDED) == sorted(operations())
