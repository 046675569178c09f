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

from dnbmon_site.accounts.audit import Audited
from dnbmon_site.accounts.models import User
from dnbmon_site.accounts.rights import beyond, may_touch, rights_of

admin.site.unregister(Group)


ENVIRONMENTS = {"development": _("Development"), "staging": _("Staging")}


def environment_badge(request: HttpRequest) -> list[str | Promise] | None:
    """Nobody should take the demonstration or a test copy for the real thing."""
    if settings.DEMO:
        return [gettext("Demonstration"), "info"]
    return None if settings.PRODUCTION else [ENVIRONMENTS[settings.ENVIRONMENT], "warning"]


OWN_RIGHTS = _("Nobody changes their own rights: somebody else who looks after people can.")
ONLY_SUPERUSERS = _("Only superusers make superusers.")


class PersonForm(UserChangeForm):
    # Who fills it in; set for each request.
    actor: Any
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
        if self.instance.pk == self.actor.pk:
            self._close("is_active", "is_staff", "is_superuser", "roles", why=OWN_RIGHTS)
        elif not self.actor.is_superuser:
            self._close("is_superuser", why=ONLY_SUPERUSERS)

    def _close(self, *names: str, why: Promise) -> None:
        """What is sent for these is passed by."""
        for name in names:
            if name in self.fields:
                self.fields[name].disabled = True
                self.fields[name].help_text = why

    def clean_roles(self) -> Any:
        roles = self.cleaned_data["roles"]
        if refused := beyond(self.actor, [role for role in roles if role not in self.fields["roles"].initial]):
            raise forms.ValidationError(
                gettext("You cannot give %(roles)s: it holds rights that you do not have. Ask somebody who has them.")
                % {"roles": ", ".join(f"“{role}”" for role in refused)}
            )
        return roles

    def _save_m2m(self) -> None:
        super()._save_m2m()
        self.instance.groups.set(self.cleaned_data["roles"])
        if self.cleaned_data["roles"] and not self.instance.is_staff:
            # Whoever has a role comes in; "is_staff" is Django's word for that.
            self.instance.is_staff = True
            self.instance.save(update_fields=["is_staff"])


class Guarded(Audited):
    """Pages, passwords and actions alike ask here."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_touch(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or may_touch(request.user, obj))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A form that knows who fills it in."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"actor": request.user})


@admin.register(User)
class UserAdmin(Guarded, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
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


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    actor: Any

    def clean_permissions(self) -> Any:
        chosen = self.cleaned_data["permissions"]
        given = {right.pk for right in chosen} - (rights_of(self.instance) if self.instance.pk else set())
        if not self.actor.is_superuser and not given <= rights_of(self.actor):
            raise forms.ValidationError(gettext("A role gets no right that you do not have. Ask somebody who has it."))
        return chosen


@admin.register(Group)
class GroupAdmin(Guarded, DjangoGroupAdmin, ModelAdmin):
    form = RoleForm
