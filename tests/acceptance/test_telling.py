"""From D&B to people and systems, and workers that are killed on the way: told once, under one id, nothing lost."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.points import SENDING
from tests.acceptance.world import House
from tests.servers.mail_servers import Mailbox, a_mail_server
from tests.servers.webhook_receivers import Receiver

# Only there a message has left and nobody knows.
MAY_COME_TWICE = {"webhook answered", "sent, not marked", "marked, not committed"}


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with a_mail_server() as running:
        yield running


class Town:
    """A house, those who hear of it, and companies to which things happen."""

    def __init__(self, house: House, receiver: Receiver, mailbox: Mailbox, count: int) -> None:
        self.house, self.receiver, self.mailbox = house, receiver, mailbox
        self.port = mailbox.port  # type: ignore[attr-defined]
        self.companies = house.control.add_companies(house.reference, count=count)
        house.pull()
        self.secret = house.nursery.do("listen", url=receiver.url)

    def work(self, **how: Any) -> Any:
        return self.house.do("work", mail=self.port, **how)

    def is_killed_at(self, point: str) -> bool:
        return self.house.start("work", mail=self.port, point=point).was_killed()

    def told(self) -> Any:
        return self.house.nursery.do("told")

    def events(self) -> list[tuple[str, Any]]:
        """What the webhook got: each is ours, and says the same whenever it comes again."""
        bodies: dict[str, bytes] = {}
        for one in self.receiver.got:
            assert one.verified(self.secret)
            assert bodies.setdefault(one.id, one.body) == one.body
        return [(one.id, one.verified(self.secret)) for one in self.receiver.got]


def test_bankrupt_and_merged_are_in_the_inbox_in_the_mail_at_the_webhook_and_in_the_feed(
    house: House, receiver: Receiver, mailbox: Mailbox
) -> None:
    town = Town(house, receiver, mailbox, 3)
    bankrupt, merged, kept = town.companies
    house.control.happen("bankruptcy", bankrupt)
    house.control.happen("transfer", merged, retained=kept)
    town.work()
    told = town.told()
    assert told["alerts"] == sorted([bankrupt, merged])
    assert all(duns in told["inbox"] for duns in (bankrupt, merged))
    assert {(duns, kind) for _, duns, kind in told["feed"]} >= {(bankrupt, "element"), (merged, "transferred")}
    assert sorted(duns for duns in town.companies for mail in mailbox.mails if duns in str(mail["Subject"])) == sorted(
        [bankrupt, merged, kept]  # the one that was kept is named in the mail about the merger
    )
    alerts = [event["data"]["company"] for _, event in town.events() if event["type"] == "alert.raised"]
    assert sorted(alerts) == sorted([bankrupt, merged])


@pytest.mark.slow
def test_whoever_is_killed_nothing_is_lost_and_what_comes_twice_has_the_same_id(
    house: House, receiver: Receiver, mailbox: Mailbox
) -> None:
    town = Town(house, receiver, mailbox, len(SENDING))
    for duns, point in zip(town.companies, SENDING, strict=True):
        house.control.happen("bankruptcy", duns)
        assert town.is_killed_at(point), point
    town.work()
    told = town.told()
    assert told["alerts"] == sorted(town.companies), "one alert a company"
    assert told["states_after"] == ["sent"]
    events = town.events()
    changes = {key: event["data"]["id"] for key, event in events if event["type"] == "change.published"}
    assert sorted(changes.values()) == told["changes"], "each change under one id"
    raised = {key: event["data"]["company"] for key, event in events if event["type"] == "alert.raised"}
    assert sorted(raised.values()) == sorted(town.companies), "each alert under one id"
    twice = [key for key, count in Counter(key for key, _ in events).items() if count > 1]
    assert len(twice) <= len(MAY_COME_TWICE)
    mailed = Counter(duns for mail in mailbox.mails for duns in town.companies if duns in str(mail["Subject"]))
    assert set(mailed) == set(town.companies)
    assert len(mailbox.mails) <= len(town.companies) + len(MAY_COME_TWICE)
