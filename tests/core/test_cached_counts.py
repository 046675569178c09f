"""What stands is counted anew, one row a kind, and what people do is counted at once."""

import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string
from redis.exceptions import ConnectionError as RedisConnectionError

from core.cached_counts import COUNTERS, open_counts, update_counts
from core.models import CachedCount
from dnbmon_site.dashboard import recount
from dnbmon_site.dashboard.recount import touched
from portfolio.billing.usage import holdings, listed_in
from portfolio.imports.apply import undo_import
from portfolio.imports.confirm import confirm_import
from portfolio.imports.resume import work_on
from portfolio.imports.upload import create_import
from portfolio.jobs import work_on_import
from portfolio.models import ProposalKind, Registration, SubjectImport
from portfolio.proposals.create import Sign, propose
from tests.builders.companies import DUNS
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db


def counted(name: str) -> Any:
    return open_counts().of(name)


def test_each_kind_has_a_row_and_counting_again_keeps_it() -> None:
    assert update_counts() == update_counts() == len(COUNTERS) == CachedCount.objects.count()
    assert counted("proposals") == {} and open_counts().counted_at is not None


def test_nothing_is_known_before_the_first_count() -> None:
    assert counted("held") == {} and open_counts().counted_at is None


def test_monitored_companies_by_registration_and_contract() -> None:
    a_contract(contracted_number=5)
    registrations = [a_registration(name, adopted=True) for name in ("ONE", "TWO")]
    for row in registrations:
        a_subject(registration=row, state="monitored")
    a_subject("150483782", registrations[0], state="removed")
    update_counts("held")
    found = counted("held")
    assert [one["listed"] for one in found["registrations"].values()] == [1, 1]
    contract = found["contracts"][0]
    year = contract["year"]
    assert (year["listed"], year["billed"], contract["contracted"], contract["is_known"]) == (1, 1, 5, True)


def test_a_company_in_two_contracts_is_one_company_and_billed_twice() -> None:
    for name in ("one", "two"):
        a_subject(registration=a_registration(name.upper(), contract=a_contract(name=name)), state="monitored")
    update_counts("held")
    found = counted("held")
    assert found["listed"] == 1 and sum(one["year"]["billed"] for one in found["contracts"]) == 2
    registrations = list(Registration.objects.select_related("contract"))
    third = a_registration("THREE", contract=a_contract(name="two"))
    update_counts("held")
    held = holdings([*registrations, third], counted("held"))
    assert (listed_in(held, counted("held")), listed_in(held[:2], counted("held"))) == (1, 1)
    assert (listed_in(held[:1], counted("held")), listed_in(held[2:], counted("held"))) == (1, 0)


def test_a_count_that_began_earlier_does_not_overwrite_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken() -> Any:
        monkeypatch.setitem(COUNTERS, "held", lambda: {"listed": 2})
        # Times are kept to the millisecond.
        time.sleep(0.002)
        update_counts("held")
        return {"listed": 1}

    monkeypatch.setitem(COUNTERS, "held", overtaken)
    update_counts("held")
    assert counted("held") == {"listed": 2}


def test_an_import_is_counted_when_it_is_applied_and_when_it_is_undone() -> None:
    registration = a_registration(adopted=True)
    import_ = create_import(
        registration=registration, content=DUNS.encode(), file_name="", mode="add", source="paste", requested_by="ann"
    )
    work_on(import_)
    confirm_import(import_=import_, number=1, confirmed_by=an_actor("ann"), may_confirm=True)
    work_on_import(str(import_.pk))
    assert counted("held")["contracts"][0]["year"]["forecast"] == 1 and counted("imports") == {}
    import_.refresh_from_db()
    undo_import(import_=import_, undone_by=an_actor("ann"), may_confirm=True)
    work_on_import(str(import_.pk))
    assert counted("held")["contracts"][0]["year"]["forecast"] == 0


def test_what_no_longer_is_counted_goes() -> None:
    CachedCount.objects.create(what="long ago", numbers="{}", counted_at=timezone.now())
    update_counts()
    assert not CachedCount.objects.filter(pk="long ago").exists()


def test_the_contract_year_is_shown_as_it_was_counted_last(admin_client: Client) -> None:
    row = a_subject(registration=a_registration(adopted=True), state="monitored")
    page = "/portfolio/contract/year/"
    assert "1 Companies billed so far" in text_of(admin_client.get(page))
    row.delete()
    assert "1 Companies billed so far" in text_of(admin_client.get(page))
    update_counts("held")
    assert "0 Companies billed so far" in text_of(admin_client.get(page))


def test_proposals_are_counted_as_they_are_made() -> None:
    registration = a_registration(adopted=True)
    a_subject(registration=registration)
    propose([Sign(ProposalKind.DELETE, registration.pk, DUNS)])
    assert counted("proposals") == {"open": 1}


def test_imports_wait_by_state() -> None:
    registration = a_registration()
    for state in ("read", "awaiting_approval", "applied"):
        SubjectImport.objects.create(registration=registration, state=state, created_by="a", created_at=timezone.now())
    update_counts("imports")
    assert counted("imports") == {"read": 1, "awaiting_approval": 1}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/portfolio/subject/", ["held"]),
        ("/portfolio/syncrun/adopt/1/", ["held"]),
        ("/portfolio/proposal/decide/accept/", ["proposals", "held"]),
        ("/api/v1/registrations/ACME/subjects/", ["held", "imports"]),
        ("/api/v1/registrations/ACME/pull/", []),
        ("/monitoring/alert/1/do/close/", ["alerts"]),
        ("/portfolio/subject/columns/", []),
        ("/portfolio/subject/save/", []),
        ("/monitoring/alert/export/", []),
        ("/portfolio/company/", []),
    ],
)
def test_only_acts_that_change_what_is_counted_count_anew(path: str, names: list[str]) -> None:
    assert touched(path) == names


def test_what_is_held_is_counted_by_a_worker_and_here_when_none_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    asked: list[object] = []
    a_subject(registration=a_registration(adopted=True), state="monitored")
    monkeypatch.setattr(recount, "ask_worker", lambda function, *names, **more: asked.append((function, *names)))
    recount.count_again(["alerts", "held"])
    assert asked == [("core.cached_counts.update_counts", "held")] and import_string(recount.TALLY) is update_counts
    assert sorted(CachedCount.objects.values_list("what", flat=True)) == ["alerts"]

    def no_queue(*args: object, **more: object) -> None:
        raise RedisConnectionError("no queue")

    monkeypatch.setattr(recount, "ask_worker", no_queue)
    settings.REDIS_URL = "redis://127.0.0.1:1"
    recount.count_again(["held"])
    assert [numbers["listed"] for numbers in counted("held")["registrations"].values()] == [1]
