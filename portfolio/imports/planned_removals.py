"""Removals planned for a day: at once where one person may, else as an import that a second person approves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext

from core.actors import Actor
from portfolio.billing.approval_limits import Act, do_alone
from portfolio.billing.contract_year import by_registration, plan_numbers
from portfolio.imports.upload import create_import
from portfolio.models import ImportMode, Registration, Subject, SubjectImport


@dataclass(slots=True)
class Planned:
    """How many were planned, and the imports that wait for people."""

    count: int = 0
    waiting: list[SubjectImport] = field(default_factory=list)


def plan_removal(*, subjects: Sequence[Subject], day: date, by: Actor) -> Planned:
    """From that day on these are withdrawn. Sends nothing now."""
    planned = Planned()
    for registration, rows in by_registration(subjects).items():
        numbers = [row.company_id for row in rows if row.requested]
        sooner = [row for row in rows if row.requested and (row.remove_on is None or row.remove_on > day)]
        if do_alone(Act(by, registration, removals=len(sooner))):
            planned.count += plan_numbers(registration, numbers, day, by=by)
        else:
            planned.waiting.append(_as_import(registration, numbers, day, by))
    return planned


def _as_import(registration: Registration, numbers: Sequence[str], day: date, by: Actor) -> SubjectImport:
    return create_import(
        registration=registration,
        content="\n".join(["D-U-N-S", *numbers]).encode(),
        file_name=gettext("Scheduled removal"),
        mode=ImportMode.REMOVE,
        source="selection",
        requested_by=by,
        remove_on=day,
    )
