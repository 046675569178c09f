"""All checks, in the order in which people read them: what is broken first."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext, ngettext

from core.text import counted
from health.checks.context import Look, begin_look
from health.checks.data import checks_of_data
from health.checks.dnb import checks_of_dnb
from health.checks.machine import checks_of_machine
from health.checks.registrations import checks_of_registrations
from health.checks.result import Result
from health.models import State

# Left out of a look that is not full.
SLOW = ("throttle", "failed", "backup", "dead-letters", "dead-messages", "verification", "sync")


def all_checks() -> list[Result]:
    """Look at everything now. Raises DatabaseError where the database is away."""
    return checks_of(begin_look())


def checks_of(look: Look) -> list[Result]:
    return list(_of(look))


def _of(look: Look) -> Iterator[Result]:
    yield from checks_of_machine(look)
    yield from checks_of_dnb(look)
    yield from checks_of_registrations(look)
    yield from checks_of_data(look)


def _and_more(count: int) -> str:
    return ngettext("And %(count)s more.", "And %(count)s more.", count) % {"count": counted(count)}


def headline(results: list[Result]) -> str:
    """The state in a line, for a page that lists the problems one by one below."""
    bad = sum(result.state == State.CRITICAL for result in results)
    warned = sum(result.state == State.WARNING for result in results)
    if not bad:
        return _operational(warned)
    problems = ngettext("%(count)s critical problem", "%(count)s critical problems", bad) % {"count": counted(bad)}
    if not warned:
        return problems
    warnings = ngettext("%(count)s warning", "%(count)s warnings", warned) % {"count": counted(warned)}
    return gettext("%(problems)s and %(warnings)s") % {"problems": problems, "warnings": warnings}


def _operational(warned: int) -> str:
    if not warned:
        return gettext("All systems operational")
    return ngettext(
        "Operational — %(count)s item needs attention", "Operational — %(count)s items need attention", warned
    ) % {"count": counted(warned)}


def summary(results: list[Result]) -> str:
    """One sentence for all."""
    bad = [result for result in results if result.state == State.CRITICAL]
    warned = [result for result in results if result.state == State.WARNING]
    if bad:
        text = gettext("Critical: %(sentence)s") % {"sentence": bad[0].sentence}
        return f"{text} {_and_more(len(bad) - 1)}" if len(bad) > 1 else text
    return f"{_operational(len(warned))}."
