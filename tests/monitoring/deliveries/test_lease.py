"""One puller a registration, and nobody left in front of a closed door for long."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from core.db import database_now
from core.leases import HoldLost
from monitoring.deliveries.lease import RegistrationLease, leased, take_lease
from portfolio.models import Registration
from tests.builders.registrations import a_registration


def expire(registration: Registration) -> None:
    Registration.objects.filter(pk=registration.pk).update(lease_until=database_now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_only_one_has_it() -> None:
    registration = a_registration()
    with leased(registration.pk) as mine:
        assert mine is not None
        assert take_lease(registration.pk) is None
    assert take_lease(registration.pk) is not None


@pytest.mark.django_db
def test_who_died_with_it_is_in_nobodys_way_for_long() -> None:
    registration = a_registration()
    first = take_lease(registration.pk)
    expire(registration)
    second = take_lease(registration.pk)
    assert first is not None
    assert second is not None
    assert second.fence == first.fence + 1
    with pytest.raises(HoldLost):
        first.renew()
    with pytest.raises(HoldLost):
        first.update(last_error="too late")
    with pytest.raises(HoldLost):
        first.next_turn()
    first.release()
    assert take_lease(registration.pk) is None, "the late one does not open the door of the second"


@pytest.mark.django_db
def test_renewing_holds_it_longer() -> None:
    registration = a_registration()
    lease = take_lease(registration.pk)
    assert lease is not None
    expire(registration)
    lease.renew()
    assert take_lease(registration.pk) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_it() -> None:
    registration = a_registration()
    won: list[RegistrationLease] = []

    def compete() -> None:
        try:
            lease = take_lease(registration.pk)
            if lease:
                won.append(lease)
        finally:
            connection.close()

    threads = [threading.Thread(target=compete) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
