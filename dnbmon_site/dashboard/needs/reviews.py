"""Reviews that are due, and decisions on companies that wait for a second person."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core.cached_counts import OpenCounts, up_to
from core.text import with_full_stop
from dnbmon_site.dashboard.needs.need import Need
from portfolio.companies.columns import SEE_EXPOSURE
from portfolio.companies.conditions import OVER_LIMIT
from portfolio.exposure.money import money_text


def company_decision_needs(numbers: OpenCounts, may: Callable[[str], bool]) -> Iterator[Need]:
    if may("monitoring.decide_company"):
        yield from _reviews(numbers)
    if may(SEE_EXPOSURE) and may("monitoring.view_decision"):
        yield from _over_limit(numbers)
    if may("monitoring.confirm_decision") and (count := numbers.of("decisions").get("proposed", 0)):
        title = ngettext("%(count)s decision awaiting confirmation", "%(count)s decisions awaiting confirmation", count)
        text = gettext("A second person must confirm these decisions. Until then, the earlier decisions remain valid.")
        link = reverse("admin:monitoring_decision_changelist") + "?state=proposed"
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("View decisions"))


def _over_limit(numbers: OpenCounts) -> Iterator[Need]:
    found, currency = numbers.of(OVER_LIMIT), numbers.of("exposure").get("currency", "")
    if largest := found.get("top"):
        count = len(found["companies"])
        title, text = _one_over(largest[0], currency) if count == 1 else _several_over(largest, count, currency)
        link = f"{reverse('admin:portfolio_company_changelist')}?exposure={OVER_LIMIT}"
        yield Need("bad", title, text, link, gettext("View companies"))


def _one_over(one: Mapping[str, Any], currency: str) -> tuple[str, str]:
    amounts = {name: money_text(one[name], currency) for name in ("excess", "exposure", "limit")}
    title = gettext("%(company)s exceeds its limit by %(excess)s") % {"company": one["name"] or one["duns"], **amounts}
    return title, gettext("Exposure: %(exposure)s. Limit of the valid decision: %(limit)s.") % amounts


def _several_over(largest: Sequence[Mapping[str, Any]], count: int, currency: str) -> tuple[str, str]:
    words = gettext("%(company)s by %(excess)s")
    excesses = [(one["name"] or one["duns"], money_text(one["excess"], currency)) for one in largest]
    text = ", ".join(words % {"company": company, "excess": excess} for company, excess in excesses)
    if count > len(largest):
        text = gettext("%(companies)s, and %(count)s more") % {"companies": text, "count": up_to(count - len(largest))}
    return gettext("%(count)s companies exceed their limits") % {"count": up_to(count)}, with_full_stop(text)


def _reviews(numbers: OpenCounts) -> Iterator[Need]:
    overdue, due = (numbers.of("reviews").get(name, 0) for name in ("overdue", "due"))
    if count := overdue + due:
        title = ngettext("%(count)s company to review", "%(count)s companies to review", count)
        words = ngettext("%(count)s review is overdue.", "%(count)s reviews are overdue.", overdue)
        text = words % {"count": up_to(overdue)} if overdue else gettext("Their reviews are due today.")
        link = reverse("admin:monitoring_duereview_changelist") + "?review=due"
        yield Need("warn", title % {"count": up_to(count)}, text, link, gettext("View reviews"))
