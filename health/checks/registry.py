"""All checks, in the order in which people read them: what is broken first."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext, ngettext

from core.text import counted
from health.checks.context import Look, begin_look
from health.checks.data import checks_of_data
from health.checks.dnb import checks_of_dnb
from health.checks.entitlements import checks_of_entitlements
from health.checks.machine import checks_of_machine
from health.checks.registrations import checks_of_registrations
from health.checks.result import Result
from health.models import State

# Left out of a look that is not full.
SLOW = ("throttle", "entitlements", "failed", "backup", "dead-letters", "dead-messages", "verification", "sync")


def all_checks() -> list[Result]:
    """Look at everything now. Raises DatabaseError where the database is away."""
    return checks_of(begin_look())


def checks_of(look: Look) -> list[Result]:
    return list(_of(look))


def _of(look: Look) -> Iterator[Result]:
    yield from checks_of_machine(look)
    yield from checks_of_dnb(look)
    if look.is_full:
        yield from checks_of_entitlements(look)
    yield from checks_of_registrations(look)
    yield from checks_of_data(look)


def _and_more(count: int) -> str:
    return ngettext("And %(count)s more.", "And %(count)s more.", count) % {"count": counted(count)}


def headline(results: list[Result], *, paused: int = 0, not_set_up: int = 0) -> str:
    """The state in a line, for a page that lists the problems one by one below; with the numbers of paused
    registrations and of what is not set up, which are no problems."""
    bad = sum(result.state == State.CRITICAL for result in results)
    warned = sum(result.state == State.WARNING for result in results)
    if not bad:
        return _operational(warned, paused, not_set_up)
    problems = ngettext("%(count)s critical problem", "%(count)s critical problems", bad) % {"count": counted(bad)}
    if not warned:
        return problems
    warnings = ngettext("%(count)s warning", "%(count)s warnings", warned) % {"count": counted(warned)}
    return gettext("%(problems)s and %(warnings)s") % {"problems": problems, "warnings": warnings}


def paused_count(results: list[Result]) -> int:
    return sum(result.is_paused for result in results)


def not_set_up_count(results: list[Result]) -> int:
    return sum(result.is_not_set_up for result in results)


def _operational(warned: int, paused: int, not_set_up: int) -> str:
    parts = []
    if warned:
        words = ngettext("%(count)s item needs attention", "%(count)s items need attention", warned)
        parts.append(words % {"count": counted(warned)})
    if paused:
        words = ngettext("%(count)s registration paused", "%(count)s registrations paused", paused)
        parts.append(words % {"count": counted(paused)})
    if not_set_up:
        words = ngettext("%(count)s item not set up", "%(count)s items not set up", not_set_up)
        parts.append(words % {"count": counted(not_set_up)})
    if not parts:
        return gettext("All systems operational")
    return gettext("Operational — %(what)s") % {"what": ", ".join(parts)}


def summary(results: list[Result]) -> str:
    """One sentence for all."""
    bad = [result for result in results if result.state == State.CRITICAL]
    warned = [result for result in results if result.state == State.WARNING]
    if bad:
        text = gettext("Critical: %(sentence)s") % {"sentence": bad[0].sentence}
        return f"{text} {_and_more(len(bad) - 1)}" if len(bad) > 1 else text
    return f"{_operational(len(warned), paused_count(results), not_set_up_count(results))}."
