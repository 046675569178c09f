"""Some of everything that pages show, for the tests that look for words outside of a translation."""

from __future__ import annotations

import re
import uuid
from datetime import time
from typing import Any

from django.utils import timezone

from core.actors import Actor
from core.lists.saved_filters import save_filter
from core.models import AuditEntry, Export, ExportFormat, ExportState, Notice
from dnbmon_site.accounts.models import User
from dnbmon_site.accounts.roles import ROLES
from health.incidents.lifecycle import open_incident
from health.models import Incident
from monitoring.file_intake.arrivals import upload_file
from monitoring.models import (
    Alert,
    AlertRule,
    Change,
    Channel,
    DataFetch,
    DeadLetter,
    DeliveredFile,
    Delivery,
    DeliveryState,
    Element,
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
    ReportSchedule,
    ScheduledExport,
    SendAttempt,
    Severity,
    Source,
    TreeState,
    WebhookEndpoint,
)
from monitoring.webhooks.endpoints import create_endpoint
from portfolio.exposure.currencies import CODES
from portfolio.imports.resume import work_on
from portfolio.imports.upload import create_import
from portfolio.models import (
    CompanySearch,
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
from tests.builders.family_trees import a_tree, add_rows
from tests.builders.messages import a_message
from tests.builders.reports import NAMES, a_world
from tests.builders.times import MOMENT

# Alike in every language: names, units, formats, and what is typed as it stands here.
ALIKE = re.compile(
    r"D&B Monitoring|D&B|D-U-N-S|SHA-256|XLSX|CSV|JSON|PDF|HTTP|HMAC|SFTP|UTC"
    r"|Slack|Microsoft Teams|Google Chat|Webex|Discord|Telegram|ntfy|Mattermost|Rocket\.Chat"
    r"|Ctrl K|Ctrl|\b(?:esc|ms|kB|MB|GB|s|h|min|d|UPDATE|SEED|WD|XML)\b"
)

# Values of the rows below: they are nobody's to translate.
VALUES = (
    *(*NAMES.values(), "FIRST", "SECOND", "ann", "default", "list.csv", "out.xlsx", "DNB_API_KEY", "Acme suppliers"),
    *("GB", "PL", "GR", "CN", "FR", "English (United Kingdom)", "English (United States)", "Deutsch", "DNB"),
    *(
        "ann@example.com",
        "A name",
        "Word",
        "A",
        "B",
        "Axes",
        "change.published",
        "Anything heavy",
        "Mail",
        "notice",
        "https:///",
    ),
)
# What stands on single pages and is nobody's to translate either: D&B's words; names of roles and
# what an act is filed under, which are keys; what `direct_plus` says of a number.
OF_DNB = {"Active", "Active →", "Out of business"}
TELLING = (
    *("", "?part=live"),
    *("portfolio/company/{duns}/change/", "portfolio/company/{duns}/change/?tab=ownership"),
    *("portfolio/company/{duns}/change/?as_of=2026-03-05", "monitoring/change/"),
    *("monitoring/change/?columns=name,told", "monitoring/notification/", "monitoring/alert/{alert}/change/"),
)
OF_PAGES: dict[str, set[str]] = {
    **dict.fromkeys(TELLING, OF_DNB),
    "auth/group/": {"Administrator", "Analyst", "Approver", "Operator", "Portfolio manager", "Viewer"},
    "core/auditentry/": {"Import upload", "Save filter", "Webhook create"},
    "core/auditentry/{audit}/change/": {"Import upload", "Mode", "Registration", "Source", "add", "upload"},
    "portfolio/contract/default/change/": {"Default"},
    # Codes of currencies.
    "portfolio/exchangerate/": set(CODES),
    # What was searched for stands above the list.
    "portfolio/company/?q=x": {"x"},
    "portfolio/subjectimport/{import}/change/": {
        "12345678 has eight digits; with a leading zero it could be 01-234-5678",
        "contains characters other than the digits 0 to",
    },
}
ZONE = r"[A-Z]\w+/[A-Z][\w/+ -]+(?: \(UTC.{6}\))?"
PATH = r"organization(?:\.\w+)+|(?:\w+|\*\*)\.\w*\*?(?!\w)"
KEY = r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<!\w)[0-9a-f]{64}(?!\w)"


def a_full_world() -> tuple[dict[str, Any], re.Pattern[str]]:
    """Keys of one row of each kind, and what finds the rows' own values in a page."""
    a_world()
    ann = User.objects.create_superuser("ann", "ann@example.com", "secret words")
    registration = Registration.objects.get(reference="FIRST")
    duns, other = list(NAMES)[:2]
    propose([Sign(ProposalKind.TRANSFER, registration.pk, duns, other, "1", MOMENT)])
    SyncRun.objects.create(registration=registration, started_at=MOMENT, started_by="ann", to_add=3, sent=3, pending=1)
    _an_import(registration)
    save_filter(listing="portfolio.company", name="A name", query="country=GB", columns="", shared=True, by="ann")
    _an_export()
    found, import_ = '[["804735132","Word","GB","Word",9,"",{"Name":"A"}]]', SubjectImport.objects.get()
    a_search(registration.contract, name="Word", country="GB", candidates=found, subject_import=import_, line=3)
    Notice.objects.create(kind="test", subject="Word", text="Word", created_at=MOMENT)
    Element.objects.create(path="Word", label="Word", severity=Severity.LOW, first_seen_at=MOMENT)
    _what_goes_out(ann)
    _what_went_wrong(registration)
    models = {"proposal": Proposal, "run": SyncRun, "import": SubjectImport, "export": Export, "audit": AuditEntry}
    models |= {
        "search": CompanySearch,
        "subject": Subject,
        "change": Change,
        "notification": Notification,
        "delivery": Delivery,
    }
    models |= {
        "alert": Alert,
        "rule": AlertRule,
        "channel": Channel,
        "webhook": WebhookEndpoint,
        "message": OutboxMessage,
    }
    models |= {"server": FileServer, "schedule": ReportSchedule, "scheduled": ScheduledExport, "incident": Incident}
    models |= {"file": DeliveredFile, "unreadable": DeadLetter, "pass": ReplayPass, "element": Element}
    models |= {"unreadable": DeadLetter, "pass": ReplayPass, "element": Element, "fetch": DataFetch}
    models |= {"tree": FamilyTree}
    keys = {name: model.objects.order_by("pk").values_list("pk", flat=True)[0] for name, model in models.items()}  # type: ignore[attr-defined]
    return {**keys, "duns": duns, "registration": registration.pk, "user": ann.pk}, own_values()


