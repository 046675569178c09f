"""Changes of one moment: what each says was there before decides, and places where that does not."""

from itertools import permutations
from typing import Any

import pytest

from monitoring.elements.json_paths import stored_value
from monitoring.history.checkpoints import profile
from monitoring.history.steps import _groups
from monitoring.models import Change, Kind
from monitoring.pipeline.ingest import ingest
from monitoring.story_order import DOCUMENT, FIRST_STEP, OLDEST_FIRST, step_of
from portfolio.models import Company, Registration
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import a_delivery
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
NAME = "organization.primaryName"
ADDRESS = "organization.primaryAddress"
AT = 5


def reported(previous: Any, current: Any, *, place: int, path: str = NAME, hours: float = AT, duns: str = DUNS) -> None:
    """By a registration of its own, and the lower the `place`, the earlier by place."""
    element = an_element(path, previous, current, stamp(hours=hours))
    item = an_update(element, duns=duns, delivered=stamp(hours=50 + place))
    ingest(a_delivery(item, registration=a_registration(f"R{place}")))


def shown(name: Any, hours: float, registration: Registration | None = None) -> None:
    ingest(a_delivery(a_seed(primaryName=name, delivered=stamp(hours=hours)), registration=registration))


def told(path: str = NAME, duns: str = DUNS) -> str:
    """The changes of the moment as "AB BC"."""
    rows = Change.objects.filter(company=duns, kind=Kind.ELEMENT, element=path, changed_at=stamp(hours=AT))
    rows = rows.order_by(*OLDEST_FIRST)
    return " ".join(f"{row.previous}{row.current}".replace('"', "") for row in rows)


def assert_name(name: str) -> None:
    assert (profile(DUNS).value(NAME), Company.objects.get().name) == (name, name)


def test_each_change_makes_known_what_the_next_builds_on() -> None:
    """What a later document shows is not known yet."""
    shown("A", 1)
    shown("D", AT + 1)
    reported("C", "D", place=1)
    reported("B", "C", place=2)
    reported("A", "B", place=3)
    assert told() == "AB BC CD"
    assert_name("D")


def test_what_fits_least_by_place_comes_first_and_so_does_what_fits_nowhere() -> None:
    shown("A", 1)
    for place, step in enumerate(("XY", "AC", "AB", "VW")):
        reported(step[0], step[1], place=place)
    assert told() == "AC XY AB VW"


def test_a_document_of_the_moment_is_known_by_then() -> None:
    reported("B", "C", place=1)
    reported("A", "B", place=2)
    assert told() == "BC AB"
    shown("A", AT)
    assert told() == "AB BC"
    assert_name("C")
    rows = Change.objects.filter(changed_at=stamp(hours=AT)).order_by(*OLDEST_FIRST)
    assert [(row.kind, step_of(row.place)) for row in rows] == [
        (Kind.BASELINE, DOCUMENT),
        (Kind.ELEMENT, FIRST_STEP),
        (Kind.ELEMENT, FIRST_STEP + 1),
    ]


def test_what_comes_late_orders_the_moments_after_it_anew() -> None:
    reported("Z", "W", place=1)
    reported("B", "C", place=2)
    assert told() == "ZW BC"
    reported("A", "B", place=3, hours=2)
    assert told() == "BC ZW"
    assert_name("W")


def test_what_comes_late_in_one_delivery_orders_all_moments_after_its_earliest() -> None:
    """Also of each company, whichever is later."""
    for duns in (OTHER, DUNS, "804735132"):
        reported("Z", "W", place=1, duns=duns)
        reported("B", "C", place=2, duns=duns)
    late = an_element(NAME, "A", "B", stamp(hours=2)), an_element("organization.fax", "1", "2", stamp(hours=9))
    later = an_element("organization.fax", "1", "2", stamp(hours=8))
    items = an_update(*late, delivered=stamp(hours=60)), an_update(later, duns=OTHER, delivered=stamp(hours=60))
    ingest(a_delivery(*items, registration=a_registration("R3")))
    assert (told(), told(duns=OTHER)) == ("BC ZW", "ZW BC")


def test_changes_of_other_moments_and_companies_take_no_part() -> None:
    shown("A", 1)
    reported("C", "X", place=0, duns=OTHER)
    reported("Z", "A", place=3, hours=2)
    reported("B", "C", place=1)
    reported("A", "B", place=2)
    rows = Change.objects.filter(kind=Kind.ELEMENT).exclude(company=DUNS, changed_at=stamp(hours=AT))
    assert [step_of(row.place) for row in rows] == [FIRST_STEP, FIRST_STEP]
    assert told() == "AB BC"


