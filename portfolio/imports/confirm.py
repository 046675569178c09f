"""What an import would change, in numbers that a person confirms; above the contract's limits a second one approves."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import msgspec
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core import plurals
from core.actors import Actor
from core.audit import record
from core.blobs import delete_bytes, load_bytes, store_bytes
from core.db import clean_text
from core.text import counted
from portfolio.billing.approval_limits import Act, additions_of, do_alone, forget, removals_of
from portfolio.billing.new_billable import new_billable
from portfolio.imports.found_numbers import stop_waiting
from portfolio.imports.states import NotAllowed, Refused, WrongNumber, counts_of, demand_moved, demand_state, move
from portfolio.imports.validate import UNUSABLE, numbers_named
from portfolio.models import ImportMode, ImportState, Registration, SinglePersonAct, Subject, SubjectImport, Validation
from portfolio.registrations.adopt import is_number_known
from portfolio.subjects.requests import requested_among

CANCELLABLE = (ImportState.UPLOADED, ImportState.READING, ImportState.READ, ImportState.AWAITING_APPROVAL)
TRIES = 20
# Rows of an import whose numbers are counted again whenever it is shown.
COUNTED_WHEN_SHOWN = 5_000
WITHOUT_NUMBER = (*UNUSABLE, Validation.DECISION, Validation.NO_NUMBER)


class Lists(msgspec.Struct):
    """Each company that becomes requested, and each that stops being so."""

    add: list[str] = []
    remove: list[str] = []


@dataclass(frozen=True, slots=True)
class Plan:
    """What confirming would change now."""

    lists: Lists
    new_billable: int
    named: int

    @property
    def remove(self) -> list[str]:
        return self.lists.remove

    def act(self, by: Actor, registration: Registration) -> Act:
        return Act(by, registration, self.new_billable, len(self.remove))


def plan_of(import_: SubjectImport) -> Plan:
    return make_plan(import_, numbers_named(import_))


def make_plan(import_: SubjectImport, numbers: list[str]) -> Plan:
    """From the numbers that a file names, and what is requested at this moment."""
    registration = import_.registration
    requested = Subject.objects.filter(registration=registration, requested=True)
    known = requested_among(registration, numbers)
    lists = Lists()
    if import_.mode == ImportMode.REMOVE:
        lists.remove = [number for number in numbers if number in known]
    else:
        lists.add = [number for number in numbers if number not in known]
    if import_.mode == ImportMode.EQUAL:
        lists.remove = sorted(set(requested.values_list("company_id", flat=True)) - known)
    return Plan(lists, len(new_billable(registration.contract, lists.add)), len(numbers))


def confirm_import(
    *, import_: SubjectImport, number: int, confirmed_by: Actor, may_confirm: bool, removals: int | None = None
) -> None:
    """Let what an import says be done, if the numbers are those of this moment.

    `number` is how many new billable companies it adds, or in mode remove how many it removes; in mode equal
    `removals` is asked for too. Above what the contract lets one person do it waits for a second one.
    """
    if not may_confirm:
        raise NotAllowed(gettext("You do not have permission to confirm imports. Ask a user who does."))
    demand_state(import_, ImportState.READ)
    if is_undecided(import_):
        raise Refused(
            gettext("Choose first how to treat the rows with eight digits: add a leading zero, or skip them.")
        )
    plan = plan_of(import_)
    _demand_numbers(import_, plan, number, removals)
    _keep_confirmed(import_, plan, confirmed_by, do_alone(plan.act(confirmed_by, import_.registration)))


def is_undecided(import_: SubjectImport) -> bool:
    return import_.pad_zeros is None and bool(counts_of(import_).get(Validation.DECISION))


def _demand_numbers(import_: SubjectImport, plan: Plan, number: int, removals: int | None) -> None:
    if import_.mode == ImportMode.EQUAL and not plan.named:
        raise Refused(
            gettext(
                "The file contains no valid D-U-N-S numbers, so replacing the list would remove every company. "
                "Upload a file with the companies to keep."
            )
        )
    if not (plan.lists.add or plan.lists.remove):
        raise Refused(gettext("This import changes nothing, so there is nothing to confirm."))
    expected = len(plan.remove) if import_.mode == ImportMode.REMOVE else plan.new_billable
    is_right = number == expected
    if import_.mode == ImportMode.EQUAL or removals is not None:
        is_right = is_right and removals == len(plan.remove)
    has_changed = _show_new_numbers(import_, plan)
    if has_changed or not is_right:
        raise WrongNumber(
            _wrong_number_text(import_, plan, has_changed), number=plan.new_billable, removals=len(plan.remove)
        )


def _show_new_numbers(import_: SubjectImport, plan: Plan) -> bool:
    """True when they are others than those that the person saw."""
    if _is_shown(import_, plan):
        return False
    demand_moved(_show(import_, plan))
    return True


def _is_shown(import_: SubjectImport, plan: Plan) -> bool:
    return (import_.new_billable, import_.removals) == (plan.new_billable, len(plan.remove))


def _show(import_: SubjectImport, plan: Plan) -> bool:
    return move(import_, new_billable=plan.new_billable, removals=len(plan.remove))


def current_plan(import_: SubjectImport) -> Plan | None:
    """What an import that awaits confirmation would change at this moment, with its numbers brought up to date: other
    imports and API keys have added companies since its rows were checked. None for one with many rows, which is counted
    when it is confirmed."""
    if import_.state != ImportState.READ or is_undecided(import_) or (import_.total or 0) > COUNTED_WHEN_SHOWN:
        return None
    plan = plan_of(import_)
    if not _is_shown(import_, plan):
        # Who moves it at the same time shows other numbers, or none that matter any more.
        _show(import_, plan)
    return plan


def _wrong_number_text(import_: SubjectImport, plan: Plan, has_changed: bool) -> str:
    why = gettext("The number doesn't match.")
    if has_changed:
        why = gettext("The list of companies has changed since this file was checked.")
    words = {
        ImportMode.ADD: gettext("This import adds %(adds)s."),
        ImportMode.REMOVE: gettext("This import removes %(removes)s."),
        ImportMode.EQUAL: gettext("This import adds %(adds)s and removes %(removes)s."),
    }[ImportMode(import_.mode)]
    adds, removes = plurals.new_billable_companies(plan.new_billable), plurals.companies(len(plan.remove))
    if plan.new_billable and not is_number_known(import_.registration.contract):
        adds = gettext("up to %(companies)s") % {"companies": adds}
    return f"{why} {words % {'adds': adds, 'removes': removes}} {left_out_text(import_)}".strip()


def left_out_text(import_: SubjectImport) -> str:
    """How many rows of the file hold no number that can be used, or one that a row above has; nothing where all are
    used."""
    counts = counts_of(import_)
    without, repeated = sum(counts.get(one, 0) for one in WITHOUT_NUMBER), counts.get(Validation.DUPLICATE, 0)
    rows = without + repeated
    words = ngettext("%(count)s row is left out", "%(count)s rows are left out", rows) % {"count": counted(rows)}
    return f"{words}{_of_them_repeated(repeated, without)}." if rows else ""


def _of_them_repeated(repeated: int, without: int) -> str:
    if not repeated:
        return ""
    parts = [ngettext("%(count)s duplicate", "%(count)s duplicates", repeated) % {"count": counted(repeated)}]
    if without:
        parts.append(gettext("%(count)s without a valid number") % {"count": counted(without)})
    return f": {', '.join(parts)}"


def _keep_confirmed(import_: SubjectImport, plan: Plan, confirmed_by: Actor, alone: SinglePersonAct | None) -> None:
    """Name each company confirmed, so that nothing else is ever requested by it."""
    owner = uuid.uuid4()
    store_bytes(owner, msgspec.json.encode(plan.lists))
    moved = move(
        import_,
        state=ImportState.CONFIRMED if alone else ImportState.AWAITING_APPROVAL,
        confirmed_by=clean_text(confirmed_by, 200),
        confirmer_id=confirmed_by.id,
        confirmed_at=timezone.now(),
        confirmed_list=owner,
        position=0,
    )
    if not moved:
        delete_bytes(owner)
        if alone:
            forget(alone)
    demand_moved(moved)
    _record(import_, "import.confirm", confirmed_by, gettext("%(import)s confirmed: %(adds)s, %(removals)s"))


def confirmed_lists(import_: SubjectImport) -> Lists:
    if import_.confirmed_list is None:
        return Lists()
    return msgspec.json.decode(load_bytes(import_.confirmed_list), type=Lists)


def confirmer_of(import_: SubjectImport) -> str:
    """As the audit calls who confirmed it."""
    return Actor(import_.confirmed_by, import_.confirmer_id) if import_.confirmer_id else import_.confirmed_by


def approve_import(*, import_: SubjectImport, approved_by: Actor, may_approve: bool) -> None:
    """The second person's yes, for the same companies that the first has confirmed."""
    if not may_approve:
        raise NotAllowed(gettext("You do not have permission to approve imports. Ask a user who does."))
    demand_state(import_, ImportState.AWAITING_APPROVAL)
    demand_another(approved_by, import_.confirmer_id)
    plan = plan_of(import_)
    if plan.lists != confirmed_lists(import_):
        _back_to_the_first(import_, plan)
    moved = move(
        import_, state=ImportState.CONFIRMED, approved_by=clean_text(approved_by, 200), approved_at=timezone.now()
    )
    demand_moved(moved)
    _record(import_, "import.approve", approved_by, gettext("%(import)s approved: %(adds)s, %(removals)s"))


