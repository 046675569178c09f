"""Saved filters of lists, and the columns that users have chosen."""

from __future__ import annotations

from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from core.models.units import OfUnit


class SavedFilter(OfUnit):
    """A list's filters and columns. Without a name: the columns in which one person always sees the list."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    listing = models.CharField("list", max_length=64, editable=False)
    name = models.CharField(_("name"), max_length=80)
    query = models.TextField(blank=True, editable=False, help_text=_("The filters, as in the list's address."))
    columns = models.TextField(
        blank=True, editable=False, help_text=_("Names separated by commas. Leave empty to use the default columns.")
    )
    owner = models.CharField(max_length=150, editable=False)
    shared = models.BooleanField(
        _("shared"), default=False, help_text=_("Show the filter to everyone who can see the list.")
    )
    created_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        permissions = [("share_savedfilter", "Can share saved filters with everyone")]
        constraints = [
            models.UniqueConstraint(fields=["owner", "listing", "name"], name="one_filter_a_person_list_and_name")
        ]
        indexes = [models.Index(fields=["listing", "shared"], name="saved_filter_by_list")]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """What stands behind the list's address."""
        asked = QueryDict(self.query, mutable=True)
        if self.columns:
            asked["columns"] = self.columns
        return asked.urlencode(safe=",")
