"""The parameters of the feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from core.api.fields import OneOf
from core.api.parameters import CountryField, MomentField, PageParameters, Several
from monitoring.feed import feed
from monitoring.feed.serializers import SEVERITIES
from monitoring.models import Kind, Severity
from portfolio.companies.parameters import DunsField, ReferenceField, RegistrationField, among


class FeedParameters(PageParameters):
    after = serializers.CharField(
        required=False,
        help_text="The `next` value of the previous call, the `changes_cursor` of a snapshot, or `latest` for the end"
        " of the feed. Leave it out to start with the oldest available change.",
    )
    kind = Several(child=OneOf(Kind.choices), help_text="Return only these change types.")
    severity = OneOf(SEVERITIES, required=False, help_text="Return only changes of this severity or higher.")
    element = serializers.CharField(
        required=False,
        max_length=400,
        help_text="Start of a data element's path. Also returns changes of the elements that contain it.",
    )
    registration = RegistrationField(
        required=False,
        max_length=255,
        help_text="Return the first report of each change by this registration, when it arrived, and what became of"
        " the changes that it reported.",
    )
    company = Several(child=DunsField(), help_text="Return only changes of these companies: up to 200 D-U-N-S numbers.")
    country = Several(
        child=CountryField(),
        help_text="Return only changes of companies that are now in these countries. A company that moves to another"
        " country drops out, with its earlier changes and the change of country itself.",
    )
    reference = ReferenceField()


class ChangeFeedParameters(FeedParameters):
    since = MomentField(
        required=False,
        help_text="For the first call, instead of `after`: start with the changes published at or after this date, or"
        " date and time with time zone.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "since" in attrs and "after" in attrs:
            raise serializers.ValidationError("Send either `since` or `after`: `since` in the first call only.")
        return attrs


def choice_of(asked: Mapping[str, Any]) -> feed.Choice:
    def several(name: str) -> frozenset[Any] | None:
        return frozenset(asked[name]) if name in asked else None

    return feed.Choice(
        kinds=several("kind"),
        severity=Severity[asked["severity"].upper()] if "severity" in asked else 0,
        element=asked.get("element", ""),
        registrations=several("registration"),
        companies=among(asked),
        countries=several("country"),
    )
