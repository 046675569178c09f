"""What a business unit sees of the portfolio: its registrations, and the companies in them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core.bulk import has_sql
from core.models import BusinessUnit, Export, SavedFilter, unrestricted
from core.visibility import EVERYTHING, Scope, visibility_rule, visible_to
from portfolio.models import (
    Company,
    CompanyNote,
    CompanySearch,
    ExternalReference,
    Membership,
    MembershipCheck,
    Proposal,
    Registration,
    Subject,
    SubjectImport,
    SyncRun,
    UnitRegistration,
)


def scope_of_units(units: Iterable[str]) -> Scope:
    """What some business units see together."""
    slugs = frozenset(units)
    rows = UnitRegistration.objects.filter(unit__in=slugs).values_list("registration_id", flat=True) if slugs else ()
    return Scope(sees_all=False, units=slugs, registrations=frozenset(rows))


class SeesUnits(models.Model):
    """A user or an API key: sees everything, or what the business units in `unit_rows` see, or nothing."""

    sees_all = models.BooleanField(_("sees all registrations"), default=True, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        """Whoever comes when there are units sees nothing at first."""
        if self._state.adding and self.sees_all:
            self.sees_all = unrestricted()
        super().save(*args, **options)

    def read_scope(self) -> Scope:
        if self.sees_all or getattr(self, "is_superuser", False):
            return EVERYTHING
        rows: Any = self.unit_rows  # type: ignore[attr-defined]
        found = list(rows.values_list("unit_id", "unit__unitregistration__registration_id"))
        registrations = frozenset(key for _, key in found if key)
        return Scope(sees_all=False, units=frozenset(unit for unit, _ in found), registrations=registrations)


def scope_of_unit(unit: str | None) -> Scope:
    """Of what belongs to a unit, or to none and so to all."""
    return scope_of_units([unit]) if unit else EVERYTHING


def chosen_registrations(references: Sequence[str], unit: str | None) -> frozenset[uuid.UUID] | None:
    """Those with these references, and of this unit; None where neither is named."""
    if not references and not unit:
        return None
    rows = Registration.objects.filter(reference__in=references) if references else Registration.objects.all()
    return frozenset(visible_to(scope_of_unit(unit), rows).values_list("pk", flat=True))


def held_companies(scope: Scope) -> Iterable[str]:
    """The D-U-N-S numbers that D&B monitors in the scope's registrations."""
    held = Subject.objects.filter(
        registration__in=scope.registrations, monitored_since__isnull=False, monitored_until=None
    )
    numbers = held.order_by().values_list("company_id", flat=True)
    # Without SQL, a subquery would be made for each row.
    return numbers if has_sql() else list(numbers)


def companies_ever_held(scope: Scope, rows: QuerySet[Company]) -> QuerySet[Company]:
    """Held now or before: what the scope's registrations reported then stays visible."""
    if scope.sees_all:
        return rows
    entries = Subject.objects.filter(registration__in=scope.registrations, monitored_since__isnull=False)
    numbers = entries.order_by().values_list("company_id", flat=True)
    return rows.filter(pk__in=numbers if has_sql() else list(numbers))


def left_on(scope: Scope, duns: str) -> date | None:
    """The last day on which the scope's registrations held a company that they do not hold now."""
    if scope.sees_all:
        return None
    entries = Subject.objects.filter(registration__in=scope.registrations, company=duns, monitored_since__isnull=False)
    last: date | None = entries.aggregate(last=Max("monitored_until"))["last"]
    return last


@visibility_rule(Company)
def companies(scope: Scope, rows: QuerySet[Company]) -> QuerySet[Company]:
    """Those held now. Of one that left, its page shows what was known on that day (`left_on`)."""
    return rows.filter(pk__in=held_companies(scope))


@visibility_rule(ExternalReference)
def references(scope: Scope, rows: QuerySet[ExternalReference]) -> QuerySet[ExternalReference]:
    return rows.filter(company__in=held_companies(scope))


@visibility_rule(CompanyNote)
def notes(scope: Scope, rows: QuerySet[CompanyNote]) -> QuerySet[CompanyNote]:
    """About companies held now, by users who see all, or of one's own units."""
    own = Q(units="")
    for unit in scope.units:
        own |= Q(units__contains=f" {unit} ")
    return rows.filter(own, company__in=held_companies(scope))


@visibility_rule(Registration)
def registrations(scope: Scope, rows: QuerySet[Registration]) -> QuerySet[Registration]:
    return rows.filter(pk__in=scope.registrations)


@visibility_rule(Subject, Membership, MembershipCheck, Proposal, SubjectImport, SyncRun)
def of_registrations(scope: Scope, rows: Any) -> Any:
    return rows.filter(registration__in=scope.registrations)


@visibility_rule(CompanySearch)
def searches(scope: Scope, rows: QuerySet[CompanySearch]) -> QuerySet[CompanySearch]:
    """Those for rows of imports: without one, a search belongs to no registration."""
    return rows.filter(subject_import__registration__in=scope.registrations)


@visibility_rule(BusinessUnit)
def units(scope: Scope, rows: QuerySet[BusinessUnit]) -> QuerySet[BusinessUnit]:
    return rows.filter(pk__in=scope.units)


@visibility_rule(SavedFilter)
def saved_filters(scope: Scope, rows: QuerySet[SavedFilter]) -> QuerySet[SavedFilter]:
    """One's own belong to no unit, or to one's own; whose they are, their list asks."""
    return rows.filter(unit=None, shared=False) | rows.filter(unit__in=scope.units)


@visibility_rule(Export)
def exports(scope: Scope, rows: QuerySet[Export]) -> QuerySet[Export]:
    """Each user's own, as their list asks."""
    return rows
