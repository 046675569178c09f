"""What is erased or old is followed by nobody, and no message of it is left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dnbmon_site.operations.erase import company, registration
from dnbmon_site.operations.purge import forget_old_records
from monitoring.models import Follow, FollowKind, OutboxMessage, PersonalEvent
from portfolio.models import Registration, RegistrationState
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.follows import a_follow, a_follower, followed, sent_mails
from tests.builders.notifications import news
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db


def test_an_erased_company_is_followed_by_nobody() -> None:
    person = a_follower()
    a_follow(person)
    a_follow(person, FollowKind.GROUP)
    a_follow(person, subject=OTHER)
    delivered(news(), news(duns=OTHER))
    sent_mails()
    company.forget(DUNS, by="ann", now=True)
    assert list(Follow.objects.values_list("subject", flat=True)) == [OTHER]
    assert list(PersonalEvent.objects.values_list("company", flat=True)) == [OTHER]


def test_an_erased_registration_is_followed_by_nobody_and_what_it_reported_is_not_sent() -> None:
    row = a_registration("ONE")
    a_follow(a_follower(), FollowKind.REGISTRATION, str(row.pk))
    delivered(news(), registration=row)
    followed()
    Registration.objects.update(state=RegistrationState.PAUSED)
    registration.forget(Registration.objects.get(), by="ann")
    assert not Follow.objects.exists()
    assert sent_mails() == []


def test_what_was_sent_long_ago_is_deleted() -> None:
    a_follow(a_follower())
    delivered(news())
    sent_mails()
    long_ago = timezone.now() - timedelta(days=500)
    PersonalEvent.objects.update(created_at=long_ago)
    OutboxMessage.objects.update(created_at=long_ago)
    forget_old_records()
    assert not PersonalEvent.objects.exists() and not OutboxMessage.objects.exists()
    assert Follow.objects.exists()
