"""Subjects by the API: wanted within a key's budget with a verdict for each, beyond it only by a person."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import AuditEntry
from dnbmon_site.accounts.models import ApiKey
from portfolio.billing import api_budget
from portfolio.imports.apply import apply_import
from portfolio.models import ApiKeyUsage, Company, Registration, Subject, SubjectImport, SubjectState
from portfolio.subjects.requests import SubjectEntry, request_subjects
from tests.builders.companies import DUNS, OTHER
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
PATH = "registrations/ACME_LOD_01/subjects/"


@pytest.fixture
def registration(db: None) -> Registration:
    return a_registration(contract=a_contract(anniversary=date(2026, 1, 1)))


@pytest.fixture
def erp(registration: Registration, a_program: Callable[..., Program]) -> Program:
    return a_program(name="ERP", scopes="read, write:portfolio", budget=3)


def request_monitoring(program: Program, *duns: str, **more: Any) -> Any:
    return program.post(PATH, {"subjects": [{"duns": number} for number in duns]}, **more)


def numbers(count: int, first: int = 1) -> list[str]:
    return [f"{number:09}" for number in range(first, first + count)]


def requested() -> set[str]:
    return set(Subject.objects.filter(requested=True).values_list("company_id", flat=True))


# Wanting


def test_a_verdict_for_each_in_the_same_order(erp: Program) -> None:
    request_monitoring(erp, OTHER)
    answer = request_monitoring(erp, "80-473-5132", OTHER, DUNS, "12345678", "no number", "")
    assert answer.status_code == 400, "an empty text is no entry"
    answer = request_monitoring(erp, "80-473-5132", OTHER, DUNS, "12345678", "no number")
    assert answer.status_code == 200
    body = answer.json()
    assert [(one["input"], one["duns"], one["validation"]) for one in body["results"]] == [
        ("80-473-5132", DUNS, "added"),
        (OTHER, OTHER, "already_requested"),
        (DUNS, DUNS, "duplicate"),
        ("12345678", None, "invalid"),
        ("no number", None, "invalid"),
    ]
    assert all(one["reason"] for one in body["results"] if one["validation"] == "invalid")
    assert (body["added"], body["new_billable"], body["waiting"]) == (1, 1, None)
    assert body["budget"] == {"limit": 3, "used": 2, "left": 1}
    assert requested() == {DUNS, OTHER}


def test_what_is_said_about_a_company_is_kept(erp: Program) -> None:
    told = {"duns": DUNS, "name": "Acme", "customer_reference": "V-1", "tags": "a,b", "owner": "ann"}
    assert erp.post(PATH, {"subjects": [told]}).status_code == 200
    (shown,) = erp.walk(PATH)
    assert {name: shown[name] for name in ("customer_reference", "tags", "owner")} == {
        "customer_reference": "V-1",
        "tags": "a,b",
        "owner": "ann",
    }
    assert Company.objects.get(pk=DUNS).name == "Acme"


def test_repeating_it_replaces_only_what_is_given(erp: Program) -> None:
    request_monitoring(erp, DUNS)
    theirs = {"owner": "ann", "tags": "critical", "customer_reference": "V-1"}
    Subject.objects.update(**theirs, remove_on=date(2027, 1, 1))
    request_monitoring(erp, DUNS)
    erp.post(PATH, {"subjects": [{"duns": DUNS, "owner": "", "tags": "", "customer_reference": ""}]})
    assert Subject.objects.values(*theirs, "remove_on").get() == {**theirs, "remove_on": date(2027, 1, 1)}
    for _ in range(2):
        erp.post(PATH, {"subjects": [{"duns": DUNS, "owner": "bob"}]})
        assert Subject.objects.values(*theirs).get() == {**theirs, "owner": "bob"}


def test_repeating_it_changes_nothing(erp: Program) -> None:
    request_monitoring(erp, DUNS)
    entries = AuditEntry.objects.count()
    body = request_monitoring(erp, DUNS).json()
    assert body["results"][0]["validation"] == "already_requested"
    assert body["budget"]["used"] == 1
    assert AuditEntry.objects.count() == entries


def test_the_audit_names_the_key(erp: Program) -> None:
    request_monitoring(erp, DUNS)
    assert AuditEntry.objects.get(action="request").actor.startswith("ERP (dnbmon_")
    assert Subject.objects.get().requested_by.startswith("ERP (dnbmon_")


# The budget


def test_beyond_the_budget_a_person_confirms(erp: Program) -> None:
    request_monitoring(erp, *numbers(2))
    answer = request_monitoring(erp, *numbers(3, first=2))
    assert answer.status_code == 202
    body = answer.json()
    assert [one["validation"] for one in body["results"]] == ["already_requested", "awaiting", "awaiting"]
    assert (body["added"], body["new_billable"]) == (0, 2)
    known, *awaiting = [one["reason"] for one in body["results"]]
    assert not known and set(awaiting) == {
        "A user must confirm: the list adds 2 new billable companies, more than the 1 left in the budget "
        "of this key. This number is a maximum because D&B's list is not adopted for ACME_LOD_01."
    }
    assert body["budget"] == {"limit": 3, "used": 2, "left": 1}
    assert (body["waiting"]["state"], body["waiting"]["new_billable"]) == ("read", 2)
    assert body["waiting"]["new_billable_is_maximum"] is True, "D&B's list is not adopted"
    assert body["counts"] == {"already_requested": 1, "awaiting": 2}
    page = body["waiting"]["page"]
    assert page.startswith("http") and page.endswith(f"/portfolio/subjectimport/{body['waiting']['id']}/change/")
    assert requested() == set(numbers(2)), "nothing of it is wanted yet"
    seen_later = erp.client.get(body["waiting"]["url"], headers=erp.headers).json()
    # MongoDB keeps times to the millisecond.
    assert {**seen_later, "created_at": ""} == {**body["waiting"], "created_at": ""}

    boss = a_signed_in_person("portfolio.confirm_import")
    path = f"imports/{body['waiting']['id']}/confirm/"
    assert body["new_billable_is_maximum"] is True, "D&B's list is not adopted"
    wrong = boss.post(path, {"number": 1})
    assert wrong.status_code == 409 and "This import adds up to 2 new billable companies." in wrong.json()["detail"]
    assert wrong.json()["detail"].endswith('Nothing was confirmed. Send "number": 2.')
    assert boss.post(path, {"number": 2}).status_code == 200
    import_ = SubjectImport.objects.select_related("registration__contract").get()
    assert (import_.confirmed_by, import_.source) == ("ann", "api")
    apply_import(import_)
    assert requested() == set(numbers(4))
    assert request_monitoring(erp, "000000009").json()["budget"]["used"] == 3, (
        "what a person confirmed is not on the key's budget"
    )


def test_a_dry_run_shows_the_cost_and_changes_nothing(erp: Program) -> None:
    request_monitoring(erp, OTHER)
    for numbers_asked, validation in ((numbers(2), "added"), (numbers(3), "awaiting")):
        entries = [{"duns": one} for one in (OTHER, *numbers_asked)]
        answer = erp.post(PATH, {"subjects": entries, "dry_run": True})
        body = answer.json()
        assert answer.status_code == 200 and body["dry_run"] is True and body["waiting"] is None
        assert body["counts"] == {"already_requested": 1, validation: len(numbers_asked)}
        assert (body["new_billable"], body["new_billable_is_maximum"]) == (len(numbers_asked), True)
        assert body["added"] == (len(numbers_asked) if validation == "added" else 0)
        assert body["budget"] == {"limit": 3, "used": 1, "left": 2}, "nothing is spent"
        assert ("not adopted for ACME_LOD_01" in body["results"][-1]["reason"]) == (validation == "awaiting")
    assert requested() == {OTHER} and not SubjectImport.objects.exists()
    Registration.objects.update(adopted=True)
    assert request_monitoring(erp, *numbers(2)).json()["dry_run"] is False


def test_the_page_of_its_import_shows_the_request_as_it_was_sent(erp: Program) -> None:
    sent = [{"duns": "80-473-5132", "customer_reference": "V-4001"}, *({"duns": one} for one in numbers(3))]
    waiting = erp.post(PATH, {"subjects": sent}).json()["waiting"]
    assert waiting["counts"] == {"reformatted": 1, "new": 3}
    boss = a_signed_in_person("portfolio.view_subjectimport")
    page = text_of(boss.client.get(f"/portfolio/subjectimport/{waiting['id']}/change/"))
    assert "Source API request" in page and "In the request" in page
    assert "1 80-473-5132 804735132" in page and "V-4001" in page
    assert "your file" not in page and "File size" not in page


def test_an_import_is_named_by_its_key_and_time(erp: Program) -> None:
    request_monitoring(erp, *numbers(5))
    import_ = SubjectImport.objects.get()
    import_.created_at = datetime(2026, 11, 29, 14, 5, tzinfo=UTC)
    assert str(import_) == "API: ERP, 29 Nov 2026, 14:05"


def test_the_same_list_again_is_the_same_import(erp: Program) -> None:
    first, second = request_monitoring(erp, *numbers(5)).json(), request_monitoring(erp, *numbers(5)).json()
    assert first["waiting"]["id"] == second["waiting"]["id"]
    assert SubjectImport.objects.count() == 1
    assert request_monitoring(erp, *numbers(6)).json()["waiting"]["id"] != first["waiting"]["id"]


def test_a_key_without_a_budget_adds_nothing_that_costs(
    registration: Registration, a_program: Callable[..., Program]
) -> None:
    program = a_program(scopes="write:portfolio")
    assert request_monitoring(program, DUNS).status_code == 202
    request_subjects(registration=a_registration("OTHER"), entries=[SubjectEntry(OTHER)], requested_by="ann")
    assert request_monitoring(program, OTHER).status_code == 200, "it is billed this year already"
    assert requested() == {OTHER}


def test_a_company_counts_once_a_year(erp: Program, registration: Registration) -> None:
    request_monitoring(erp, DUNS)
    for _ in range(3):
        Subject.objects.update(requested=False)
        assert request_monitoring(erp, DUNS).json()["budget"]["used"] == 1


def test_a_new_contract_year_is_a_new_budget(erp: Program, registration: Registration) -> None:
    assert request_monitoring(erp, *numbers(3)).status_code == 200
    assert request_monitoring(erp, DUNS).status_code == 202
    ApiKeyUsage.objects.update(year=date(2025, 1, 1))
    assert request_monitoring(erp, DUNS).json()["budget"] == {"limit": 3, "used": 1, "left": 2}


def test_each_key_has_its_own(erp: Program, a_program: Callable[..., Program]) -> None:
    request_monitoring(erp, *numbers(3))
    crm = a_program(name="CRM", scopes="write:portfolio", budget=1)
    assert request_monitoring(crm, DUNS).json()["budget"] == {"limit": 1, "used": 1, "left": 0}


def test_rotation_gives_no_second_budget(registration: Registration, a_program: Callable[..., Program]) -> None:
    program = a_program(scopes="write:portfolio", budget=1)
    row = ApiKey.objects.get()
    request_monitoring(program, DUNS)
    program.headers = {"Authorization": f"Bearer {row.rotate()}"}
    assert request_monitoring(program, OTHER).status_code == 202


def test_killed_between_reserving_and_wanting(erp: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same request again does what was not done, and nothing is counted twice."""
    with monkeypatch.context() as patched:
        patched.setattr(api_budget, "request_subjects", _killed)
        with pytest.raises(KeyboardInterrupt):
            request_monitoring(erp, *numbers(3))
    assert requested() == set()
    answer = request_monitoring(erp, *numbers(3))
    assert answer.status_code == 200
    assert answer.json()["budget"]["used"] == 3
    assert requested() == set(numbers(3))


