"""What can be followed: its name, its page, and why following it has no effect any more."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from core.db import clean_text
from core.lists.listings import LISTINGS
from core.lists.saved_filters import undeclared_in, undeclared_words
from core.models import SavedFilter
from core.text import country_name
from core.visibility import is_restricted, visible_to
from monitoring.models import Change, Follow, FollowKind
from portfolio.models import Company, Registration

Row = TypeVar("Row", bound=Model)
# Lists of which each row belongs to one company, with the column that names it.
LISTS = {"portfolio.company": "pk", "portfolio.subject": "company", "monitoring.change": "company"}

LONGEST = 500


def visible(person: Any, model: type[Row]) -> QuerySet[Row]:
    """The rows that a user may see. Whatever is shown or sent about follows comes from here."""
    rows = visible_to(person, model._default_manager.all())
    right = f"{model._meta.app_label}.view_{model._meta.model_name}"
    return rows if person.is_active and person.has_perm(right) else rows.none()


@dataclass(frozen=True, slots=True)
class Subject:
    """As pages and messages name it; with a `problem`, nothing is sent about it."""

    name: str
    url: str = ""
    problem: str = ""


Named = Mapping[str, Subject]


def subjects_of(person: Any, follows: Collection[Follow]) -> dict[uuid.UUID, Subject]:
    """Of each follow, in one query a kind."""
    found: dict[uuid.UUID, Subject] = {}
    for kind, read in READ.items():
        its = [row for row in follows if row.kind == kind]
        known = read(person, its) if its else {}
        gone = gettext("The item was deleted, or you no longer have permission to view it.")
        found |= {row.pk: known.get(row.subject) or Subject(row.name or row.subject, problem=gone) for row in its}
    return found


def subject_of(person: Any, kind: str, subject: str) -> Subject:
    """What a user asks to follow; raises ValidationError where that is not possible."""
    if not subject or len(subject) > LONGEST or clean_text(subject) != subject:
        raise ValidationError(gettext("This item cannot be followed."))
    asked = Follow(id=uuid.uuid4(), kind=kind, subject=subject)
    found = subjects_of(person, [asked]).get(asked.pk)
    if found is None or found.problem:
        raise ValidationError(found.problem if found else gettext("This item cannot be followed."))
    return found


def _companies(person: Any, follows: Collection[Follow]) -> Named:
    rows = visible(person, Company).filter(pk__in=[row.subject for row in follows])
    return {row.pk: Subject(str(row), reverse("admin:portfolio_company_change", args=[row.pk])) for row in rows}


def _groups(person: Any, follows: Collection[Follow]) -> Named:
    """By the company at the top, which itself may not be known here."""
    tops = [row.subject for row in follows]
    rows = visible(person, Company)
    names = dict(rows.filter(pk__in=tops).values_list("pk", "name"))
    known = {*names, *rows.filter(global_ultimate__in=tops).values_list("global_ultimate", flat=True).distinct()}
    words = gettext("Group of %(name)s")
    return {
        top: Subject(words % {"name": names.get(top) or top}, reverse("corporate_group", args=[top])) for top in known
    }


def _with_companies(person: Any, page: str, names: Mapping[str, str]) -> Named:
    """Chosen by a parameter of the list of companies."""
    if not names or not person.has_perm("portfolio.view_company"):
        return {}
    url = reverse("admin:portfolio_company_changelist")
    return {key: Subject(name, f"{url}?{urlencode({page: name})}") for key, name in names.items()}


def _tags(person: Any, follows: Collection[Follow]) -> Named:
    return _with_companies(person, "tag", {row.subject: row.name or row.subject for row in follows})


def _countries(person: Any, follows: Collection[Follow]) -> Named:
    codes = {row.subject: row.subject for row in follows if country_name(row.subject) != row.subject}
    found = _with_companies(person, "country", codes)
    return {code: Subject(country_name(code), one.url) for code, one in found.items()}


def _registrations(person: Any, follows: Collection[Follow]) -> Named:
    rows = visible(person, Registration).filter(pk__in=_keys(follows)).only("pk", "reference")
    if is_restricted(person):
        # They have no page for it.
        return {str(row.pk): Subject(row.reference) for row in rows}
    page = "admin:portfolio_registration_change"
    return {str(row.pk): Subject(row.reference, reverse(page, args=[row.pk])) for row in rows}


def _keys(follows: Collection[Follow]) -> list[uuid.UUID]:
    return [key for row in follows if (key := key_of(row.subject))]


def key_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def filters_for(person: Any) -> QuerySet[SavedFilter]:
    """A user's own and the shared ones, of lists that can be followed."""
    name = person.get_username()
    rows = SavedFilter.objects.filter(Q(owner=name) | Q(shared=True), listing__in=LISTS).exclude(name="")
    return visible_to(person, rows)


def _filters(person: Any, follows: Collection[Follow]) -> Named:
    return {str(row.pk): _filter(person, row) for row in filters_for(person).filter(pk__in=_keys(follows))}


def _filter(person: Any, row: SavedFilter) -> Subject:
    model = LISTINGS[row.listing].model
    page = f"admin:{row.listing.replace('.', '_')}_changelist"
    if not person.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}"):
        return Subject(row.name, problem=gettext("You do not have permission to view the list of this filter."))
    refused = undeclared_in(row.listing, row.query, person)
    return Subject(row.name, f"{reverse(page)}?{row.address}", undeclared_words(refused) if refused else "")


READ: Mapping[str, Callable[[Any, Collection[Follow]], Named]] = {
    FollowKind.COMPANY: _companies,
    FollowKind.GROUP: _groups,
    FollowKind.TAG: _tags,
    FollowKind.COUNTRY: _countries,
    FollowKind.REGISTRATION: _registrations,
    FollowKind.FILTER: _filters,
}


def may_see_changes(person: Any) -> bool:
    return bool(person.is_active and person.has_perm(f"{Change._meta.app_label}.view_change"))
