"""Days, times and zones are chosen: the widgets send what the fields read, and show what they hold."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django import forms
from django.test import Client
from django.utils import timezone

from core.admin.pickers import DayPicker, MomentPicker, ZonePicker, zone_choices


class AForm(forms.Form):
    day = forms.DateField(widget=DayPicker, required=False)
    at = forms.SplitDateTimeField(widget=MomentPicker, required=False)
    zone = forms.CharField(widget=ZonePicker(blank="Default"), required=False)


def values_of(form: forms.Form) -> dict[str, str]:
    """Of its inputs, as they are drawn."""
    inputs = re.findall(r"<input[^>]*>", form.as_p())
    return {found(one, "name"): found(one, "value") for one in inputs}


def found(tag: str, name: str) -> str:
    match = re.search(rf'{name}="([^"]*)"', tag)
    return match.group(1) if match else ""


def test_a_day_and_a_moment_stand_in_the_reader_s_zone() -> None:
    moment = datetime(2026, 3, 7, 23, 30, tzinfo=UTC)
    with timezone.override(zoneinfo.ZoneInfo("Europe/Berlin")):
        shown = values_of(AForm(initial={"day": moment.date(), "at": moment}))
        assert shown == {"day": "2026-03-07", "at_0": "2026-03-08", "at_1": "00:30"}
        form = AForm(data=shown)
        assert form.is_valid() and form.cleaned_data["at"] == moment


@pytest.mark.parametrize(("second", "text"), [(0, "10:00"), (5, "10:00:05")])
def test_seconds_stand_there_where_there_are_some(second: int, text: str) -> None:
    """Otherwise saving a form that nobody has changed would change them."""
    moment = datetime(2026, 3, 7, 10, 0, second, tzinfo=UTC)
    form = AForm(initial={"at": moment})
    assert values_of(form)["at_1"] == text
    assert not AForm(data=values_of(form), initial={"at": moment}).has_changed()


def test_zones_are_places_with_the_clock_of_today() -> None:
    with time_machine.travel(datetime(2026, 7, 1, tzinfo=UTC)):
        zones = dict(zone_choices())
    assert zones["Europe/Berlin"] == "Europe/Berlin (UTC+02:00)"
    assert zones["America/New_York"] == "America/New York (UTC-04:00)" and zones["UTC"] == "UTC"
    assert "US/Eastern" not in zones and "Etc/GMT+5" not in zones


@pytest.mark.parametrize("zone", ["Europe/Berlin", "US/Eastern", "UTC", ""])
def test_the_zone_that_was_chosen_stays_chosen(zone: str) -> None:
    drawn = str(AForm(initial={"zone": zone})["zone"])
    assert re.findall(r'<option value="([^"]*)" selected', drawn) == [zone]


@pytest.mark.django_db
def test_every_form_with_a_zone_or_a_time_has_them(admin: Client) -> None:
    def page(path: str) -> Any:
        return admin.get(path).content.decode()

    assert '<option value="Europe/Berlin"' in page("/monitoring/channel/add/")
    assert '<option value="Europe/Berlin"' in page("/monitoring/reportschedule/add/")
    assert re.search(r'<input type="date" name="next_run_0"', page("/django_q/schedule/add/"))
