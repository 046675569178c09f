"""All checks, in the order in which people read them: what is broken first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext, ngettext

from core.text import counted
from health.checks.context import Look, begin_look
from health.checks.data import checks_of_data
from health.checks.dnb import checks_of_dnb
from health.checks.entitlements import checks_of_entitlements
from health.checks.files import checks_of_files
from health.checks.machine import checks_of_machine
from health.checks.registrations import checks_of_registrations
from health.checks.result import Result
from health.models import State

# Left out of a look that is not full.
SLOW = (
    *("throttle", "entitlements", "failed", "backup", "dead-letters", "dead-messages", "verification", "sync"),
    *("files", "file-servers"),
)


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
    yield from checks_of_files(look)


def _and_more(count: int) -> str:
    return ngettext("And %(count)s more.", "And %(count)s more.", count) % {"count": counted(count)}


def wrong(results: Iterable[Result]) -> list[Result]:
    return [result for result in results if result.state >= State.WARNING]


def together(results: Iterable[Result]) -> list[tuple[Result, list[str]]]:
    """What has the same cause is one problem, with the names of the others."""
    found: dict[tuple[object, ...], list[Result]] = {}
    for one in sorted(results, key=lambda result: -result.state):
        found.setdefault((one.check, one.state, one.sentence), []).append(one)
    return [(same[0], [one.subject for one in same[1:]]) for same in found.values()]


def problems(results: Iterable[Result]) -> list[Result]:
    """What is counted as problems, wherever they are counted."""
    return [one for one, _ in together(wrong(results))]


def headline(results: list[Result]) -> str:
    """The state in a line, for a page that lists the problems one by one below; with the numbers of paused
    registrations and of what is not set up, which are no problems."""
    paused, not_set_up = paused_count(results), not_set_up_count(results)
    found = problems(results)
    bad = sum(result.state == State.CRITICAL for result in found)
    warned = len(found) - bad
    if not bad:
        return _operational(warned, paused, not_set_up)
    worst = ngettext("%(count)s critical problem", "%(count)s critical problems", bad) % {"count": counted(bad)}
    if not warned:
        return worst
    warnings = ngettext("%(count)s warning", "%(count)s warnings", warned) % {"count": counted(warned)}
    return gettext("%(problems)s and %(warnings)s") % {"problems": worst, "warnings": warnings}


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


def summary(results: list[Result], *, left_out: int | None = None) -> str:
    """One sentence for all. Where checks were left out this time, `left_out` of their warnings are known, and what is
    not set up is not counted, as the page of health would count more."""
    found = problems(results)
    bad = [result for result in found if result.state == State.CRITICAL]
    if bad:
        text = gettext("Critical: %(sentence)s") % {"sentence": bad[0].sentence}
        return f"{text} {_and_more(len(bad) - 1)}" if len(bad) > 1 else text
    not_set_up = not_set_up_count(results) if left_out is None else 0
    return f"{_operational(len(found) + (left_out or 0), paused_count(results), not_set_up)}."
