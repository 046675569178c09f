"""Users and roles in the admin."""

# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm

from core.actors import actor_of, is_invited, person_text
from core.admin.base import PageAdmin, Secret, name_model, shown_once
from core.admin.deletion import UNSEEN, Part
from core.markup import ago, badge, two_lines
from core.models import unrestricted
from core.outbound.mail_server import has_mail_server
from direct_plus.transport import is_this_machine
from dnbmon_site.accounts.admin.user_forms import InvitationForm, PersonForm, RoleForm
from dnbmon_site.accounts.audit import Audited
from dnbmon_site.accounts.email_changes import email_warnings
from dnbmon_site.accounts.invitations import Invitation, invite, may_be_invited, valid_days
from dnbmon_site.accounts.models import SecondFactorState, User
from dnbmon_site.accounts.rights import may_touch
from dnbmon_site.accounts.roles import PURPOSES
from dnbmon_site.accounts.second_factor.codes import turn_off
from dnbmon_site.accounts.user_states import locked_among, role_names, state_badge

admin.site.unregister(Group)
name_model(Group, _("role"), _("roles"))


MAINTAINED = _(
    "D&B Monitoring maintains this role: each upgrade restores its permissions, and creates the role again if it was "
    "renamed or deleted. For other permissions, add a role of your own."
)
ENVIRONMENTS = {"development": _("Development"), "staging": _("Staging")}


def environment_badge(request: HttpRequest) -> list[str | Promise] | None:
    """No one should take the demonstration or a test copy for the real thing."""
    if settings.DEMO:
        return [gettext("Demonstration"), "info"]
    return None if settings.PRODUCTION else [ENVIRONMENTS[settings.ENVIRONMENT], "warning"]


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
class UserAdmin(Guarded, PageAdmin, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = PersonForm
    add_form = InvitationForm
    add_form_template = "dnbmon_site/accounts/invite.html"
    change_form_template = "dnbmon_site/accounts/user.html"
    change_password_form = AdminPasswordChangeForm
    list_display = ("person", "email", "roles", "signed_in", "second_factor", "state")
    list_filter = ("is_active", "groups", "is_superuser", "second_factor")
    list_before_template = "dnbmon_site/accounts/users_intro.html"
    ordering = ("username",)
    fieldsets = (
        (_("Person"), {"fields": ("first_name", "last_name", "email", "username")}),
        (_("Permissions"), {"fields": ("roles", "is_active", "is_superuser")}),
        (_("Time zone and language"), {"fields": ("timezone", "language")}),
    )
    add_fieldsets = (
        (None, {"fields": ("first_name", "last_name", "email", "roles")}),
        (_("Advanced"), {"fields": ("username",), "classes": ("collapse",)}),
    )
    filter_horizontal = ()
    compressed_fields = False
    add_title = _("Invite user")
    empty_title = _("No users yet")
    empty_text = _("Invite users by name and email. They choose their own password.")
    deleted_with = {
        "accounts.usergroup": Part(_("Assignment of roles"), "group"),
        "accounts.userpermission": Part(_("Individual permissions"), "permission"),
        "accounts.unitmember": Part(_("Membership in business units"), "unit"),
        "accounts.secondfactor": Part(_("Two-step verification")),
        "monitoring.channel": Part(_("Channels of the user"), "name"),
        "monitoring.follow": Part(_("Followed companies, groups, tags and filters"), is_counted=True),
        "monitoring.notificationpreference": Part(_("Notification settings")),
        "monitoring.reportrecipient": Part(_("Reports no longer sent to the user"), "schedule"),
        **dict.fromkeys(
            (
                *("accounts.recoverycode", "admin.logentry", "monitoring.rulechannel", "monitoring.digestitem"),
                "monitoring.personalevent",
            ),
            UNSEEN,
        ),
    }
    kept_text = (
        _("Comments, notes, decisions and entries of the audit log, with the username"),
        _("Alerts assigned to the user. They become unassigned."),
        _("API keys that the user issued. They stay valid until you rotate or revoke them."),
    )
    deletion_advice = _("To prevent logins only, deactivate the user instead.")

    def deletion_name(self, row: User) -> str:
        """With the username: two users may have one name."""
        name, username = person_text(row), row.get_username()
        return name if name == username else f"{name} ({username})"

    def complete_rows(self, rows: list[Any]) -> None:
        """What two columns show, in one query each."""
        locked, names = locked_among(rows), role_names(rows)
        for row in rows:
            row.is_locked, row.role_names = row.username in locked, names[row.pk]

    @admin.display(description=_("Name"), ordering="username")
    def person(self, user: User) -> SafeString | str:
        name = user.get_full_name() or user.username
        return name if user.username in (name, user.email) else two_lines(name, user.username)

    @admin.display(description=_("Roles"))
    def roles(self, user: Any) -> SafeString | str:
        chips = [badge(gettext("Superuser"), "warn")] if user.is_superuser else []
        chips += [badge(name, "info") for name in user.role_names]
        return format_html_join(" ", "{}", ((chip,) for chip in chips)) or gettext("None")

    @admin.display(description=_("Last login"), ordering="last_login")
    def signed_in(self, user: User) -> SafeString | str:
        return ago(user.last_login) or gettext("Never")

    @admin.display(description=_("State"))
    def state(self, user: Any) -> SafeString:
        return state_badge(user, is_locked=user.is_locked)

    def get_urls(self) -> list[URLPattern]:
        invite_again = self.admin_site.admin_view(require_POST(self.invite_again))
        reset = self.admin_site.admin_view(require_POST(self.reset_second_factor))
        return [
            path("<path:object_id>/invite/", invite_again, name="accounts_user_invite"),
            path("<path:object_id>/reset-two-step/", reset, name="accounts_user_reset_second_factor"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        context = {
            "title": gettext("Invite user"),
            "has_mail_server": has_mail_server(),
            "days": valid_days(),
            "sees_all": unrestricted(),
            "may_give": request.user.has_perm("core.change_businessunit"),
            # Each is sent an invitation, and its link may have to be copied first.
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        page: HttpResponse = super().add_view(request, form_url, {**context, **(extra_context or {})})
        return page

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        user = self.get_object(request, object_id)
        context = self._above_the_form(request, user) if user else {}
        page: HttpResponse = super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})
        return page

    def _above_the_form(self, request: HttpRequest, user: User) -> dict[str, Any]:
        self.complete_rows([user])
        return {
            "title": user.get_full_name() or user.username,
            "state": self.state(user),
            "role_chips": self.roles(user),
            "is_invited": is_invited(user),
            "may_be_invited": may_be_invited(user),
            "may_change": self.has_change_permission(request, user),
            "has_second_factor": user.second_factor == SecondFactorState.ON and user.pk != request.user.pk,
        }

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for warning in email_warnings(obj, str(form.initial.get("email") or "")) if change else ():
            messages.warning(request, warning)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        done = invite(obj, by=actor_of(request))
        if done.is_sent and IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return self._invited(request, obj, done)

    def invite_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self.object_or_404(request, object_id)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if may_be_invited(user):
            return self._invited(request, user, invite(user, by=actor_of(request)))
        messages.error(request, gettext("Only users with an email address who have not signed in yet can be invited."))
        return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[user.pk]))

    def reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """For somebody who has lost the app and the recovery codes."""
        user = self.object_or_404(request, object_id)
        # Their own page asks for a code first: who finds an unlocked screen has none.
        if not self.has_change_permission(request, user) or user.pk == request.user.pk:
            raise PermissionDenied
        turn_off(user, by=actor_of(request))
        messages.success(request, reset_text(user))
        return HttpResponseRedirect(reverse("admin:accounts_user_change", args=[user.pk]))

    def _invited(self, request: HttpRequest, user: User, done: Invitation) -> HttpResponse:
        back = reverse("admin:accounts_user_changelist")
        if done.is_sent:
            messages.success(request, gettext("The invitation was sent to %(address)s.") % {"address": done.address})
            return HttpResponseRedirect(back)
        secret = Secret(f"{user.get_full_name() or user.username} ({done.address})", done.link)
        lead = gettext("This is the invitation link.")
        note = not_sent_text(done)
        return shown_once(request, [secret], title=gettext("Invitation link"), lead=lead, note=note, back=back)


