"""Where D&B's list and what is wanted differ: shown both ways, decided by people, corrected by nobody else."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from core.models import AuditEntry, Notice
from direct_plus.sandbox.control.client import SandboxControl
from portfolio.billing.contract_year import remove_planned
from portfolio.jobs import reconcile_all, sync_due
from portfolio.models import Registration, Subject, SubjectState
from portfolio.reconciliation import reconcile
from portfolio.reconciliation.reconcile import Drift, costs_of_sending_again, drift, missing, notify_of_drift
from portfolio.registrations.dnb_list_files import apply_export
from portfolio.registrations.suppress import activate, is_suppressed, suppress
from portfolio.subjects.counts import counts_of
from portfolio.sync.run import sync
from tests.builders.companies import duns_numbers
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring, states, subject, withdraw_request
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
A, B, C, D = duns_numbers(4)


@pytest.fixture(autouse=True)
def one_person_may_remove_all(adopted: Registration) -> None:
    """The lists here are so short that each removal is a large part; `test_limits` has the limit."""
    adopted.contract.removal_share = 100
    adopted.contract.save()


@pytest.fixture
def drifted(adopted: Registration, control: SandboxControl) -> Registration:
    """A and B are wanted and were sent; D&B has lost A, refused D, and has C that nobody wants."""
    control.mark(D, "deleted")
    request_monitoring(adopted, [A, B, D])
    sync(adopted)
    control.remove_companies(adopted.reference, [A])
    control.add_companies(adopted.reference, [C], seed=False)
    control.move_clock(60)
    (path,) = control.deliver(adopted.reference, "DunsExport")
    apply_export(adopted, [Path(path)], by="ann")
    return adopted


def test_both_directions_are_shown_and_nothing_is_sent(drifted: Registration, control: SandboxControl) -> None:
    assert drift(drifted) == Drift(missing=1, refused=1, extra=1, unsent=0, pending=0, in_doubt=0, held_back=0)
    assert states(drifted) == {A: "removed", B: "monitored", C: "monitored", D: "refused"}
    made = len(calls_of(control))
    assert sync(drifted) is None and sync_due() == 0
    assert len(calls_of(control)) == made
    assert control.subjects(drifted.reference) == [B, C]


def test_wanting_what_is_there_sends_and_costs_nothing(drifted: Registration, control: SandboxControl) -> None:
    assert reconcile.request_missing(drifted, None, by=an_actor("ann")) == 1
    assert drift(drifted).extra == 0
    assert sync(drifted) is None
    assert subject(drifted, C).requested_by == "ann"


def test_what_nobody_wants_is_taken_out_when_somebody_says_so(drifted: Registration, control: SandboxControl) -> None:
    assert reconcile.stop_monitoring(drifted, [C, B], by=an_actor("ann")) == 1
    sync(drifted)
    assert control.subjects(drifted.reference) == [B]
    assert subject(drifted, C).monitored_until is not None
    assert AuditEntry.objects.get(action="stop").actor == "ann"


def test_what_is_missing_is_sent_again_when_somebody_says_so(drifted: Registration, control: SandboxControl) -> None:
    assert costs_of_sending_again(drifted, missing(drifted), []) == 0  # it was monitored this year
    assert reconcile.send_again(drifted, [A], by=an_actor("ann")) == 1
    sync(drifted)
    assert control.subjects(drifted.reference) == [A, B, C]
    assert drift(drifted).missing == 0


def test_a_company_never_seen_at_dnb_costs_when_it_is_sent_again(adopted: Registration) -> None:
    request_monitoring(adopted, [A])
    Subject.objects.update(state=SubjectState.REMOVED, checked_at=timezone.now() + timedelta(minutes=1))
    other = a_registration("ACME_LOD_02", contract=adopted.contract)
    assert costs_of_sending_again(adopted, missing(adopted), [other.pk]) == 1
    key = Subject.key(other.pk, A)
    Subject.objects.create(id=key, registration=other, company_id=A, state=SubjectState.MONITORED)
    assert costs_of_sending_again(adopted, missing(adopted), [other.pk]) == 0  # billed there


def test_what_is_missing_or_refused_may_be_given_up(drifted: Registration, control: SandboxControl) -> None:
    made = len(calls_of(control))
    assert reconcile.withdraw_extra(drifted, None, by=an_actor("ann")) == 2
    assert (drift(drifted).missing, drift(drifted).refused) == (0, 0)
    assert sync(drifted) is None
    assert len(calls_of(control)) == made


def test_a_refused_removal_is_shown_and_not_repeated(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A])
    sync(adopted)
    withdraw_request(adopted, [A])
    control.set_fault("http_error", on="subject", status=410, code="40002", times=1)
    sync(adopted)
    row = subject(adopted, A)
    assert (row.state, row.code) == (SubjectState.MONITORED, "40002")
    assert drift(adopted).extra == 1
    assert sync(adopted) is None
    reconcile.stop_monitoring(adopted, None, by=an_actor("ann"))
    sync(adopted)
    assert control.subjects(adopted.reference) == []


def test_people_hear_of_a_drift_once(drifted: Registration) -> None:
    assert reconcile_all() == 1
    assert not notify_of_drift(drifted)
    notice = Notice.objects.get(kind="drift")
    assert "1 requested but not at D&B" in notice.text
    reconcile.request_missing(drifted, None, by=an_actor("ann"))
    assert reconcile_all() == 1


def test_planned_removals_come_on_their_day(adopted: Registration, control: SandboxControl) -> None:
    request_monitoring(adopted, [A, B])
    sync(adopted)
    today = timezone.now().date()
    Subject.objects.filter(company=A).update(remove_on=today)
    Subject.objects.filter(company=B).update(remove_on=today + timedelta(days=1))
    assert remove_planned() == 1
    assert remove_planned() == 0
    sync(adopted)
    assert control.subjects(adopted.reference) == [B]
    assert AuditEntry.objects.get(action="withdraw").actor == "plan"


def test_notifications_are_held_back_and_let_come_again(adopted: Registration, control: SandboxControl) -> None:
    suppress(adopted, by="ann")
    assert is_suppressed(adopted) is True
    activate(adopted, by="ann")
    assert is_suppressed(adopted) is False
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["suppress", "activate"]


def test_numbers_are_counted_in_two_questions(drifted: Registration, django_assert_num_queries: Any) -> None:
    a_missing_one_wanted_again = {"requested_at": timezone.now() + timedelta(minutes=1)}
    Subject.objects.filter(company=A).update(**a_missing_one_wanted_again)
    with django_assert_num_queries(2):
        found = counts_of(drifted)
    assert (found.requested, found.there, found.missing, found.refused, found.extra) == (3, 2, 0, 1, 1)
    assert (found.to_add, found.to_remove, found.going_out) == (1, 0, 1)
    assert counts_of(drifted, timezone.now() + timedelta(minutes=2)).going_out == 0