def test_places_decide_again_where_what_was_known_is_no_more() -> None:
    shown("A", 1)
    reported("B", "C", place=1)
    reported("A", "B", place=2)
    assert told() == "AB BC"
    shown("X", 3)
    assert told() == "BC AB"
    assert_name("B")


def test_a_change_above_and_one_below_build_on_each_other() -> None:
    reported("S2", "S3", place=1, path=f"{ADDRESS}.street")
    reported(None, {"street": "S2"}, place=2, path=ADDRESS)
    assert profile(DUNS).value(f"{ADDRESS}.street") == "S3"


def test_two_that_touch_the_same_third_are_ordered_together() -> None:
    """The street and the town know nothing of each other."""
    reported({"street": "S2", "town": "T2"}, {"street": "S3", "town": "T3"}, place=1, path=ADDRESS)
    reported(None, "S2", place=2, path=f"{ADDRESS}.street")
    reported(None, "T2", place=3, path=f"{ADDRESS}.town")
    rows = Change.objects.filter(changed_at=stamp(hours=AT)).order_by(*OLDEST_FIRST)
    assert [row.element for row in rows] == [f"{ADDRESS}.street", f"{ADDRESS}.town", ADDRESS]
    assert profile(DUNS).value(ADDRESS) == {"street": "S3", "town": "T3"}


def test_changes_that_touch_each_other_by_way_of_a_third_are_one_group_however_they_are_found() -> None:
    rows = [Change(element=path) for path in (ADDRESS, f"{ADDRESS}.street", f"{ADDRESS}.town", f"{ADDRESS}.town.name")]
    for order in permutations(rows):
        assert [len(group) for group in _groups(order)] == [len(rows)]


def test_one_that_touches_two_brings_them_together() -> None:
    """By place it comes last."""
    reported("S2", "S3", place=1, path=f"{ADDRESS}.street")
    reported("T2", "T3", place=2, path=f"{ADDRESS}.town")
    reported(None, {"street": "S2", "town": "T2"}, place=3, path=ADDRESS)
    assert profile(DUNS).value(ADDRESS) == {"street": "S3", "town": "T3"}


def test_changes_that_do_not_touch_stand_by_their_places_alone() -> None:
    """Though the one path begins with the other's text, or another group is in steps."""
    shown("A", 1)
    reported("B", "C", place=1)
    reported("A", "B", place=2)
    reported("1", "2", place=3, path=f"{NAME}Local")
    reported("x", "y", place=4, path="organization.fax")
    rows = Change.objects.exclude(element__in=[NAME, ""])
    assert {step_of(row.place) for row in rows} == {FIRST_STEP}


def test_where_places_give_the_order_there_are_no_steps() -> None:
    shown("A", 1)
    reported("A", "B", place=1)
    reported("B", "C", place=2)
    assert {step_of(row.place) for row in Change.objects.filter(kind=Kind.ELEMENT)} == {FIRST_STEP}


def test_differences_of_documents_take_no_part() -> None:
    whole = a_registration("WHOLE", full_product=True)
    shown("A", 1, whole)
    shown("D", AT, whole)
    reported("D", "E", place=1)
    difference = Change.objects.exclude(derived_from="").get()
    assert step_of(difference.place) == FIRST_STEP
    assert_name("E")


def test_an_older_score_is_not_known_by_then() -> None:
    score = "organization.dnbAssessment.failureScore"
    known, older, newer, newest = (
        {"classScore": number, "scoreDate": f"2026-01-{day:02}"} for number, day in ((1, 7), (2, 2), (3, 8), (4, 9))
    )
    ingest(a_delivery(a_seed(dnbAssessment={"failureScore": known}, delivered=stamp(hours=1))))
    reported(known, older, place=1, path=score)
    reported(None, newest, place=2, path=score)
    reported(older, newer, place=3, path=score)
    rows = Change.objects.filter(element=score).order_by(*OLDEST_FIRST)
    assert [stored_value(row.current)["classScore"] for row in rows] == [2, 4, 3]


def test_a_part_of_an_older_score_is_not_known_by_then() -> None:
    """The date that is known stands in another part, and so does the one that is reported with it."""
    score, part = "organization.dnbAssessment.failureScore", "organization.dnbAssessment.failureScore.classScore"
    known = {"classScore": 1, "scoreDate": "2026-01-07"}
    ingest(a_delivery(a_seed(dnbAssessment={"failureScore": known}, delivered=stamp(hours=1))))
    reported("2026-01-07", "2026-01-02", place=0, path=f"{score}.scoreDate")
    reported(1, 2, place=1, path=part)
    reported(9, 4, place=2, path=part)
    reported(2, 3, place=3, path=part)
    assert told(part) == "12 94 23"
