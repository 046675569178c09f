"""Retention: what is older goes, and every state after the cut is what it was."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from core.blobs import load_bytes
from core.models import AuditEntry, Blob
from monitoring.content_ids import canonical
from monitoring.feed import feed
from monitoring.history import checkpoints
from monitoring.history.checkpoints import profile
from monitoring.history.settle import Touched, settle
from monitoring.history.state import SNAPSHOT
from monitoring.models import (
    Change,
    Delivery,
    DeliveryState,
    HistoryCheckpoint,
    Kind,
    Notification,
    Observation,
    Publication,
    Source,
)
from monitoring.pipeline.ingest import Apart
from monitoring.publications.consumers import all_consumers
from monitoring.rebuild.rebuild import rebuild
from monitoring.retention.retention import Removed, apply_retention, note_for, retain, what_remains
from portfolio.models import Contract
from tests.builders.companies import DUNS
from tests.builders.contracts import a_contract
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.programs import Program
from tests.builders.registrations import a_registration
from tests.builders.times import stamp
from tests.engines import engine

CASES = 1 if engine() == "mongodb" else 5
pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
TODAY = START + timedelta(days=100)
CUT = datetime(2026, 3, 2, tzinfo=UTC)  # 40 days before TODAY
MEMBERS = ("primaryName", "telephone", "numberOfEmployees", "websiteAddress", "tradeStyleNames")
REFERENCES = ("ONE", "TWO", "WHOLE")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as moving:
        yield moving


def on_day(clock: time_machine.Traveller, day: float, *items: Any, reference: str = "ONE") -> Delivery:
    moment = START + timedelta(days=day)
    clock.move_to(moment)
    row = a_registration(reference, full_product=reference == "WHOLE")
    return delivered(
        *[{**item, "deliveryTimeStamp": stamp(moment)} for item in items], registration=row, at=stamp(moment)
    )


def changed(day: float, member: str, previous: Any, current: Any, duns: str = DUNS) -> Any:
    at = stamp(START + timedelta(days=day))
    return an_update(an_element(f"organization.{member}", previous, current, at), duns=duns)


def tidied(clock: time_machine.Traveller, *, all_read: bool = True, **fields: Any) -> Removed:
    """Everything that is due, with everything read."""
    clock.move_to(TODAY)
    contract = a_contract(**fields)
    last = Publication.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    for consumer in all_consumers():
        position = consumer.position()
        if all_read:
            consumer.move(position, last or 0)
    removed = Removed()
    retain(contract, removed, until=TODAY + timedelta(hours=1))
    return removed


def states_after(*moments: datetime, duns: str = DUNS) -> list[str]:
    found = [profile(duns, as_of=moment) for moment in moments]
    return [f"{canonical(one.document)} {one.status and one.status.kind}" for one in found]


AFTER = [CUT + timedelta(hours=hours) for hours in (0, 1, 30, 100, 300, 900, 2000)]


def test_without_a_wish_nothing_goes(clock: time_machine.Traveller) -> None:
    on_day(clock, 0, a_seed(), changed(0, "telephone", None, "1"))
    removed = tidied(clock)
    assert (removed.answers, removed.rows, removed.publications) == (0, 0, 0)
    assert Change.objects.count() == 2 and Blob.objects.exists()


def test_answers_go_after_their_days_and_rows_stay(clock: time_machine.Traveller) -> None:
    old, new = on_day(clock, 0, a_seed()), on_day(clock, 90, changed(90, "telephone", None, "1"))
    assert tidied(clock, keep_bytes=40).answers == 1
    assert load_bytes(old.pk) == b"" and load_bytes(new.pk) != b""
    assert Change.objects.count() == 2
    assert rebuild().removed == 0 and Change.objects.count() == 2
    assert "kept from 2026-03-02" in what_remains(Contract.objects.get())[0]


def test_what_is_not_read_or_in_doubt_keeps_its_bytes(clock: time_machine.Traveller) -> None:
    old = on_day(clock, 0, a_seed())
    for state in (DeliveryState.RECEIVED, DeliveryState.IN_DOUBT, DeliveryState.INGESTED):
        Delivery.objects.filter(pk=old.pk).update(state=state)
        assert tidied(clock, keep_bytes=40).answers == 0
    assert load_bytes(old.pk) != b""


def test_never_before_thirty_days_and_history_not_before_answers(clock: time_machine.Traveller) -> None:
    on_day(clock, 80, a_seed())
    assert tidied(clock, keep_bytes=1).answers == 0
    for fields in ({"keep_bytes": 29}, {"keep_history": 60}, {"keep_bytes": 90, "keep_history": 60}):
        with pytest.raises(ValidationError):
            Contract(name="x", **fields).full_clean()


def test_a_snapshot_stands_for_what_was_removed(clock: time_machine.Traveller) -> None:
    on_day(clock, 0, a_seed(telephone="0"))
    for day in range(1, 20):
        on_day(clock, day, changed(day, "telephone", str(day - 1), str(day)))
    on_day(clock, 90, changed(90, "telephone", "19", "90"))
    before = states_after(*AFTER)
    removed = tidied(clock, keep_bytes=40, keep_history=40)
    assert states_after(*AFTER) == before
    assert removed.rows > 30 and Change.objects.count() == 1
    snapshot = Notification.objects.get(type=SNAPSHOT)
    assert snapshot.delivery.source == Source.SNAPSHOT and '"telephone":"19"' in snapshot.organization.replace(" ", "")
    assert "replaced by snapshots" in AuditEntry.objects.get(action="retention").summary


def test_every_state_after_the_cut_is_what_it_was_whatever_came_before(clock: time_machine.Traveller) -> None:
    """Of several registrations, with SEEDs that lack members, stale SEEDs, notices and drift."""
    choose = random.Random(7)
    for case in range(CASES):
        duns = f"{100_000_000 + case}"
        for day in sorted(choose.uniform(0, 99) for _ in range(16)):
            on_day(clock, day, something(choose, day, duns), reference=choose.choice(REFERENCES))
    clock.move_to(TODAY)
    every = [f"{100_000_000 + case}" for case in range(CASES)]
    before = {duns: states_after(*AFTER, TODAY, duns=duns) for duns in every}
    assert tidied(clock, keep_bytes=40, keep_history=40).rows > 3 * CASES
    after = {duns: states_after(*AFTER, TODAY, duns=duns) for duns in every}
    assert [(duns, after[duns], before[duns]) for duns in every if after[duns] != before[duns]] == []
    assert rebuild().removed == 0
    assert {duns: states_after(*AFTER, TODAY, duns=duns) for duns in every} == before


def something(choose: random.Random, day: float, duns: str) -> Any:
    kind = choose.random()
    if kind < 0.25:
        held = {name: choose.choice("abc") for name in MEMBERS if choose.random() < 0.6}
        return {"type": "SEED", "organization": {"duns": duns, **held}}
    if kind < 0.35:
        return a_notice(choose.choice(["DELETE", "UNDELETE", "UNDER_REVIEW"]), duns)
    happened = max(0.0, day - choose.choice([0.1, 2, 3.9]))
    return changed(happened, choose.choice(MEMBERS), choose.choice("abc"), choose.choice("abc"), duns)


def test_again_it_finds_nothing_and_a_week_later_it_goes_on(clock: time_machine.Traveller) -> None:
    on_day(clock, 0, a_seed(telephone="0"), changed(0, "telephone", "0", "1"))
    on_day(clock, 64, changed(64, "telephone", "1", "2"))
    assert tidied(clock, keep_bytes=40, keep_history=40).rows
    assert tidied(clock).rows == 0
    clock.move_to(TODAY + timedelta(days=10))
    removed, before = Removed(), states_after(TODAY)
    retain(Contract.objects.get(), removed, until=timezone.now() + timedelta(hours=1))
    assert removed.rows and states_after(TODAY) == before
    assert Notification.objects.filter(type=SNAPSHOT).count() == 1


def test_whole_documents_are_still_compared_with_the_one_before(clock: time_machine.Traveller) -> None:
    for day, sequence in ((0, 1), (5, 2), (10, 3)):
        on_day(clock, day, a_seed(numberOfEmployees=sequence), reference="WHOLE")
    tidied(clock, keep_bytes=40, keep_history=40)
    assert Notification.objects.filter(type="SEED").count() == 1
    clock.move_to(TODAY)
    on_day(clock, 100, a_seed(numberOfEmployees=4), reference="WHOLE")
    change = Change.objects.exclude(derived_from="").get()
    assert (change.previous, change.current, change.superseded) == ("3", "4", False)


def test_cursors_from_before_the_cut_are_told_to_begin_again(clock: time_machine.Traveller) -> None:
    on_day(clock, 0, a_seed())
    early = feed.latest()
    for day in (1, 2, 95):
        on_day(clock, day, changed(day, "telephone", None, str(day)))
    late = feed.latest()
    assert tidied(clock, keep_bytes=40, keep_history=40).publications == 3
    with pytest.raises(feed.Gone):
        feed.read(early, 10, feed.Choice())
    assert feed.read(late, 10, feed.Choice()).entries == []
    assert [entry.change.current for entry in feed.read(None, 10, feed.Choice()).entries] == ['"95"']


def test_the_last_publication_and_what_readers_have_not_read_stay(clock: time_machine.Traveller) -> None:
    on_day(clock, 0, a_seed())
    on_day(clock, 1, changed(1, "telephone", None, "1"))
    assert tidied(clock, all_read=False, keep_bytes=40, keep_history=40).publications == 0
    Contract.objects.update(history_kept_from=None)
    assert tidied(clock).publications == 1
    assert [row.sequence for row in Publication.objects.all()] == [2]


def test_stopped_in_the_middle_it_goes_on_where_it_was(clock: time_machine.Traveller) -> None:
    for sequence in range(3):
        on_day(clock, 0, a_seed(f"{100_000_000 + sequence}", telephone="0"))
    clock.move_to(TODAY)
    a_contract(keep_bytes=40, keep_history=40)
    for _ in range(3):
        retain(Contract.objects.get(), Removed(), until=timezone.now())
    assert Contract.objects.get().history_kept_from is None
    apply_retention()
    assert Contract.objects.get().history_kept_from == CUT
    assert set(Notification.objects.values_list("delivery__source", flat=True)) == {Source.SNAPSHOT}


def test_who_looks_further_back_is_told(clock: time_machine.Traveller) -> None:
    on_day(clock, 0, a_seed())
    tidied(clock, keep_bytes=40, keep_history=40)
    assert "kept from 2026-03-02" in note_for(CUT - timedelta(days=1))
    assert note_for(CUT) == "" and note_for(None) == ""
    assert Change.objects.filter(kind=Kind.BASELINE).count() == 0


def test_pages_and_programs_get_along_without_the_answers(
    clock: time_machine.Traveller, client: Client, program: Program
) -> None:
    on_day(clock, 0, a_seed())
    on_day(clock, 59, changed(59, "telephone", None, "1"))
    tidied(clock, keep_bytes=40, keep_history=40)
    client.force_login(get_user_model().objects.create_superuser("ann"))
    update = Notification.objects.get(type="UPDATE")
    assert client.get(f"/monitoring/notification/{update.pk}/change/").status_code == 200
    assert client.get(f"/monitoring/delivery/{update.delivery_id}/change/").status_code == 200
    assert "is incomplete" in client.get(f"/portfolio/company/{DUNS}/change/?as_of=2026-02-01").content.decode()
    early = program.read(f"companies/{DUNS}/profile/", as_of="2026-02-01")
    assert not early["complete"] and "kept from 2026-03-02" in early["note"]
    for moment in ({"as_of": f"{CUT:%Y-%m-%d}"}, {}):
        later = program.read(f"companies/{DUNS}/profile/", **moment)
        assert later["complete"] and later["note"] == ""
    assert [row["type"] for row in program.read("notifications/")["results"]] == ["UPDATE"], "a snapshot is not D&B's"


# Which changes are one fact


def test_reports_go_with_their_change(clock: time_machine.Traveller) -> None:
    for reference in ("ONE", "TWO"):
        on_day(clock, 1, changed(1, "telephone", None, "1"), reference=reference)
        on_day(clock, 95, changed(95, "telephone", "1", "2"), reference=reference)
    assert Observation.objects.count() == 2
    tidied(clock, keep_history=40, keep_bytes=40)
    assert Change.objects.get().current == '"2"' and Observation.objects.get().change == Change.objects.get()


def test_a_report_of_another_contracts_change_goes_with_its_notification(clock: time_machine.Traveller) -> None:
    clock.move_to(START)
    theirs = a_registration("THEIRS", contract=a_contract(name="OTHER"))
    delivered(changed(1, "telephone", None, "1"), registration=theirs, at=stamp(START))
    on_day(clock, 1, changed(1, "telephone", None, "1"), changed(1, "websiteAddress", None, "x"))
    assert Observation.objects.get().registration.reference == "ONE"
    tidied(clock, keep_history=40, keep_bytes=40)
    assert Change.objects.get().registration == theirs and not Observation.objects.exists()


def test_a_change_that_explains_a_later_difference_stays_with_it(clock: time_machine.Traveller) -> None:
    """An UPDATE of before the cut, which a document after it shows: without it the difference would hold again."""
    on_day(clock, 1, a_seed(telephone="0"), reference="WHOLE")
    on_day(clock, 2, changed(2, "telephone", "0", "1"), changed(2, "websiteAddress", None, "x"))
    on_day(clock, 80, a_seed(telephone="1"), reference="WHOLE")
    before = states_after(*AFTER)
    difference = Change.objects.get(element="organization.telephone", derived_from__gt="")
    tidied(clock, keep_history=40, keep_bytes=40)
    difference.refresh_from_db()
    assert Change.objects.get(pk=str(difference.replaced_by)).current == '"1"'
    assert not Change.objects.filter(element="organization.websiteAddress", derived_from="").exists()
    settle(Touched({DUNS: START}), None, Apart(difference.delivery).delivery)
    difference.refresh_from_db()
    assert difference.superseded and states_after(*AFTER) == before


def test_of_a_repeated_status_the_one_that_holds_stays(clock: time_machine.Traveller) -> None:
    for day, reference in ((1, "ONE"), (2, "TWO")):
        on_day(clock, day, a_notice("DELETE"), reference=reference)
    on_day(clock, 95, changed(95, "telephone", None, "1"))
    tidied(clock, keep_history=40, keep_bytes=40)
    kept = Change.objects.get(kind=Kind.DELETED)
    assert (kept.registration.reference, kept.superseded) == ("ONE", False)


def test_whoever_reads_a_company_while_it_is_condensed_finds_its_values(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading its documents and its changes, in whichever order, all that is old goes."""
    on_day(clock, 1, a_seed(primaryName="A"))
    on_day(clock, 2, changed(2, "primaryName", "A", "B"))
    calls: list[str] = []
    readers = {name: getattr(checkpoints, name) for name in ("seed_events", "change_events")}

    def condensed_before_the_second(name: str) -> Any:
        def read(rows: Any) -> Any:
            calls.append(name)
            if len(calls) == 2:
                monkeypatch.undo()
                tidied(clock, keep_history=40)
            return list(readers[name](rows))

        return read

    for name in readers:
        monkeypatch.setattr(checkpoints, name, condensed_before_the_second(name))
    assert profile(DUNS).value("organization.primaryName") == "B"
    assert calls and not Change.objects.filter(kind=Kind.ELEMENT).exists()


def test_what_was_kept_of_the_old_history_goes_with_it(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "EVERY", 2)
    on_day(clock, 1, a_seed(primaryName="A"))
    on_day(clock, 5, *(changed(day, "primaryName", f"N{day}", f"N{day + 1}") for day in range(2, 6)))
    assert profile(DUNS).value("organization.primaryName") == "N6" and HistoryCheckpoint.objects.exists()
    on_day(clock, 95, changed(95, "telephone", None, "1"))
    tidied(clock, keep_history=40, keep_bytes=40)
    assert not HistoryCheckpoint.objects.exists()
    assert profile(DUNS).value("organization.primaryName") == "N6"
