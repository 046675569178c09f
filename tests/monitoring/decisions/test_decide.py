"""Decisions: made once, with what was known then, confirmed by a second person, and never changed."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.models import AuditEntry
from monitoring.decisions import decide as module
from monitoring.decisions import known
from monitoring.decisions.current import current_decisions, standing_of
from monitoring.decisions.decide import CompanyGone, DecidedSince, Draft, confirm, decide, refuse
from monitoring.decisions.known import known_then
from monitoring.decisions.reviews import refresh_all_reviews
from monitoring.decisions.trail import write_missing_entries
from monitoring.models import Decision, DecisionState, Review
from portfolio.exposure.days import today
from portfolio.exposure.refresh import refresh_columns
from portfolio.imports.states import NotAllowed, Refused
from portfolio.models import Company, Tier
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.decisions import (
    a_decision,
    a_draft,
    a_limit,
    a_tiered_company,
    days_ago,
    review_settings_of,
)
from tests.builders.exposures import exposure
from tests.builders.people import an_actor
from tests.interleaving import all_orders, cut_before, interleave

pytestmark = pytest.mark.django_db
ANN, BOB = an_actor("ann"), an_actor("bob")


def tomorrow() -> date:
    """Asked anew: midnight may pass while the suite runs."""
    return today() + timedelta(days=1)


def test_a_decision_is_final_and_ends_the_review_that_is_due() -> None:
    a_tiered_company(set_days_ago=400)
    row = a_decision(a_limit(250_000, valid_until=tomorrow()))
    assert (row.number, row.state, row.amount_cents, row.currency) == (1, DecisionState.FINAL, 25_000_000, "EUR")
    assert (row.tier_at, row.decided_by, row.decider_id) == (Tier.NORMAL, "ann", ANN.id)
    review = Review.objects.get()
    assert (review.due_on, review.reviewed_by, review.decision_id) == (days_ago(35), "ann", row.pk)
    assert AuditEntry.objects.get(action="decision.made").actor == "ann"


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (a_draft(kind="maybe"), "Choose a decision"),
        (a_draft(reason="  "), "Enter a reason"),
        (a_draft(valid_until=days_ago(1)), "in the past"),
        (a_draft(valid_until=date.max), "before the year 3000"),
        (a_draft("limit", currency="EUR"), "Enter the amount"),
        (a_limit(-1), "Enter the amount"),
        (a_limit(10**14), "Enter the amount"),
        (a_limit(10, "XXY"), "Choose the currency"),
        (a_draft(amount_cents=100), "Only a limit has an amount"),
    ],
)
def test_what_is_missing_or_wrong_is_said(draft: Draft, words: str) -> None:
    a_company()
    with pytest.raises(Refused, match=words):
        a_decision(draft)
    assert not Decision.objects.exists()


# What was known


def test_what_was_known_stays_whatever_comes_later() -> None:
    a_company(name="Acme Ltd", failure_class=2, rating="3A2", country="DE")
    exposure(f"{DUNS};1200", f"{OTHER};5")
    refresh_columns()
    an_alert(title="Score fell")
    row = a_decision()
    frozen = row.known
    Company.objects.update(name="Other", failure_class=5, rating="", exposure=None)
    exposure(f"{DUNS};1", as_of=today())
    row.refresh_from_db()
    found = known_then(json.loads(row.known))
    assert row.known == frozen
    assert ("Name", "Acme Ltd") in found.figures and ("D&B rating", "3A2") in found.figures
    assert ("Failure score class", "2") in found.figures
    assert [title for title, *_ in found.alerts] == ["Score fell"]
    assert dict(found.exposure)["Total"] == "EUR 1,200"
    assert found.as_of == row.decided_at.replace(microsecond=row.decided_at.microsecond // 1000 * 1000)


def test_what_was_not_known_is_not_there() -> None:
    a_company(name="")
    found = known_then(json.loads(a_decision().known))
    assert (found.figures, found.alerts, found.exposure) == ([], [], [])


def test_closed_alerts_are_not_among_the_open_ones() -> None:
    a_company()
    an_alert(state="closed")
    assert json.loads(a_decision().known)["alerts"] == []


def test_more_alerts_than_are_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MOST_ALERTS", 2)
    a_company()
    for title in ("One", "Two", "Three"):
        an_alert(title=title)
    found = known_then(json.loads(a_decision().known))
    assert (len(found.alerts), found.more_alerts) == (2, 1)


# The second person


def test_a_tier_needs_a_second_person() -> None:
    a_tiered_company(tier=Tier.CRITICAL, set_days_ago=100)
    before = Company.objects.get().next_review_on
    row = a_decision()
    assert (row.state, row.needs_second) == (DecisionState.PROPOSED, "The tier of the company is “Critical”.")
    assert not Review.objects.exists() and not current_decisions([DUNS])
    assert Company.objects.get().next_review_on == before
    confirm(row, by=BOB)
    stored = Decision.objects.get()
    assert (stored.state, stored.confirmed_by, stored.confirmer_id) == (DecisionState.FINAL, "bob", BOB.id)
    assert Review.objects.get().decision_id == row.pk
    assert Company.objects.get().next_review_on == today() + timedelta(days=90)


@pytest.mark.parametrize(
    ("draft", "state"),
    [
        (a_limit(99_999), DecisionState.FINAL),
        (a_limit(100_000), DecisionState.PROPOSED),
        (a_limit(1, "USD"), DecisionState.PROPOSED),
        (a_draft("stop"), DecisionState.FINAL),
        (a_draft("hold"), DecisionState.FINAL),
        (a_draft("approve"), DecisionState.PROPOSED),
    ],
)
def test_an_amount_needs_a_second_person_and_so_does_one_without_a_rate(draft: Draft, state: str) -> None:
    a_company()
    review_settings_of(second_from=100_000)
    assert a_decision(draft).state == state


def test_an_approval_is_no_way_around_the_amount() -> None:
    a_company()
    review_settings_of(second_from=100_000)
    assert "has no limit" in a_decision().needs_second


def test_without_settings_no_amount_does() -> None:
    a_company()
    a_company(OTHER)
    assert a_decision(duns=OTHER).state == DecisionState.FINAL
    assert a_decision(a_limit(10**9)).state == DecisionState.FINAL


def test_the_proposer_can_never_confirm_whatever_the_name() -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    row = a_decision()
    renamed = an_actor("ann").__class__("ann-2", ANN.id)
    key = an_actor("key").__class__("key", an_actor("key").id, ANN.id)
    for one in (ANN, renamed, key):
        with pytest.raises(NotAllowed, match="another user must confirm"):
            confirm(row, by=one)
    assert Decision.objects.get().state == DecisionState.PROPOSED


def test_a_key_does_not_hide_who_answers_for_it() -> None:
    """Who proposed by a key that was issued to them cannot confirm as themselves."""
    a_tiered_company(tier=Tier.CRITICAL)
    key = an_actor("key").__class__("key", an_actor("key").id, ANN.id)
    row = decide(DUNS, a_draft(), seen=0, by=key)
    with pytest.raises(NotAllowed):
        confirm(row, by=ANN)
    confirm(row, by=BOB)


def test_a_refused_decision_leaves_the_one_before() -> None:
    a_company()
    first = a_decision()
    review_settings_of(second_from=0)
    second = a_decision(a_limit(10), seen=1)
    with pytest.raises(Refused, match="Enter a reason"):
        refuse(second, reason=" ", by=BOB)
    refuse(second, reason="Too high.", by=BOB)
    standing = standing_of(Company.objects.get())
    assert standing.holds and standing.holds.row.pk == first.pk and standing.waiting is None
    assert Decision.objects.get(pk=second.pk).refusal == "Too high."
    assert a_decision(seen=2, by="cleo").number == 3


def test_while_one_waits_no_other_is_made() -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    a_decision()
    with pytest.raises(Refused, match="awaits confirmation"):
        a_decision(seen=1, by="bob")


def test_an_answer_is_given_once() -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    row = a_decision()
    seen = Decision.objects.get()
    confirm(row, by=BOB)
    with pytest.raises(Refused, match=r"bob has already confirmed.*Final"):
        refuse(seen, reason="No.", by=an_actor("cleo"))
    stored = Decision.objects.get()
    assert (stored.state, stored.confirmed_by, stored.refusal) == (DecisionState.FINAL, "bob", "")


def test_confirmed_and_refused_at_once_one_of_them_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_before(monkeypatch, (module, "_settle"))
    for number, order in enumerate(all_orders(2, 2)):
        duns = f"{100_000_000 + number}"
        a_tiered_company(duns, Tier.CRITICAL)
        row = a_decision(duns=duns)
        outcomes: list[str] = []

        def answer(act: Any, row: Decision = row, outcomes: list[str] = outcomes, **given: Any) -> None:
            try:
                act(Decision.objects.get(pk=row.pk), **given)
                outcomes.append("done")
            except Refused as error:
                outcomes.append(str(error)[:15])

        interleave(order, lambda: answer(confirm, by=BOB), lambda: answer(refuse, reason="No.", by=an_actor("cleo")))  # noqa: B023
        assert sorted(outcomes) == ["No action taken", "done"], order
        row.refresh_from_db()
        assert Review.objects.filter(company=duns).count() == (row.state == DecisionState.FINAL)


# Two at once


def test_the_second_of_two_is_told_and_decides_again() -> None:
    a_company()
    a_decision(a_limit(500), by="ann")
    with pytest.raises(DecidedSince, match=r"ann has decided.*Limit EUR 500.*was not saved"):
        a_decision(a_draft("stop"), by="bob")
    assert a_decision(a_draft("stop"), seen=1, by="bob").number == 2


def test_two_at_once_make_one_decision_in_every_order_of_their_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_before(monkeypatch, (module, "latest_decision"), (module, "_insert"))
    for number, order in enumerate(all_orders(3, 3)):
        duns = f"{100_000_000 + number}"
        a_company(duns)
        told: list[str] = []

        def deciding(by: str, duns: str = duns, told: list[str] = told) -> None:
            try:
                a_decision(duns=duns, by=by)
            except DecidedSince as error:
                told.append(f"{by} reads of {error.latest.decided_by}")

        interleave(order, lambda: deciding("ann"), lambda: deciding("bob"))  # noqa: B023
        row = Decision.objects.get(company=duns)
        others = {"ann": ["bob reads of ann"], "bob": ["ann reads of bob"]}
        assert told == others[row.decided_by], order
        assert Review.objects.filter(company=duns).count() == 1


def test_no_number_is_given_twice() -> None:
    a_company()
    row = a_decision()
    copy = Decision.objects.get()
    copy.pk = Review.key(DUNS, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)
    assert Decision.objects.get().pk == row.pk


def test_whoever_dies_behind_a_decision_leaves_a_review_that_the_night_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    a_tiered_company(set_days_ago=400)

    def dies(*given: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(module, "end_review", dies)
        with pytest.raises(SystemExit):
            a_decision()
    assert (Decision.objects.count(), Review.objects.count()) == (1, 0)
    refresh_all_reviews()
    refresh_all_reviews()
    assert Review.objects.get().decision_id == Decision.objects.get().pk
    assert Company.objects.get().next_review_on == today() + timedelta(days=365)


def test_whoever_dies_before_the_audit_entry_leaves_one_that_the_night_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    a_tiered_company(tier=Tier.CRITICAL)

    def dies(*given: Any, **named: Any) -> None:
        raise SystemExit

    def dying(act: Any) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(module, "insert_new", dies)
            with pytest.raises(SystemExit):
                act()

    dying(a_decision)
    dying(lambda: confirm(Decision.objects.get(), by=BOB))
    assert not AuditEntry.objects.exists()
    assert (write_missing_entries(), write_missing_entries()) == (2, 0)
    entries = AuditEntry.objects.order_by("id").values_list("action", "actor", "actor_id")
    assert list(entries) == [("decision.proposed", "ann", ANN.id), ("decision.confirmed", "bob", BOB.id)]
    assert json.loads(AuditEntry.objects.get(action="decision.proposed").after)["state"] == "proposed"


def test_what_is_recorded_is_not_recorded_again_by_night() -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    a_company(OTHER)
    a_decision(duns=OTHER)
    refuse(a_decision(), reason="No.", by=BOB)
    assert AuditEntry.objects.count() == 3
    assert write_missing_entries() == 0


# Companies that are no more, decisions that have expired


def test_a_decision_on_a_merged_company_offers_the_one_that_remains() -> None:
    a_company(OTHER, "Remaining Ltd")
    a_company(merged_into=OTHER)
    with pytest.raises(CompanyGone, match=f"merged this company into {OTHER}") as refused:
        a_decision()
    assert refused.value.retained == OTHER


def test_a_deleted_company_is_not_decided_on() -> None:
    a_company(operating_status="Deleted at D&B")
    with pytest.raises(CompanyGone, match="deleted this company"):
        a_decision()


def test_a_company_that_was_merged_before_the_confirmation_is_not_confirmed() -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    row = a_decision()
    Company.objects.update(merged_into=OTHER)
    with pytest.raises(CompanyGone):
        confirm(row, by=BOB)
    refuse(row, reason="Merged.", by=BOB)
    assert Decision.objects.get().state == DecisionState.REFUSED


def test_what_has_expired_is_not_confirmed() -> None:
    a_tiered_company(tier=Tier.CRITICAL)
    row = a_decision(a_draft(valid_until=today()))
    Decision.objects.update(valid_until=days_ago(1))
    with pytest.raises(Refused, match="has passed"):
        confirm(Decision.objects.get(pk=row.pk), by=BOB)


def test_an_expired_decision_is_shown_so_and_its_review_is_due() -> None:
    a_company()
    row = a_decision(a_draft(valid_until=today()))
    assert Company.objects.get().next_review_on == tomorrow()
    Decision.objects.update(valid_until=days_ago(1), decided_at=row.decided_at - timedelta(days=9))
    Review.objects.update(reviewed_at=row.decided_at - timedelta(days=9))
    refresh_all_reviews()
    standing = standing_of(Company.objects.get())
    assert standing.holds and standing.holds.is_expired
    assert standing.is_due and not standing.is_overdue
