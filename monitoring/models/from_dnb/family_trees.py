"""Family trees that people fetch from D&B: each is a snapshot, with its members and the bytes of its pages."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from core.models import Leased
from portfolio.models import Contract

PAGE_KEYS = uuid.UUID("5b0f6c1e-93a7-5e44-8b0d-2f7c5a9e6d13")
MEMBER_KEYS = uuid.UUID("e2a4d7b8-1c65-5f09-9d3e-7a8b0c4f5e21")


class TreeKind(models.TextChoices):
    FULL = "full", _("Full family tree")
    UPWARD = "upward", _("Upward chain")


class TreeState(models.TextChoices):
    RUNNING = "running", _("In progress")
    STOPPED = "stopped", _("Stopped")
    DONE = "done", _("Completed")
    NONE = "none", _("No family tree at D&B")


class FamilyTree(Leased):
    """One request of a user, page by page; what was read of it by a day is the tree as of that day."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT)
    kind = models.CharField(_("type"), max_length=8, choices=TreeKind.choices)
    duns = models.CharField(_("requested for"), max_length=9)
    top = models.CharField(_("global ultimate"), max_length=9, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=TreeState.choices, default=TreeState.RUNNING)
    confirmed_calls = models.PositiveIntegerField(help_text=_("Total number of calls that users confirmed."))
    calls = models.PositiveIntegerField(default=0, help_text=_("Calls made."))
    calling = models.PositiveIntegerField(
        default=0, help_text=_("Page that is called; announced before the call is made. 0 between calls.")
    )
    pages_read = models.PositiveIntegerField(default=0)
    page_count = models.PositiveIntegerField(null=True, help_text=_("Number of pages, according to the first page."))
    member_count = models.PositiveIntegerField(null=True, help_text=_("Number of members, as stated by D&B."))
    requested_by = models.TextField(_("requested by"))
    requested_at = models.DateTimeField(_("requested"))
    fetched_at = models.DateTimeField(null=True, help_text=_("Time at which the last page was fetched."))
    reason = models.TextField(_("reason"), blank=True, help_text=_("Reason for stopping, or D&B's statement."))
    moved_at = models.DateTimeField()
    keeps_bytes = models.BooleanField(
        default=True,
        help_text=_("Whether D&B's responses are still stored. They are deleted after their retention period."),
    )

    class Meta:
        default_permissions = ("view",)
        permissions = [("request_familytree", "Can fetch family trees from D&B")]
        indexes = [
            # What a worker continues.
            models.Index(fields=["state", "moved_at"], name="familytree_by_state"),
            # The latest of a company; of a group, for retention and erasure.
            models.Index(fields=["duns", "kind", "fetched_at"], name="familytree_by_company"),
            models.Index(fields=["top", "kind", "fetched_at"], name="familytree_by_top"),
            # The lists, the latest first: of all, and of one type.
            models.Index(fields=["requested_at", "id"], name="familytree_by_time"),
            models.Index(fields=["kind", "requested_at", "id"], name="familytree_by_kind"),
        ]
        verbose_name = _("family tree")
        verbose_name_plural = _("family trees")

    def __str__(self) -> str:
        words = (
            gettext("Upward chain of %(duns)s") if self.kind == TreeKind.UPWARD else gettext("Family tree of %(duns)s")
        )
        return words % {"duns": self.top if self.top and self.kind == TreeKind.FULL else self.duns}

    @property
    def is_complete(self) -> bool:
        return self.state == TreeState.DONE

    @property
    def pages_left(self) -> int:
        """As far as is known; at least one, where it is not complete."""
        return 0 if self.is_complete else max((self.page_count or 0) - self.pages_read, 1)

    def page_key(self, number: int) -> uuid.UUID:
        """Of the bytes of a page."""
        return uuid.uuid5(PAGE_KEYS, f"{self.pk}\n{number}")

    def page_keys(self) -> Iterator[uuid.UUID]:
        """Of all pages that may have any: that of an invalid page is kept until it is called again."""
        return (self.page_key(number) for number in range(1, max(self.pages_read + 1, self.calling) + 1))


class FamilyTreeMember(models.Model):
    """A company in a tree, below a parent. D&B may list a company below several."""

    id = CompactUUIDField(primary_key=True, editable=False)
    tree = models.ForeignKey(FamilyTree, on_delete=models.CASCADE)
    duns = models.CharField(max_length=9)
    parent = models.CharField(max_length=9, blank=True)
    name = models.TextField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    city = models.TextField(blank=True)
    roles = models.TextField(blank=True, help_text=_("Roles as stated by D&B, separated by commas."))
    status = models.TextField(blank=True)
    employees = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            # The trees in which a company is, the latest first.
            models.Index(fields=["duns", "tree"], name="familytreemember_by_company"),
        ]
        verbose_name = _("family tree member")
        verbose_name_plural = _("family tree members")

    def __str__(self) -> str:
        return self.name or self.duns

    @staticmethod
    def key(tree: uuid.UUID, duns: str, parent: str) -> uuid.UUID:
        return uuid.uuid5(MEMBER_KEYS, f"{tree}\n{duns}\n{parent}")
