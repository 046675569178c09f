"""What D&B told us, for other programs: feed, timelines, profiles, notifications, and the snapshot to start from."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import feed, history
from monitoring.identity import MILLISECONDS, milliseconds
from monitoring.json_text import dump_json
from monitoring.models import Change, Element, Kind, Notification, Publication, Severity
from monitoring.raw_json import SentJson, SentObject
from portfolio.api import (
    COMPANY_EXAMPLE,
    DUNS_IN_PATH,
    CompanyParameters,
    CompanySerializer,
    company_or_404,
    company_page,
    mark_of,
)
from portfolio.keyset import (
    BadCursor,
    CountryField,
    DunsField,
    MomentField,
    PageParameters,
    Parameters,
    Several,
    beyond,
    cut,
    is_clean,
    read_moment,
    read_token,
    write_token,
)
from portfolio.models import Company, Registration

SEVERITIES = [(severity.name.lower(), severity.label) for severity in Severity]
ID_TAIL = (1 << 80) - 1
CURSOR_EXAMPLE = "WyI0MiIsIiIsIjFkMDNjOWE0Il0"
COMPANY_SHORT_EXAMPLE = {name: COMPANY_EXAMPLE[name] for name in ("duns", "name", "country")}
CHANGE_EXAMPLE = {
    "id": "019b95d1-3ba8-8c55-9d0a-2a4f4b0c9a11",
    "company": COMPANY_SHORT_EXAMPLE,
    "kind": "element",
    "element": "organization.primaryName",
    "label": "Primary name",
    "severity": "medium",
    "previous": "OLD NAME LTD",
    "current": "NEW NAME LTD",
    "changed_at": "2026-01-07T01:23:13Z",
    "recorded_at": "2026-01-08T11:06:48.301000Z",
    "registration": "ACME_LOD_01",
    "publication": 42,
    "derived": False,
    "superseded": False,
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


def an_example(name: str, value: Any) -> list[OpenApiExample]:
    return [OpenApiExample(name, value, response_only=True)]


class CursorTooOld(APIException):
    """410: what the cursor asks for is no longer here."""

    status_code = 410
    default_code = "gone"
    default_detail = "The feed cannot go on from this cursor."


class CompanyShortSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField()
    name = serializers.CharField(help_text="Empty until D&B has told it.")
    country = serializers.CharField(help_text="ISO 3166-1, two letters; empty while unknown.")


class ChangeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The same for the same fact, however often it arrives.")
    company = CompanyShortSerializer()
    kind = serializers.ChoiceField(Kind.choices)
    element = serializers.CharField(allow_null=True, help_text="D&B's path; null for what is no element's change.")
    label = serializers.CharField(help_text="The element or kind in words.")  # type: ignore[assignment]
    severity = serializers.ChoiceField(SEVERITIES)
    previous = SentJson(help_text="Any JSON value, as D&B sent it; null also where it sent none.")
    current = SentJson(help_text="Any JSON value, as D&B sent it; null also where it sent none.")
    changed_at = serializers.DateTimeField(help_text="When it happened, by D&B.")
    recorded_at = serializers.DateTimeField(help_text="When it was stored here.")
    registration = serializers.CharField(help_text="Reference of the registration that brought it first.")
    publication = serializers.IntegerField(allow_null=True, help_text="Null until it is in the feed.")
    derived = serializers.BooleanField(help_text="Found by comparing two baselines, not sent by D&B as a change.")
    superseded = serializers.BooleanField(help_text="Derived, and replaced since a baseline arrived in between.")


class FeedSerializer(serializers.Serializer[Any]):
    results = ChangeSerializer(many=True)
    next = serializers.CharField(
        help_text="Give it as `after` in the next call. Always there, also when nothing is new."
    )
    more = serializers.BooleanField(help_text="Whether there is more to read at once.")


class TimelineSerializer(serializers.Serializer[Any]):
    results = ChangeSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Give it as `cursor`; null on the last page.")


class SnapshotSerializer(serializers.Serializer[Any]):
    results = CompanySerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Give it as `cursor`; null on the last page.")
    changes_cursor = serializers.CharField(
        help_text="Where to begin reading the feed after this snapshot; the same on all pages of one walk."
    )


class ProfileSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField()
    as_of = serializers.DateTimeField(help_text="The moment that is shown.")
    standing = serializers.ChoiceField(
        Kind.choices, allow_null=True, help_text="The newest notice that is no element's change, such as `deleted`."
    )
    standing_since = serializers.DateTimeField(allow_null=True)
    organization = SentObject(help_text="D&B's document as known at that moment; empty when nothing was known yet.")
    drifted = serializers.ListField(
        child=serializers.UUIDField(), help_text="Changes whose `previous` was not what was known."
    )


class NotificationSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    type = serializers.CharField(help_text="D&B's word. The set is open: expect words that are not listed here.")
    registration = serializers.CharField(help_text="Reference of the registration.")
    company = CompanyShortSerializer()
    occurred_at = serializers.DateTimeField(
        allow_null=True, help_text="When it happened: the newest element of an UPDATE, else D&B's delivery."
    )
    delivered_at = serializers.DateTimeField(allow_null=True, help_text="D&B's deliveryTimeStamp.")
    recorded_at = serializers.DateTimeField(help_text="When it was stored here.")
    retained_duns = serializers.CharField(allow_null=True, help_text="Of a TRANSFER: the company it was merged into.")


class NotificationsSerializer(serializers.Serializer[Any]):
    results = NotificationSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Give it as `cursor`; null on the last page.")


class RegistrationField(serializers.CharField):
    """A registration's reference, as the keys of the registrations of that name."""

    def to_internal_value(self, data: Any) -> list[uuid.UUID]:  # type: ignore[override]
        reference = super().to_internal_value(data)
        rows = Registration.objects.filter(reference=reference) if is_clean(reference) else Registration.objects.none()
        if not (found := list(rows.values_list("pk", flat=True))):
            raise serializers.ValidationError("There is no registration with this reference.")
        return found


