"""What a person should accept, what people should hear, and who did what."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from portfolio.keys import time_first_id
from portfolio.models.contracts import Company, Registration


class ProposalKind(models.TextChoices):
    TRANSFER = "transfer", _("Merged: remove it, add the one that remains")
    DELETE = "delete", _("Deleted at D&B: remove it")
    EXIT = "exit", _("Left the monitored set: stop wanting it")
    REPLACEMENT = "replacement", _("Refused: D&B names another number")


class ProposalState(models.TextChoices):
    OPEN = "open", _("Open")
    AWAITING_APPROVAL = "awaiting_approval", _("Waits for a second person")
    ACCEPTED = "accepted", _("Accepted")
    DISMISSED = "dismissed", _("Dismissed")


class Proposal(models.Model):
    """What the program will not do unasked. Its key comes from its content, so that it is made once."""

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=16, choices=ProposalKind.choices)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="proposals")
    replacement = models.CharField(max_length=9, blank=True)
    reason = models.TextField()
    cost = models.PositiveIntegerField(default=0, help_text=_("New billable companies when accepted."))
    state = models.CharField(max_length=20, choices=ProposalState.choices, default=ProposalState.OPEN)
    created_at = models.DateTimeField()
    happened_at = models.DateTimeField(null=True, help_text=_("When D&B says that it happened."))
    confirmed_by = models.TextField(blank=True, help_text=_("Who accepted what a second person has to approve."))
    confirmer_id = models.UUIDField(null=True, help_text=_("The same person by its id."))
    decided_by = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True, help_text=_("When what was accepted had become wanted."))
    note = models.TextField(blank=True, help_text=_("Why it was dismissed."))

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        permissions = [("decide_proposal", "Can accept or dismiss a proposal")]
        indexes = [
            models.Index(fields=["created_at", "id"], name="proposal_by_time"),
            models.Index(fields=["state", "created_at", "id"], name="proposal_by_state"),
            models.Index(fields=["replacement", "state"], name="proposal_by_replacement"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.company_id}"


class Notice(models.Model):
    """What the portfolio wants people to hear; sent like an alert."""

    id = models.UUIDField(primary_key=True, default=time_first_id, editable=False)
    kind = models.CharField(max_length=32, db_index=True)
    subject = models.TextField(_("subject"))
    text = models.TextField(_("text"))
    url = models.TextField(blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return self.subject


class AuditEntry(models.Model):
    """Who did what to what, with before and after. Never changed, never deleted by the program."""

    id = models.UUIDField(primary_key=True, default=time_first_id, editable=False)
    at = models.DateTimeField()
    actor = models.TextField(help_text=_("A person's name, an API key, or the job."))
    actor_id = models.UUIDField(null=True, help_text=_("The id behind the name, which stays when the name changes."))
    action = models.CharField(max_length=64)
    what = models.CharField(max_length=64, help_text=_("Kind of the thing."))
    key = models.CharField(max_length=128, help_text=_("Which one."))
    summary = models.TextField()
    before = models.TextField(blank=True, help_text="JSON")
    after = models.TextField(blank=True, help_text="JSON")

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["what", "key", "id"], name="audit_by_thing"),
            models.Index(fields=["action", "id"], name="audit_by_action"),
            models.Index(fields=["actor", "id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return self.summary


class SoloAct(models.Model):
    """What one person did without a second one, in numbers: the contract's limits are held against their sum."""

    id = models.UUIDField(primary_key=True, default=time_first_id, editable=False)
    actor_id = models.UUIDField()
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    additions = models.PositiveIntegerField(default=0, help_text=_("New billable companies."))
    removals = models.PositiveIntegerField(default=0, help_text=_("Companies no longer monitored."))
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["actor_id", "registration", "at"], name="solo_act_by_person")]

    def __str__(self) -> str:
        return f"+{self.additions} −{self.removals}"


class ExportFormat(models.TextChoices):
    XLSX = "xlsx", _("Excel (XLSX)")
    CSV = "csv", "CSV"
    JSON = "json", "JSON"
    DUNS = "txt", _("D-U-N-S numbers, one a line")


class ExportState(models.TextChoices):
    WAITING = "waiting", _("Waits for a worker")
    WRITING = "writing", _("Being written")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")


class Export(models.Model):
    """A list as a file. The finished file is kept in stored bytes, owned by this row's id."""

    id = models.UUIDField(primary_key=True, default=time_first_id, editable=False)
    listing = models.CharField(max_length=64, help_text=_("Which list."))
    query = models.TextField(blank=True, help_text=_("The filters, as in the list's address."))
    format = models.CharField(max_length=8, choices=ExportFormat.choices)
    state = models.CharField(max_length=16, choices=ExportState.choices, default=ExportState.WAITING, db_index=True)
    file_name = models.TextField()
    rows = models.PositiveIntegerField(default=0, help_text=_("Rows written so far."))
    size = models.BigIntegerField(default=0)
    asked_by = models.TextField(_("asked by"))
    asked_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, help_text=_("When somebody last worked on it."))
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [models.Index(fields=["asked_by", "id"], name="export_by_person")]

    def __str__(self) -> str:
        return self.file_name
