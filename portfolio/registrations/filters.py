"""The filter of lists by registration."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.admin.filters import shows_no_page
from core.visibility import is_restricted, scope_of, visible_to
from portfolio.companies.conditions import in_registrations
from portfolio.models import Registration


class RegistrationFilter(DropdownFilter):  # type: ignore[misc]
    title = _("registration")
    parameter_name = "registration"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if shows_no_page(request):
            return [(asked, asked) for asked in request.GET.getlist(self.parameter_name)]
        rows = visible_to(request.user, Registration.objects.order_by("reference")).values_list("pk", "reference")
        return [(str(key), reference) for key, reference in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            registration = uuid.UUID(self.value() or "")
        except ValueError:
            return queryset
        if is_restricted(request.user) and registration not in scope_of(request.user).registrations:
            return queryset.none()
        return self.in_registration(queryset, registration)

    def in_registration(self, queryset: QuerySet[Any], registration: uuid.UUID) -> QuerySet[Any]:
        return queryset.filter(registration=registration)


class MemberFilter(RegistrationFilter):
    """Companies that D&B monitors in the registration now."""

    def in_registration(self, queryset: QuerySet[Any], registration: uuid.UUID) -> QuerySet[Any]:
        return in_registrations(queryset, [registration])