def _killed(*arguments: Any, **keywords: Any) -> Any:
    raise KeyboardInterrupt


def test_what_a_dead_process_reserved_falls_back(erp: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(api_budget, "request_subjects", _killed)
        with pytest.raises(KeyboardInterrupt):
            request_monitoring(erp, *numbers(3))
    assert request_monitoring(erp, DUNS).status_code == 202
    ApiKeyUsage.objects.update(at=timezone.now() - timedelta(hours=1))
    assert request_monitoring(erp, DUNS).status_code == 200


def test_killed_between_wanting_and_noting_what_was_spent(erp: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(api_budget.Purse, "spend", _killed)
        with pytest.raises(KeyboardInterrupt):
            request_monitoring(erp, *numbers(3))
    assert requested() == set(numbers(3))
    assert request_monitoring(erp, *numbers(3)).json()["budget"]["used"] == 3


@pytest.mark.slow
def test_ten_thousand_at_once_twice(
    registration: Registration, a_program: Callable[..., Program], settings: Any
) -> None:
    count = 300 if settings.MONGODB else 10_000  # its stand-in is slow
    program = a_program(scopes="write:portfolio", budget=count)
    first = request_monitoring(program, *numbers(count), word="monday")
    again = request_monitoring(program, *numbers(count), word="monday")
    assert first.status_code == 200
    assert first.content == again.content
    assert first.json()["added"] == Subject.objects.filter(requested=True).count() == count
    assert AuditEntry.objects.filter(action="request").count() == 1


def test_more_than_ten_thousand_are_refused(erp: Program) -> None:
    answer = erp.post(PATH, {"subjects": [{"duns": DUNS}] * 10_001})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"subjects": []},
        {"subjects": DUNS},
        {"subjects": [DUNS]},
        {"subjects": [{}]},
        {"subjects": [{"duns": None}]},
        {"subjects": [{"duns": DUNS, "owner": 5 * [1]}]},
        {"subjects": [{"duns": DUNS, "tags": "x" * 501}]},
        {"subjects": [{"duns": "8\0"}]},
    ],
)
def test_what_is_no_list_is_refused(erp: Program, body: Any) -> None:
    assert erp.post(PATH, body).status_code == 400
    assert requested() == set()


