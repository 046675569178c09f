"""Days, moments and time zones, chosen instead of typed. The browser's own pickers write days as the reader's system
does; what is sent is the same everywhere."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelect2Widget

if TYPE_CHECKING:
    SelectBase = forms.Select
else:
    # Unfold carries no types.
    SelectBase = UnfoldAdminSelect2Widget

CLASSES = " ".join(INPUT_CLASSES)
# Places; all other names are older ones for the same zones.
REGIONS = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"),
)


class DayPicker(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": f"{CLASSES} dm-picker", **(attrs or {})}, format="%Y-%m-%d")


class TimePicker(forms.TimeInput):
    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": f"{CLASSES} dm-picker", **(attrs or {})}, format="%H:%M:%S")

    def format_value(self, value: Any) -> str | None:
        """Seconds only where there are some."""
        text = super().format_value(value)
        return text.removesuffix(":00") if text and text.count(":") > 1 else text


class MomentPicker(forms.MultiWidget):
    """A day and a time, in the reader's zone; the names of the two fields are those of Django's own widget."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__([DayPicker({"aria-label": _("Date")}), TimePicker({"aria-label": _("Time")})], attrs)

    def decompress(self, value: datetime | None) -> list[Any]:
        if value is None:
            return [None, None]
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return [local.date(), local.time()]


class ZonePicker(SelectBase):
    """A select of time zones that can be searched. The field itself stays a text, held to the names by its model."""

    def __init__(self, *, blank: Any = None, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.blank = blank

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        """Made when it is shown: the clock differs by the season. An older name that was chosen stays."""
        older = [(one, one) for one in value if one and one not in _places()]
        self.choices = [*([("", self.blank)] if self.blank is not None else []), *older, *zone_choices()]
        return super().optgroups(name, value, attrs)


def zone_choices() -> Iterator[tuple[str, str]]:
    now = timezone.now()
    for name in _places():
        clock = f"{now.astimezone(zoneinfo.ZoneInfo(name)):%z}"
        yield name, f"{name.replace('_', ' ')} (UTC{clock[:3]}:{clock[3:5]})" if name != "UTC" else name


def _places() -> list[str]:
    names = (name for name in zoneinfo.available_timezones() if name.partition("/")[0] in REGIONS and "/" in name)
    return ["UTC", *sorted(names)]
