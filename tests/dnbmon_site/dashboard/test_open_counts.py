"""What is counted for the Overview: what it shows is what it would have found by asking."""

import pytest
from django.test import Client

from core.cached_counts import open_counts, update_counts
from dnbmon_site.accounts.models import ApiKey
from monitoring.models import Delivery
from tests.builders.channels import a_channel
from tests.builders.deliveries import delivered
from tests.builders.notifications import an_update
from tests.builders.pages import text_of
from tests.builders.people import a_person

pytestmark = pytest.mark.django_db
REFUSED = "jsons://chat.example.com/hook"


def test_the_guided_start_stays_dismissed_without_being_asked_again(admin: Client) -> None:
    update_counts()
    assert not open_counts().of("guided_start")["dismissed"]
    admin.post("/start/dismiss/")
    assert open_counts().of("guided_start")["dismissed"]


def test_a_key_with_an_unknown_scope_is_counted_and_shown(admin: Client) -> None:
    key, _ = ApiKey.issue(name="ERP", scopes="read")
    update_counts()
    assert open_counts().of("api_keys") == {"unknown": 0}
    ApiKey.objects.filter(pk=key.pk).update(scopes="read,fly")
    update_counts("api_keys")
    assert "API key “ERP” has an unknown scope" in text_of(admin.get("/"))


def test_a_channel_that_may_not_receive_is_counted_and_shown(client: Client) -> None:
    carol = a_person("view_channel", username="carol")
    a_channel(name="Mail")
    update_counts()
    assert open_counts().of("unnotified")["refused"] == 0
    a_channel(name="Chat of carol", address=REFUSED, person=carol)
    update_counts("unnotified")
    assert open_counts().of("unnotified")["refused"] == 1
    client.force_login(carol)
    assert "“Chat of carol” no longer receives messages" in text_of(client.get("/"))


def test_a_deactivated_user_is_noticed_at_once(admin: Client) -> None:
    carol = a_person("view_channel", username="carol")
    a_channel(name="Mail of carol", person=carol)
    update_counts()
    carol.is_active = False
    carol.save()
    admin.post("/accounts/user/add/", {})
    assert open_counts().of("unnotified")["refused"] == 1


def test_data_is_received_since_the_first_delivery() -> None:
    update_counts()
    assert open_counts().of("in_use") == {"since": ""}
    delivered(an_update())
    update_counts("in_use")
    received = Delivery.objects.get().received_at
    assert received and open_counts().of("in_use") == {"since": received.isoformat()}