def test_an_unknown_registration(erp: Program) -> None:
    assert erp.get("registrations/NO/subjects/").status_code == 404
    assert erp.post("registrations/NO/subjects/", {"subjects": [{"duns": DUNS}]}).status_code == 404
    assert erp.delete("registrations/NO/subjects/", duns=DUNS).status_code == 404


def test_a_person_adds_what_costs_by_confirming_it(registration: Registration) -> None:
    person = a_signed_in_person("portfolio.change_subject", "portfolio.view_subject")
    assert request_monitoring(person, DUNS).status_code == 202
    assert requested() == set()


# Reading


def test_filters_and_pages(erp: Program, registration: Registration) -> None:
    request_monitoring(erp, *numbers(3))
    Subject.objects.filter(company=numbers(1)[0]).update(state=SubjectState.MONITORED)
    Subject.objects.filter(company=numbers(3)[2]).update(requested=False)
    request_subjects(registration=a_registration("OTHER"), entries=[SubjectEntry(DUNS)], requested_by="ann")

    def found(**filters: Any) -> set[str]:
        walked = [one["duns"] for one in erp.walk(PATH, limit=1, **filters)]
        assert len(walked) == len(set(walked))
        return set(walked)

    assert found() == set(numbers(3))
    assert found(requested="true") == set(numbers(2))
    assert found(requested="false") == {numbers(3)[2]}
    assert found(state="monitored") == {numbers(1)[0]}
    assert found(state="monitored,unknown", requested="true") == set(numbers(2))
    assert found(duns="00-000-0001,000000002") == set(numbers(2))
    assert found(duns=DUNS) == set()
    assert erp.get(PATH, requested="perhaps").status_code == 400
    assert erp.get(PATH, after="x").status_code == 400
    assert erp.get(PATH, stat="monitored").status_code == 400


