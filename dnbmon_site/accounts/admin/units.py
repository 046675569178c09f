"""Business units: their registrations, users and API keys, and who sees nothing since there are any."""

# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from core.actors import actor_of, person_text
from core.admin.base import PageAdmin
from core.admin.deletion import Part
from core.audit import record
from core.models import BusinessUnit
from core.text import counted
from dnbmon_site.accounts.audit import Audited
from dnbmon_site.accounts.models import ApiKey, UnitKey, UnitMember, User
from dnbmon_site.accounts.units import (
    give_all,
    is_left_over,
    losing_access,
    open_to_all,
    restrict_all,
    set_unit,
    slug_of,
    without_access,
)
from portfolio.models import Registration, UnitRegistration


class Several(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def __init__(self, queryset: Any, **kwargs: Any) -> None:
        super().__init__(queryset, required=False, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return person_text(obj) if isinstance(obj, User) else str(obj)


class UnitForm(forms.ModelForm):  # type: ignore[type-arg]
    # Who fills it in; set for each request.
    actor: Any
    registrations = Several(
        Registration.objects.order_by("reference"),
        label=_("Registrations"),
        help_text=_("The business unit sees the data that D&B reports through these registrations."),
    )
    people = Several(
        User.objects.none(),
        label=_("Users"),
        help_text=_(
            "These users see only the data of their business units. Not listed: superusers, who see all data; "
            "deactivated users; and you, because you cannot limit your own access."
        ),
    )
    keys = Several(
        ApiKey.objects.none(),
        label=_("API keys"),
        help_text=_("These API keys return only the data of their business units."),
    )

    class Meta:
        model = BusinessUnit
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_active=True, is_superuser=False).exclude(pk=self.actor.pk)
        self._offer("people", people, "username", UnitMember, "user")
        self._offer("keys", ApiKey.objects.valid(), "name", UnitKey, "key")
        self._offer("registrations", Registration.objects.all(), "reference", UnitRegistration, "registration")

    def _offer(self, name: str, rows: Any, order: str, through: Any, column: str) -> None:
        """Also those in the unit that could not be added now: whoever saves the page does not remove them unseen."""
        members = through.objects.filter(unit=self.instance.pk) if self.instance.pk else through.objects.none()
        chosen = list(members.values_list(f"{column}_id", flat=True))
        offered = rows | rows.model._default_manager.filter(pk__in=chosen)
        self.fields[name].queryset = offered.order_by(order)  # type: ignore[attr-defined]
        self.fields[name].initial = chosen

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if not slug_of(name):
            raise ValidationError(gettext("Enter a name with letters or digits."))
        if not self.instance.pk and BusinessUnit.objects.filter(pk=slug_of(name)).exists():
            raise ValidationError(gettext("A business unit with a similar name already exists. Enter another name."))
        if not self.instance.pk and is_left_over(slug_of(name)):
            text = gettext("Alerts or notes of a deleted business unit with a similar name exist. Enter another name.")
            raise ValidationError(text)
        return name


@admin.register(BusinessUnit)
class BusinessUnitAdmin(Audited, PageAdmin):
    form = UnitForm
    fields = ("name", "registrations", "people", "keys")
    list_display = ("name", "registration_count", "people_count", "key_count")
    list_before_template = "dnbmon_site/accounts/units_intro.html"
    ordering = ("name",)
    sortable_by = ()
    empty_title = _("No business units")
    empty_text = _("Without business units, all users see all registrations. Add one to limit what its users see.")
    deleted_with = {
        "portfolio.unitregistration": Part(_("Access to registrations"), "registration"),
        "accounts.unitmember": Part(_("Membership of users"), "user"),
        "accounts.unitkey": Part(_("Membership of API keys"), "key"),
    }
    kept_text = (
        _("The registrations, their companies and all data from D&B"),
        _("The users and API keys"),
        _("Alerts and notes of the business unit. Users with access to all registrations still see them."),
    )
    in_use_hint = _(
        "Open each entry and select another business unit there, or delete the entry. A saved filter can only be "
        "deleted. Then delete the business unit."
    )

    def get_urls(self) -> list[URLPattern]:
        give = self.admin_site.admin_view(require_POST(self.give))
        return [path("give/", give, name="core_businessunit_give"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form of the first unit says who loses access by it, before it is saved."""
        options: dict[str, Any] = {"fields": self.fields}
        if not BusinessUnit.objects.exists():
            options["description"] = _first_unit_words(*losing_access(but=request.user.pk))
        return [(None, options)]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A form that knows who fills it in."""
        form = super().get_form(request, obj, change=change, fields=("name",))
        return type(form.__name__, (form,), {"actor": request.user})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found: Any = super().get_changelist_instance(request)
        people, keys = without_access()
        found.without_access = [(row.pk, person_text(row)) for row in people] + [(row.pk, str(row)) for row in keys]
        found.may_give = self.has_change_permission(request)
        return found

    def complete_rows(self, rows: list[Any]) -> None:
        for name, model in (("registrations", UnitRegistration), ("people", UnitMember), ("keys", UnitKey)):
            found: Any = model._default_manager.values_list("unit").order_by().annotate(count=Count("id"))
            counts = dict(found)
            for row in rows:
                setattr(row, name, counts.get(row.pk, 0))

    @admin.display(description=_("Registrations"))
    def registration_count(self, row: Any) -> str:
        return counted(row.registrations) if row.registrations else gettext("None: its users see no new data")

    @admin.display(description=_("Users"))
    def people_count(self, row: Any) -> str:
        return counted(row.people)

    @admin.display(description=_("API keys"))
    def key_count(self, row: Any) -> str:
        return counted(row.keys)

    def save_model(self, request: HttpRequest, obj: BusinessUnit, form: Any, change: bool) -> None:
        is_first = not BusinessUnit.objects.exists()
        if not change:
            obj.slug, obj.created_by = slug_of(obj.name), request.user.get_username()
        if is_first:
            restrict_all(but=request.user.pk)
        super().save_model(request, obj, form, change)
        if is_first:
            # Whoever came before the unit was there.
            restrict_all(but=request.user.pk)
        data = form.cleaned_data
        set_unit(obj, registrations=data["registrations"], people=data["people"], keys=data["keys"])
        if not data["registrations"]:
            text = gettext("This business unit has no registrations: its users see no new data.")
            messages.warning(request, text)
        self._warn(request)

    def _warn(self, request: HttpRequest) -> None:
        people, keys = without_access()
        if count := len(people) + len(keys):
            text = ngettext(
                "%(count)s user or API key belongs to no business unit and sees nothing. It is listed below.",
                "%(count)s users or API keys belong to no business unit and see nothing. They are listed below.",
                count,
            )
            messages.warning(request, text % {"count": counted(count)})

    def advice(self, rows: Sequence[Any]) -> str:
        """Where no unit would be left, all see all; else some may see nothing."""
        if BusinessUnit.objects.exclude(pk__in=[row.pk for row in rows]).exists():
            return gettext("Users and API keys of no other business unit see nothing until you give them access.")
        return gettext("No business unit would be left. All users and API keys would then see all registrations.")

    def delete_model(self, request: HttpRequest, obj: BusinessUnit) -> None:
        super().delete_model(request, obj)
        self._after_removal(request)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset)
        self._after_removal(request)

    def _after_removal(self, request: HttpRequest) -> None:
        if not BusinessUnit.objects.exists() and open_to_all(by=request.user.pk):
            messages.warning(request, gettext("No business units are left: all users see all registrations again."))
            return
        self._warn(request)

    def give(self, request: HttpRequest) -> HttpResponse:
        """Access to all registrations, for one or all of those who see nothing."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        people, keys = without_access()
        only = request.POST.get("only", "")
        found: list[User | ApiKey] = [*people, *keys]
        chosen = [row for row in found if only in ("", str(row.pk))]
        give_all(chosen)
        words = gettext("%(thing)s sees all registrations")
        for thing in chosen:
            record(actor=actor_of(request), action="unit.all", thing=thing, summary=words % {"thing": thing})
        messages.success(request, gettext("Access to all registrations granted."))
        return HttpResponseRedirect(reverse("admin:core_businessunit_changelist"))


def _first_unit_words(people: int, keys: int) -> str:
    users = ngettext("%(count)s user", "%(count)s users", people) % {"count": counted(people)}
    programs = ngettext("%(count)s API key", "%(count)s API keys", keys) % {"count": counted(keys)}
    words = gettext(
        "This is the first business unit. Once you save it, %(users)s and %(keys)s see nothing until they are given "
        "access. Those selected here see what the business unit sees. You and superusers still see everything."
    )
    return words % {"users": users, "keys": programs}
