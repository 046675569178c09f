"""Nobody reads a part of a dossier that they may not see, and the dossier says which parts are missing."""

from datetime import UTC, datetime

import pytest

from core.api.scopes import ALERTS, READ, READ_EXPOSURE, SCOPES
from core.visibility import EVERYTHING
from dnbmon_site.accounts.models import ApiKey
from dnbmon_site.accounts.roles import ANALYST, OPERATOR, VIEWER
from monitoring.dossier.lines import Topic
from monitoring.dossier.reader import NEEDED, Part, Reader, reader_of_key, reader_of_user
from monitoring.models import Decision, DecisionKind
from tests.builders.alerts import a_raised_alert
from tests.builders.companies import DUNS, a_company
from tests.builders.dossiers import a_dossier
from tests.builders.exposures import exposure
from tests.builders.messages import a_message
from tests.builders.people import a_person

pytestmark = pytest.mark.django_db
KNOWN = '{"exposure": {"cents": 12345678, "currency": "EUR", "books": [], "incomplete": false}}'


def test_every_part_has_a_permission() -> None:
    assert set(NEEDED) == set(Part)
    assert {needed.scope for needed in NEEDED.values()} <= {"", *SCOPES}


@pytest.mark.parametrize(
    ("role", "left_out"),
    [(VIEWER, [Part.MESSAGES, Part.EXPOSURE]), (ANALYST, []), (OPERATOR, [Part.EXPOSURE])],
)
def test_what_a_role_does_not_see(role: str, left_out: list[Part]) -> None:
    assert reader_of_user(a_person(role=role)).left_out == left_out


def test_a_key_sees_what_its_scopes_say() -> None:
    def parts(*scopes: str) -> frozenset[Part]:
        return reader_of_key(ApiKey.issue(name="key", scopes=",".join(scopes))[0]).parts

    plain = parts(READ)
    assert not plain & {Part.ALERTS, Part.MESSAGES, Part.EXPOSURE, Part.DECISIONS, Part.EDITS}
    assert parts(READ, READ_EXPOSURE) - plain == {Part.EXPOSURE}
    assert parts(READ, ALERTS) - plain == {Part.ALERTS, Part.MESSAGES}


@pytest.mark.parametrize(
    ("part", "topics"),
    [
        (Part.CHANGES, {Topic.CHANGE}),
        (Part.ALERTS, {Topic.ALERT}),
        (Part.MESSAGES, {Topic.MESSAGE}),
        (Part.EXPOSURE, {Topic.EXPOSURE}),
    ],
)
def test_a_part_that_is_not_seen_has_no_line(part: Part, topics: set[Topic]) -> None:
    a_raised_alert()
    a_message(company=DUNS, event_type="alert.raised")
    exposure(f"{DUNS};100")
    whole = {line.topic for line in a_dossier().lines}
    rest = a_dossier(reader=Reader(EVERYTHING, frozenset(Part) - {part}))
    assert whole - {line.topic for line in rest.lines} == topics
    assert rest.left_out == [part]


def test_no_amount_at_stake_without_the_permission_for_it() -> None:
    """Not even the one that was known when somebody decided."""
    company = a_company(DUNS)
    exposure(f"{DUNS};100")
    decided = {"reason": "r", "decided_by": "ann", "decided_at": datetime(2026, 3, 31, tzinfo=UTC), "known": KNOWN}
    Decision.objects.create(company=company, number=1, kind=DecisionKind.HOLD, **decided)
    assert "123,457" in str(a_dossier().lines)
    without = a_dossier(reader=Reader(EVERYTHING, frozenset(Part) - {Part.EXPOSURE}))
    shown = f"{without.lines} {without.figures}"
    assert "123,457" not in shown and "100.00" not in shown and "xposure" not in shown
