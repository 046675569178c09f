"""Company rows follow history: the columns that lists show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.bulk import update_version
from core.db import clean_text, in_batches, search_name
from direct_plus.duns import InvalidDuns, normalise_duns
from monitoring.history.state import CompanyState, apply_events, events_of
from monitoring.models import Kind
from portfolio.models import Company

SUMMARY = (
    "organization.primaryName",
    "organization.countryISOAlpha2Code",
    "organization.primaryAddress",
    "organization.dunsControlStatus",
    "organization.corporateLinkage.globalUltimate",
)
SUMMARY_KINDS = (Kind.BASELINE, Kind.DELETED, Kind.RESTORED, Kind.TRANSFERRED)
STATUS = {Kind.DELETED: "Deleted at D&B", Kind.TRANSFERRED: "Merged into another company"}


def touches_summary(kind: str, path: str) -> bool:
    """Whether a change can alter what company lists show."""
    if kind != Kind.ELEMENT:
        return kind in SUMMARY_KINDS
    return any(path.startswith(known) or known.startswith(path + ".") for known in SUMMARY)


def project(changed: dict[str, datetime], summary: set[str], bump: set[str]) -> None:
    """Bring company rows up to date: `changed` holds each company's newest change, `summary` those to apply again.

    Those in `bump` get a new version even when nothing differs: whoever applied their events without what was inserted
    just now, and has not written yet, must not get through.
    """
    for batch in in_batches(sorted(set(changed) | summary), 200):
        waiting = list(batch)
        while waiting:
            waiting = _project_round(waiting, changed, summary, bump)


def _project_round(duns: list[str], changed: dict[str, datetime], summary: set[str], bump: set[str]) -> list[str]:
    """One try for each company; returns those that somebody else changed meanwhile."""
    rows = list(Company.objects.filter(pk__in=duns).order_by("pk"))
    to_apply = [row.duns for row in rows if row.duns in summary]
    events = events_of(to_apply, paths=SUMMARY) if to_apply else {}
    columns = {row.duns: columns_of(apply_events(events.get(row.duns, []))) for row in rows if row.duns in summary}
    return [
        row.duns
        for row in rows
        if not _update(row, columns.get(row.duns), changed.get(row.duns), bump=row.duns in bump)
    ]


def _update(row: Company, columns: dict[str, Any] | None, newest: datetime | None, *, bump: bool) -> bool:
    """Write what differs, if nobody else did meanwhile; False asks for another round."""
    values = dict(columns or {})
    if newest and (row.changed_at is None or newest > row.changed_at):
        values["changed_at"] = newest
    different = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not different and not (bump and columns is not None):
        return True
    return update_version(row, different)


def columns_of(profile: CompanyState) -> dict[str, Any]:
    name = clean_text(_string(profile.value("organization.primaryName")))
    country = profile.value("organization.countryISOAlpha2Code") or profile.value(
        "organization.primaryAddress.addressCountry.isoAlpha2Code"
    )
    return {
        "name": name,
        "search_name": search_name(name),
        "country": clean_text(_string(country), 2).upper(),
        "city": clean_text(_string(profile.value("organization.primaryAddress.addressLocality.name")), 200),
        "operating_status": _status(profile),
        "merged_into": merged_into(profile),
        "global_ultimate": _number(profile.value("organization.corporateLinkage.globalUltimate.duns")),
    }


def merged_into(profile: CompanyState) -> str:
    """The company that D&B has merged it into, if its number can be one."""
    status = profile.status
    if status is None or status.kind != Kind.TRANSFERRED or not isinstance(status.current, str):
        return ""
    return _number(status.current)


def _number(value: Any) -> str:
    """A D-U-N-S number, where it can be one."""
    try:
        return normalise_duns(value) if isinstance(value, str) else ""
    except InvalidDuns:
        return ""


def _status(profile: CompanyState) -> str:
    if profile.status and profile.status.kind in STATUS:
        return STATUS[Kind(profile.status.kind)]
    status = profile.value("organization.dunsControlStatus.operatingStatus")
    text = status.get("description") if isinstance(status, dict) else status
    return clean_text(_string(text), 200)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
