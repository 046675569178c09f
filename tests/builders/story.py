"""A fact that two registrations report, each in its way."""

from typing import Any

from monitoring.models import Delivery, Observation
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

PHONE = "organization.telephone"


def phone_seed(value: str | None, day: float, reference: str = "WHOLE", duns: str = DUNS) -> Delivery:
    """A whole document, of a registration that sends nothing else."""
    registration = a_registration(reference, full_product=True)
    return delivered(a_seed(duns, telephone=value, delivered=stamp(days=day)), registration=registration)


def phone_update(previous: Any, current: Any, day: float, reference: str = "ONE", duns: str = DUNS) -> Delivery:
    """The element's change itself."""
    element = an_element(PHONE, previous, current, stamp(days=day))
    return delivered(an_update(element, duns=duns, delivered=stamp(days=day)), registration=a_registration(reference))


def observations() -> list[tuple[str, str, bool]]:
    """Who reported, or what became of a change, in the order in which it was recorded."""
    rows = Observation.objects.select_related("registration").order_by("recorded_at", "id")
    return [(row.registration.reference, row.verb, row.is_first) for row in rows]
