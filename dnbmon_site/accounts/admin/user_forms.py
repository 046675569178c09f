"""Forms for users and roles. No one changes their own permissions or gives any beyond their own."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from core.admin.boxes import Boxes
from core.models import BusinessUnit
from dnbmon_site.accounts.admin.permission_names import grouped, offered_permissions
from dnbmon_site.accounts.models import RolePolicy, User, UserPermission
from dnbmon_site.accounts.rights import beyond, rights_of
from dnbmon_site.accounts.roles import PURPOSES
from dnbmon_site.accounts.second_factor.requirement import require

ROLES_HELP = _("Roles decide what the user can see and do.")
# The pages of the other tasks show data of the whole contract: `dnbmon_site/http/unit_pages.py`.
ROLES_IN_UNITS = _(
    "Users of a business unit view data, write notes, work on alerts, review companies, decide on them and import into "
    "their registrations, as far as their roles permit. All other tasks, such as alert rules and pulling, need access "
    "to all registrations. New users see nothing until you select them in a business unit or give them access."
)
OWN_RIGHTS = _("You cannot change your own permissions. Ask another administrator.")
HELP = {
    "username": _("The user signs in with this name."),
    "is_active": _("Clear this checkbox to deactivate the user. Deactivated users cannot sign in."),
    "is_superuser": _("Superusers have all permissions, whatever their roles."),
}
ONLY_SUPERUSERS = _("Only superusers can make someone a superuser.")


class RolesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Group.objects.all(), label=_("Roles"), help_text=ROLES_HELP, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        text = PURPOSES.get(obj.name)
        return gettext("%(role)s: %(text)s") % {"role": obj.name, "text": text} if text else str(obj.name)


def explain_roles(form: forms.ModelForm) -> None:  # type: ignore[type-arg]
    """A role permits less to users of business units."""
    if BusinessUnit.objects.exists():
        form.fields["roles"].help_text = f"{ROLES_HELP} {ROLES_IN_UNITS}"


def refuse_beyond(actor: Any, roles: list[Group]) -> None:
    if refused := beyond(actor, roles):
        raise ValidationError(
            gettext(
                "You cannot assign these roles, because they include permissions that you do not have: "
                "%(roles)s. Ask another administrator."
            )
            % {"roles": ", ".join(f"“{role}”" for role in refused)}
        )


def give_roles(user: User, roles: Any) -> None:
    """With what Django calls "staff": everyone with a role, and superusers, may open the pages."""
    user.groups.set(roles)
    is_staff = bool(roles) or user.is_superuser or UserPermission.objects.filter(user=user).exists()
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name, email and roles; the password is the new user's to choose."""

    # Who fills it in; set for each request.
    actor: Any
    first_name = forms.CharField(label=_("First name"), max_length=150, widget=UnfoldAdminTextInputWidget)
    last_name = forms.CharField(label=_("Last name"), max_length=150, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(label=_("Email address"), widget=UnfoldAdminEmailInputWidget)
    username = forms.CharField(
        label=_("Username"),
        required=False,
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Leave empty to sign in with the email address."),
    )
    roles = RolesField(
        error_messages={"required": _("Select at least one role. Without one, the user cannot open any page.")},
    )

    class Meta:
        model = User
        fields = ("first_name", "last_name", "email", "username")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        explain_roles(self)

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exists():
            raise ValidationError(gettext("A user with this email address already exists."))
        return email

    def clean_roles(self) -> Any:
        refuse_beyond(self.actor, list(self.cleaned_data["roles"]))
        return self.cleaned_data["roles"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        found["username"] = found.get("username") or found.get("email", "")[:150]
        return found

    def save(self, commit: bool = True) -> User:
        self.instance.set_unusable_password()
        user: User = super().save(commit)
        return user

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        give_roles(self.instance, self.cleaned_data["roles"])


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    actor: Any
    # Under another name than the field: the admin refuses many-to-many fields with rows of their own.
    roles = RolesField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "is_superuser" in self.fields:
            self.fields["is_superuser"].label = gettext("Superuser")
        for name in HELP.keys() & self.fields.keys():
            self.fields[name].help_text = str(HELP[name])
        explain_roles(self)
        if self.instance.pk:
            # At once: what was changed is only asked for after it was saved.
            self.fields["roles"].initial = list(self.instance.groups.all())
        if self.instance.pk == self.actor.pk:
            self._close("is_active", "is_superuser", "roles", why=OWN_RIGHTS)
        elif not self.actor.is_superuser:
            self._close("is_superuser", why=ONLY_SUPERUSERS)

    def _close(self, *names: str, why: str | Promise) -> None:
        """What is sent for these is passed by."""
        for name in names:
            if name in self.fields:
                self.fields[name].disabled = True
                self.fields[name].help_text = str(why)

    def clean_roles(self) -> Any:
        roles = self.cleaned_data["roles"]
        refuse_beyond(self.actor, [role for role in roles if role not in self.fields["roles"].initial])
        return roles

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        give_roles(self.instance, self.cleaned_data["roles"])


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]
    actor: Any
    needs_second_factor = forms.BooleanField(
        label=_("Require two-step verification"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_(
            "Users with this role who sign in with a password must set up two-step verification before they "
            "can open any other page."
        ),
    )
    permissions = forms.ModelMultipleChoiceField(
        Permission.objects.none(),
        label=_("Permissions"),
        required=False,
        widget=Boxes,
        help_text=_("Most pages need at least “View”. Permissions of several roles add up."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        policy = RolePolicy.objects.filter(role=self.instance).first() if self.instance.pk else None
        self.fields["needs_second_factor"].initial = bool(policy and policy.needs_second_factor)
        if field := self.fields.get("permissions"):
            rows = offered_permissions(self.instance)
            field.queryset = rows  # type: ignore[attr-defined]
            field.choices = grouped(rows)  # type: ignore[attr-defined]

    def clean_permissions(self) -> Any:
        chosen = self.cleaned_data["permissions"]
        given = {right.pk for right in chosen} - (rights_of(self.instance) if self.instance.pk else set())
        if not self.actor.is_superuser and not given <= rights_of(self.actor):
            raise ValidationError(
                gettext("You cannot add permissions that you do not have. Ask an administrator who has them.")
            )
        return chosen

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        require(self.instance, needs_second_factor=self.cleaned_data["needs_second_factor"])
