"""What is known of a company at the moment of a decision: frozen with it, and shown as it was then.

All of it is kept, whoever decides. A reader who sees some alerts only is shown these.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Field, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from core.lists.listings import text_of, value_of
from core.text import counted, country_name, day_text, moment_text
from core.visibility import EVERYTHING, scope_of, visible_to
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.models import Alert, AlertKind, AlertState, Decision, Severity
from portfolio.companies.columns import FIGURE_COLUMNS, SEE_EXPOSURE
from portfolio.exposure.books import book_key, book_label
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import exposure_settings
from portfolio.exposure.totals import stakes_of
from portfolio.models import Company

MOST_ALERTS = 100
FIGURES = tuple(column.name for column in FIGURE_COLUMNS if column.right != SEE_EXPOSURE)
# What is read above the form of a decision; all of it is kept with the decision.
IN_SHORT = ("limit_amount", "limit_currency", "failure_percentile", "failure_class")
DESCRIBING = ("name", "country", "city", "operating_status", "changed_at", "merged_into")


def known_now(company: Company, moment: datetime) -> str:
    alerts, count = _open_alerts(company.duns)
    return json.dumps(
        {
            "as_of": value_of(moment),
            "company": {name: value_of(getattr(company, name)) for name in DESCRIBING},
            "figures": {name: value_of(getattr(company, name)) for name in FIGURES},
            "alerts": [_alert(row) for row in alerts],
            "alert_count": count,
            "exposure": _exposure(company),
        },
        ensure_ascii=False,
        sort_keys=True,
    )


def _open_alerts(duns: str) -> tuple[list[Alert], int]:
    """The most severe ones, and how many there are."""
    rows = _open_alerts_of(duns)
    kept = list(rows.order_by("-severity", "-raised_at", "-id")[:MOST_ALERTS])
    return kept, len(kept) if len(kept) < MOST_ALERTS else rows.count()


def _open_alerts_of(duns: str) -> QuerySet[Alert]:
    return Alert.objects.filter(company=duns, kind=AlertKind.CHANGE).exclude(state=AlertState.CLOSED)


def _alert(row: Alert) -> dict[str, Any]:
    told = {"id": str(row.pk), "title": row.title, "state": row.state, "raised_at": value_of(row.raised_at)}
    return {**told, "severity": Severity(row.severity).name.lower()}


def _exposure(company: Company) -> dict[str, Any]:
    """With each book; nothing is asked where there is no money at stake."""
    has_any = company.exposure is not None or company.exposure_unconverted
    return {
        "cents": company.exposure,
        "currency": exposure_settings().reporting_currency if has_any else "",
        "incomplete": company.exposure_unconverted,
        "books": [
            {"book": one.book, "cents": one.cents, "currency": one.currency, "day": one.day.isoformat()}
            for one in (stakes_of(company.duns) if has_any else ())
        ],
    }


# As people read it

# Its name, its label, and the text.
Value = tuple[str, str, str]


def known_to(actor: Any, decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """What each of them froze. Of its alerts, someone who sees some is shown those that they see now, and how many
    these are; of one with facts of others, what it is about is read as they see it now."""
    return as_known_to(actor, [json.loads(row.known) for row in decisions])


def as_known_to(actor: Any, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if scope_of(actor).sees_all:
        return found
    named = {one["id"] for known in found for one in _alerts_in(known) if "id" in one}
    rows = list(visible_to(actor, Alert.objects.filter(pk__in=sorted(named)))) if named else []
    as_seen_by(actor, rows)
    titles = {str(row.pk): row.title if row.audience else "" for row in rows}
    return [known | _seen_alerts(known, titles) for known in found]


def _seen_alerts(known: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    shown = [
        {**one, "title": titles[one["id"]] or one["title"]} for one in _alerts_in(known) if one.get("id") in titles
    ]
    return {"alerts": shown, "alert_count": len(shown)} if "alerts" in known else {}


@dataclass(frozen=True, slots=True)
class KnownThen:
    """The parts of what was known, in words."""

    as_of: datetime | None
    figures: list[tuple[str, str]]
    alerts: list[tuple[str, str, str]]
    more_alerts: int
    exposure: list[tuple[str, str]]


def known_then(found: Mapping[str, Any]) -> KnownThen:
    alerts = [
        (one["title"], one["severity"], str(Severity[one["severity"].upper()].label)) for one in _alerts_in(found)
    ]
    moment = parse_datetime(found.get("as_of") or "")
    more = max(found.get("alert_count", 0) - len(alerts), 0)
    amounts = [(label, text) for _, label, text in amounts_in(found)]
    return KnownThen(moment, [(label, text) for _, label, text in figures_in(found)], alerts, more, amounts)


def known_in_short(company: Company, *, with_exposure: bool, actor: Any = EVERYTHING) -> list[tuple[str, str]]:
    """What a decision made now would keep, as its page shows it to this reader."""
    alerts = counted(visible_to(actor, _open_alerts_of(company.duns)).count())
    exposure = amounts_in({"exposure": _exposure(company)}) if with_exposure else ()
    named = [(gettext("Exposure: %(part)s") % {"part": label}, text) for _, label, text in exposure]
    figures = [(label, text) for _, label, text in _texts(company, IN_SHORT)]
    return [*figures, *named, (gettext("Open alerts"), alerts)]


def _alerts_in(found: Mapping[str, Any]) -> list[dict[str, str]]:
    alerts: list[dict[str, str]] = found.get("alerts", [])
    return alerts


def figures_in(found: Mapping[str, Any]) -> Iterator[Value]:
    """Of what was known only; by the columns that lists have, so that the same figure reads alike."""
    described = found.get("company", {})
    values = (
        ("name", gettext("Name"), described.get("name", "")),
        ("country", gettext("Country"), country_name(described.get("country", ""))),
        ("operating_status", gettext("Operating status"), described.get("operating_status", "")),
    )
    yield from (value for value in values if value[-1])
    company = _company_of(found.get("figures", {}))
    yield from _texts(company, FIGURES)


def _texts(company: Company, names: Collection[str]) -> Iterator[Value]:
    for column in FIGURE_COLUMNS:
        if column.name in names and (text := _text_of(column.read(company))):
            yield column.name, str(column.heading), text


def _text_of(value: Any) -> str:
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return day_text(value)
    return counted(value) if isinstance(value, int) else text_of(value)


def _company_of(figures: Mapping[str, Any]) -> Company:
    fields: dict[str, Field[Any, Any]] = {field.name: field for field in Company._meta.concrete_fields}
    return Company(**{name: fields[name].to_python(value) for name, value in figures.items() if name in fields})


def amounts_in(found: Mapping[str, Any]) -> Iterator[Value]:
    exposure: Mapping[str, Any] = found.get("exposure", {})
    if exposure.get("cents") is not None:
        yield "exposure", gettext("Total"), money_text(exposure["cents"], exposure["currency"])
    for one in exposure.get("books", []):
        day = day_text(date.fromisoformat(one["day"]))
        amount = money_text(one["cents"], one["currency"])
        text = gettext("%(amount)s as of %(day)s") % {"amount": amount, "day": day}
        yield f"exposure {book_key(one['book'])}", book_label(one["book"]), text
    if exposure.get("incomplete"):
        yield "exposure_incomplete", gettext("Incomplete"), gettext("Some amounts had no exchange rate.")
