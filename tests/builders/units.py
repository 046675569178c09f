"""Business units, with their registrations, people and API keys."""

from collections.abc import Iterable

from core.models import BusinessUnit
from core.visibility import Scope
from dnbmon_site.accounts.models import ApiKey, User
from dnbmon_site.accounts.units import restrict_all, set_unit, slug_of
from portfolio.models import Registration
from portfolio.visibility import scope_of_units


def a_unit(
    name: str = "Credit", *registrations: Registration, people: Iterable[User] = (), keys: Iterable[ApiKey] = ()
) -> BusinessUnit:
    """The first one leaves who is in none without access, as the page does."""
    is_first = not BusinessUnit.objects.exists()
    row, _ = BusinessUnit.objects.get_or_create(slug=slug_of(name), defaults={"name": name})
    if is_first:
        restrict_all(but=None)
    set_unit(row, registrations=list(registrations), people=list(people), keys=list(keys))
    return row


def seen_by(*units: BusinessUnit) -> Scope:
    return scope_of_units(unit.pk for unit in units)
