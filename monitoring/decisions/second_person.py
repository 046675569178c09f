"""When one person may not decide alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils.translation import gettext, ngettext

from core.actors import person_text
from core.visibility import scope_of, visible_to
from monitoring.models import DecisionKind
from monitoring.models.workflow.review_settings import ReviewSettings
from portfolio.exposure.days import today
from portfolio.exposure.money import money_text
from portfolio.exposure.rates import convert, rates_at
from portfolio.models import Company, Tier

CODENAME = "confirm_decision"
# Of more people, the roles are named.
MOST_NAMED = 8


def reasons_for_second(settings: ReviewSettings, tier: str, kind: str, cents: int | None, currency: str) -> str:
    """In words; nothing where one person may decide."""
    return " ".join([*_by_tier(settings, tier), *_by_amount(settings, kind, cents, currency)])


def limits_text(settings: ReviewSettings) -> str:
    """From which limit a second person confirms, and for which tiers whatever the limit; empty where neither is so."""
    parts = []
    if settings.second_from is not None:
        parts.append(_amount_text(settings.second_from, rates_at(today()).reporting_currency))
    if tiers := [str(Tier(tier).label) for tier in Tier.values if settings.tier_needs_second(tier)]:
        words = gettext("Decisions on companies of these tiers are always confirmed by a second person: %(tiers)s.")
        parts.append(words % {"tiers": ", ".join(tiers)})
    return " ".join(parts)


def _amount_text(second_from: int, currency: str) -> str:
    limit = money_text(second_from * 100, currency)
    return gettext("A second person must confirm limits of %(limit)s or more.") % {"limit": limit}


def who_can_confirm(company: Company, *, proposer: Any, reader: Any) -> str:
    """The users other than `proposer`, in a sentence; the roles where these are many or none."""
    people = list(_others(proposer, reader)[: MOST_NAMED + 1])
    if len(people) > MOST_NAMED:
        return _roles()
    names = [person_text(one) for one in people if _sees(one, company)]
    if not names:
        return f"{gettext('No other user can confirm this decision at present.')} {_roles()}"
    words = ngettext(
        "%(people)s can confirm this decision.", "These users can confirm this decision: %(people)s.", len(names)
    )
    return words % {"people": ", ".join(names)}


def _others(proposer: Any, reader: Any) -> Any:
    """A reader who sees some business units is told of their colleagues there, and of those who see everything."""
    roles = Group.objects.filter(permissions__codename=CODENAME)
    may = Q(is_superuser=True) | Q(groups__in=roles) | Q(user_permissions__codename=CODENAME)
    people = get_user_model().objects.filter(may, is_active=True).exclude(pk=proposer)
    scope = scope_of(reader)
    if not scope.sees_all:
        people = people.filter(Q(sees_all=True) | Q(is_superuser=True) | Q(unit_rows__unit__in=scope.units))
    return people.distinct().order_by("username")


def _sees(person: Any, company: Company) -> bool:
    return scope_of(person).sees_all or visible_to(person, Company.objects.filter(pk=company.pk)).exists()


def _roles() -> str:
    rows = Group.objects.filter(permissions__codename=CODENAME).order_by("name")
    names = list(rows.values_list("name", flat=True))
    if not names:
        return gettext("No role has the permission to confirm this decision. Ask an administrator.")
    words = ngettext(
        "Users with the role %(roles)s can confirm this decision.",
        "Users with one of these roles can confirm this decision: %(roles)s.",
        len(names),
    )
    return words % {"roles": ", ".join(names)}


def _by_tier(settings: ReviewSettings, tier: str) -> Iterator[str]:
    if settings.tier_needs_second(tier):
        yield gettext("The tier of the company is “%(tier)s”.") % {"tier": Tier(tier).label}


def _by_amount(settings: ReviewSettings, kind: str, cents: int | None, currency: str) -> Iterator[str]:
    """What cannot be converted may be any amount, and what has no limit is any amount."""
    if settings.second_from is None:
        return
    if kind == DecisionKind.APPROVE:
        yield gettext("An approval has no limit, so a second person must confirm it.")
    elif kind == DecisionKind.LIMIT and cents is not None:
        yield from _by_limit(settings.second_from, cents, currency)


def _by_limit(second_from: int, cents: int, currency: str) -> Iterator[str]:
    rates = rates_at(today())
    worth = convert(cents, rates.factor(currency))
    if worth is None:
        yield gettext("The exchange rate of %(currency)s is missing.") % {"currency": currency}
    elif worth >= second_from * 100:
        yield _amount_text(second_from, rates.reporting_currency)
