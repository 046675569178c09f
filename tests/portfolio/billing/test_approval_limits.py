"""What one person may do alone is held against the sum of what that person did, by whatever way; by id, not by name."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from core.actors import Actor, actor_at_the_shell
from core.models import AuditEntry
from dnbmon_site.accounts.models import ApiKey
from portfolio.billing.approval_limits import (
    Act,
    NeedsSecondPerson,
    additions_of,
    do_alone,
    forget,
    reasons_for_second,
    removals_of,
)
from portfolio.billing.contract_year import remove_planned
from portfolio.billing.new_billable import new_billable
from portfolio.imports.apply import approve_undo, keep_requests, undo_import
from portfolio.imports.confirm import approve_import, confirm_import
from portfolio.imports.planned_removals import plan_removal
from portfolio.imports.resume import work_on
from portfolio.imports.states import NotAllowed
from portfolio.imports.upload import create_import
from portfolio.models import (
    ImportMode,
    ImportState,
    ProposalKind,
    Registration,
    SinglePersonAct,
    Subject,
    SubjectImport,
    SubjectState,
)
from portfolio.proposals.create import Sign, propose
from portfolio.proposals.decide import Refused, accept, approve
from portfolio.reconciliation import reconcile
from portfolio.registrations.adopt import adopt_as_requested, learn_is_in, learn_is_out
from portfolio.registrations.dnb_list_files import apply_export
from portfolio.registrations.membership_evidence import apply_evidence, evidence_of
from tests.builders.companies import duns_numbers
from tests.builders.contracts import a_contract
from tests.builders.pages import text_of
from tests.builders.people import a_person, an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
ANN, BOB = an_actor("ann"), an_actor("bob")


def tomorrow() -> date:
    """Asked anew: midnight may pass while the suite runs."""
    return timezone.now().date() + timedelta(days=1)


@pytest.fixture
def registration() -> Registration:
    """Twenty companies, of which one person may remove two, and add two."""
    row = a_registration(adopted=True, contract=a_contract(cap=2, removal_share=10))
    for duns in duns_numbers(20):
        a_subject(duns, row, state=SubjectState.MONITORED)
    return row


def an_import(registration: Registration, *duns: str, mode: str = ImportMode.ADD) -> SubjectImport:
    import_ = create_import(
        registration=registration,
        content="\n".join(duns).encode(),
        file_name="",
        mode=mode,
        source="x",
        requested_by="x",
    )
    work_on(import_)
    return import_


def confirmed(registration: Registration, *duns: str, by: Actor = ANN, mode: str = ImportMode.ADD) -> SubjectImport:
    import_ = an_import(registration, *duns, mode=mode)
    confirm_import(import_=import_, number=len(duns), confirmed_by=by, may_confirm=True)
    work_on(import_)
    return import_


def some(registration: Registration, count: int) -> list[Subject]:
    return list(Subject.objects.filter(registration=registration, requested=True).order_by("company")[:count])


def duns_of(rows: list[Subject]) -> list[str]:
    return [row.company_id for row in rows]


NEW = duns_numbers(26)[20:]


def test_imports_below_the_cap_add_up(registration: Registration) -> None:
    assert confirmed(registration, NEW[0]).state == confirmed(registration, NEW[1]).state == ImportState.APPLIED
    third = confirmed(registration, NEW[2])
    assert third.state == ImportState.AWAITING_APPROVAL
    (why,) = reasons_for_second(Act(ANN, registration, additions=1))
    assert why.startswith("together with 2 companies that ann has already added alone in this contract year")
    assert confirmed(registration, NEW[3], by=BOB).state == ImportState.APPLIED, "everybody has a sum of their own"
    approve_import(import_=third, approved_by=BOB, may_approve=True)
    assert (additions_of(ANN, registration), additions_of(BOB, registration)) == (2, 1), "two decided: it is neither's"


def test_additions_count_in_all_registrations_of_the_contract_and_for_a_contract_year(
    registration: Registration,
) -> None:
    elsewhere = a_registration("ELSEWHERE")
    assert do_alone(Act(ANN, elsewhere, additions=2))
    assert not do_alone(Act(ANN, registration, additions=1))
    day = timezone.now().date()
    a_contract(anniversary=day - timedelta(days=10))
    SinglePersonAct.objects.update(at=timezone.now() - timedelta(days=11))
    registration.refresh_from_db()
    assert do_alone(Act(ANN, registration, additions=1)), "a new contract year has begun"


def test_removals_count_for_thirty_days(registration: Registration) -> None:
    assert do_alone(Act(ANN, registration, removals=2))
    assert not do_alone(Act(ANN, registration, removals=1))
    SinglePersonAct.objects.update(at=timezone.now() - timedelta(days=31))
    assert do_alone(Act(ANN, registration, removals=1))


def test_what_was_not_done_is_not_counted(registration: Registration) -> None:
    row = do_alone(Act(ANN, registration, removals=2))
    assert row and not do_alone(Act(ANN, registration, removals=2)) and SinglePersonAct.objects.count() == 1
    forget(row)
    assert removals_of(ANN, registration) == 0
    assert do_alone(Act(ANN, registration)) and SinglePersonAct.objects.count() == 0


def test_a_new_name_makes_no_second_person(registration: Registration) -> None:
    import_ = confirmed(registration, *NEW[:3])
    with pytest.raises(NotAllowed, match="another user"):
        approve_import(import_=import_, approved_by=Actor("anna", ANN.id), may_approve=True)
    approve_import(import_=import_, approved_by=Actor("ann", BOB.id), may_approve=True)
    ids = dict(AuditEntry.objects.exclude(actor_id=None).order_by("id").values_list("action", "actor_id"))
    assert (ids["import.confirm"], ids["import.approve"]) == (ANN.id, BOB.id)


def test_who_is_not_known_by_id_can_not_be_told_apart(registration: Registration) -> None:
    import_ = confirmed(registration, *NEW[:3])
    SubjectImport.objects.update(confirmer_id=None)
    import_.refresh_from_db()
    with pytest.raises(NotAllowed, match="not known"):
        approve_import(import_=import_, approved_by=BOB, may_approve=True)


def test_plans_are_removals_and_above_the_limit_wait_for_two(registration: Registration) -> None:
    assert plan_removal(subjects=some(registration, 2), day=tomorrow(), by=ANN).count == 2
    assert plan_removal(subjects=some(registration, 2), day=tomorrow() + timedelta(days=9), by=ANN).count == 2, "later"
    planned = plan_removal(subjects=some(registration, 4), day=tomorrow(), by=ANN)
    assert planned.count == 0 and Subject.objects.filter(remove_on=tomorrow()).count() == 0
    (import_,) = planned.waiting
    work_on(import_)
    confirm_import(import_=import_, number=4, confirmed_by=ANN, may_confirm=True)
    approve_import(import_=import_, approved_by=BOB, may_approve=True)
    work_on(import_)
    assert Subject.objects.filter(remove_on=tomorrow(), requested=True).count() == 4
    entry = AuditEntry.objects.filter(action="plan removal").latest("id")
    assert (entry.actor, entry.actor_id) == ("ann", ANN.id)


def test_what_is_planned_makes_the_list_no_longer() -> None:
    row = a_registration(adopted=True, contract=a_contract(removal_share=50))
    for duns in duns_numbers(20):
        a_subject(duns, row)
    left = list(Subject.objects.filter(registration=row).order_by("company"))
    portions = [left[:8], left[8:10], left[10:12], left[12:13]]
    assert [plan_removal(subjects=some, day=tomorrow(), by=ANN).count for some in portions] == [8, 2, 0, 0]
    assert remove_planned() == 0
    Subject.objects.filter(remove_on=tomorrow()).update(remove_on=timezone.now().date())
    assert remove_planned() == 10, "when they are gone, the list counts as it was at first"
    assert reasons_for_second(Act(ANN, row, removals=1)) and not reasons_for_second(Act(BOB, row, removals=5))


def test_the_page_of_plans_leads_to_the_import(client: Client, registration: Registration) -> None:
    client.force_login(a_person(role="Portfolio manager"))
    keys = [str(row.pk) for row in some(registration, 3)]
    day = {"key": keys, "day": f"{date.today() + timedelta(days=9):%Y-%m-%d}"}
    told = text_of(client.post("/portfolio/subject/plan/", day, follow=True))
    assert "so it is not scheduled yet" in told and "Removal date" in told
    assert not Subject.objects.filter(remove_on__isnull=False).exists()


def test_removals_add_up_over_all_ways(registration: Registration) -> None:
    assert plan_removal(subjects=some(registration, 1), day=tomorrow(), by=ANN).count == 1
    first, second = duns_of(some(registration, 3)[1:])
    assert confirmed(registration, first, mode=ImportMode.REMOVE).state == ImportState.APPLIED
    assert confirmed(registration, second, mode=ImportMode.REMOVE).state == ImportState.AWAITING_APPROVAL
    Subject.objects.filter(company=NEW[0]).delete()
    a_subject(NEW[0], registration, requested=False, state=SubjectState.MONITORED)
    with pytest.raises(NeedsSecondPerson, match="First request the companies"):
        reconcile.stop_monitoring(registration, [NEW[0]], by=ANN)
    assert reconcile.stop_monitoring(registration, [NEW[0]], by=BOB) == 1


def test_proposals_count_and_wait(registration: Registration) -> None:
    made = propose(
        [Sign(ProposalKind.TRANSFER, registration.pk, duns, to) for duns, to in zip(duns_numbers(3), NEW, strict=False)]
    )
    assert [bool(accept([row], by=ANN, confirmed=1).accepted) for row in made] == [True, True, False]
    made[2].refresh_from_db()
    assert made[2].confirmer_id == ANN.id
    with pytest.raises(Refused, match="another user"):
        approve([made[2]], by=Actor("anna", ANN.id), confirmed=1)
    assert approve([made[2]], by=BOB, confirmed=1).accepted
    deleted = propose([Sign(ProposalKind.DELETE, registration.pk, row.company_id) for row in some(registration, 3)])
    assert [bool(accept([row], by=ANN, confirmed=0).accepted) for row in deleted] == [True, True, False]


def test_sending_again_is_adding(registration: Registration) -> None:
    for duns in NEW[:3]:
        a_subject(duns, registration, state=SubjectState.REMOVED)
    assert reconcile.send_again(registration, NEW[:2], by=ANN) == 2
    with pytest.raises(NeedsSecondPerson, match="submit the companies as an import"):
        reconcile.send_again(registration, NEW[2:3], by=ANN)


@pytest.fixture
def applied(registration: Registration) -> SubjectImport:
    import_ = confirmed(registration, *NEW[:5])
    approve_import(import_=import_, approved_by=BOB, may_approve=True)
    work_on(import_)
    return import_


def test_undoing_what_was_never_sent_removes_nothing(applied: SubjectImport) -> None:
    undo_import(import_=applied, undone_by=ANN, may_confirm=True)
    assert applied.state == ImportState.UNDOING and removals_of(ANN, applied.registration) == 0


def test_undoing_is_removing_and_above_the_limit_takes_two(applied: SubjectImport) -> None:
    Subject.objects.filter(requested_import=applied.pk).update(state=SubjectState.MONITORED)
    undo_import(import_=applied, undone_by=ANN, may_confirm=True)
    assert applied.state == ImportState.AWAITING_UNDO
    with pytest.raises(NotAllowed, match="another user"):
        approve_undo(import_=applied, approved_by=Actor("anna", ANN.id), may_approve=True)
    keep_requests(import_=applied, maintained_by=BOB)
    assert applied.state == ImportState.APPLIED
    undo_import(import_=applied, undone_by=ANN, may_confirm=True)
    approve_undo(import_=applied, approved_by=BOB, may_approve=True)
    work_on(applied)
    assert applied.state == ImportState.UNDONE and not Subject.objects.filter(
        requested_import=applied.pk, requested=True
    )


def test_undoing_is_approved_on_the_page(client: Client, applied: SubjectImport) -> None:
    Subject.objects.filter(requested_import=applied.pk).update(state=SubjectState.MONITORED)
    page = f"/portfolio/subjectimport/{applied.pk}/"
    client.force_login(a_person(role="Portfolio manager"))
    assert "in effect until another user approves the undo" in text_of(client.post(f"{page}do/undo/", follow=True))
    assert "You asked for the undo" in text_of(client.get(f"{page}change/"))
    client.post(f"{page}do/cancel/")
    assert SubjectImport.objects.get().state == ImportState.APPLIED
    client.post(f"{page}do/undo/")
    client.force_login(a_person(role="Approver", username="eve"))
    assert "Do not undo" not in text_of(client.get(f"{page}change/"))
    client.post(f"{page}do/approve/")
    assert SubjectImport.objects.get().state == ImportState.UNDOING


def test_the_api_removes_no_more_than_the_limit(client: Client, registration: Registration) -> None:
    client.force_login(a_person(role="Portfolio manager"))
    address = f"/api/v1/registrations/{registration.reference}/subjects/"

    def remove(duns: str) -> Any:
        return client.delete(f"{address}?duns={duns}")

    answers = [remove(duns).status_code for duns in duns_of(some(registration, 3))]
    assert answers == [200, 200, 202]
    person = get_user_model().objects.get()
    person.username = "somebody-else"
    person.save()
    assert remove(duns_of(some(registration, 1))[0]).status_code == 202


def test_who_issues_many_keys_removes_no_more_by_them(client: Client, registration: Registration) -> None:
    person = a_person(role="Portfolio manager")
    keys = [ApiKey.issue(name=f"key {n}", scopes="write:portfolio", created_by=person)[1] for n in range(3)]
    address = f"/api/v1/registrations/{registration.reference}/subjects/"
    given = zip(keys, duns_of(some(registration, 3)), strict=True)

    def remove(key: str, duns: str) -> int:
        return client.delete(f"{address}?duns={duns}", headers={"Authorization": f"Bearer {key}"}).status_code

    assert [remove(key, duns) for key, duns in given] == [200, 200, 202]
    client.force_login(person)
    assert client.delete(f"{address}?duns={duns_of(some(registration, 1))[0]}").status_code == 202
    entry = AuditEntry.objects.filter(action="withdraw").latest("id")
    assert entry.actor.startswith("key 1"), "the audit tells the key"


def test_the_account_at_the_shell_is_known_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    before = actor_at_the_shell()
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert actor_at_the_shell() == "somebody-else (command line)" and actor_at_the_shell().id == before.id


# What somebody's own file says of D&B's list


def a_list(folder: Path, duns: list[str]) -> list[Path]:
    path = folder / "list.txt"
    path.write_text("\n".join(duns))
    return [path]


def test_a_list_of_ones_own_makes_no_company_free(registration: Registration, tmp_path: Path) -> None:
    new = duns_numbers(26)[20:]
    apply_export(registration, a_list(tmp_path, new), by=ANN, reported_by=ANN.id)
    other = a_registration("OTHER", adopted=True, contract=registration.contract)
    for where in (registration, other):
        assert new_billable(registration.contract, new) == set(new)
        import_ = an_import(where, *new)
        assert import_.new_billable == 6
        confirm_import(import_=import_, number=6, confirmed_by=ANN, may_confirm=True)
        assert import_.state == ImportState.AWAITING_APPROVAL
    adopt_as_requested(registration, by=ANN)
    assert new_billable(registration.contract, new) == set(new), "also not by being taken as wanted"


def test_what_only_a_list_of_ones_own_ended_costs_when_sent_again(registration: Registration, tmp_path: Path) -> None:
    new = duns_numbers(26)[20:]
    apply_export(registration, a_list(tmp_path, duns_numbers(26)), by=ANN, reported_by=ANN.id)
    adopt_as_requested(registration, by=ANN)
    apply_export(registration, a_list(tmp_path, duns_numbers(20)), by=ANN, reported_by=ANN.id)
    assert Subject.objects.filter(state=SubjectState.REMOVED).count() == 6
    with pytest.raises(NeedsSecondPerson):
        reconcile.send_again(registration, new, by=ANN)


def test_d_and_b_itself_makes_known_what_a_list_said(registration: Registration, tmp_path: Path) -> None:
    said, heard, denied = new = duns_numbers(23)[20:]
    apply_export(registration, a_list(tmp_path, duns_numbers(23)), by=ANN, reported_by=ANN.id)
    assert new_billable(registration.contract, duns_numbers(23)) == set(new), "what was known before stays so"
    learn_is_in(registration, [said])
    apply_evidence(registration, evidence_of([(heard, "UPDATE", timezone.now())]))
    learn_is_out(registration, [denied])
    assert new_billable(registration.contract, new) == {denied}, "and that it was there before is not believed either"


def test_no_list_is_from_the_future(registration: Registration, tmp_path: Path) -> None:
    path = tmp_path / f"{registration.reference}_29991231000000_DunsExport_1.txt"
    path.write_text(duns_numbers(21)[20])
    apply_export(registration, [path], by=ANN)
    assert Subject.objects.filter(company=duns_numbers(21)[20], checked_at__lte=timezone.now()).exists()
