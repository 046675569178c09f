"""Machines that receive files by SFTP: D&B Monitoring signs in only after a person has confirmed their key."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget

from core.actors import actor_of
from core.admin.base import PageAdmin
from core.admin.row_actions import RowActions
from core.audit import record
from core.encryption import encrypted
from core.markup import badge
from monitoring.exports.errors import BadKey
from monitoring.models import FileServer, ScheduledExport
from monitoring.models.maintainers import maintained_by

# What leads to another machine, or in as somebody else.
ELSEWHERE = {"host", "port", "user_name"}
# What is received from it says which companies D&B monitors.
SOURCE = {"is_source", "source_folder"}
CHANGES_LISTS = "portfolio.change_subject"
KEPT = _("Stored encrypted and never shown again.")


class FileServerForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    password = forms.CharField(
        label=_("Password"), required=False, strip=False, max_length=1000, help_text=KEPT,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    private_key = forms.CharField(
        label=_("Private key"), required=False, max_length=20_000,
        help_text=format_lazy("{} {}", _("Use a key without a passphrase instead of a password."), KEPT),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    class Meta:
        model = FileServer
        fields = (
            *("name", "host", "port", "user_name", "password", "private_key", "folder"),
            *("is_source", "source_folder"),
        )

    def clean_private_key(self) -> str:
        from monitoring.exports.sftp import read_private_key

        text = str(self.cleaned_data["private_key"]).strip()
        if text:
            try:
                read_private_key(text + "\n")
            except BadKey as error:
                raise ValidationError(str(error)) from error
        return text and text + "\n"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given = [name for name in ("password", "private_key") if cleaned.get(name)]
        if len(given) == 2:
            raise ValidationError(gettext("Enter either a password or a private key, not both."))
        if self.is_elsewhere() and not given and not self.errors:
            raise ValidationError(
                gettext("The host, the port or the user name has changed. Enter the password or the private key again.")
            )
        if not given and not self.errors and not (self.instance.encrypted_password or self.instance.encrypted_key):
            raise ValidationError(gettext("Enter a password or a private key."))
        return cleaned

    def is_elsewhere(self) -> bool:
        """What is stored would be shown to another machine, or tried for another user."""
        is_stored = bool(self.instance.encrypted_password or self.instance.encrypted_key)
        return is_stored and bool(ELSEWHERE & set(self.changed_data))


def _test(request: HttpRequest, server: FileServer) -> tuple[int, str]:
    from monitoring.exports.sftp import try_out

    problem = try_out(server)
    if not problem:
        return messages.SUCCESS, gettext("The connection works. A test file was written and removed.")
    if server.offered_key and not server.host_key:
        return messages.WARNING, gettext(
            "The server responds. Compare its key below with the key from the server's administrator, then confirm it."
        )
    return messages.ERROR, problem


def _confirm(request: HttpRequest, server: FileServer) -> tuple[int, str]:
    from monitoring.exports.sftp import confirm_key

    if confirm_key(server, offered=request.POST.get("offered", ""), by=request.user.get_username()):
        return messages.SUCCESS, gettext("Key confirmed. Test the connection again to sign in and write a test file.")
    return messages.ERROR, gettext("The server has offered a different key since then. Compare the keys again.")


@admin.register(FileServer)
class FileServerAdmin(RowActions, PageAdmin):
    form = FileServerForm
    list_display = ("name", "host", "user_name", "status")
    row_actions = {"test": _test, "confirm": _confirm}
    ordering = ("name",)
    sortable_by = ()
    change_form_template = "monitoring/exports/file_server.html"
    kept_text = (_("Files on the server, and files already received from it"),)
    in_use_hint = _("Open each entry and select another destination, or delete the entry. Then delete the file server.")
    empty_title = _("No file servers yet")
    empty_text = _(
        "Add a file server to send scheduled exports to another machine by SFTP, or to receive files from D&B. "
        "Then confirm its key."
    )
    fieldsets = (
        (None, {"fields": ("name", "host", "port", "folder")}),
        (_("Authentication"), {"fields": ("user_name", "password", "private_key")}),
        (_("Files from D&B"), {"fields": ("is_source", "source_folder")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: FileServer | None = None) -> Any:
        return () if request.user.has_perm(CHANGES_LISTS) else sorted(SOURCE)

    def has_change_permission(self, request: HttpRequest, obj: FileServer | None = None) -> bool:
        """Whoever has a source lead elsewhere decides what is received."""
        may_change = super().has_change_permission(request, obj)
        return may_change and (obj is None or not obj.is_source or request.user.has_perm(CHANGES_LISTS))

    def save_model(self, request: HttpRequest, obj: FileServer, form: forms.ModelForm[Any], change: bool) -> None:
        _keep_secret(obj, form.cleaned_data)
        if change and {"host", "port"} & set(form.changed_data):
            # Another machine has a key of its own.
            obj.host_key = obj.offered_key = ""
        obj.created_at = obj.created_at or timezone.now()
        if not change or (ELSEWHERE | SOURCE) & set(form.changed_data) or obj.maintainer_has_left:
            for name, value in maintained_by(actor_of(request)).items():
                setattr(obj, name, value)
        super().save_model(request, obj, form, change)
        verb = "changed" if change else "made"
        text = (
            gettext("File server %(name)s changed: %(user)s at %(host)s, port %(port)s")
            if change
            else gettext("File server %(name)s created: %(user)s at %(host)s, port %(port)s")
        )
        words = text % {"name": obj, "user": obj.user_name, "host": obj.host, "port": obj.port}
        record(actor=request.user.get_username(), action=f"file server.{verb}", thing=obj, summary=words)

    def delete_model(self, request: HttpRequest, obj: FileServer) -> None:
        words = gettext("File server %(name)s deleted: %(host)s") % {"name": obj, "host": obj.host}
        record(actor=request.user.get_username(), action="file server.delete", thing=obj, summary=words)
        super().delete_model(request, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        """They are deleted one at a time, on their page."""
        return {}

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        told = self._page_context(request, row) if row else {}
        return super().render_change_form(request, {**context, **told, "show_history": False}, *args, **kwargs)

    def _page_context(self, request: HttpRequest, row: FileServer) -> dict[str, Any]:
        from monitoring.exports.sftp import fingerprint

        return {
            "may_act": self.has_change_permission(request, row),
            "status": self.status(row),
            "known": fingerprint(row.host_key) if row.host_key else "",
            "offered": fingerprint(row.offered_key) if row.offered_key else "",
            "exports": list(ScheduledExport.objects.filter(server=row.pk).order_by("name")[:50]),
        }

    @admin.display(description=_("State"))
    def status(self, row: FileServer) -> SafeString:
        if row.fetch_error:
            return badge(gettext("Download failed"), "bad", row.fetch_error)
        if row.offered_key:
            return badge(gettext("Key changed"), "bad") if row.host_key else badge(gettext("Key not confirmed"), "warn")
        return badge(gettext("Key confirmed"), "good") if row.host_key else badge(gettext("Not tested"), "calm")


def _keep_secret(row: FileServer, given: dict[str, Any]) -> None:
    if given["password"]:
        row.encrypted_password, row.encrypted_key = encrypted(given["password"]), ""
    elif given["private_key"]:
        row.encrypted_password, row.encrypted_key = "", encrypted(given["private_key"])
