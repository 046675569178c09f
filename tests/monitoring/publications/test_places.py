"""Where pages stand among publications, as those see it who see some registrations."""

import pytest

from core.visibility import EVERYTHING
from monitoring.models import Publication
from monitoring.publications.places import Place, last_place, newest_for, read_place
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import an_update
from tests.builders.registrations import a_registration, one, two
from tests.builders.times import now_stamp
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db


def test_a_business_unit_stands_at_its_own_last_publication() -> None:
    credit, other = seen_by(a_unit("Credit", one())), seen_by(a_unit("Other", a_registration("X")))
    for registration in (one(), two()):
        delivered(an_update(an_element(STATUS, ACTIVE, OUT, now_stamp())), registration=registration)
    own, theirs = Publication.objects.order_by("sequence")
    assert last_place(credit) == last_place(credit, up_to=2) == Place(1, own.delivery_id)
    assert (newest_for(credit), newest_for(other), newest_for(EVERYTHING)) == (own.delivery_id.hex, "0", "2")
    assert [read_place(credit, text) for text in (newest_for(credit), "0")] == [1, 0]
    assert [read_place(credit, text) for text in ("2", theirs.delivery_id.hex, "odd", "")] == [None] * 4
    assert [read_place(EVERYTHING, text) for text in ("2", "odd", "9" * 19)] == [2, None, None]
