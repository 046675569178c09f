"""How long pulling is paused; a pause in which D&B deletes notifications is confirmed on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.pause_form import PauseForm
from core.text import moment_text
from portfolio.models import Registration
from portfolio.registrations.status import DROPPED_AFTER, lost_at


class PullPauseForm(PauseForm):
    accept_loss = forms.BooleanField(
        required=False, widget=forms.HiddenInput, label=_("Pause although D&B deletes notifications")
    )

    def __init__(self, rows: Sequence[Registration], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loss_begins = min(filter(None, map(lost_at, rows)), default=None)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        until: datetime | None = cleaned.get("until")
        begins = max(self.loss_begins, timezone.now()) if self.loss_begins else None
        if until and begins and until > begins:
            self.fields["accept_loss"].widget = forms.CheckboxInput()
            if not cleaned.get("accept_loss"):
                self.add_error("accept_loss", _loss_text(begins, until))
        return cleaned


def _loss_text(begins: datetime, until: datetime) -> str:
    text = gettext(
        "If pulling is paused until %(until)s, D&B deletes the notifications from before %(kept)s. Choose a time "
        "before %(begins)s to lose none, or select this box and pause."
    )
    kept = moment_text(until - DROPPED_AFTER)
    return text % {"until": moment_text(until), "kept": kept, "begins": moment_text(begins)}
