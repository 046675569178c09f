"""Nobody fills the disk with exports, or keeps the worker from everybody else's."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.exports.files import MOST_A_DAY, MOST_KEPT, MOST_UNFINISHED
from core.models import Export, ExportState
from dnbmon_site.accounts.models import User
from tests.builders.pages import text_of

pytestmark = pytest.mark.django_db
LIST = "/portfolio/subject/export/"


def made(count: int, **values: Any) -> None:
    values = {"requested_by": "ann", "requested_at": timezone.now(), "state": ExportState.FINISHED, **values}
    Export.objects.bulk_create(Export(listing="subjects", format="csv", file_name="x", **values) for _ in range(count))


@pytest.mark.parametrize(
    ("count", "values", "words"),
    [
        (MOST_UNFINISHED, {"state": ExportState.WRITING}, "still in progress. Wait until one finishes"),
        (MOST_A_DAY, {}, "You have reached the limit of 100 exports in 24 hours"),
        (1, {"size": MOST_KEPT}, "Your exports use all of your storage"),
    ],
)
def test_what_is_beyond_the_quota_is_refused_and_says_what_to_wait_for(
    client: Client, count: int, values: dict[str, Any], words: str
) -> None:
    person = User.objects.create_superuser("ann")
    client.force_login(person)
    made(count, **values)
    assert words in text_of(client.post(LIST, {"format": "csv"}, follow=True))
    assert Export.objects.count() == count


def test_others_and_days_before_do_not_count(client: Client) -> None:
    client.force_login(User.objects.create_superuser("ann"))
    made(MOST_A_DAY, requested_by="bob")
    made(MOST_A_DAY, requested_at=timezone.now() - timedelta(days=2))
    assert client.post(LIST, {"format": "csv"}).status_code == 200
