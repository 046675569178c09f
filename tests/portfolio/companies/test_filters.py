"""What the filters of the list of companies offer to users of a business unit."""

import pytest

from portfolio.companies.filters import occurring
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db


def test_a_business_unit_is_offered_what_occurs_in_its_companies(django_assert_max_num_queries: AtMost) -> None:
    own, other = a_registration("OWN"), a_registration("OTHER")
    for duns, rating, registration in ((DUNS, "5A1", own), (OTHER, "3A2", other)):
        a_subject(a_company(duns, rating=rating).duns, registration, monitored_since=MOMENT, tags=rating)
    units = [a_unit("Credit", own), a_unit("Purchasing", other)]
    assert [occurring("rating", seen_by(unit)) for unit in units] == [[("5A1", "5A1")], [("3A2", "3A2")]]
    assert occurring("tag", seen_by(units[0])) == [("5A1", "5A1")]
    scope = seen_by(units[0])
    # Each is a look at all of its companies: not one for each page.
    with django_assert_max_num_queries(0):
        assert occurring("rating", scope) and occurring("tag", scope)