def demand_another(person: Actor, first: uuid.UUID | None) -> None:
    """By their ids: people may be called otherwise by now."""
    if first is None:
        raise NotAllowed(gettext("It is not known who confirmed this import. Cancel it and import the list again."))
    if person.id == first:
        raise NotAllowed(gettext("You confirmed this import, so another user must approve it."))


def _back_to_the_first(import_: SubjectImport, plan: Plan) -> None:
    moved = move(
        import_,
        state=ImportState.READ,
        position=import_.total,
        confirmed_by="",
        confirmer_id=None,
        confirmed_at=None,
        new_billable=plan.new_billable,
        removals=len(plan.remove),
    )
    demand_moved(moved)
    raise WrongNumber(
        gettext(
            "The list of companies has changed since this import was confirmed, so it was not approved. Confirm it "
            "again."
        ),
        number=plan.new_billable,
        removals=len(plan.remove),
    )


def cancel_import(*, import_: SubjectImport, cancelled_by: Actor) -> None:
    """Nothing of it will be done. Possible until it is confirmed, and approved where that is needed."""
    before = _cancel(import_)
    stop_waiting(import_, gettext("The import was cancelled."))
    record(
        actor=cancelled_by,
        action="import.cancel",
        thing=import_,
        summary=gettext("%(import)s cancelled") % {"import": import_},
        before={"state": before},
        after={"state": import_.state},
    )


def _cancel(import_: SubjectImport) -> str:
    """A job that reads moves it on all the time, so this is tried more than once."""
    for _ in range(TRIES):
        demand_state(import_, *CANCELLABLE)
        before = import_.state
        if move(import_, state=ImportState.CANCELLED):
            return before
        import_.refresh_from_db()
    raise Refused(gettext("The import is being processed right now. Try again in a few seconds."))


def _record(import_: SubjectImport, action: str, actor: Actor, words: str) -> None:
    registration = import_.registration
    alone = {"additions": additions_of(actor, registration), "removals": removals_of(actor, registration)}
    adds = plurals.new_billable_companies(import_.new_billable or 0)
    record(
        actor=actor,
        action=action,
        thing=import_,
        summary=words % {"import": import_, "adds": adds, "removals": plurals.removals(import_.removals or 0)},
        before={"state": ImportState.READ if action == "import.confirm" else ImportState.AWAITING_APPROVAL},
        after={
            "state": import_.state,
            "new_billable": import_.new_billable,
            "removals": import_.removals,
            "alone_so_far": alone,
        },
    )
