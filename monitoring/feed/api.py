"""What D&B sent, in the API: the feed, timelines, notifications, and the snapshot to start from."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.parameters import MomentField, PageParameters, Several, read_moment
from core.api.visibility import scope_for, seen_by
from core.lists.pagination import BadCursor, beyond, cut, read_key, read_token, write_token
from core.visibility import Scope, visible_to
from monitoring.content_ids import milliseconds
from monitoring.feed import feed
from monitoring.feed.change_detail import serialized_detail
from monitoring.feed.cursors import GONE, shown, taken
from monitoring.feed.parameters import ChangeFeedParameters, choice_of
from monitoring.feed.serializers import (
    CHANGE_EXAMPLE,
    CURSOR_EXAMPLE,
    NOTIFICATION_EXAMPLE,
    OBSERVATION_EXAMPLE,
    ChangeDetailSerializer,
    FeedSerializer,
    NotificationsSerializer,
    SnapshotSerializer,
    TimelineSerializer,
    an_example,
    serialized_changes,
    serialized_entries,
    serialized_notifications,
)
from monitoring.history import state
from monitoring.models import NO_UPDATE, Change, Entry, Notification, NotificationType, Publication
from monitoring.story_order import LATEST_FIRST, OLDEST_FIRST
from portfolio.companies.pages import company_page, mark_of
from portfolio.companies.parameters import (
    DUNS_IN_PATH,
    CompanyParameters,
    DunsField,
    ReferenceField,
    RegistrationField,
    among,
    company_once_held,
)
from portfolio.companies.serializers import NAMED_COMPANY_EXAMPLE, named_companies
from portfolio.models import Company

KEY_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The change's ID.")
ID_TAIL = (1 << 80) - 1


class CursorTooOld(APIException):
    """410: the changes after the cursor are no longer available."""

    status_code = 410
    default_code = "gone"
    default_detail = "The feed cannot continue from this cursor."


class NotificationParameters(PageParameters):
    type = Several(
        child=serializers.CharField(max_length=64),
        help_text="Return only notifications of these types, such as TRANSFER.",
    )
    registration = RegistrationField(
        required=False, max_length=255, help_text="Return only notifications of this registration, by its reference."
    )
    company = Several(
        child=DunsField(), help_text="Return only notifications of these companies: up to 200 D-U-N-S numbers."
    )
    since = MomentField(required=False, help_text="Occurred at or after this date, or date and time with time zone.")
    until = MomentField(
        upper=True,
        required=False,
        help_text="Occurred at or before this date and time, or by the end of this date (UTC).",
    )
    reference = ReferenceField()


class CompanyList(APIView):
    permissions = {"GET": "portfolio.view_company"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="companies",
        tags=["companies"],
        summary="List companies, as a snapshot to start the feed from",
        parameters=[CompanyParameters],
        responses=SnapshotSerializer,
        examples=an_example(
            "A page", {"results": [NAMED_COMPANY_EXAMPLE], "next": None, "changes_cursor": CURSOR_EXAMPLE, "note": None}
        ),
    )
    def get(self, request: Request) -> Response:
        """Sorted by D-U-N-S number, unless a filter states another order.

        To copy all data and keep it up to date, read all pages, then continue with
        `/api/v1/changes/?after={changes_cursor}`. No change is missed.
        """
        asked = CompanyParameters.of(request)
        # Before the rows are read: what is published from now on is in the feed after it, shown here already or not.
        mark = mark_of(asked) or shown(feed.latest(), scope_for(request))
        page = company_page(asked, seen_by(request, Company.objects.all()), scope_for(request))
        results = named_companies(page.companies)
        return Response({"results": results, "next": page.token(mark), "changes_cursor": mark, "note": page.note})


class ChangeFeed(APIView):
    permissions = {"GET": "monitoring.view_change"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="changes",
        tags=["changes"],
        summary="Read the change feed, in order of publication",
        parameters=[ChangeFeedParameters],
        responses=FeedSerializer,
        examples=an_example("A page", {"results": [CHANGE_EXAMPLE], "next": CURSOR_EXAMPLE, "more": False}),
    )
    def get(self, request: Request) -> Response:
        """Call it repeatedly with the last `next` as `after`: immediately while `more` is true, otherwise regularly.

        No change is missed, in whatever order D&B sends them. `verb` says what an entry means: a change, or what became
        of one that was published before. With a filter, a page can be empty; continue with its
        `next`. An expired cursor is answered with 410: read a new snapshot of the companies and continue from its
        `changes_cursor`.
        """
        asked, scope = ChangeFeedParameters.of(request), scope_for(request)
        if asked.get("after") == "latest":
            return Response({"results": [], "next": shown(feed.latest(), scope), "more": False})
        try:
            page = feed.read(_cursor(asked, scope), asked["limit"], choice_of(asked).seen_by(scope))
        except feed.Gone as error:
            raise CursorTooOld(str(error) if scope.sees_all else GONE) from error
        results = serialized_entries(page.entries, scope)
        return Response({"results": results, "next": shown(page.next, scope), "more": page.has_more})


def _cursor(asked: Mapping[str, Any], scope: Scope) -> feed.Cursor | None:
    if "since" in asked:
        return feed.cursor_at(asked["since"])
    try:
        return taken(asked["after"], scope) if "after" in asked else None
    except ValueError as error:
        raise BadCursor from error


class CompanyChanges(APIView):
    permissions = {"GET": "monitoring.view_change"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="company_changes",
        tags=["companies"],
        summary="Get the timeline of a company, latest first",
        parameters=[DUNS_IN_PATH, PageParameters],
        responses=TimelineSerializer,
        examples=an_example("A page", {"results": [CHANGE_EXAMPLE], "next": None}),
    )
    def get(self, request: Request, duns: str) -> Response:
        """Changes in the order in which they happened. Late changes appear at their own date.

        All that were published, with `verb` and `superseded` as they are at present.
        """
        asked = PageParameters.of(request)
        (company, _), scope = company_once_held(request, duns), scope_for(request)
        rows = visible_to(scope, Change.objects.filter(company=company.pk, entry=Entry.CHANGE)).order_by(*LATEST_FIRST)
        if "after" in asked:
            rows = beyond(rows, OLDEST_FIRST, _in_story(asked["after"]), newest_first=True)
        changes, has_more = cut(rows, asked["limit"])
        results = serialized_changes(changes, _numbers(changes), {company.pk: company}, scope)
        return Response({"results": results, "next": _timeline_token(changes[-1]) if has_more else None})


def _timeline_token(change: Change) -> str:
    return write_token([change.changed_at.isoformat(), change.place, change.pk.hex])


def _in_story(cursor: str) -> tuple[datetime, str, uuid.UUID]:
    try:
        moment, place, key = read_token(cursor)
        return read_moment(moment), place, uuid.UUID(key)
    except ValueError as error:
        raise BadCursor from error


def _numbers(changes: Iterable[Change]) -> dict[uuid.UUID, int]:
    rows = Publication.objects.filter(delivery__in={change.delivery_id for change in changes})
    by_delivery = dict(rows.values_list("delivery_id", "sequence"))
    return {change.pk: by_delivery[change.delivery_id] for change in changes if change.delivery_id in by_delivery}


class ChangeDetail(APIView):
    permissions = {"GET": "monitoring.view_change"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="change",
        tags=["changes"],
        summary="Get a change with all its reports",
        parameters=[KEY_IN_PATH],
        responses=ChangeDetailSerializer,
        examples=an_example("A change", {**CHANGE_EXAMPLE, "observations": [OBSERVATION_EXAMPLE]}),
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The change as it is at present, and which registrations reported it, how and when."""
        change = seen_by(request, Change.objects.filter(pk=id)).first()
        if change is None:
            raise Http404("This change does not exist.")
        return Response(serialized_detail(change, _numbers([change]).get(change.pk), scope_for(request)))


