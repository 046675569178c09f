"""Many D-U-N-S numbers at once."""

from typing import Any

import pytest

from portfolio.companies.external_references import Named, name_companies
from portfolio.models import Subject, SubjectState
from portfolio.subjects.requests import SubjectEntry, request_subjects
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_seed
from tests.builders.programs import Program
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
REASON = "what contains characters other than the digits 0 to 9"


def look_up(program: Program, *duns: str) -> Any:
    answer = program.post("companies/lookup/", {"duns": list(duns)})
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_an_entry_for_each_in_the_same_order(program: Program) -> None:
    delivered(a_seed())
    found = look_up(program, OTHER, "80-473-5132", "what", DUNS)
    assert [(one["input"], one["duns"]) for one in found] == [
        (OTHER, OTHER),
        ("80-473-5132", DUNS),
        ("what", None),
        (DUNS, DUNS),
    ]
    assert [one["reason"] for one in found[1:3]] == ["", REASON]
    assert [one["company"] and one["company"]["name"] for one in found] == [None, "Acme Ltd", None, "Acme Ltd"]
    assert {**found[1]["company"], "references": found[1]["references"]} == program.read(f"companies/{DUNS}/")


def test_where_it_is_monitored_and_what_others_call_it(program: Program) -> None:
    for reference in ("B", "A"):
        request_subjects(registration=a_registration(reference), entries=[SubjectEntry(DUNS)], requested_by="ann")
    Subject.objects.filter(registration=a_registration("A")).update(state=SubjectState.MONITORED)
    name_companies([Named(DUNS, "crm", "1")], requested_by="ann")
    (found,) = look_up(program, DUNS)
    assert found["subjects"] == [
        {"registration": "A", "requested": True, "state": "monitored"},
        {"registration": "B", "requested": True, "state": "unknown"},
    ]
    assert found["references"] == [{"system": "crm", "id": "1"}]


def test_a_thousand_take_few_queries(program: Program, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(12):
        found = look_up(program, *[f"{number:09}" for number in range(1000)])
    assert len(found) == 1000


def test_a_body_that_is_too_long_or_no_json_says_so(program: Program) -> None:
    too_many = program.post("companies/lookup/", {"duns": [DUNS] * 1001}).json()["detail"]
    assert too_many == "duns: At most 1,000 entries. You sent 1,001. Send several requests."
    headers, path = program.headers, "/api/v1/companies/lookup/"
    answer = program.client.generic("POST", path, '{"duns": [', content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("The body is not valid JSON: Expecting value: line 1")


@pytest.mark.parametrize(
    "body",
    [None, {}, [], {"duns": []}, {"duns": DUNS}, {"duns": [1001 * "1"]}, {"duns": [DUNS] * 1001}, {"duns": [{}]}],
)
def test_what_cannot_be_is_refused(program: Program, body: Any) -> None:
    assert program.post("companies/lookup/", body).status_code == 400


def test_it_is_no_company_of_that_name(program: Program) -> None:
    assert program.get("companies/lookup/").status_code == 405
