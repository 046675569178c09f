"""People, roles and keys in the admin."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from dnbmon_site import attempts_admin, jobs_admin  # noqa: F401  they register other people's pages
from dnbmon_site.audited import Audited
from dnbmon_site.models import ApiKey, User

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


SHOWN_ONCE = _("The key is {}. Copy it now: it is never shown again.")


@admin.register(ApiKey)
class ApiKeyAdmin(Audited, ModelAdmin):
    list_display = ("name", "prefix", "scopes", "created_by", "created_at", "expires_at", "last_used_at", "revoked_at")
    search_fields = ("name", "prefix")
    readonly_fields = ("prefix", "created_by", "created_at", "last_used_at", "revoked_at")
    actions = ("rotate", "revoke")

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A key that was used belongs to the record; it is revoked, not removed."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm[ApiKey], change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        issuer = User.objects.get(username=request.user.get_username())
        chosen = {name: getattr(obj, name) for name in ("scopes", "expires_at", "budget", "calls_per_minute")}
        row, plain = ApiKey.issue(name=obj.name, created_by=issuer, **chosen)
        obj.pk = row.pk
        obj.refresh_from_db()
        messages.success(request, SHOWN_ONCE.format(plain))

    @admin.action(description=_("Rotate: a new key, the old one goes on for 7 days"), permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in ApiKey.objects.valid().filter(pk__in=[row.pk for row in queryset]):
            messages.success(request, f"{key.name}: {SHOWN_ONCE.format(key.rotate())}")
            self.audit(request, key, "rotated")

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            key.revoke()
            self.audit(request, key, "revoked")