class FeedParameters(Parameters):
    after = serializers.CharField(
        required=False,
        help_text="`next` of the call before, `changes_cursor` of a snapshot of companies, or `latest` for the feed's"
        " end. Without it the feed begins with the oldest change there is.",
    )
    limit = PageParameters().fields["limit"]
    kind = Several(child=serializers.ChoiceField(Kind.choices), help_text="Only these kinds.")
    severity = serializers.ChoiceField(SEVERITIES, required=False, help_text="This severity or more.")
    element = serializers.CharField(
        required=False, max_length=400, help_text="Elements whose path begins so, and those that hold it."
    )
    registration = RegistrationField(required=False, max_length=255, help_text="First brought by this registration.")
    company = Several(child=DunsField(), help_text="Only these D-U-N-S numbers, up to 500.")
    country = Several(child=CountryField(), help_text="Companies that are in these countries now.")


class NotificationParameters(PageParameters):
    type = Several(child=serializers.CharField(max_length=64), help_text="Only these types, such as TRANSFER.")
    registration = RegistrationField(required=False, max_length=255, help_text="A registration's reference.")
    company = Several(child=DunsField(), help_text="Only these D-U-N-S numbers, up to 500.")
    since = MomentField(required=False, help_text="Occurred at or after this date or date-time with zone.")
    until = MomentField(
        upper=True, required=False, help_text="Occurred at or before this date-time, or before this day's end in UTC."
    )


class ProfileParameters(Parameters):
    as_of = MomentField(
        upper=True,
        required=False,
        help_text="A date-time with zone, or a date, which shows that day's end in UTC. Without it: now.",
    )


class CompanyList(APIView):
    @extend_schema(
        operation_id="companies",
        tags=["companies"],
        summary="All companies, as a snapshot to start the feed from",
        parameters=[CompanyParameters],
        responses=SnapshotSerializer,
        examples=an_example("A page", {"results": [COMPANY_EXAMPLE], "next": None, "changes_cursor": CURSOR_EXAMPLE}),
    )
    def get(self, request: Request) -> Response:
        """Sorted by D-U-N-S number, unless a filter says otherwise.

        Whoever reads all pages and then follows `/api/v1/changes/?after={changes_cursor}` misses no change.
        """
        asked = CompanyParameters.of(request)
        # Before the rows are read: what is published from now on is in the feed after it, shown here already or not.
        mark = mark_of(asked) or str(feed.latest())
        page = company_page(asked)
        results = CompanySerializer(page.companies, many=True).data
        return Response({"results": results, "next": page.token(mark), "changes_cursor": mark})


