"""The events that other systems can hear of: their names, in words, with a JSON schema and an example each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from monitoring.feed.serializers import CHANGE_EXAMPLE
from monitoring.models import WEBHOOK_TEST, Kind, Severity, Verb

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT: dict[str, Any] = {"type": "string"}
MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
NUMBER: dict[str, Any] = {"type": "integer", "minimum": 0}
DUNS: dict[str, Any] = {"type": "string", "pattern": "^[0-9]{9}$"}
KEY: dict[str, Any] = {"type": "string", "format": "uuid"}


def an_object(**members: Any) -> dict[str, Any]:
    """All members are always there; more may come in time."""
    return {"type": "object", "required": list(members), "properties": members}


def or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    summary: str | Promise
    data: Mapping[str, Any]
    example: Mapping[str, Any]

    @property
    def schema(self) -> dict[str, Any]:
        """Of the whole body, as it is sent."""
        whole = an_object(type={"const": self.name}, timestamp=MOMENT, data=self.data)
        return {"$schema": DIALECT, "title": self.name, "description": str(self.summary), **whole}

    @property
    def whole_example(self) -> dict[str, Any]:
        return {"type": self.name, "timestamp": "2026-01-08T11:06:48.301Z", "data": dict(self.example)}


COMPANY = an_object(duns=DUNS, name=TEXT, country=TEXT)
CHANGE = an_object(
    id=KEY,
    company=COMPANY,
    references={"type": "array", "items": an_object(system=TEXT, id=TEXT)},
    kind={"enum": Kind.values},
    element=or_null(TEXT),
    label=TEXT,
    severity={"enum": [severity.name.lower() for severity in Severity]},
    previous=True,
    current=True,
    items=or_null(
        an_object(
            added={"type": "array"},
            removed={"type": "array"},
            changed={"type": "array", "items": an_object(previous=True, current=True)},
        )
    ),
    changed_at=MOMENT,
    recorded_at=MOMENT,
    registration=TEXT,
    publication=or_null(NUMBER),
    derived={"type": "boolean"},
    superseded={"type": "boolean"},
    verb={"enum": Verb.values},
    replaced_by=or_null(KEY),
    order=TEXT,
)
ALERT = an_object(id=KEY, company=or_null(DUNS), title=TEXT, severity=TEXT, rule=TEXT, reason=TEXT, happened_at=MOMENT)
ALERT_EXAMPLE = {
    "id": "019b95d1-4000-8c55-9d0a-2a4f4b0c9a11",
    "company": "804735132",
    "title": "Out of business: Gorman Manufacturing Company, Inc.",
    "severity": "critical",
    "rule": "Out of business",
    "reason": "The rule “Out of business” watches dunsControlStatus.operatingStatus.",
    "happened_at": "2026-01-07T01:23:13Z",
}
SUBJECT = an_object(duns=DUNS, registration=TEXT, by=TEXT, at=MOMENT)
SUBJECT_EXAMPLE = {
    "duns": "804735132",
    "registration": "ACME_LOD_01",
    "by": "Acme CRM (dnbmon_1a2b3c4d_…)",
    "at": "2026-01-08T11:06:48.301Z",
}
STATE = an_object(duns=DUNS, registration=TEXT, state=TEXT, code=TEXT, message=TEXT, replacement=or_null(DUNS))
STATE_EXAMPLE = {
    "duns": "804735132",
    "registration": "ACME_LOD_01",
    "state": "monitored",
    "code": "21108",
    "message": "",
    "replacement": None,
}
IMPORT = an_object(id=KEY, registration=TEXT, state=TEXT, summary=TEXT, by=TEXT)
IMPORT_EXAMPLE = {
    "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11",
    "registration": "ACME_LOD_01",
    "state": "confirmed",
    "summary": "suppliers.xlsx confirmed: 12 new billable companies, 0 removals",
    "by": "ann",
}

CHANGE_PUBLISHED = "change.published"
EVENT_TYPES: Mapping[str, EventType] = {
    event.name: event
    for event in (
        EventType(
            CHANGE_PUBLISHED,
            _("A company changed, or an earlier change was replaced, withdrawn or reinstated (`verb`)."),
            CHANGE,
            CHANGE_EXAMPLE,
        ),
        EventType("alert.raised", _("A rule raised an alert."), ALERT, ALERT_EXAMPLE),
        EventType("subject.requested", _("Monitoring of a company was requested."), SUBJECT, SUBJECT_EXAMPLE),
        EventType("subject.withdrawn", _("A monitoring request was withdrawn."), SUBJECT, SUBJECT_EXAMPLE),
        EventType("subject.monitored", _("D&B started monitoring a company."), STATE, STATE_EXAMPLE),
        EventType(
            "subject.removed",
            _("D&B stopped monitoring a company."),
            STATE,
            {**STATE_EXAMPLE, "state": "removed", "code": "21112"},
        ),
        EventType(
            "subject.refused",
            _("D&B refused a company. `replacement` is the D-U-N-S number that D&B suggests instead."),
            STATE,
            {**STATE_EXAMPLE, "state": "refused", "code": "40003", "replacement": "150483782"},
        ),
        EventType("import.uploaded", _("A list was uploaded and is being checked."), IMPORT, IMPORT_EXAMPLE),
        EventType(
            "import.read",
            _("A list was checked and is awaiting confirmation."),
            IMPORT,
            {
                **IMPORT_EXAMPLE,
                "summary": "suppliers.xlsx waits for confirmation: 12 new billable companies, 0 removals",
            },
        ),
        EventType(
            "import.failed",
            _("A list could not be read. `summary` contains the reason."),
            IMPORT,
            {**IMPORT_EXAMPLE, "state": "failed", "summary": "suppliers.xlsx could not be read: It holds no rows."},
        ),
        EventType("import.confirmed", _("An import was confirmed."), IMPORT, IMPORT_EXAMPLE),
        EventType("import.approved", _("A second approver approved an import."), IMPORT, IMPORT_EXAMPLE),
        EventType(
            "import.applied",
            _("All confirmed companies of an import are now requested. The next sync sends them to D&B."),
            IMPORT,
            {
                **IMPORT_EXAMPLE,
                "state": "applied",
                "summary": "suppliers.xlsx was applied: 12 new billable companies, 0 removals",
            },
        ),
        EventType(
            "import.cancelled", _("An import was cancelled. None of its rows are applied."), IMPORT, IMPORT_EXAMPLE
        ),
        EventType(
            "import.undone",
            _("An import was undone. Companies requested only by this import are no longer requested."),
            IMPORT,
            IMPORT_EXAMPLE,
        ),
        EventType(WEBHOOK_TEST, _("A test message was sent."), an_object(message=TEXT), {"message": "It works."}),
    )
}


class UnknownEventType(ValueError):
    """No such event; the text names those there are."""


def patterns_of(text: str) -> list[str]:
    """The names and patterns that somebody has written, checked."""
    found = split(text)
    for pattern in found:
        if not any(matches(pattern, name) for name in EVENT_TYPES):
            raise UnknownEventType(
                gettext("“%(pattern)s” is not an event. Use one of: %(names)s, subject.* or *.")
                % {"pattern": pattern, "names": ", ".join(EVENT_TYPES)}
            )
    return found


NAMES: Mapping[str, str | Promise] = {
    "*": _("All events"),
    CHANGE_PUBLISHED: _("Company changes"),
    "change.*": _("Company changes"),
    "alert.raised": _("Alerts"),
    "alert.*": _("Alerts"),
    "subject.*": _("All monitoring events"),
    "subject.requested": _("Monitoring requested"),
    "subject.withdrawn": _("Request withdrawn"),
    "subject.monitored": _("Monitoring started"),
    "subject.removed": _("Monitoring stopped"),
    "subject.refused": _("Company refused"),
    "import.*": _("All import events"),
    "import.uploaded": _("Import uploaded"),
    "import.read": _("Import checked"),
    "import.failed": _("Import failed"),
    "import.confirmed": _("Import confirmed"),
    "import.approved": _("Import approved"),
    "import.applied": _("Import applied"),
    "import.cancelled": _("Import cancelled"),
    "import.undone": _("Import undone"),
    "webhook.*": _("Test messages"),
    WEBHOOK_TEST: _("Test messages"),
}


# Of messages to channels, and of reports.
MESSAGES: Mapping[str, str | Promise] = {
    "alert.raised": _("Alert"),
    "alert.assigned": _("Alert assignment"),
    "follow": _("Followed change"),
    "follow.digest": _("Digest of followed changes"),
    "mention": _("Mention"),
    "notice": _("Notice"),
    "digest": _("Digest"),
    "report": _("Report"),
}
# As a form offers them; the test message is sent by its button, whatever is chosen.
GROUPS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    ("", ("*",)),
    (_("Companies"), (CHANGE_PUBLISHED, "alert.raised")),
    (
        _("Monitoring"),
        (
            *("subject.*", "subject.requested", "subject.withdrawn"),
            *("subject.monitored", "subject.removed", "subject.refused"),
        ),
    ),
    (
        _("Imports"),
        (
            *("import.*", "import.uploaded", "import.read", "import.failed", "import.confirmed"),
            *("import.approved", "import.applied", "import.cancelled", "import.undone"),
        ),
    ),
)


def without_covered(patterns: Sequence[str]) -> list[str]:
    """Without what another of them includes."""
    return [one for one in patterns if not any(other != one and matches(other, one) for other in patterns)]


def name_of(pattern: str) -> str:
    """An event, or a pattern of some, as pages name it."""
    return str(NAMES.get(pattern, pattern))


def event_name(event_type: str) -> str:
    """Of a message, to a channel or a webhook."""
    return str(MESSAGES.get(event_type) or name_of(event_type))


def split(text: str) -> list[str]:
    return [name.strip() for name in text.replace("\n", ",").split(",") if name.strip()]


def matches(pattern: str, name: str) -> bool:
    if pattern == "*":
        return True
    return name.startswith(pattern[:-1]) if pattern.endswith(".*") else name == pattern
