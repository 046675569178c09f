"""Whatever stands in an address or a form, the answer is one of the program's own and never a broken page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.test import Client
from django_q.models import Schedule

from core.dates import read_day
from dnbmon_site.accounts.models import User
from portfolio.models import Company
from tests.builders.contracts import a_contract
from tests.builders.deliveries import delivered
from tests.builders.notifications import an_update
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
KEYS = (
    "x",
    "99999999999999999999999",
    "-1",
    "1e5",
    "a\0b",
    "é" * 300,
    "00000000-0000-0000-0000-000000000000",
)
PAGES = ("?p=x&o=99.-x.1e9&q=%00", "?p=99999999999999999999999&all=", "?p=-1&e=1")
# One request each, as every list is asked: what is odd about them does not depend on each other.
FORMS: tuple[dict[str, Any], ...] = (
    {"action": ["nonsense"], "index": "x", "_selected_action": list(KEYS)},
    {"_save": "1", "form-TOTAL_FORMS": "x", "form-0-id": "x", "index": "-7", "select_across": "maybe"},
)
DAYS = ("0001-01-01", "9999-12-31", "99999-01-01", "x", "2026-02-30")


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann", "ann@example.com", "secret words"))
    # The test's client would raise what a browser sees as a broken page.
    client.raise_request_exception = False
    return client


def requests_of(model: Any, model_admin: Any) -> Iterator[tuple[str, dict[str, Any] | None]]:
    base = f"/{model._meta.app_label}/{model._meta.model_name}/"
    yield from ((base + page, None) for page in PAGES)
    yield from ((base, form) for form in FORMS)
    names = ("delete_selected", *(getattr(name, "__name__", name) for name in model_admin.actions))
    yield from ((base, {"action": name, "_selected_action": [key]}) for name, key in zip(names, KEYS, strict=False))
    yield from ((f"{base}{quote(key)}/change/", None) for key in ("x", "99999999999999999999999", "a\0b"))
    parameters = [getattr(one, "parameter_name", None) or str(one) for one in model_admin.list_filter]
    for day in DAYS[:2]:
        asked = {name: day for parameter in parameters for name in (parameter, f"{parameter}_from", f"{parameter}_to")}
        yield f"{base}?{urlencode(asked)}", None


def test_lists_answer_whatever_they_are_asked(client: Client) -> None:
    delivered(an_update())
    broken = []
    for model, model_admin in admin.site._registry.items():
        for path, form in requests_of(model, model_admin):
            answer = client.get(path) if form is None else client.post(path, form)
            if answer.status_code >= 500:
                broken.append((path, form, getattr(answer, "exc_info", [None, None])[1]))
    assert broken == []


def test_what_is_no_key_is_told(client: Client) -> None:
    a_registration()
    form = {"action": "export_selected", "_selected_action": ["no-key"]}
    answer = client.post("/portfolio/registration/", form, follow=True)
    assert "The selected rows are not in this list" in answer.content.decode()


@pytest.mark.parametrize("day", DAYS)
def test_days_out_of_reach_are_refused(client: Client, day: str) -> None:
    delivered(an_update())
    company, registration = Company.objects.get(), a_registration()
    assert read_day(day) is None
    form = {"day": day, "key": registration.pk, "until": f"{day}T23:59"}
    paths = [
        f"/?from={day}",
        f"/?to={day}",
        f"/?from={day}&to={day}",
        f"/portfolio/company/{company.pk}/change/?as_of={day}",
    ]
    paths += [f"/monitoring/report/?period={day[:7]}", f"/monitoring/report/?period={day[:4]}-W01"]
    assert [path for path in paths if client.get(path).status_code >= 500] == []
    for path in (f"/portfolio/registration/{registration.pk}/do/pause/", "/portfolio/subject/plan/"):
        assert client.post(path, form).status_code < 500


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_forms_say_which_days_can_be_chosen(client: Client, day: str) -> None:
    form = {
        "name": "mine", "func": "monitoring.jobs.count_days", "schedule_type": "Y", "repeats": -1,
        "next_run_0": day, "next_run_1": "23:59",
    }  # fmt: skip
    assert "Enter a date between 1900 and 2999" in client.post("/django_q/schedule/add/", form).content.decode()


def test_no_schedule_runs_off_the_calendar(client: Client) -> None:
    """One whose next run cannot be written down would keep every other job from running."""
    form = {
        "name": "mine", "func": "monitoring.jobs.count_days", "schedule_type": "I", "repeats": -1,
        "minutes": 99_999_999_999, "next_run_0": "2026-01-01", "next_run_1": "00:00",
    }  # fmt: skip
    page = client.post("/django_q/schedule/add/", form)
    assert "less than or equal to" in page.content.decode()
    assert not Schedule.objects.filter(name="mine").exists()


@pytest.mark.parametrize(
    "given",
    [
        *({"overlap": text} for text in ("999999999 00:00:00", "900000 00:00:00", "-1 00:00:00")),
        *({"recovery_delay": text} for text in ("999999999 00:00:00", "-00:00:01")),
        {"keep_bytes": "2000000000", "keep_history": "2000000000"},
        {"cap": "99999999999"},
    ],
)
def test_a_contract_counts_with_what_can_be_counted(client: Client, given: dict[str, str]) -> None:
    contract = a_contract()
    page = f"/portfolio/contract/{contract.pk}/change/"
    form = (
        dict(client.get(page).context["adminform"].form.initial) | {"overlap": "0:05", "recovery_delay": "0:15"} | given
    )
    answer = client.post(page, {name: value for name, value in form.items() if value is not None})
    assert answer.status_code == 200 and set(answer.context["adminform"].form.errors) == set(given)


@pytest.mark.parametrize("path", ["a%00b", "x" * 400, "use/roles.md%00"])
def test_the_handbook_has_no_page_of_a_name_that_no_file_can_have(client: Client, path: str) -> None:
    assert client.get(f"/help/{path}").status_code == 404
