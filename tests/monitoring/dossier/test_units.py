"""The dossier as a business unit reads it: its own reports, alerts and messages, and the figures of the company."""

from datetime import date, timedelta

import pytest
from django.test import Client

from monitoring.dossier.lines import Topic
from monitoring.dossier.reader import Part, Reader, reader_of_user
from monitoring.models import AlertRule, Change, Observation
from tests.builders.alerts import raised
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.dossiers import a_dossier, a_span
from tests.builders.elements import an_element
from tests.builders.messages import a_message
from tests.builders.notifications import a_seed, an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.subjects import a_subject
from tests.builders.times import now_stamp
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db
CITY, NAME = "organization.primaryAddress.addressLocality.name", "organization.primaryName"
PAGE = f"/portfolio/company/{DUNS}/dossier/"


@pytest.fixture
def world(db: None) -> None:
    """Two units hold the company; each is told a change of its own, on which a rule raises an alert."""
    AlertRule.objects.create(name="All", active=True, elements=f"{CITY}\n{NAME}")
    for registration, element, old, new in ((one(), CITY, "York", "Leeds"), (two(), NAME, "Acme Ltd", "Zenith Ltd")):
        a_subject(DUNS, registration, monitored_since=date(2026, 1, 1))
        seed = a_seed(DUNS, delivered=now_stamp(days=-3), primaryName="Acme Ltd")
        change = an_update(an_element(element, old, new, now_stamp()), duns=DUNS, delivered=now_stamp())
        delivered(seed, change, registration=registration)
    raised()


def test_lines_are_of_what_the_unit_sees_and_figures_of_the_company(world: None) -> None:
    unit, other = a_unit("Credit", one()), a_unit("Buying", two())
    for number, owner in enumerate((unit, other)):
        channel = a_channel(address=f"{owner.pk}@example.com", name=f"Channel of {owner.pk}", unit=owner)
        a_message(number, company=DUNS, event_type="alert.raised", target=channel.pk)
    found = a_dossier(reader=Reader(seen_by(unit), frozenset(Part)))
    texts = {topic: [line.text for line in found.lines if line.topic == topic] for topic in Topic}
    assert "Zenith" not in str(found.lines)
    assert len([text for text in texts[Topic.CHANGE] if "Leeds" in text]) == 1
    assert len(texts[Topic.MONITORING]) == 1
    assert texts[Topic.ALERT] and all("Leeds" in text for text in texts[Topic.ALERT])
    [message] = texts[Topic.MESSAGE]
    assert f"Channel of {unit.pk}" in message
    assert {figure.name: figure.after for figure in found.figures}["name"] == "Zenith Ltd"
    assert "because they cover all business units" in " ".join(found.limits)


def test_a_change_arrives_when_a_registration_of_the_unit_reported_it() -> None:
    """When another unit's registration did is what that one was told, and no arrival for this one."""
    scope = seen_by(a_unit("Credit", one()))
    a_unit("Buying", two())
    moved = an_element(CITY, "York", "Leeds", now_stamp())
    for registration in (two(), one()):
        a_subject(DUNS, registration, monitored_since=date(2026, 1, 1))
        seed = a_seed(DUNS, delivered=now_stamp(days=-3), primaryName="Acme Ltd")
        delivered(seed, an_update(moved, duns=DUNS, delivered=now_stamp()), registration=registration)
    change = Change.objects.get(element=CITY, registration=two())
    happened, theirs, ours = (change.changed_at - timedelta(days=days) for days in (300, 200, 100))
    Change.objects.filter(pk=change.pk).update(changed_at=happened, recorded_at=theirs)
    assert Observation.objects.filter(change=change, registration=one()).update(recorded_at=ours)
    for moment, count in ((theirs, 0), (ours, 1)):
        span = a_span(moment.date(), moment.date())
        found = a_dossier(span, Reader(scope, frozenset(Part)))
        assert len([line for line in found.lines if line.topic == Topic.CHANGE]) == count


def test_the_page_names_what_is_for_those_who_see_all_and_links_to_no_page_that_refuses(
    world: None, client: Client
) -> None:
    bob = a_person(role="Administrator")
    a_unit("Credit", one(), people=[bob])
    bob.refresh_from_db()
    client.force_login(bob)
    assert reader_of_user(bob).left_out == [Part.EDITS]
    shown = client.get(PAGE)
    assert "you lack the permissions: Audit log" in text_of(shown)
    html = shown.content.decode()
    assert 'href="/monitoring/notification/' in html and 'href="/monitoring/delivery/' not in html
    assert "Dossier" in text_of(client.get(f"/portfolio/company/{DUNS}/change/"))
