"""Machines that files are sent to, or fetched from, by SFTP."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from monitoring.models.maintainers import HasMaintainer


class FileServer(HasMaintainer):
    """Where scheduled exports are sent, or where D&B leaves its files. It is spoken to only while it shows the key that
    a person has confirmed."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.CharField(
        _("name"), max_length=100, unique=True, help_text=_("The system that the server belongs to.")
    )
    host = models.CharField(
        _("host"), max_length=255, help_text=_("Host name or IP address, such as sftp.example.com.")
    )
    port = models.PositiveIntegerField(
        _("port"), default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    user_name = models.CharField(
        _("user name"), max_length=200, help_text=_("The account that D&B Monitoring signs in with.")
    )
    folder = models.CharField(
        _("folder"),
        max_length=300,
        blank=True,
        help_text=_("Folder for the files on the server. Leave empty to use the account's home folder."),
    )
    encrypted_password = models.TextField(blank=True, editable=False)
    encrypted_key = models.TextField(blank=True, editable=False)
    host_key = models.TextField(blank=True, editable=False, help_text=_("The server's own key, as confirmed."))
    offered_key = models.TextField(
        blank=True, editable=False, help_text=_("The key that the server offered and that is not confirmed.")
    )
    confirmed_by = models.TextField(blank=True, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(editable=False)
    is_source = models.BooleanField(
        _("receive files from D&B"),
        default=False,
        help_text=_("D&B Monitoring regularly downloads files of D&B from this server and imports them."),
    )
    source_folder = models.CharField(
        _("folder with files from D&B"),
        max_length=300,
        blank=True,
        help_text=_("Folder on the server. Leave empty to use the account's home folder."),
    )
    fetched_at = models.DateTimeField(null=True, editable=False)
    fetch_error = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = _("file server")
        verbose_name_plural = _("file servers")

    def __str__(self) -> str:
        return self.name