# No longer wanting


def test_some_are_no_longer_wanted(registration: Registration, a_program: Callable[..., Program]) -> None:
    program = a_program(scopes="write:portfolio", budget=20)
    request_monitoring(program, *numbers(20))
    answer = program.delete(PATH, duns=["000000001", "00-000-0002", DUNS])
    assert (answer.status_code, answer.json()) == (200, {"removed": numbers(2), "waiting": None})
    assert requested() == set(numbers(18, first=3))
    assert program.delete(PATH, duns="000000001").json() == {"removed": [], "waiting": None}


def test_too_many_at_once_wait_for_people(registration: Registration, a_program: Callable[..., Program]) -> None:
    program = a_program(scopes="write:portfolio", budget=20)
    request_monitoring(program, *numbers(20))
    answer = program.delete(PATH, duns=numbers(3))
    assert answer.status_code == 202
    waiting = answer.json()["waiting"]
    assert (waiting["mode"], waiting["state"], waiting["removals"]) == ("remove", "read", 3)
    assert requested() == set(numbers(20))


@pytest.mark.parametrize("parameters", [{}, {"duns": ""}, {"duns": "1"}, {"duns": numbers(201)}, {"dun": DUNS}])
def test_removing_takes_numbers(erp: Program, parameters: Any) -> None:
    request_monitoring(erp, DUNS)
    assert erp.delete(PATH, **parameters).status_code == 400
    assert requested() == {DUNS}
