"""What D&B has dropped is said, with what to do."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.deliveries.gaps import clear_gap, mark_if_beyond_replay, mark_if_left_too_long
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("days", "gap"), [(3.9, False), (4.1, True), (30, True)])
def test_a_queue_left_for_more_than_four_days_has_a_gap(days: float, gap: bool) -> None:
    registration = a_registration(last_pulled_at=NOW - timedelta(days=days), dnb_time=NOW)
    mark_if_left_too_long(registration)
    registration.refresh_from_db()
    assert bool(registration.gap_reason) is gap
    if gap:
        assert registration.gap_from == NOW - timedelta(days=days)
        assert registration.gap_until == NOW - timedelta(days=4)
        assert "seed" in registration.gap_reason


def test_a_registration_never_pulled_has_none() -> None:
    registration = a_registration(dnb_time=NOW)
    mark_if_left_too_long(registration)
    assert registration.gap_reason == ""


def test_a_second_gap_widens_the_first() -> None:
    registration = a_registration(last_pulled_at=NOW - timedelta(days=10), dnb_time=NOW)
    mark_if_left_too_long(registration)
    first = registration.gap_from
    registration.last_pulled_at, registration.dnb_time = NOW + timedelta(days=1), NOW + timedelta(days=9)
    mark_if_left_too_long(registration)
    registration.refresh_from_db()
    assert (registration.gap_from, registration.gap_until) == (first, NOW + timedelta(days=5))


def test_a_doubt_older_than_the_replay_window_is_a_gap() -> None:
    registration = a_registration(dnb_time=NOW)
    assert mark_if_beyond_replay(registration, NOW - timedelta(days=3)) == NOW - timedelta(days=3)
    assert registration.gap_reason == ""
    assert mark_if_beyond_replay(registration, NOW - timedelta(days=20)) == NOW - timedelta(days=14)
    assert "14 days" in registration.gap_reason


def test_a_person_says_when_it_is_dealt_with() -> None:
    registration = a_registration(last_pulled_at=NOW - timedelta(days=10), dnb_time=NOW)
    mark_if_left_too_long(registration)
    clear_gap(registration)
    registration.refresh_from_db()
    assert (registration.gap_from, registration.gap_reason) == (None, "")
