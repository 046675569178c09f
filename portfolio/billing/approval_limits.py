"""What one person may do alone: so many new billable companies in a contract year, and so large a part of a list in 30
days, by whatever way. What lies above takes a second person. What keys do counts to the person who issued them.

Whoever acts alone is counted first and acts then, so that two tabs at the same moment get no more than one. What two
persons have decided is counted to neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.text import counted
from portfolio.billing.new_billable import contract_year_start
from portfolio.models import Registration, SinglePersonAct, Subject

REMOVALS_COUNT_FOR = timedelta(days=30)


class NeedsSecondPerson(Exception):
    """Why it is not done, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody is about to do in a registration: companies billed anew, and companies no longer monitored."""

    by: Actor
    registration: Registration
    additions: int = 0
    removals: int = 0


def do_alone(act: Act) -> SinglePersonAct | None:
    """Count it to the person; None, and nothing is counted, where a second person is needed."""
    row = SinglePersonAct(
        actor_id=act.by.answerable,
        registration=act.registration,
        additions=act.additions,
        removals=act.removals,
        at=timezone.now(),
    )
    if not (act.additions or act.removals):
        return row
    row.save(force_insert=True)
    if reasons_for_second(act, counted_already=row):
        forget(row)
        return None
    return row


def do_all_alone(acts: Iterable[Act]) -> bool:
    """All of them, or none is counted."""
    done: list[SinglePersonAct] = []
    for act in acts:
        row = do_alone(act)
        if row is None:
            for one in done:
                forget(one)
            return False
        done.append(row)
    return True


def demand_alone(act: Act, instead: str) -> None:
    """For what no second person can approve as it is; `instead` says what to do."""
    if not do_alone(act):
        why = gettext(" and ").join(reasons_for_second(act))
        raise NeedsSecondPerson(
            gettext("No action taken: this change needs a second approval, because %(why)s. %(instead)s")
            % {"why": why, "instead": instead}
        )


def forget(row: SinglePersonAct) -> None:
    """It was not done after all."""
    SinglePersonAct.objects.filter(pk=row.pk).delete()


def reasons_for_second(act: Act, *, counted_already: SinglePersonAct | None = None) -> list[str]:
    """Why one person is not enough; empty where one is."""
    reasons = []
    if act.additions and (words := _too_many_additions(act, counted_already)):
        reasons.append(words)
    if act.removals and (words := _too_many_removals(act, counted_already)):
        reasons.append(words)
    return reasons


def _too_many_additions(act: Act, but: SinglePersonAct | None) -> str:
    cap, before = act.registration.contract.cap, additions_of(act.by, act.registration, but)
    if before + act.additions <= cap:
        return ""
    words = gettext("it adds more than the limit of %(companies)s for one user")
    if before:
        words = gettext(
            "together with %(before)s companies that %(person)s has already added alone in this contract year, it "
            "exceeds the limit of %(companies)s for one user"
        )
    told = {"companies": plurals.new_billable_companies(cap), "before": counted(before), "person": act.by}
    return words % told


def _too_many_removals(act: Act, but: SinglePersonAct | None) -> str:
    share, before = act.registration.contract.removal_share, removals_of(act.by, act.registration, but)
    if share >= 100 or (before + act.removals) * 100 <= share * _listed_at_first(act.registration, before):
        return ""
    words = gettext("it removes more than %(share)s percent of the list, the limit for one user")
    if before:
        words = gettext(
            "together with %(before)s companies that %(person)s has already removed alone in the last 30 days, it "
            "exceeds the limit of %(share)s percent of the list for one user"
        )
    return words % {"share": share, "before": counted(before), "person": act.by}


def _listed_at_first(registration: Registration, removed: int) -> int:
    """The list as it was before somebody removed so many: what is planned to go is in it still."""
    requested = Subject.objects.filter(registration=registration.pk, requested=True)
    if not removed:
        return requested.count()
    planned = requested.filter(remove_on__isnull=False).count()
    return requested.count() + max(removed - planned, 0)


def additions_of(by: Actor, registration: Registration, but: SinglePersonAct | None = None) -> int:
    """New billable companies that this person has added alone in the contract year, in all its registrations."""
    start = contract_year_start(registration.contract)
    keys = list(Registration.objects.filter(contract=registration.contract_id).values_list("pk", flat=True))
    rows = SinglePersonAct.objects.filter(actor_id=by.answerable, registration__in=keys)
    if start:
        rows = rows.filter(at__gte=datetime.combine(start, time(), UTC))
    return _sum(rows, "additions", but)


def removals_of(by: Actor, registration: Registration, but: SinglePersonAct | None = None) -> int:
    """Companies that this person alone has removed here of late, or planned to be removed."""
    since = timezone.now() - REMOVALS_COUNT_FOR
    rows = SinglePersonAct.objects.filter(actor_id=by.answerable, registration=registration.pk, at__gte=since)
    return _sum(rows, "removals", but)


def _sum(rows: QuerySet[SinglePersonAct], column: str, but: SinglePersonAct | None) -> int:
    return sum(number for key, number in rows.values_list("pk", column) if but is None or key != but.pk)
