"""One company: its timeline newest first, and its profile now and as of any date."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.dateparse import parse_datetime

from core.lists.pagination import write_token
from monitoring.models import Change, Kind
from monitoring.pipeline.ingest import write
from tests.builders.companies import DUNS, a_company
from tests.builders.deliveries import a_delivery, delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.programs import Program
from tests.builders.times import stamp

pytestmark = pytest.mark.django_db
CHANGES, PROFILE = f"companies/{DUNS}/changes/", f"companies/{DUNS}/profile/"


def test_the_newest_comes_first_whatever_came_last(program: Program) -> None:
    delivered(an_update(an_element(current="second", timestamp=stamp(days=2))))
    delivered(an_update(an_element(current="first", timestamp=stamp(days=1))))
    delivered(an_update(an_element(current="third", timestamp=stamp(days=3))))
    delivered(a_seed("150483782"))
    items = program.walk(CHANGES)
    assert [item["current"] for item in items] == ["third", "second", "first"]
    assert [item["publication"] for item in items] == [3, 1, 2]
    assert items[0] == {**program.follow().items[2], "company": items[0]["company"]}


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_many_at_the_same_time_are_each_shown_once(program: Program, limit: int) -> None:
    at = [an_element(f"organization.e{number:02}", timestamp=stamp()) for number in range(15)]
    before = [an_element(f"organization.f{number}", timestamp=stamp(hours=-1)) for number in range(3)]
    delivered(an_update(*at, *before))
    ids = [item["id"] for item in program.walk(CHANGES, limit=limit)]
    rows = sorted(Change.objects.all(), key=lambda change: (change.changed_at, change.element), reverse=True)
    assert ids == [str(row.pk) for row in rows], "within one moment as the notification has them"
    assert len(ids) == 18


def test_what_is_not_published_yet_has_no_number(program: Program) -> None:
    write(a_delivery(an_update()))
    assert [item["publication"] for item in program.walk(CHANGES)] == [None]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        write_token(["a"]),
        write_token(["2026-01-01T00:00:00", "0" * 32]),
        write_token(["2026-01-01T00:00:00Z", "x"]),
    ],
)
def test_garbage_is_no_cursor(program: Program, cursor: str) -> None:
    delivered(an_update())
    assert program.get(CHANGES, after=cursor).status_code == 400


def test_the_profile_now_and_as_of_a_date(program: Program) -> None:
    delivered(a_seed(delivered="2026-01-05T08:00:00.000Z", primaryName="First"))
    delivered(an_update(an_element(previous="First", current="Second", timestamp="2026-01-07T12:00:00Z")))
    delivered(an_update(an_element(previous="Second", current="Third", timestamp="2026-01-09T12:00:00Z")))

    def name(as_of: str | None = None) -> Any:
        asked = {"as_of": as_of} if as_of else {}
        return program.read(PROFILE, **asked)["organization"].get("primaryName")

    assert name() == "Third"
    assert name("2026-01-04") is None
    assert name("2026-01-05") == "First"
    assert name("2026-01-07") == "Second", "a date is its day's end"
    assert name("2026-01-07T12:59:59+01:00") == "First"
    assert name("2026-01-07T13:00:00+01:00") == "Second"
    assert name("2026-01-08") == "Second"


def test_the_profile_says_the_date_it_shows(program: Program) -> None:
    delivered(a_seed(delivered="2026-01-05T08:00:00.000Z"))
    assert program.read(PROFILE, as_of="2026-01-31")["as_of"] == "2026-01-31T23:59:59.999000Z"
    assert program.read(PROFILE, as_of="2026-01-31T12:00:00+02:00")["as_of"] == "2026-01-31T10:00:00Z"
    now = parse_datetime(program.read(PROFILE)["as_of"])
    assert now is not None and abs((datetime.now(UTC) - now).total_seconds()) < 60


def test_the_profile_shows_where_the_company_stands_and_what_drifted(program: Program) -> None:
    delivered(a_seed(delivered="2026-01-05T08:00:00.000Z", primaryName="First"))
    delivered(an_update(an_element(previous="Never told", current="Second", timestamp="2026-01-07T12:00:00Z")))
    delivered(a_notice("DELETE", delivered="2026-01-10T00:00:00.000Z"))
    profile = program.read(PROFILE)
    assert profile["status"] == "deleted" and profile["status_since"] == "2026-01-10T00:00:00Z"
    assert profile["mismatches"] == [program.walk(CHANGES)[1]["id"]]
    earlier = program.read(PROFILE, as_of="2026-01-06")
    assert earlier["status"] is None and earlier["mismatches"] == []


def test_the_profile_names_no_drift_where_nothing_was_known_before(program: Program) -> None:
    delivered(an_update(an_element(previous="First", current="Second", timestamp="2026-01-07T12:00:00Z")))
    assert program.read(PROFILE)["mismatches"] == []


def test_numbers_of_a_profile_keep_every_digit(program: Program) -> None:
    seed = (
        '{"type":"SEED","organization":{"duns":"804735132","a":0.10000000000000000001,"b":12345678901234567890123},'
        '"deliveryTimeStamp":"2026-01-08T00:00:00Z"}'
    )
    delivered(seed)
    content = program.get(PROFILE).content.decode()
    assert '"a":0.10000000000000000001' in content and '"b":12345678901234567890123' in content


@pytest.mark.parametrize("as_of", ["", "x", "2026-13-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "\0"])
def test_a_date_that_is_none_is_refused(program: Program, as_of: str) -> None:
    delivered(a_seed())
    answer = program.get(PROFILE, as_of=as_of)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "as_of"


def test_the_beginning_of_time_is_a_date(program: Program) -> None:
    delivered(a_seed())
    assert program.read(PROFILE, as_of="0001-01-01")["duns"] == DUNS


def test_a_date_in_the_future_is_refused_and_today_is_not(program: Program) -> None:
    delivered(a_seed())
    today = datetime.now(UTC)
    tomorrow = f"{today + timedelta(days=1):%Y-%m-%d}"
    for as_of in (tomorrow, f"{tomorrow}T00:00:00Z", "9999-12-31", "9999-12-31T23:59:59.999Z"):
        answer = program.get(PROFILE, as_of=as_of)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["parameter"]) == (400, "as_of")
        assert error["detail"].startswith(f"This is in the future. Enter today's date in UTC ({today:%Y-%m-%d})")
    assert program.read(PROFILE, as_of=f"{today:%Y-%m-%d}")["as_of"] <= datetime.now(UTC).isoformat()


def test_a_profile_before_the_first_data_is_not_complete(program: Program) -> None:
    delivered(an_update(an_element(previous="First", current="Second", timestamp="2026-01-05T12:00:00Z")))
    delivered(a_seed(delivered="2026-01-09T08:00:00.000Z", primaryName="Second"))

    def answered(as_of: str) -> tuple[bool, str]:
        profile = program.read(PROFILE, as_of=as_of)
        return profile["complete"], profile["note"]

    none = "No data is available for this time. Data about this company is available from 2026-01-05."
    assert answered("2026-01-04") == (False, none)
    is_complete, note = answered("2026-01-06")
    assert not is_complete and note.endswith("The profile contains only what changed since 2026-01-05.")
    assert answered("2026-01-09") == (True, "")


def test_a_company_of_which_nothing_came_yet_has_no_complete_profile(program: Program) -> None:
    a_company(DUNS)
    profile = program.read(PROFILE)
    assert (profile["complete"], profile["organization"]) == (False, {})
    assert profile["note"] == "D&B has not sent data about this company yet."


def test_the_status_has_the_values_that_the_description_gives(program: Program) -> None:
    delivered(a_seed(delivered="2026-01-05T08:00:00.000Z"), a_notice("UNDER_REVIEW"))
    assert program.read(PROFILE)["status"] is None
    schema = program.client.get("/api/schema/", headers={**program.headers, "Accept": "application/json"}).json()
    status = str(schema["components"]["schemas"]["Profile"]["properties"]["status"])
    kinds = [value for value in Kind.values if f"`{value}`" in status]
    assert kinds == ["deleted", "restored", "transferred"]


def test_few_queries(program: Program, django_assert_max_num_queries: Any) -> None:
    delivered(a_seed(), *[an_update(an_element(f"organization.e{number}")) for number in range(30)])
    cursor = program.read(CHANGES, limit=5)["next"]
    with django_assert_max_num_queries(8):
        program.read(CHANGES, limit=20, after=cursor)
    with django_assert_max_num_queries(5):
        program.read(PROFILE)