class ChangeFeed(APIView):
    @extend_schema(
        operation_id="changes",
        tags=["changes"],
        summary="The feed: every change, in the order of publication",
        parameters=[FeedParameters],
        responses=FeedSerializer,
        examples=an_example("A page", {"results": [CHANGE_EXAMPLE], "next": CURSOR_EXAMPLE, "more": False}),
    )
    def get(self, request: Request) -> Response:
        """Ask again with `next` as `after`, for ever: at once while `more` is true, else after a while.

        Nothing is missed, whatever arrives in whatever order; a filter may give empty pages, whose cursor has moved
        on all the same. A cursor that is too old is answered with 410: take a new snapshot of the companies, and go on
        from its `changes_cursor`.
        """
        asked = FeedParameters.of(request)
        if asked.get("after") == "latest":
            return Response({"results": [], "next": str(feed.latest()), "more": False})
        try:
            page = feed.read(_cursor(asked.get("after")), asked["limit"], _choice(asked))
        except feed.Gone as error:
            raise CursorTooOld(str(error)) from error
        numbers = {entry.change.pk: entry.number for entry in page.entries}
        results = shown([entry.change for entry in page.entries], numbers)
        return Response({"results": results, "next": str(page.next), "more": page.has_more})


def _cursor(after: str | None) -> feed.Cursor | None:
    try:
        return None if after is None else feed.Cursor.read(after)
    except ValueError as error:
        raise BadCursor("after") from error


def _choice(asked: Mapping[str, Any]) -> feed.Choice:
    def several(name: str) -> frozenset[Any] | None:
        return frozenset(asked[name]) if name in asked else None

    return feed.Choice(
        kinds=several("kind"),
        severity=Severity[asked["severity"].upper()] if "severity" in asked else 0,
        element=asked.get("element", ""),
        registrations=several("registration"),
        companies=several("company"),
        countries=several("country"),
    )


class CompanyChanges(APIView):
    @extend_schema(
        operation_id="company_changes",
        tags=["companies"],
        summary="One company's timeline, newest first",
        parameters=[DUNS_IN_PATH, PageParameters],
        responses=TimelineSerializer,
        examples=an_example("A page", {"results": [CHANGE_EXAMPLE], "next": None}),
    )
    def get(self, request: Request, duns: str) -> Response:
        """By the time at which things happened. What arrives late appears in its place: to be told, follow the feed."""
        asked = PageParameters.of(request)
        company = company_or_404(duns)
        rows = Change.objects.filter(company=company.pk).order_by("-changed_at", "-id")
        if "cursor" in asked:
            rows = beyond(rows, ("changed_at", "id"), _time_and_key(asked["cursor"]), newest_first=True)
        changes, has_more = cut(rows, asked["limit"])
        results = shown(changes, _numbers(changes), {company.pk: company})
        return Response({"results": results, "next": _timeline_token(changes[-1]) if has_more else None})


def _timeline_token(change: Change) -> str:
    return write_token([change.changed_at.isoformat(), change.pk.hex])