def reset_text(user: User) -> str:
    if user.second_factor == SecondFactorState.DUE:
        return gettext(
            "Two-step verification was reset. The user must set up two-step verification again at the next login."
        )
    return gettext("Two-step verification was reset. The user now signs in with the password only.")


def not_sent_text(done: Invitation) -> str:
    days = ngettext(
        "Send this link to the user yourself. It works once and expires in %(days)s day.",
        "Send this link to the user yourself. It works once and expires in %(days)s days.",
        valid_days(),
    ) % {"days": valid_days()}
    why = gettext("No email server is set up, so the invitation was not sent.")
    if done.is_refused:
        why = gettext("The email server did not accept the invitation. Check the email settings.")
    return " ".join(filter(None, (why, days, _local_text(done.link))))


def _local_text(link: str) -> str:
    """Nothing where other computers can open the link."""
    if not is_this_machine(link):
        return ""
    return gettext(
        "The link opens only on this computer. To let other computers open D&B Monitoring, see “Deployment” under Help."
    )


@admin.register(Group)
class GroupAdmin(Guarded, DjangoGroupAdmin, ModelAdmin):
    form = RoleForm
    list_display = ("__str__", "purpose")
    fieldsets = ((None, {"fields": ("name", "needs_second_factor", "permissions")}),)
    deleted_with = {
        "accounts.usergroup": Part(_("Assignment to users"), "user"),
        "accounts.rolepolicy": UNSEEN,
    }
    kept_text = (_("The users. Without another role, they cannot open any page."),)
    filter_horizontal = ()
    list_before_template = "dnbmon_site/accounts/roles_intro.html"

    def advice(self, rows: Sequence[Any]) -> str | Promise:
        return MAINTAINED if any(row.name in PURPOSES for row in rows) else ""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Permissions of the roles that come with the program do not stay as they are changed here."""
        options = {"fields": self.fieldsets[0][1]["fields"]}
        is_maintained = obj is not None and obj.name in PURPOSES
        return [(None, {**options, "description": MAINTAINED} if is_maintained else options)]

    @admin.display(description=_("Description"))
    def purpose(self, role: Group) -> str:
        return capfirst(str(PURPOSES.get(role.name, gettext("Custom role: open it to see its permissions"))))
