"""Short words for what these tests do again and again."""

from collections.abc import Iterable
from typing import Any

from direct_plus.sandbox import SandboxControl
from portfolio.models import Registration, Subject
from portfolio.wanting import Wish, unwant_subjects, want_subjects


def numbers(count: int, first: int = 100_000_000) -> list[str]:
    return [f"{first + position:09d}" for position in range(count)]


def want(registration: Registration, duns: Iterable[str], by: str = "ann") -> None:
    want_subjects(registration=registration, wishes=[Wish(one) for one in duns], asked_by=by)


def unwant(registration: Registration, duns: Iterable[str], by: str = "ann") -> None:
    unwant_subjects(registration=registration, duns=list(duns), asked_by=by)


def subject(registration: Registration, duns: str) -> Subject:
    return Subject.objects.get(pk=Subject.key(registration.pk, duns))


def states(registration: Registration) -> dict[str, str]:
    rows = Subject.objects.filter(registration=registration)
    return dict(rows.values_list("company_id", "state"))


def calls_of(control: SandboxControl, *kinds: str) -> list[dict[str, Any]]:
    return [call for call in control.calls() if call["kind"] in (kinds or ("subject", "batch"))]