def _time_and_key(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        moment, key = read_token(cursor)
        return read_moment(moment), uuid.UUID(key)
    except ValueError as error:
        raise BadCursor from error


def _numbers(changes: Iterable[Change]) -> dict[uuid.UUID, int]:
    rows = Publication.objects.filter(delivery__in={change.delivery_id for change in changes})
    by_delivery = dict(rows.values_list("delivery_id", "number"))
    return {change.pk: by_delivery[change.delivery_id] for change in changes if change.delivery_id in by_delivery}


def shown(
    changes: Sequence[Change],
    numbers: Mapping[uuid.UUID, int],
    companies: Mapping[str, Company] | None = None,
) -> Any:
    """Changes as items of an answer, with the words for their keys fetched in one query each."""
    if companies is None:
        companies = companies_of(change.company_id for change in changes)
    references = references_of(change.registration_id for change in changes)
    labels = labels_of(change.element for change in changes)
    items = [_item(change, companies, references, labels, numbers.get(change.pk)) for change in changes]
    return ChangeSerializer(items, many=True).data


def _item(
    change: Change,
    companies: Mapping[str, Company],
    references: Mapping[uuid.UUID, str],
    labels: Mapping[str, str],
    number: int | None,
) -> dict[str, Any]:
    return {
        "id": change.pk,
        "company": companies.get(change.company_id) or Company(duns=change.company_id),
        "kind": change.kind,
        "element": change.element or None,
        "label": labels.get(change.element) or change.element or change.get_kind_display(),
        "severity": Severity(change.severity).name.lower(),
        "previous": change.previous,
        "current": change.current,
        "changed_at": change.changed_at,
        "recorded_at": change.recorded_at,
        "registration": references.get(change.registration_id, ""),
        "publication": number,
        "derived": bool(change.derived_from),
        "superseded": change.superseded,
    }


def companies_of(duns: Iterable[str]) -> dict[str, Company]:
    wanted = set(duns)
    return {company.pk: company for company in Company.objects.filter(pk__in=wanted)} if wanted else {}


def references_of(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    wanted = set(keys)
    return dict(Registration.objects.filter(pk__in=wanted).values_list("pk", "reference")) if wanted else {}


def labels_of(paths: Iterable[str]) -> dict[str, str]:
    wanted = set(paths) - {""}
    return dict(Element.objects.filter(pk__in=wanted).values_list("path", "label")) if wanted else {}


class CompanyProfile(APIView):
    @extend_schema(
        operation_id="company_profile",
        tags=["companies"],
        summary="One company's whole profile, now or as of a date",
        parameters=[DUNS_IN_PATH, ProfileParameters],
        responses=ProfileSerializer,
        examples=an_example(
            "A profile",
            {
                "duns": "804735132",
                "as_of": "2026-01-31T23:59:59.999000Z",
                "standing": "baseline",
                "standing_since": "2026-01-05T08:00:00Z",
                "organization": {"duns": "804735132", "primaryName": "NEW NAME LTD", "yearlyRevenue": 302510160.94},
                "drifted": [],
            },
        ),
    )
    def get(self, request: Request, duns: str) -> Response:
        """D&B's document with every change up to that moment applied, as far as it is known here today."""
        asked = ProfileParameters.of(request)
        company = company_or_404(duns)
        profile = history.profile(company.pk, as_of=asked.get("as_of"))
        standing = profile.standing
        return Response(
            ProfileSerializer(
                {
                    "duns": company.pk,
                    "as_of": asked.get("as_of") or timezone.now(),
                    "standing": standing.kind if standing else None,
                    "standing_since": standing.moment if standing else None,
                    "organization": dump_json(profile.document),
                    "drifted": sorted(profile.drifted),
                }
            ).data
        )


class NotificationList(APIView):
    @extend_schema(
        operation_id="notifications",
        tags=["notifications"],
        summary="D&B's notifications, newest first",
        parameters=[NotificationParameters],
        responses=NotificationsSerializer,
        examples=an_example("A page", {"results": [NOTIFICATION_EXAMPLE], "next": None}),
    )
    def get(self, request: Request) -> Response:
        """Each notification once, however often it was delivered. What it changed is in feed and timelines."""
        asked = NotificationParameters.of(request)
        rows = Notification.objects.defer("organization").order_by("-id")
        rows = rows.filter(**_notification_filters(asked))
        if "cursor" in asked:
            rows = beyond(rows, ("id",), [_key(asked["cursor"])], newest_first=True)
        notifications, has_more = cut(rows, asked["limit"])
        token = write_token([notifications[-1].pk.hex]) if has_more else None
        return Response({"results": _notification_items(notifications), "next": token})


def _notification_filters(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keys begin with the time, so a range of dates is a range of keys."""
    filters = {f"{name}__in": asked[name] for name in ("type", "registration", "company") if name in asked}
    if "since" in asked:
        filters["id__gte"] = uuid.UUID(int=milliseconds(asked["since"]) << 80)
    if "until" in asked:
        filters["id__lte"] = uuid.UUID(int=milliseconds(asked["until"]) << 80 | ID_TAIL)
    return filters


def _key(cursor: str) -> uuid.UUID:
    try:
        (key,) = read_token(cursor)
        return uuid.UUID(key)
    except ValueError as error:
        raise BadCursor from error


def _notification_items(notifications: Sequence[Notification]) -> Any:
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
