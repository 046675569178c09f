"""The same word, the same request: one effect, one answer, whatever dies in between."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from core.models import AuditEntry
from dnbmon_site.accounts import idempotency
from dnbmon_site.accounts.models import ApiKey, IdempotencyKey, UserPermission
from portfolio.models import Registration, Subject, SubjectImport
from portfolio.registrations import api as registrations_api
from portfolio.subjects.api import requesting
from tests.builders.companies import DUNS
from tests.builders.contracts import a_contract
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import a_registration
from tests.builders.units import a_unit

pytestmark = [pytest.mark.django_db, pytest.mark.every_engine]
PATH = "registrations/ACME_LOD_01/subjects/"
PULL = "registrations/ACME_LOD_01/pull/"
PULL_JOB = "monitoring.jobs.pull_now"


@pytest.fixture
def erp(a_program: Callable[..., Program]) -> Program:
    a_registration(contract=a_contract(anniversary=date(2026, 1, 1)))
    return a_program(name="ERP", scopes="read, write:portfolio, pull", budget=100)


def request_monitoring(program: Program, word: str, *duns: str) -> Any:
    return program.post(PATH, {"subjects": [{"duns": number} for number in duns]}, word=word)


def _killed(*arguments: Any, **keywords: Any) -> Any:
    raise KeyboardInterrupt


def test_the_same_answer_and_one_effect(erp: Program) -> None:
    first, second = request_monitoring(erp, "a", DUNS), request_monitoring(erp, "a", DUNS)
    assert first.content == second.content
    assert first["Content-Type"] == second["Content-Type"] == "application/json"
    assert first.json()["results"][0]["validation"] == "added"
    assert second["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    assert AuditEntry.objects.filter(action="request").count() == 1


def test_another_word_is_another_request(erp: Program) -> None:
    request_monitoring(erp, "a", DUNS)
    assert request_monitoring(erp, "b", DUNS).json()["results"][0]["validation"] == "already_requested"


def test_another_body_or_address_under_the_same_word(erp: Program) -> None:
    request_monitoring(erp, "a", DUNS)
    answer = request_monitoring(erp, "a", "150483782")
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"].endswith("#conflict")
    assert erp.post(PULL, word="a").status_code == 409
    assert Subject.objects.filter(requested=True).count() == 1
    assert PULL_JOB not in [row.func() for row in OrmQ.objects.all()]


def test_two_programs_may_use_the_same_word(erp: Program, a_program: Callable[..., Program]) -> None:
    request_monitoring(erp, "a", DUNS)
    other = a_program(scopes="write:portfolio", budget=1)
    assert request_monitoring(other, "a", "150483782").status_code == 200
    person = a_signed_in_person("portfolio.change_subject")
    assert request_monitoring(person, "a", DUNS).json()["results"][0]["validation"] == "already_requested"


def test_a_request_from_before_the_units_changed_is_neither_repeated_nor_its_answer_shown(erp: Program) -> None:
    key, registration = ApiKey.objects.get(), Registration.objects.get()
    a_unit("Credit", registration, keys=[key])
    assert request_monitoring(erp, "a", DUNS).status_code == 200
    assert request_monitoring(erp, "a", DUNS)["Idempotent-Replayed"] == "true"
    a_unit("Credit", registration, a_registration("OTHER"), keys=[key])
    answer = request_monitoring(erp, "a", DUNS)
    assert answer.status_code == 409 and "business units have changed" in answer.json()["detail"]
    assert DUNS not in answer.content.decode()
    assert AuditEntry.objects.filter(action="request").count() == 1
    assert "different request" in request_monitoring(erp, "a", "150483782").json()["detail"]


def test_a_refusal_is_repeated_too(erp: Program) -> None:
    answers = [erp.post(PATH, {"subjects": []}, word="a") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content
    assert answers[1]["Content-Type"] == "application/problem+json"


def test_the_import_beyond_the_budget_is_one(erp: Program) -> None:
    numbers = [f"{number:09}" for number in range(101)]
    first, second = request_monitoring(erp, "a", *numbers), request_monitoring(erp, "a", *numbers)
    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert SubjectImport.objects.count() == 1


@pytest.mark.parametrize("place", ["request_within", "validated"])
def test_killed_in_between(erp: Program, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(requesting, place, _killed)
        with pytest.raises(KeyboardInterrupt):
            request_monitoring(erp, "a", DUNS)
    answer = request_monitoring(erp, "a", DUNS)
    assert answer.status_code == 409, "it may still be at work"
    assert answer["Retry-After"] == "5"
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert request_monitoring(erp, "a", DUNS).json()["results"][0]["validation"] == "added"
        assert request_monitoring(erp, "a", DUNS)["Idempotent-Replayed"] == "true"


def test_killed_between_the_effect_and_the_answer(erp: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(requesting, "_response", _killed)
        with pytest.raises(KeyboardInterrupt):
            request_monitoring(erp, "a", DUNS)
    assert Subject.objects.filter(requested=True).count() == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        answer = request_monitoring(erp, "a", DUNS)
    assert answer.status_code == 200
    assert answer.json()["budget"]["used"] == 1
    assert AuditEntry.objects.filter(action="request").count() == 1


def test_who_may_not_ask_any_more_is_given_nothing_again(erp: Program) -> None:
    request_monitoring(erp, "a", DUNS)
    ApiKey.objects.update(scopes="read")
    answer = request_monitoring(erp, "a", DUNS)
    assert answer.status_code == 403 and "write:portfolio" in answer.json()["detail"]
    assert DUNS not in answer.content.decode()
    ApiKey.objects.update(scopes="read,write:portfolio")
    assert request_monitoring(erp, "a", DUNS)["Idempotent-Replayed"] == "true", "and it is kept for who may again"
    ApiKey.objects.get().revoke()
    assert request_monitoring(erp, "a", DUNS).status_code == 401


def test_nor_is_a_person_whose_role_was_taken_away(db: None) -> None:
    a_registration(adopted=True)
    person = a_signed_in_person("portfolio.change_subject")
    request_monitoring(person, "a", DUNS)
    UserPermission.objects.all().delete()
    assert request_monitoring(person, "a", DUNS).status_code == 403


def test_what_broke_is_made_again(erp: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **keywords: Any) -> Any:
        raise RuntimeError

    erp.client.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(registrations_api, "ask_worker", broken)
        assert erp.post(PULL, word="a").status_code == 500
    assert erp.post(PULL, word="a").status_code == 202


def test_strangers_leave_nothing_behind(a_program: Callable[..., Program]) -> None:
    a_registration()
    assert Program(Client()).post(PULL, word="a").status_code in (401, 403)
    assert Program(Client(), {"Authorization": "Bearer x"}).post(PULL, word="a").status_code == 401
    weak = a_program(scopes="read")
    assert weak.post(PULL, word="a").status_code == 403
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("word", ["x" * 256, "é", "a\tb"])
def test_words_that_cannot_be(erp: Program, word: str) -> None:
    assert erp.post(PULL, word=word).status_code == 400
    assert not OrmQ.objects.exists()


def test_reading_needs_no_word(erp: Program) -> None:
    headers = {**erp.headers, "Idempotency-Key": "a"}
    assert erp.client.get("/api/v1/changes/", headers=headers).status_code == 200
    assert not IdempotencyKey.objects.exists()


def test_words_are_forgotten_after_a_week(erp: Program) -> None:
    erp.post(PULL, word="a")
    assert idempotency.forget_old() == 0
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert idempotency.forget_old() == 1
