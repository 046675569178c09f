"""Fetched documents, accepted or discarded: what history holds of them, and how a data gap is closed."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from core.blobs import load_bytes
from core.models import AuditEntry
from direct_plus.sandbox.control.client import SandboxControl
from monitoring.consumers.membership import gather_all
from monitoring.data_fetch import decide
from monitoring.data_fetch import finish as finishing
from monitoring.data_fetch.decide import NumberChanged, accept, carry_out_decisions, discard, give_up
from monitoring.data_fetch.effect import effect_of
from monitoring.data_fetch.work import continue_fetches
from monitoring.figures.projection import project as project_figures
from monitoring.history.checkpoints import profile
from monitoring.models import (
    Change,
    DataFetch,
    Delivery,
    DeliveryState,
    FetchedCompany,
    FetchedState,
    FetchState,
    Kind,
    Notification,
    Publication,
)
from monitoring.pipeline.ingest import ingest
from monitoring.rebuild.rebuild import rebuild
from portfolio.models import Company, Registration, Subject, SubjectState
from tests.builders.companies import duns_numbers
from tests.builders.data_fetches import a_fetch, a_gap_fetch, item, monitored, run, with_gap
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.people import an_actor
from tests.builders.registrations import REFERENCE, a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
A, B, C = duns_numbers(3)
ANN = an_actor("ann")


class Killed(BaseException):
    """As if the process had ended here."""


def at_dnb(control: SandboxControl, duns: str = A, **members: Any) -> dict[str, Any]:
    document = {"duns": duns, "primaryName": "Fetched Ltd", "countryISOAlpha2Code": "GB", **members}
    control.add_companies(REFERENCE, [document])
    return document


def fetched(registration: Registration, control: SandboxControl, **members: Any) -> DataFetch:
    monitored(registration, A)
    at_dnb(control, **members)
    return run(a_fetch(A))


def test_accepted_it_is_a_baseline_with_its_source(registration: Registration, control: SandboxControl) -> None:
    fetch = fetched(registration, control, telephone="1")
    assert accept(fetch, 1, by=ANN) == 1
    change, notification = Change.objects.get(), Notification.objects.get()
    assert (change.kind, notification.type, notification.registration_id) == (Kind.BASELINE, "SEED", registration.pk)
    assert profile(A).value("organization.telephone") == "1"
    delivery = Delivery.objects.get()
    assert (delivery.state, change.delivery_id) == (DeliveryState.PUBLISHED, delivery.pk)
    assert Publication.objects.get().delivery_id == delivery.pk
    assert Company.objects.get(pk=A).name == "Fetched Ltd"
    row = item(fetch, A)
    assert (row.state, row.decided_by, row.is_carried_out) == (FetchedState.ACCEPTED, "ann", True)
    fetch.refresh_from_db()
    assert (fetch.state, fetch.closed_by, fetch.found) == (FetchState.DONE, "ann", "Accepted: 1.")
    assert AuditEntry.objects.get(action="data_fetch.accepted").actor == "ann"
    assert accept(fetch, 0, by=ANN) == 0


def test_as_of_a_day_before_it_nothing_of_it_is_known(registration: Registration, control: SandboxControl) -> None:
    before = timezone.now() - timedelta(minutes=1)
    accept(fetched(registration, control), 1, by=ANN)
    assert profile(A, as_of=before).document == {}
    assert profile(A, as_of=timezone.now()).document["primaryName"] == "Fetched Ltd"


def test_discarded_it_changes_nothing_and_stays_stored(registration: Registration, control: SandboxControl) -> None:
    fetch = fetched(registration, control)
    assert discard(fetch, [A], by=ANN) == 1
    delivery = Delivery.objects.get()
    assert (delivery.state, item(fetch, A).state) == (DeliveryState.DISCARDED, FetchedState.DISCARDED)
    assert json.loads(load_bytes(delivery.pk))["organization"]["duns"] == A
    assert not Notification.objects.exists() and profile(A).document == {}
    rebuild()
    assert not Notification.objects.exists(), "a rebuild leaves it alone"
    assert accept(fetch, 0, by=ANN) == 0


def test_what_is_shown_is_what_accepting_changes(registration: Registration, control: SandboxControl) -> None:
    delivered(a_seed(A, telephone="1", website="x", delivered=stamp(days=-20)), registration=registration)
    fetch = fetched(registration, control, telephone="2")
    delivery = Delivery.objects.get(pk=item(fetch, A).delivery_key)
    effect = effect_of(delivery)
    assert effect and effect.before == profile(A).document
    shown = {path: (before, after) for path, before, after in effect.differences}
    assert shown == {
        "organization.primaryName": ("Acme Ltd", "Fetched Ltd"),
        "organization.telephone": ("1", "2"),
    }
    accept(fetch, 1, by=ANN)
    assert profile(A).document == effect.after
    again = effect_of(delivery)
    assert again and again.differences == effect.differences, "and it can be looked up later"


def test_it_removes_no_member_that_a_registration_sent(registration: Registration, control: SandboxControl) -> None:
    delivered(a_seed(A, website="x", delivered=stamp(days=-20)), registration=registration)
    accept(fetched(registration, control, telephone="2"), 1, by=ANN)
    assert profile(A).value("organization.website") == "x"
    delivered(a_seed(A, delivered=stamp(days=3)), registration=registration)
    document = profile(A).document
    assert "website" not in document, "the registration's next document removes what its last one carried"
    assert document["telephone"] == "2"


def test_a_change_since_the_call_stays_above_it(registration: Registration, control: SandboxControl) -> None:
    fetch = fetched(registration, control, telephone="2")
    later = (timezone.now() + timedelta(minutes=5)).isoformat(timespec="milliseconds")
    delivered(an_update(an_element("organization.telephone", "2", "3", later), duns=A), registration=registration)
    accept(fetch, 1, by=ANN)
    assert profile(A).value("organization.telephone") == "3"


def test_a_change_shortly_before_the_call_does_not_overrule_it(
    registration: Registration, control: SandboxControl
) -> None:
    name = "organization.primaryName"
    delivered(a_seed(A, primaryName="Fetched Ltd", delivered=stamp(days=-20)), registration=registration)
    yesterday = (timezone.now() - timedelta(days=1)).isoformat(timespec="milliseconds")
    delivered(an_update(an_element(name, "Fetched Ltd", "Interim Ltd", yesterday), duns=A), registration=registration)
    fetch = fetched(registration, control, telephone="2")
    effect = effect_of(Delivery.objects.get(pk=item(fetch, A).delivery_key))
    assert effect and (name, "Interim Ltd", "Fetched Ltd") in effect.differences
    accept(fetch, 1, by=ANN)
    assert profile(A).value(name) == Company.objects.get(pk=A).name == "Fetched Ltd"
    before = Company.objects.get(pk=A).projection
    rebuild()
    assert Company.objects.get(pk=A).projection == before


def test_equal_data_is_nothing_to_decide(registration: Registration, control: SandboxControl) -> None:
    document = at_dnb(control)
    monitored(registration, A)
    delivered(a_seed(**{**document, "delivered": stamp(days=-20)}), registration=registration)
    fetch = run(a_fetch(A))
    assert (item(fetch, A).state, fetch.state) == (FetchedState.SAME, FetchState.DONE)
    assert Delivery.objects.order_by("-id").first().state == DeliveryState.DISCARDED  # type: ignore[union-attr]


def test_it_is_no_link_in_the_chain_of_whole_documents(contract: Any, control: SandboxControl) -> None:
    whole = a_registration(REFERENCE, contract=contract, full_product=True)
    delivered(a_seed(A, telephone="1", website="x", delivered=stamp(days=-20)), registration=whole)
    fetch = fetched(whole, control, telephone="2")
    accept(fetch, 1, by=ANN)
    assert not Change.objects.filter(kind=Kind.ELEMENT).exists()
    delivered(a_seed(A, telephone="3", website="x", delivered=stamp(days=3)), registration=whole)
    changes = Change.objects.filter(kind=Kind.ELEMENT).values_list("element", "previous", "current")
    assert list(changes) == [("organization.telephone", '"1"', '"3"')], "compared with the registration's own"


def test_parts_of_a_section_that_other_blocks_hold_stay(registration: Registration, control: SandboxControl) -> None:
    known = {
        "failureScore": {"nationalPercentile": 12, "scoreCommentary": [1], "scoreDate": "2026-01-01"},
        "delinquencyScore": {"range": {"from": 1, "to": 9}, "scoreCommentary": [1, 2], "scoreDate": "2026-01-01"},
        "supplierEvaluationRiskScore": {"rawScore": 3, "scoreDate": "2026-01-01"},
    }
    new = {
        "failureScore": {"nationalPercentile": 14, "scoreDate": "2026-02-01"},
        "delinquencyScore": {"range": {"from": 2}, "scoreCommentary": [3], "scoreDate": "2026-01-01"},
    }
    delivered(a_seed(A, dnbAssessment=known, delivered=stamp(days=-20)), registration=registration)
    accept(fetched(registration, control, dnbAssessment=new), 1, by=ANN)
    delinquency = {"range": {"from": 2, "to": 9}, "scoreCommentary": [3], "scoreDate": "2026-01-01"}
    assert profile(A).document["dnbAssessment"] == {**known, **new, "delinquencyScore": delinquency}


def test_a_second_fetch_is_not_compared_with_the_first(contract: Any, control: SandboxControl) -> None:
    whole = a_registration(REFERENCE, contract=contract, full_product=True)
    accept(fetched(whole, control, telephone="1"), 1, by=ANN)
    accept(fetched(whole, control, telephone="2"), 1, by=ANN)
    assert not Change.objects.filter(kind=Kind.ELEMENT).exists()
    assert profile(A).value("organization.telephone") == "2"


def test_it_proves_no_membership(registration: Registration, control: SandboxControl) -> None:
    fetch = fetched(registration, control)
    Subject.objects.update(state=SubjectState.PENDING_ADD)
    accept(fetch, 1, by=ANN)
    gather_all()
    assert Subject.objects.get().state == SubjectState.PENDING_ADD


def test_a_rebuild_changes_nothing(registration: Registration, control: SandboxControl) -> None:
    delivered(a_seed(A, telephone="1", website="x", delivered=stamp(days=-20)), registration=registration)
    accept(fetched(registration, control, telephone="2"), 1, by=ANN)
    before = profile(A), Company.objects.get(pk=A).projection
    result = rebuild()
    assert (result.added, result.mended, result.removed, result.observed) == (0, 0, 0, 0)
    assert (profile(A), Company.objects.get(pk=A).projection) == before


def test_company_lists_and_figures_follow_it(registration: Registration, control: SandboxControl) -> None:
    score = {"failureScore": {"nationalPercentile": 12, "classScore": 5, "scoreDate": "2026-01-01"}}
    accept(fetched(registration, control, dnbAssessment=score), 1, by=ANN)
    project_figures([A])
    assert Company.objects.get(pk=A).failure_percentile == 12


def test_an_erased_company_is_in_no_fetched_document(registration: Registration, control: SandboxControl) -> None:
    fetch = fetched(registration, control)
    Subject.objects.update(requested=False, state=SubjectState.REMOVED)
    call_command("forget", A, "--yes", "--now")
    assert not FetchedCompany.objects.exists() and A.encode() not in load_bytes(Delivery.objects.get().pk)
    assert accept(fetch, 0, by=ANN) == 0


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_decision_is_carried_out_though_its_process_dies(
    step: str, registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = fetched(registration, control)

    def killed(delivery: Delivery) -> int:
        if step == "after":
            ingest(delivery)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(decide, "ingest", killed)
        with pytest.raises(Killed):
            accept(fetch, 1, by=ANN)
    assert not item(fetch, A).is_carried_out
    assert carry_out_decisions(timezone.now() + timedelta(minutes=1)) == 1
    assert Notification.objects.count() == Publication.objects.count() == 1
    fetch.refresh_from_db()
    assert (fetch.state, fetch.closed_by) == (FetchState.DONE, "ann")
    assert carry_out_decisions(timezone.now() + timedelta(minutes=1)) == 0


@pytest.mark.parametrize("step", ["finish", "close_gap"])
def test_a_gap_is_closed_though_the_process_dies_that_decided_last(
    step: str, registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitored(registration, A)
    with_gap(registration)
    at_dnb(control)
    fetch = run(a_gap_fetch(registration))

    def killed(*about: Any, **more: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(decide if step == "finish" else finishing, step, killed)
        with pytest.raises(Killed):
            accept(fetch, 1, by=ANN)
    continue_fetches()
    fetch.refresh_from_db()
    registration.refresh_from_db()
    assert (fetch.state, registration.gap_from) == (FetchState.DONE, None)


def test_all_are_decided_only_if_as_many_were_shown(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A, B)
    fetch = run(a_fetch(A, B))
    for act in (accept, discard):
        with pytest.raises(NumberChanged, match="now 2 companies"):
            act(fetch, 1, by=ANN)
    assert item(fetch, A).state == item(fetch, B).state == FetchedState.READY


def test_a_gap_is_closed_without_what_failed(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A, B)
    with_gap(registration)
    control.mark(A, "invalid")
    fetch = run(a_gap_fetch(registration))
    assert fetch.state == FetchState.OPEN
    assert accept(fetch, [A], by=ANN) == discard(fetch, [A], by=ANN) == 0, "there is no document"
    assert give_up(fetch, [A], by=ANN) == 1
    fetch.refresh_from_db()
    registration.refresh_from_db()
    assert (fetch.state, registration.gap_from) == (FetchState.DONE, None)


def test_a_gap_is_closed_with_what_was_found(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A, B)
    with_gap(registration)
    at_dnb(control)
    fetch = run(a_gap_fetch(registration))
    registration.refresh_from_db()
    assert (fetch.state, bool(registration.gap_from)) == (FetchState.OPEN, True), "one company is not decided yet"
    accept(fetch, 1, by=ANN)
    registration.refresh_from_db()
    assert (registration.gap_from, registration.gap_until, registration.gap_reason) == (None, None, "")
    entry = AuditEntry.objects.get(action="registration.gap-closed")
    assert entry.actor == "ann" and "No changes at D&B: 1. Accepted: 1." in entry.summary


def test_a_gap_without_changes_is_closed_without_a_decision(
    registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A, B)
    with_gap(registration)
    assert run(a_gap_fetch(registration)).found == "No changes at D&B: 2."
    registration.refresh_from_db()
    assert registration.gap_from is None


def test_a_gap_that_grew_since_stays(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    with_gap(registration)
    fetch = a_gap_fetch(registration)
    Registration.objects.update(gap_until=timezone.now())
    assert run(fetch).state == FetchState.DONE
    registration.refresh_from_db()
    assert registration.gap_from is not None


def test_some_of_several_are_accepted(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A, B, C)
    fetch = run(a_fetch(A, B, C))
    assert accept(fetch, [A], by=ANN) == 1
    fetch.refresh_from_db()
    assert (fetch.state, Notification.objects.count()) == (FetchState.OPEN, 1)
    assert accept(fetch, 2, by=ANN) == 2
    fetch.refresh_from_db()
    assert (fetch.state, Notification.objects.count()) == (FetchState.DONE, 3)
