"""People and roles in the admin."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from dnbmon_site import attempts_admin, jobs_admin, keys_admin  # noqa: F401  they register pages of their own
from dnbmon_site.audited import Audited
from dnbmon_site.models import User

admin.site.unregister(Group)


ENVIRONMENTS = {"development": _("Development"), "staging": _("Staging")}


def environment_badge(request: HttpRequest) -> list[str | Promise] | None:
    """Nobody should take the demonstration or a test copy for the real thing."""
    if settings.DEMO:
        return [gettext("Demonstration"), "info"]
    return None if settings.PRODUCTION else [ENVIRONMENTS[settings.ENVIRONMENT], "warning"]


class PersonForm(UserChangeForm):
    # Under another name than the field: the admin refuses many-to-many fields with rows of their own.
    roles = forms.ModelMultipleChoiceField(
        Group.objects.all(),
        required=False,
        label=_("Roles"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What this person may do."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            # At once: what was changed is only asked for after it was saved.
            self.fields["roles"].initial = list(self.instance.groups.all())

    def _save_m2m(self) -> None:
        super()._save_m2m()
        self.instance.groups.set(self.cleaned_data["roles"])
        if self.cleaned_data["roles"] and not self.instance.is_staff:
            # Whoever has a role comes in; "is_staff" is Django's word for that.
            self.instance.is_staff = True
            self.instance.save(update_fields=["is_staff"])


@admin.register(User)
class UserAdmin(Audited, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = PersonForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "timezone", "language")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "roles")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    list_filter = ("is_staff", "is_superuser", "is_active")


@admin.register(Group)
class GroupAdmin(Audited, DjangoGroupAdmin, ModelAdmin):
    pass
