"""Responses of the API: their fields, described and with an example, and how rows become them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from core.api.pages import PageSerializer
from core.json_text import SentJson, SentObject
from core.visibility import EVERYTHING, Scope
from monitoring.content_ids import MILLISECONDS
from monitoring.feed.array_items import ItemChangesSerializer, items_of
from monitoring.feed.feed import Entry
from monitoring.feed.said import Said, said_in, said_of
from monitoring.history.sources import How
from monitoring.history.state import STATUS_KINDS
from monitoring.models import Change, Element, Kind, Notification, Severity, Verb
from monitoring.story_order import order_text
from portfolio.companies.external_references import references_by_company
from portfolio.companies.serializers import (
    COMPANY_EXAMPLE,
    REFERENCE_EXAMPLE,
    NamedCompanySerializer,
    ReferenceSerializer,
)
from portfolio.models import Company, ExternalReference, Registration

SEVERITIES = [(severity.name.lower(), severity.label) for severity in Severity]
SOURCES = [("answers", "Answers"), ("file", "File")]
CURSOR_EXAMPLE = "WyI0MiIsIiIsIjFkMDNjOWE0Il0"
COMPANY_SHORT_EXAMPLE = {name: COMPANY_EXAMPLE[name] for name in ("duns", "name", "country")}
CHANGE_EXAMPLE = {
    "id": "019b95d1-3ba8-8c55-9d0a-2a4f4b0c9a11",
    "company": COMPANY_SHORT_EXAMPLE,
    "references": [REFERENCE_EXAMPLE],
    "kind": "element",
    "element": "organization.primaryName",
    "label": "Primary name",
    "severity": "medium",
    "previous": "OLD NAME LTD",
    "current": "NEW NAME LTD",
    "items": None,
    "changed_at": "2026-01-07T01:23:13Z",
    "recorded_at": "2026-01-08T11:06:48.301000Z",
    "registration": "ACME_LOD_01",
    "publication": 42,
    "derived": False,
    "superseded": False,
    "verb": "observed",
    "replaced_by": None,
    "order": "019b960cffe8019b9d49a6640000002a00000002a00000000",
}
OBSERVATION_EXAMPLE = {
    "registration": "ACME_LOD_01",
    "source": "answers",
    "how": "response",
    "observed_at": "2026-01-08T11:06:48.292000Z",
    "notification": "019b95d1-3ba8-8d10-8a3c-55f0c7b3d2e1",
}
NOTIFICATION_EXAMPLE = {
    "id": "019b95d1-3ba8-8d10-8a3c-55f0c7b3d2e1",
    "type": "UPDATE",
    "registration": "ACME_LOD_01",
    "company": COMPANY_SHORT_EXAMPLE,
    "occurred_at": "2026-01-07T01:23:13Z",
    "delivered_at": "2026-01-08T11:06:48.292000Z",
    "recorded_at": "2026-01-08T11:06:48.301000Z",
    "retained_duns": None,
}


PROFILE_EXAMPLE: dict[str, Any] = {
    "duns": "804735132",
    "as_of": "2026-01-31T23:59:59.999000Z",
    "status": None,
    "status_since": None,
    "organization": {"duns": "804735132", "primaryName": "NEW NAME LTD", "yearlyRevenue": 302510160.94},
    "mismatches": [],
    "complete": True,
    "note": "",
}


def an_example(name: str, value: Any) -> list[OpenApiExample]:
    return [OpenApiExample(name, value, response_only=True)]


class CompanyShortSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number, nine digits.")
    name = serializers.CharField(help_text="Empty until D&B sends it.")
    country = serializers.CharField(help_text="Two letters (ISO 3166-1). Empty until D&B sends it.")


class ChangeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Stays the same, even if D&B sends the same change again.")
    company = CompanyShortSerializer()
    references = ReferenceSerializer(many=True, help_text="The IDs of the company in your other systems.")
    kind = serializers.ChoiceField(Kind.choices, help_text="The change type.")
    element = serializers.CharField(
        allow_null=True, help_text="Path of the data element. Null if the change does not concern an element."
    )
    label = serializers.CharField(help_text="Name of the data element or change type.")  # type: ignore[assignment]
    severity = serializers.ChoiceField(SEVERITIES, help_text="How important the change is.")
    previous = SentJson(
        help_text="Value before the change, as D&B sent it: any JSON value. Null also if D&B sent none."
    )
    current = SentJson(help_text="Value after the change, as D&B sent it: any JSON value. Null also if D&B sent none.")
    items = ItemChangesSerializer(
        allow_null=True,
        help_text="What became of the items, where `previous` or `current` is an array; otherwise null. Items are"
        " matched by what identifies them, such as the number and type of a registration number.",
    )
    changed_at = serializers.DateTimeField(help_text="When the change happened, according to D&B.")
    recorded_at = serializers.DateTimeField(help_text="When D&B Monitoring stored it.")
    registration = serializers.CharField(
        help_text="Reference of the registration that reported it first. In the feed with the filter `registration`:"
        " of the chosen registration that reported it."
    )
    publication = serializers.IntegerField(
        allow_null=True,
        help_text="Number of the publication in which this entry appeared; several entries share one. Null until it is"
        " published.",
    )
    derived = serializers.BooleanField(
        help_text="True if it was found by comparing two full data sets, rather than sent by D&B as a change."
    )
    superseded = serializers.BooleanField(
        help_text="True if it does not hold at present: another change reports the same fact (`replaced_by`), or a full"
        " data set arrived late and the comparison was withdrawn."
    )
    verb = serializers.ChoiceField(
        Verb.choices,
        help_text="What the entry reports: `observed`, the change was reported; `replaced`, another change reports the"
        " same fact; `withdrawn`, it does not hold; `reinstated`, it holds again. Outside the feed: the present state.",
    )
    replaced_by = serializers.UUIDField(
        allow_null=True, help_text="ID of the change that reports the same fact, as known at present."
    )
    order = serializers.CharField(
        help_text="Sort key (text) for the changes of a company by time, including those of the same moment. The feed "
        "is in order of arrival."
    )


class ObservationSerializer(serializers.Serializer[Any]):
    registration = serializers.CharField(help_text="Reference of the registration that reported the change.")
    source = serializers.ChoiceField(  # type: ignore[assignment]
        SOURCES, help_text="`answers` for responses and replays of D&B, `file` for a file that D&B delivered."
    )
    how = serializers.ChoiceField(How.choices, help_text="How the report came.")
    observed_at = serializers.DateTimeField(help_text="Time at which D&B delivered the report.")
    notification = serializers.UUIDField(allow_null=True, help_text="The notification that reported it.")


class ChangeDetailSerializer(ChangeSerializer):
    observations = ObservationSerializer(many=True, help_text="All reports of this change, the earliest first.")


class FeedSerializer(serializers.Serializer[Any]):
    results = ChangeSerializer(many=True)
    next = serializers.CharField(
        help_text="Pass it as `after` in the next call. Always present, even if there are no new changes."
    )
    more = serializers.BooleanField(help_text="True if more changes are available now.")


class TimelineSerializer(PageSerializer):
    results = ChangeSerializer(many=True)


class SnapshotSerializer(PageSerializer):
    results = NamedCompanySerializer(many=True)
    changes_cursor = serializers.CharField(
        help_text="Where to start reading the feed after this snapshot. The same on all of its pages."
    )
    note = serializers.CharField(allow_null=True, help_text="Null unless the search leaves companies out.")


class ProfileSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number, nine digits.")
    as_of = serializers.DateTimeField(help_text="The date and time of the profile.")
    status = serializers.ChoiceField(
        [(kind.value, kind.label) for kind in STATUS_KINDS],
        allow_null=True,
        help_text="Whether D&B keeps the company: `deleted`, `restored` or `transferred` (merged into another company),"
        " whichever was last. Null if D&B reported none of them, which is usual.",
    )
    status_since = serializers.DateTimeField(
        allow_null=True, help_text="When the company was deleted, restored or merged. Null if `status` is."
    )
    organization = SentObject(
        help_text="D&B's document as known at that time. Empty if nothing was known yet: see `note`."
    )
    mismatches = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="IDs of changes with a `previous` that differs from the value known before: the latest 200.",
    )
    complete = serializers.BooleanField(
        help_text="False if the profile is empty or partial: before the first data about the company, before its first"
        " full data set, or if older history was removed. See `note`."
    )
    note = serializers.CharField(
        help_text="What is missing, and the date from which data is available. Empty if the profile is complete."
    )


class NotificationSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The notification's ID.")
    type = serializers.CharField(help_text="D&B's type, such as UPDATE or SEED. D&B may add types.")
    registration = serializers.CharField(help_text="Reference of the registration.")
    company = CompanyShortSerializer()
    occurred_at = serializers.DateTimeField(
        allow_null=True, help_text="When it happened: the latest element of an UPDATE, otherwise when D&B delivered it."
    )
    delivered_at = serializers.DateTimeField(allow_null=True, help_text="D&B's deliveryTimeStamp.")
    recorded_at = serializers.DateTimeField(help_text="When D&B Monitoring stored it.")
    retained_duns = serializers.CharField(allow_null=True, help_text="For a TRANSFER: the company it was merged into.")


class NotificationsSerializer(PageSerializer):
    results = NotificationSerializer(many=True)


def serialized_entries(entries: Iterable[Entry], scope: Scope = EVERYTHING) -> Any:
    """Entries of the feed as items of an answer."""
    return _serialized(said_in(entries, scope))


def serialized_changes(
    changes: Sequence[Change],
    numbers: Mapping[uuid.UUID, int],
    companies: Mapping[str, Company] | None = None,
    scope: Scope = EVERYTHING,
) -> Any:
    """Changes as they are at present."""
    return _serialized(said_of(changes, numbers, scope), companies)


def _serialized(said: Sequence[Said], companies: Mapping[str, Company] | None = None) -> Any:
    """The words for keys are fetched in one query each."""
    changes = [one.change for one in said]
    if companies is None:
        companies = companies_of(change.company_id for change in changes)
    references = references_of(one.registration for one in said)
    labels = labels_of(change.element for change in changes)
    named = references_by_company(change.company_id for change in changes)
    items = [_item(one, companies, references, labels, named) for one in said]
    return ChangeSerializer(items, many=True).data


def _item(
    said: Said,
    companies: Mapping[str, Company],
    references: Mapping[uuid.UUID, str],
    labels: Mapping[str, str],
    named: Mapping[str, list[ExternalReference]],
) -> dict[str, Any]:
    change = said.change
    return {
        "id": change.pk,
        "company": companies.get(change.company_id) or Company(duns=change.company_id),
        "references": named.get(change.company_id, []),
        "kind": change.kind,
        "element": change.element or None,
        "label": labels.get(change.element) or change.element or change.get_kind_display(),
        "severity": Severity(change.severity).name.lower(),
        "previous": change.previous,
        "current": change.current,
        "items": items_of(change),
        "changed_at": change.changed_at,
        "recorded_at": said.recorded_at,
        "registration": references.get(said.registration, ""),
        "publication": said.number,
        "derived": bool(change.derived_from),
        "superseded": change.superseded,
        "verb": said.verb,
        "replaced_by": change.replaced_by,
        "order": order_text(change),
    }


def companies_of(duns: Iterable[str]) -> dict[str, Company]:
    needed = set(duns)
    return {company.pk: company for company in Company.objects.filter(pk__in=needed)} if needed else {}


def references_of(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    needed = set(keys)
    return dict(Registration.objects.filter(pk__in=needed).values_list("pk", "reference")) if needed else {}


def labels_of(paths: Iterable[str]) -> dict[str, str]:
    needed = set(paths) - {""}
    return dict(Element.objects.filter(pk__in=needed).values_list("path", "label")) if needed else {}


def serialized_notifications(notifications: Sequence[Notification]) -> Any:
    companies = companies_of(notification.company_id for notification in notifications)
    references = references_of(notification.registration_id for notification in notifications)
    items = [_notification_item(notification, companies, references) for notification in notifications]
    return NotificationSerializer(items, many=True).data


def _notification_item(
    notification: Notification, companies: Mapping[str, Company], references: Mapping[uuid.UUID, str]
) -> dict[str, Any]:
    return {
        "id": notification.pk,
        "type": notification.type,
        "registration": references.get(notification.registration_id, ""),
        "company": companies.get(notification.company_id) or Company(duns=notification.company_id),
        "occurred_at": _time_of(notification.pk),
        "delivered_at": notification.delivered_at,
        "recorded_at": notification.recorded_at,
        "retained_duns": notification.retained_duns or None,
    }


def _time_of(key: uuid.UUID) -> datetime | None:
    """The time that a content id begins with; 0 stands for unreadable."""
    ms = key.int >> 80
    return datetime.fromtimestamp(ms / 1000, UTC) if 0 < ms < MILLISECONDS else None