def _an_import(registration: Registration) -> None:
    lines = b"804735132\n12345678\nWord\n104735132\n"
    given: dict[str, Any] = {"file_name": "list.csv", "mode": ImportMode.ADD, "source": "upload", "requested_by": "ann"}
    work_on(create_import(registration=registration, content=lines, **given))


def _an_export() -> None:
    Export.objects.create(
        listing="portfolio.company",
        format=ExportFormat.XLSX,
        state=ExportState.FINISHED,
        file_name="out.xlsx",
        requested_by="ann",
        requested_at=MOMENT,
        finished_at=timezone.now(),
    )


def _what_goes_out(ann: User) -> None:
    channel = a_channel(address="ann@example.com", unsubscribed_at=MOMENT, last_sent_at=MOMENT)
    create_endpoint(made_by="ann", name="Word", url="https://word.example.com/", event_types="alert.raised")
    server = FileServer.objects.create(name="Word", host="example.com", user_name="ann", created_at=MOMENT)
    schedule = ReportSchedule(name="Word", next_at=MOMENT)
    schedule.save(force_insert=True)
    ReportRecipient.objects.create(schedule=schedule, person=ann)
    export = ScheduledExport(name="Word", at=time(6), server=server, due_at=MOMENT, error="Word")
    export.save(force_insert=True)
    message = a_message(target=channel.pk, state=MessageState.DEAD, last_error="Word", sent_at=None)
    SendAttempt.objects.create(message=message, at=MOMENT, status=500, response="Word", error="Word")


def _what_went_wrong(registration: Registration) -> None:
    Registration.objects.update(
        gap_from=MOMENT, gap_until=MOMENT, gap_reason="Word", ingest_stopped_reason="Word", last_pulled_at=MOMENT
    )
    doubt = Delivery.objects.create(
        registration=registration, source=Source.PULL, state=DeliveryState.IN_DOUBT, called_at=MOMENT, error="Word"
    )
    DeadLetter.objects.create(
        id=uuid.uuid4(), registration=registration, delivery=doubt, position=0, reason="Word", recorded_at=MOMENT
    )
    upload_file(
        name="Word",
        content=b"Word",
        source=FileSource.UPLOAD,
        requested_by=Actor("ann", uuid.uuid4()),
        may_change_lists=True,
    )
    _a_fetch(registration, doubt)
    _a_tree(registration)
    times = dict.fromkeys(("replay_from", "cursor", "begun_at", "begun_dnb_time"), MOMENT)
    ReplayPass.objects.create(registration=registration, purpose=Purpose.AUDIT, found=1, mark="Word", **times)
    open_incident(dedup_key="jobs", title="Word", cause="Word", runbook="docs/operate/troubleshooting.md#jobs")


def _a_fetch(registration: Registration, delivery: Delivery) -> None:
    asked = {
        "requested_by": "ann",
        "requested_at": MOMENT,
        "confirmed_calls": 1,
        "block_ids": "Word",
        "moved_at": MOMENT,
    }
    fetch = DataFetch.objects.create(
        contract=registration.contract, registration=registration, state=FetchState.STOPPED, reason="Word", **asked
    )
    duns, state = next(iter(NAMES)), FetchedState.FAILED
    key, given = FetchedCompany.key(fetch.pk, duns), {"registration": registration, "message": "Word"}
    FetchedCompany.objects.create(id=key, fetch=fetch, company_id=duns, state=state, **given)


def _a_tree(registration: Registration) -> None:
    numbers = [*NAMES]
    tree = a_tree(
        registration.contract, {}, duns=numbers[0], top=numbers[0], state=TreeState.STOPPED, reason="Word", page_count=2
    )
    add_rows(tree, {numbers[0]: "", numbers[1]: numbers[0], "999999991": "999999992"})
    FamilyTreeMember.objects.update(name="Word", city="Word", roles="Word", status="Word", employees=5)


def own_values() -> re.Pattern[str]:
    """Also what people may have written of rules, and what jobs have written of alerts."""
    rules = AlertRule.objects.values_list("name", "description")
    titles = list(Alert.objects.values_list("title", flat=True))
    # A company's page shows them without its name.
    shortened = [tail[:1].upper() + tail[1:] for title in titles if (tail := title.partition(": ")[2])]
    rows = [text for row in rules for text in row] + titles + shortened
    values = {*VALUES, *ROLES, *(ALIKE.sub("", text).strip() for text in rows)} - {""}
    words = "|".join(map(re.escape, sorted(values, key=len, reverse=True)))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)|{ZONE}|{KEY}|{PATH}|https:[\w./]+")