class NotificationList(APIView):
    permissions = {"GET": "monitoring.view_notification"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="notifications",
        tags=["notifications"],
        summary="List D&B's notifications, latest first",
        parameters=[NotificationParameters],
        responses=NotificationsSerializer,
        examples=an_example("A page", {"results": [NOTIFICATION_EXAMPLE], "next": None}),
    )
    def get(self, request: Request) -> Response:
        """Each notification is listed once, even if D&B sent it several times. Its changes are in the feed."""
        asked = NotificationParameters.of(request)
        rows = Notification.objects.exclude(type=state.SNAPSHOT).defer("organization").order_by("-id")
        rows = seen_by(request, rows).filter(**_notification_filters(asked))
        if NotificationType.UPDATE not in asked.get("type", [NotificationType.UPDATE]):
            rows = rows.filter(NO_UPDATE)
        if "after" in asked:
            rows = beyond(rows, ("id",), [read_key(asked["after"])], newest_first=True)
        notifications, has_more = cut(rows, asked["limit"])
        token = write_token([notifications[-1].pk.hex]) if has_more else None
        return Response({"results": serialized_notifications(notifications), "next": token})


def _notification_filters(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Keys begin with the time, so a range of dates is a range of keys."""
    filters: dict[str, Any] = {f"{name}__in": asked[name] for name in ("type", "registration") if name in asked}
    if (companies := among(asked)) is not None:
        filters["company__in"] = sorted(companies)
    if "since" in asked:
        filters["id__gte"] = uuid.UUID(int=milliseconds(asked["since"]) << 80)
    if "until" in asked:
        filters["id__lte"] = uuid.UUID(int=milliseconds(asked["until"]) << 80 | ID_TAIL)
    return filters
