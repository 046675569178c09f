"""What the API says of family trees, and what it takes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.api.bodies import Body
from core.api.fields import Entries, OneOf
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters
from monitoring.models import FamilyTree, TreeKind, TreeState
from portfolio.call_budgets.api import ConfirmCallsField
from portfolio.companies.parameters import DunsField

MOST_COMPANIES = 500
TREE_EXAMPLE = {
    "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11",
    "kind": "full",
    "duns": "804735132",
    "top": "804735132",
    "state": "done",
    "reason": "",
    "complete": True,
    "pages_read": 2,
    "page_count": 2,
    "members_at_dnb": 1250,
    "calls": 2,
    "requested_by": "CRM",
    "requested_at": "2026-01-08T11:06:48.292000Z",
    "fetched_at": "2026-01-08T11:06:52.117000Z",
}
MEMBER_EXAMPLE = {
    "duns": "804735132",
    "parent": "",
    "name": "Gorman Manufacturing Company, Inc.",
    "country": "US",
    "city": "San Francisco",
    "roles": "Global Ultimate, Parent/Headquarters",
    "status": "Active",
    "employees": 120,
    "monitored_in": ["ACME_LOD_01"],
}


class TreeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="ID of the family tree.")
    kind = serializers.ChoiceField(TreeKind.choices, help_text="`full`: all members. `upward`: the owners of one.")
    duns = serializers.CharField(help_text="D-U-N-S number that it was requested for.")
    top = serializers.CharField(help_text="D-U-N-S number of the global ultimate. Empty while it is not known.")
    state = serializers.ChoiceField(
        TreeState.choices, help_text="`stopped` can be resumed. `none`: D&B has no family tree of the company."
    )
    reason = serializers.CharField(help_text="Why it stopped, or D&B's message.")
    complete = serializers.BooleanField(source="is_complete", help_text="Whether all pages were read.")
    pages_read = serializers.IntegerField(help_text="Pages read so far.")
    page_count = serializers.IntegerField(allow_null=True, help_text="Pages in all, as far as is known.")
    members_at_dnb = serializers.IntegerField(
        source="member_count", allow_null=True, help_text="Number of members that D&B states."
    )
    calls = serializers.IntegerField(help_text="Calls made.")
    requested_by = serializers.CharField(help_text="User or API key.")
    requested_at = serializers.DateTimeField(help_text="When it was requested.")
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="Time at which the last page was fetched.")


class TreesSerializer(PageSerializer):
    results = TreeSerializer(many=True)


class RequestedTreesSerializer(serializers.Serializer[Any]):
    results = TreeSerializer(many=True, help_text="One for each company.")


class TreeMemberSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number.")
    parent = serializers.CharField(  # type: ignore[assignment]  # its fields are no attributes
        help_text="D-U-N-S number of its parent. Empty if D&B states none."
    )
    name = serializers.CharField(help_text="Name at D&B.")
    country = serializers.CharField(help_text="Two-letter code (ISO 3166-1), or empty.")
    city = serializers.CharField(help_text="City, or empty.")
    roles = serializers.CharField(help_text="Roles in the family, as D&B states them.")
    status = serializers.CharField(help_text="Operating status at D&B, or empty.")
    employees = serializers.IntegerField(allow_null=True, help_text="Number of employees.")
    monitored_in = serializers.SerializerMethodField(help_text="Registrations that monitor it, or request it.")

    def get_monitored_in(self, row: Any) -> list[str]:
        return list(self.context["monitored"].get(row.duns, ()))


class TreeMembersSerializer(PageSerializer):
    results = TreeMemberSerializer(many=True)


class CompanyTreeSerializer(TreeSerializer):
    outdated = serializers.BooleanField(
        help_text="Whether D&B has reported a different owner or position of the company since."
    )


class TreeRequestSerializer(Body):
    kind = OneOf(TreeKind.choices, help_text="`full` takes one company.")
    companies = Entries(
        child=DunsField(),
        allow_empty=False,
        max_length=MOST_COMPANIES,
        help_text="Up to 500 companies, all monitored in one contract.",
    )
    confirm_calls = ConfirmCallsField()


class TreeParameters(PageParameters):
    kind = OneOf(TreeKind.choices, required=False, help_text="Return only trees of this kind.")


def members_json(rows: list[Any], monitored: dict[str, list[str]]) -> Any:
    return TreeMemberSerializer(rows, many=True, context={"monitored": monitored}).data


def company_tree_json(tree: FamilyTree, *, is_outdated: bool) -> dict[str, Any]:
    return {**TreeSerializer(tree).data, "outdated": is_outdated}
