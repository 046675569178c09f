"""Two business units. The other one's company, and all that is said of it anywhere, bears the mark."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model
from django.utils import timezone
from django_q.models import Failure, OrmQ, Success

from core.actors import Actor
from core.audit import record
from core.lists.saved_filters import save_filter
from core.models import AuditEntry, BusinessUnit, Export, ExportFormat, ExportState, Notice, SavedFilter
from core.notices import notify
from dnbmon_site.accounts.models import ApiKey, UnitKey, UnitMember, User
from health.incidents.lifecycle import open_incident
from health.models import Incident
from monitoring.alerts.actions import acknowledge, comment
from monitoring.decisions.known import known_now
from monitoring.file_intake.arrivals import upload_file
from monitoring.jobs import count_days, process_published, update_all_counts, update_contract_review
from monitoring.models import (
    Alert,
    AlertRule,
    Change,
    Channel,
    DailyStat,
    DataFetch,
    DeadLetter,
    Decision,
    DecisionKind,
    DeliveredFile,
    Delivery,
    DueReview,
    FamilyTree,
    FamilyTreeMember,
    FetchedCompany,
    FetchedState,
    FetchState,
    FileServer,
    FileSource,
    MessageState,
    Notification,
    OutboxMessage,
    Purpose,
    ReplayPass,
    ReportRecipient,
    ReportRegistration,
    ReportSchedule,
    Review,
    ScheduledExport,
    SendAttempt,
    TargetKind,
    TierImport,
    TierRule,
    TreeKind,
    TreeState,
    WebhookEndpoint,
)
from monitoring.webhooks.endpoints import create_endpoint
from portfolio.call_budgets.calls import counted_call
from portfolio.companies.external_references import Named, name_companies
from portfolio.companies.notes import add_note
from portfolio.imports.resume import work_on
from portfolio.imports.upload import create_import
from portfolio.models import (
    CallKind,
    Company,
    CompanySearch,
    DnbCall,
    ExposureImport,
    ImportMode,
    Proposal,
    ProposalKind,
    Registration,
    Subject,
    SubjectImport,
    SyncRun,
)
from portfolio.proposals.create import Sign, propose
from tests.builders.channels import a_channel
from tests.builders.company_searches import a_search
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.exposures import exposure
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.subjects import a_subject
from tests.builders.times import stamp
from tests.visibility.marks import AMOUNT, DUNS, MARK, written

OWN, SHARED = "804735132", "104735132"
OWN_NAME, SHARED_NAME, NAME = "Aardvane Ltd", "Commonly Held plc", f"{MARK} Holding"
OWN_REFERENCE, REFERENCE = "AARDVANE_REG", f"{MARK.upper()}_REG"
PHONE, CITY = "organization.telephone", "organization.primaryAddress.addressLocality.name"


@dataclass(slots=True)
class World:
    own: Registration
    other: Registration
    unit: BusinessUnit
    other_unit: BusinessUnit
    # One row of each model that belongs to the other unit, or tells of it.
    rows: dict[type[Model], Model] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        return [text for row in self.rows.values() for text in written(row.pk)]


def a_world(unit: BusinessUnit, other_unit: BusinessUnit, own: Registration, other: Registration) -> World:
    world = World(own, other, unit, other_unit)
    beatrice = User.objects.create_user("beatrice", is_staff=True, sees_all=False)
    UnitMember.objects.create(unit=other_unit, user=beatrice)
    a_rule(elements=STATUS, conditions="becomes 403")
    rule = AlertRule.objects.create(name=f"{MARK} rule", active=True, elements=PHONE, unit=other_unit)
    _told(own, other)
    process_published(timedelta(seconds=30))
    _in_the_portfolio(other)
    _goes_out(world, beatrice, rule)
    _decided(other)
    _machinery(other, beatrice)
    for count in (count_days, update_all_counts, update_contract_review):
        count()
    world.rows |= _rows(other, beatrice, rule)
    return world


def registrations() -> tuple[Registration, Registration]:
    return a_registration(OWN_REFERENCE, adopted=True), a_registration(REFERENCE, adopted=True)


# What D&B sent


def _told(own: Registration, other: Registration) -> None:
    """Both units hold a third company, of which each is told something that the other is not."""
    now = timezone.now()
    at = stamp(now, hours=-2)
    group = {"corporateLinkage": {"globalUltimate": {"duns": OWN}, "parent": {"duns": OWN}}}
    for duns, registration in ((OWN, own), (SHARED, own), (DUNS, other), (SHARED, other)):
        a_subject(duns, registration, monitored_since=now.date() - timedelta(days=30))
    delivered(
        a_seed(OWN, primaryName=OWN_NAME, delivered=stamp(now, days=-3)),
        a_seed(SHARED, primaryName=SHARED_NAME, delivered=stamp(now, days=-3)),
        an_update(an_element(STATUS, ACTIVE, OUT, at), duns=OWN, delivered=stamp(now)),
        an_update(an_element(CITY, "Aardvane Old Town", "Leeds", at), duns=SHARED, delivered=stamp(now)),
        registration=own,
        at=stamp(now),
    )
    delivered(
        a_seed(DUNS, primaryName=NAME, delivered=stamp(now, days=-3), **group),
        a_seed(SHARED, primaryName=SHARED_NAME, delivered=stamp(now, days=-3)),
        an_update(an_element(STATUS, ACTIVE, OUT, at), duns=DUNS, delivered=stamp(now)),
        # What it was is known to the one who was told; what it is, to all who hold the company.
        an_update(an_element(PHONE, f"{MARK} 1", "5555550100", at), duns=SHARED, delivered=stamp(now)),
        '{"type":"UPDATE","organization":{"duns":"12"},"elements":[],"text":"' + MARK + '"}',
        registration=other,
        at=stamp(now),
    )


def receives_more(other: Registration) -> None:
    """Of a company that nobody has yet."""
    now = timezone.now()
    more = (an_element(path, ACTIVE, OUT, stamp(now, days=-1)) for path in (STATUS, PHONE))
    updates = [an_update(one, duns="712384925", delivered=stamp(now)) for one in more]
    delivered(a_seed("712384925", delivered=stamp(now, days=-2)), *updates, registration=other, at=stamp(now))
    process_published(timedelta(seconds=30))
    for count in (count_days, update_all_counts):
        count()


def _in_the_portfolio(other: Registration) -> None:
    described = {"customer_reference": f"{MARK}-1", "tags": f"{MARK} tag", "owner": f"{MARK}@example.com"}
    Subject.objects.filter(registration=other).update(**described)
    add_note(company=Company.objects.get(pk=DUNS), text=f"{MARK} pays late.", by="beatrice")
    name_companies([Named(DUNS, "crm", f"{MARK}-2")], requested_by="beatrice")
    given: dict[str, Any] = {
        "file_name": f"{MARK}.csv",
        "mode": ImportMode.ADD,
        "source": "upload",
        "requested_by": "beatrice",
    }
    upload = create_import(registration=other, content=f"D-U-N-S,Name\n{DUNS},{MARK}\n12,{MARK}\n".encode(), **given)
    work_on(upload)
    found = f'[["{DUNS}","{NAME}","GB","{MARK} Street",9]]'
    a_search(other.contract, name=MARK, candidates=found, subject_import=upload, line=3)
    propose([Sign(ProposalKind.TRANSFER, other.pk, DUNS, "117384925", "1", timezone.now())])
    SyncRun.objects.create(registration=other, started_at=timezone.now(), started_by="beatrice", error=f"{MARK} error")
    amounts = exposure(f"{DUNS};{AMOUNT}.00")
    ExposureImport.objects.filter(pk=amounts.pk).update(file_name=f"{MARK} amounts.csv")
    with counted_call(other.contract, CallKind.DATA_BLOCKS, about=DUNS, requested_by="beatrice"):
        pass


# What leaves, and what people keep


def _goes_out(world: World, beatrice: User, rule: AlertRule) -> None:
    unit, other = world.other_unit, world.other
    channel = a_channel(rule, address=f"{MARK}@example.com", name=f"{MARK} channel", unit=unit)
    create_endpoint(made_by="beatrice", name=f"{MARK} hook", url=f"https://{MARK}.example.com/", unit=unit)
    schedule = ReportSchedule.objects.create(name=f"{MARK} report", unit=unit)
    ReportRecipient.objects.create(schedule=schedule, person=beatrice)
    ReportRegistration.objects.create(schedule=schedule, registration=other)
    server = FileServer.objects.create(
        name=f"{MARK} server", host="example.com", user_name=MARK, created_at=timezone.now()
    )
    ScheduledExport.objects.create(
        name=f"{MARK}-export", at=time(6), server=server, due_at=timezone.now() + timedelta(days=1), unit=unit
    )
    alert = Alert.objects.get(company=DUNS)
    acknowledge([alert.pk], by="beatrice")
    comment(alert.pk, by="beatrice", text=f"{MARK} was called.")
    payload = json.dumps({"alert": str(alert.pk), "sequence": None})
    event = f"alert:{alert.pk}"
    message = OutboxMessage.objects.create(
        id=OutboxMessage.key(channel.pk, event),
        kind=TargetKind.CHANNEL,
        target=channel.pk,
        event=event,
        event_type="alert.raised",
        company=DUNS,
        payload=payload,
        state=MessageState.DEAD,
        last_error=f"{MARK} error",
        created_at=timezone.now(),
    )
    SendAttempt.objects.create(message=message, at=timezone.now(), status=500, response=MARK, error=f"{MARK} error")
    listing = "portfolio.company"
    query = f"q={MARK}"
    filter_ = save_filter(listing=listing, name=f"{MARK} filter", query=query, columns="", shared=True, by="beatrice")
    SavedFilter.objects.filter(pk=filter_.pk).update(unit=unit)
    Export.objects.create(
        listing=listing,
        format=ExportFormat.XLSX,
        state=ExportState.FINISHED,
        file_name=f"{MARK}.xlsx",
        requested_by="beatrice",
        requested_at=timezone.now(),
        finished_at=timezone.now(),
    )
    key, _ = ApiKey.issue(name=f"{MARK} key", scopes="read", sees_all=False)
    UnitKey.objects.create(unit=unit, key=key)


def _decided(other: Registration) -> None:
    """What people decided about the company, and whom it belongs to."""
    now = timezone.now()
    known = json.dumps({"alerts": [{"title": f"{MARK} alert"}]})
    decision = Decision.objects.create(
        company_id=DUNS, number=1, kind=DecisionKind.HOLD, reason=f"{MARK} reason", known=known,
        decided_by="beatrice", decided_at=now,
    )  # fmt: skip
    # Of the company that both hold, both see what was decided, and each the alerts that were theirs then.
    shared = Decision.objects.create(
        company_id=SHARED, number=1, kind=DecisionKind.LIMIT, amount_cents=100, currency="EUR", reason="Pays late.",
        known=known_now(Company.objects.get(pk=SHARED), now), decided_by="beatrice", decided_at=now,
    )  # fmt: skip
    assert MARK in shared.known
    review = {"reviewed_by": "beatrice", "reviewed_at": now, "note": f"{MARK} note"}
    Review.objects.create(id=Review.key(DUNS, decision.pk), company_id=DUNS, decision=decision, **review)
    TierRule.objects.create(name=f"{MARK} tiers", tier="critical", tag=f"{MARK} tag")
    TierImport.objects.create(file_name=f"{MARK} tiers.csv", created_by="beatrice", created_at=now)
    tree = FamilyTree.objects.create(
        contract=other.contract, kind=TreeKind.FULL, duns=DUNS, top=DUNS, state=TreeState.DONE, confirmed_calls=1,
        pages_read=1, page_count=1, requested_by="beatrice", requested_at=now, fetched_at=now, moved_at=now,
    )  # fmt: skip
    member = FamilyTreeMember.key(tree.pk, DUNS, "")
    FamilyTreeMember.objects.create(id=member, tree=tree, duns=DUNS, name=NAME)


# What keeps it running


def _machinery(other: Registration, beatrice: User) -> None:
    notify(kind="gap", subject=f"{MARK} notice", text=f"{REFERENCE} was not pulled.", key="1")
    company = Company.objects.get(pk=DUNS)
    record(actor="beatrice", action="entry", thing=company, summary=f"{NAME} added", after={"name": NAME})
    told = {"object_id": DUNS, "object_repr": NAME, "change_message": MARK}
    LogEntry.objects.create(user=beatrice, action_flag=CHANGE, **told)
    Registration.objects.filter(pk=other.pk).update(
        gap_from=timezone.now() - timedelta(days=9), gap_until=timezone.now(), gap_reason=f"{MARK} gap",
        last_error=f"{MARK} error", last_pulled_at=timezone.now(),
    )  # fmt: skip
    delivery = Delivery.objects.filter(registration=other).first()
    assert delivery is not None
    times = dict.fromkeys(("replay_from", "cursor", "begun_at", "begun_dnb_time"), timezone.now())
    ReplayPass.objects.create(registration=other, purpose=Purpose.AUDIT, found=1, mark=f"{MARK} mark", **times)
    open_incident(dedup_key="gap", title=f"{MARK} gap", cause=REFERENCE, runbook="docs/operate/troubleshooting.md#jobs")
    by = Actor("beatrice", uuid.uuid4())
    upload_file(name=f"{MARK}.zip", content=b"x", source=FileSource.UPLOAD, requested_by=by, may_change_lists=True)
    _a_fetch(other)
    _tasks()


def _a_fetch(other: Registration) -> None:
    now = timezone.now()
    given = {"requested_at": now, "moved_at": now, "confirmed_calls": 1, "block_ids": "companyinfo_L2_v1"}
    fetch = DataFetch.objects.create(
        contract=other.contract, registration=other, state=FetchState.STOPPED, reason=f"{MARK} reason",
        requested_by="beatrice", **given,
    )  # fmt: skip
    key, failed = FetchedCompany.key(fetch.pk, DUNS), {"state": FetchedState.FAILED, "message": f"{MARK} message"}
    FetchedCompany.objects.create(id=key, fetch=fetch, company_id=DUNS, registration=other, **failed)


def _tasks() -> None:
    now = timezone.now()
    done = {"name": f"Pull {REFERENCE} now", "func": "print", "started": now, "stopped": now}
    Success.objects.create(id=uuid.uuid4().hex, success=True, **done)
    Failure.objects.create(id=uuid.uuid4().hex, success=False, result=f"{MARK} failed", **done)
    OrmQ.objects.create(key="dnbmon", payload="x", lock=now)


def _rows(other: Registration, beatrice: User, rule: AlertRule) -> dict[type[Model], Model]:
    found: list[Any] = [other, beatrice, rule, Company.objects.get(pk=DUNS), ApiKey.objects.get(name=f"{MARK} key")]
    found.append(BusinessUnit.objects.get(channel__name=f"{MARK} channel"))
    of_company = (Change, Notification, Alert, FetchedCompany, OutboxMessage, Decision, Review)
    found += [model._default_manager.filter(company=DUNS).first() for model in of_company]
    of_registration = (
        *(Delivery, DeadLetter, ReplayPass, SyncRun, Subject, SubjectImport, DailyStat),
        DataFetch,
    )
    found += [model._default_manager.filter(registration=other).first() for model in of_registration]
    marked = (Channel, WebhookEndpoint, ReportSchedule, ScheduledExport, FileServer, CompanySearch, DeliveredFile)
    found += [model._default_manager.filter(name__contains=MARK).first() for model in marked]
    found += [SavedFilter.objects.get(name=f"{MARK} filter"), Export.objects.get(), Proposal.objects.get()]
    found += [Notice.objects.filter(subject__contains=MARK).first(), Incident.objects.get(), DnbCall.objects.get()]
    found += [
        FamilyTree.objects.get(),
        TierRule.objects.get(),
        TierImport.objects.get(),
        DueReview.objects.get(pk=DUNS),
    ]
    found += [ExposureImport.objects.get(), AuditEntry.objects.filter(summary__contains=NAME).first()]
    found += [Success.objects.get(), Failure.objects.get(), OrmQ.objects.first()]
    assert None not in found, found
    return {type(row): row for row in found}
