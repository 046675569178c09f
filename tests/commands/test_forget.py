"""manage.py forget: a company or a registration is gone from every table and from the stored bytes, others stay."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.management import CommandError

from core.audit import record
from core.blobs import load_bytes, store_bytes
from core.models import AuditEntry, Blob
from core.notices import notify
from dnbmon_site.accounts.models import User
from dnbmon_site.operations.backup.portable_dump import line_of
from dnbmon_site.operations.erase.blobs import is_about
from monitoring.alerts.actions import assign
from monitoring.history.checkpoints import profile
from monitoring.ingest.raw_item import raw_item
from monitoring.models import (
    Alert,
    AlertRule,
    Change,
    ConsumerOffset,
    Delivery,
    LatencyHistogram,
    Notification,
    OutboxMessage,
    Publication,
    WebhookEndpoint,
)
from monitoring.rebuild.rebuild import rebuild
from monitoring.stats.latency import roll_up_delays
from monitoring.webhooks.endpoints import create_endpoint
from monitoring.webhooks.enqueue import queue_changes
from portfolio.call_budgets.calls import counted_call
from portfolio.companies.notes import add_note
from portfolio.models import CallKind, Company, Contract, Registration, RegistrationState, Subject, SubjectState
from tests.builders.alerts import raised
from tests.builders.company_searches import a_search
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update, news
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.subjects import a_subject
from tests.builders.times import soon

pytestmark = [pytest.mark.django_db, pytest.mark.every_engine]
GONE, STAYS = "804735132", "150483782"
NAME = "Forgetme Holding"


def everything_that_is_stored() -> str:
    """Each value of each row of ours, and all stored bytes, as one text."""
    texts = [str(line_of(row)) for model in apps.get_models() if model is not Blob for row in _rows(model)]
    owners = set(Blob.objects.values_list("owner", flat=True))
    return "\n".join([*texts, *(load_bytes(owner).decode("utf-8", "replace") for owner in owners)])


def _rows(model: Any) -> Any:
    return model._default_manager.all() if model._meta.managed and not model._meta.proxy else []


def a_life() -> Delivery:
    """A company that left traces in every corner, beside another one."""
    a_rule(companies=GONE)
    add_note(company=Company.objects.get_or_create(duns=GONE)[0], text=f"{NAME} pays late.", by="ann")
    create_endpoint(made_by="ann", name="CRM", url="https://crm.example.com/", companies=f"{GONE}, {STAYS}")
    both = delivered(
        a_seed(STAYS, primaryName="Stays"),
        a_seed(GONE, primaryName=NAME),
        an_update(an_element("organization.telephone", None, "1"), duns=STAYS),
        news(duns=GONE),
    )
    raised()
    queue_changes(soon())
    subject = a_subject(GONE, requested=False, state=SubjectState.REMOVED)
    record(actor="ann", action="entry", thing=subject, summary=f"{GONE} {NAME} wanted", after={"duns": [GONE, STAYS]})
    notify(kind="sync", subject=f"{NAME} refused", text=f"{GONE} was refused", key="1")
    user = User.objects.create_user("ann")
    assign([Alert.objects.get().pk], to=user, by="bob")
    LogEntry.objects.create(user=user, action_flag=CHANGE, object_id=GONE, object_repr=NAME, change_message="x")
    store_bytes(uuid.uuid4(), f"80-473-5132;{NAME[:1]}\n{STAYS};Stays\n".encode())
    store_bytes(uuid.uuid4(), spreadsheet(GONE))
    a_search(Contract.objects.get(), candidates=f'[["{GONE}","{NAME}"],["{STAYS}","Stays"]]')
    a_search(Contract.objects.get(), name=NAME, candidates=f'[["{STAYS}","Stays"]]')
    for kind, about in ((CallKind.DATA_BLOCKS, GONE), (CallKind.MATCH, NAME)):
        with counted_call(Contract.objects.get(), kind, about=about, requested_by="ann"):
            pass
    return both


def spreadsheet(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<t>{text}</t>")
    return file.getvalue()


def test_first_it_only_says_what_would_go(run: Callable[..., str]) -> None:
    a_life()
    before = everything_that_is_stored()
    said = run("forget", GONE, now=True)
    assert "Nothing was erased" in said and "2 changes" in said and "1 alerts" in said
    assert everything_that_is_stored() == before


def test_no_trace_of_the_company_is_left(run: Callable[..., str]) -> None:
    a_life()
    assert GONE in everything_that_is_stored() and NAME in everything_that_is_stored()
    said = run("forget", GONE, now=True, yes=True)
    left = everything_that_is_stored()
    assert GONE not in left and NAME not in left and "80-473-5132" not in left
    assert "responses rewritten" in said and "uploaded spreadsheets removed" in said
    assert not Alert.objects.exists() and not OutboxMessage.objects.filter(company=GONE).exists()


def test_others_of_the_same_answer_stay_as_they_were(run: Callable[..., str]) -> None:
    both = a_life()
    kept = list(Change.objects.filter(company=STAYS).order_by("pk").values())
    document = profile(STAYS).document
    raw = {row.pk: raw_item(row) for row in Notification.objects.filter(company=STAYS)}
    run("forget", GONE, now=True, yes=True)
    assert list(Change.objects.filter(company=STAYS).order_by("pk").values()) == kept
    assert profile(STAYS).document == document
    assert {row.pk: raw_item(row) for row in Notification.objects.filter(company=STAYS)} == raw
    both.refresh_from_db()
    assert (both.new_count, "removed from its data" in both.error) == (2, True)
    assert Publication.objects.get().change_count == 2


def test_a_rebuild_does_not_bring_it_back(run: Callable[..., str]) -> None:
    a_life()
    run("forget", GONE, now=True, yes=True)
    result = rebuild()
    assert (result.added, result.mended, result.removed, result.unreadable) == (0, 0, 0, 0)
    assert not Company.objects.filter(pk=GONE).exists()


def test_the_audit_says_how_much_was_removed_and_nothing_of_it(run: Callable[..., str]) -> None:
    a_life()
    run("forget", GONE, now=True, yes=True)
    entry = AuditEntry.objects.get(action="forget")
    assert "2 changes" in entry.summary and "2 notifications" in entry.summary
    assert "(forgotten)" in AuditEntry.objects.get(action="entry").summary
    assert STAYS in AuditEntry.objects.get(action="entry").after


def test_a_rule_for_it_alone_is_switched_off_rather_than_being_for_everything(run: Callable[..., str]) -> None:
    a_life()
    run("forget", GONE, now=True, yes=True)
    assert not AlertRule.objects.get().active
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.companies, endpoint.is_active) == (STAYS, True)


def test_again_it_finds_nothing(run: Callable[..., str]) -> None:
    a_life()
    run("forget", GONE, now=True, yes=True)
    assert f"{GONE}: nothing." in run("forget", GONE)


def test_who_is_still_monitored_is_not_forgotten(run: Callable[..., str]) -> None:
    a_subject(GONE, requested=False, state=SubjectState.MONITORED)
    with pytest.raises(CommandError, match="monitored in ACME_LOD_01, so D&B keeps sending it"):
        run("forget", GONE, yes=True)
    assert Subject.objects.exists()


def test_what_a_replay_would_bring_back_waits_for_its_end(run: Callable[..., str]) -> None:
    delivered(news(duns=GONE))
    with pytest.raises(CommandError, match="can replay notifications about"):
        run("forget", GONE, yes=True)
    assert Company.objects.filter(pk=GONE).exists()


def test_numbers_that_are_none_are_told(run: Callable[..., str]) -> None:
    with pytest.raises(CommandError):
        run("forget", "12")
    with pytest.raises(CommandError, match="Name D-U-N-S numbers, or a registration"):
        run("forget")


# Registrations


def paused(reference: str) -> Registration:
    row = a_registration(reference)
    Registration.objects.filter(pk=row.pk).update(state=RegistrationState.PAUSED)
    return row


def test_a_registration_goes_with_all_that_it_alone_brought(run: Callable[..., str]) -> None:
    stays = delivered(an_update(duns=STAYS), registration=a_registration("STAYS"))
    gone = a_registration("GOES")
    bytes_of = delivered(a_notice(duns=GONE), an_update(an_element(current="X"), duns=GONE), registration=gone)
    raised()
    paused("GOES")
    assert "2 notifications" in run("forget", registration="GOES") and Registration.objects.count() == 2
    run("forget", registration="GOES", yes=True)
    assert list(Registration.objects.values_list("reference", flat=True)) == ["STAYS"]
    assert list(Company.objects.values_list("pk", flat=True)) == [STAYS]
    assert set(Change.objects.values_list("company_id", flat=True)) == {STAYS}
    assert load_bytes(bytes_of.pk) == b"" and load_bytes(stays.pk) != b""
    assert "GOES erased" in AuditEntry.objects.get(action="forget").summary


def test_a_fact_that_another_registration_tells_too_stays_as_that_ones(run: Callable[..., str]) -> None:
    first, second = a_registration("GOES"), a_registration("STAYS")
    delivered(an_update(an_element(current="SAME")), registration=first)
    other = delivered(an_update(an_element(current="SAME")), registration=second)
    assert Change.objects.get().registration_id == first.pk
    paused("GOES")
    run("forget", registration="GOES", yes=True)
    change = Change.objects.get()
    assert (change.registration_id, change.delivery_id) == (second.pk, other.pk)
    assert Company.objects.get().name == "SAME"


def test_reports_count_what_is_published_after_a_registration_was_removed(run: Callable[..., str]) -> None:
    delivered(an_update(duns=STAYS), registration=a_registration("STAYS"))
    delivered(an_update(duns=GONE), registration=a_registration("GOES"))
    roll_up_delays()
    paused("GOES")
    run("forget", registration="GOES", yes=True)
    delivered(an_update(an_element(current="NEW"), duns=STAYS), registration=a_registration("STAYS"))
    roll_up_delays()
    assert sum(row.count for row in LatencyHistogram.objects.filter(measure="recorded")) == 2


def test_what_a_forgotten_company_counted_in_reports_is_gone(run: Callable[..., str]) -> None:
    delivered(an_update(duns=STAYS), an_update(an_element(current="MORE"), duns=GONE))
    roll_up_delays()
    Subject.objects.all().delete()
    run("forget", GONE, yes=True, now=True)
    assert sum(row.count for row in LatencyHistogram.objects.filter(measure="recorded")) == 1


def test_webhooks_go_on_where_they_stood_when_a_registration_is_removed(run: Callable[..., str]) -> None:
    delivered(an_update(duns=STAYS), registration=a_registration("STAYS"))
    delivered(an_update(duns=GONE), registration=a_registration("GOES"))
    create_endpoint(made_by="ann", name="CRM", url="https://crm.example.com/", event_types="change.published")
    delivered(an_update(an_element(current="LATER"), duns=GONE), registration=a_registration("GOES"))
    delivered(an_update(an_element(current="NEW"), duns=STAYS), registration=a_registration("STAYS"))
    paused("GOES")
    run("forget", registration="GOES", yes=True)
    assert queue_changes(soon()) == 1, "published after it was made, and not sent yet"


def test_news_since_the_last_visit_counts_numbers_that_are_given_again(run: Callable[..., str]) -> None:
    delivered(an_update(duns=STAYS), registration=a_registration("STAYS"))
    delivered(an_update(duns=GONE), registration=a_registration("GOES"))
    User.objects.create_user("ann", seen_sequence=2, news_sequence=2)
    paused("GOES")
    run("forget", registration="GOES", yes=True)
    assert User.objects.values_list("seen_sequence", "news_sequence").get() == (1, 1)


def test_readers_are_set_back_so_that_numbers_given_again_are_read(run: Callable[..., str]) -> None:
    delivered(an_update(duns=STAYS), registration=a_registration("STAYS"))
    delivered(an_update(duns=GONE), registration=a_registration("GOES"))
    ConsumerOffset.objects.update_or_create(consumer="alerts", defaults={"position": 2})
    ConsumerOffset.objects.update_or_create(consumer="portfolio events", defaults={"position": 1_767_600_000_000})
    paused("GOES")
    run("forget", registration="GOES", yes=True)
    assert ConsumerOffset.objects.get(consumer="alerts").position == 1
    assert ConsumerOffset.objects.get(consumer="portfolio events").position == 1_767_600_000_000, (
        "it counts milliseconds"
    )
    delivered(an_update(an_element(current="NEW"), duns=STAYS), registration=a_registration("STAYS"))
    assert Publication.objects.order_by("-sequence").first().sequence == 2  # type: ignore[union-attr]


def test_one_that_is_pulled_is_paused_first(run: Callable[..., str]) -> None:
    a_registration("GOES")
    with pytest.raises(CommandError, match="Pause it first"):
        run("forget", registration="GOES", yes=True)
    with pytest.raises(CommandError, match="Registration OTHER does not exist"):
        run("forget", registration="OTHER")


def test_an_item_is_about_the_company_that_it_names_first_and_not_about_others_in_it() -> None:
    assert is_about(GONE, b'{"organization":{"duns":"804735132"}}')
    parent = a_seed(STAYS, corporateLinkage={"parent": {"duns": GONE}})
    assert not is_about(GONE, json.dumps(parent).encode())
    assert is_about(GONE, b'{"broken": "804735132"')
    assert not is_about(GONE, b'{"broken": "1804735132"')
