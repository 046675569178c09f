"""Alerts do not depend on where batches of publications end, nor on where somebody dies in one."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from monitoring.alerts import evaluate
from monitoring.alerts.evaluate import raise_from
from monitoring.alerts.facts import groups
from monitoring.alerts.facts.matches import Rules
from monitoring.models import Alert, AlertItem, AlertKind, AlertRule, Grouping, OutboxMessage, Publication
from tests.builders.alerts import raised
from tests.builders.channels import a_channel
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, BANKRUPTCY, OUT, STATUS
from tests.builders.notifications import a_notice, a_seed, news
from tests.builders.queries import AtMost
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp

pytestmark = pytest.mark.django_db
COMPANIES = [f"10000000{number}" for number in range(4)]
KINDS = ["DELETE", "UNDELETE", "EXIT", "ENTER"]
# Written at the moment of reading.
CLOCK = {"raised_at", "reversed_at", "closed_at", "due_at"}


def some_rules() -> None:
    a_rule("Status", elements=STATUS, conditions="becomes 403", grouping=Grouping.EACH)
    a_rule("Bankrupt", elements=BANKRUPTCY, conditions="becomes true")
    a_rule("Kinds", kinds="deleted, transferred, left, under_review")
    a_rule("Any name", elements="primaryName")
    a_rule("One registration", registrations="R2", elements="**")


def an_item(chance: random.Random) -> Any:
    duns, minutes = chance.choice(COMPANIES), chance.randrange(-20_000, 0)
    flag = chance.random() < 0.5
    items: list[Callable[[], Any]] = [
        lambda: news(STATUS, *chance.choice([(ACTIVE, OUT), (OUT, ACTIVE)]), duns=duns, minutes=minutes),
        lambda: news(BANKRUPTCY, not flag, flag, duns=duns, minutes=minutes),
        lambda: news("organization.legalEvents", {}, {"hasOpenBankruptcy": flag}, duns=duns, minutes=minutes),
        lambda: news("organization.primaryName", "A", chance.choice("BCD"), duns=duns, minutes=minutes),
        lambda: a_notice(chance.choice(KINDS), duns, delivered=now_stamp(minutes=minutes)),
        lambda: a_seed(duns, delivered=now_stamp(minutes=minutes), dunsControlStatus={"operatingStatus": OUT}),
    ]
    return chance.choice(items)()


def a_stream(chance: random.Random) -> list[Publication]:
    """Of two registrations that report some facts both, one with whole documents."""
    names = [a_registration("R1"), a_registration("R2", full_product=True)]
    told: list[Any] = []
    for _ in range(8):
        items = [an_item(chance) for _ in range(chance.randrange(1, 6))]
        again = chance.sample(told, min(len(told), 2))
        delivered(*items, *again, registration=chance.choice(names))
        told += items
    return list(Publication.objects.order_by("sequence"))


def cuts(publications: Sequence[Publication], chance: random.Random) -> Iterator[Sequence[Publication]]:
    start = 0
    while start < len(publications):
        end = start + chance.randrange(1, len(publications) + 1)
        yield publications[start:end]
        start = end


def rows() -> dict[str, list[dict[str, Any]]]:
    return {
        "Alert": [_row(one) for one in Alert.objects.order_by("pk")],
        "AlertItem": [_row(one) for one in AlertItem.objects.order_by("pk")],
    }


def _row(one: Alert | AlertItem) -> dict[str, Any]:
    names = {field.attname for field in one._meta.concrete_fields} - CLOCK
    return {name: getattr(one, name) for name in names}


def forget_alerts() -> None:
    for model in (OutboxMessage, AlertItem, Alert):
        model._default_manager.all().delete()


@pytest.mark.parametrize("seed", range(4))
def test_any_cut_into_batches_raises_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_AN_HOUR", 3)
    chance = random.Random(seed)
    some_rules()
    publications = a_stream(chance)
    rules = Rules.active()
    for publication in publications:
        raise_from([publication], rules)
    one_by_one = rows()
    assert one_by_one["AlertItem"]
    for _ in range(4):
        forget_alerts()
        for batch in cuts(publications, chance):
            raise_from(batch, rules)
        assert rows() == one_by_one


class Killed(Exception):
    pass


@pytest.mark.parametrize(
    "step", ["_bring_up_to_date", "review_reversals", "reopen_worsened", "note_baselines", "emit_events"]
)
def test_a_batch_that_was_interrupted_is_read_again_in_any_cut(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*args: object) -> None:
        raise Killed

    monkeypatch.setattr(groups, "MOST_AN_HOUR", 3)
    chance = random.Random(7)
    some_rules()
    a_channel(AlertRule.objects.get(name="Status"))
    publications, rules = a_stream(chance), Rules.active()
    raise_from(publications, rules)
    whole, messages = rows(), set(OutboxMessage.objects.values_list("pk", flat=True))
    forget_alerts()
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(evaluate, step, killed)
        raise_from(publications, rules)
    for batch in cuts(publications, chance):
        raise_from(batch, rules)
    assert rows() == whole
    assert set(OutboxMessage.objects.values_list("pk", flat=True)) == messages


def test_ten_publications_cost_hardly_more_statements_than_one(django_assert_max_num_queries: AtMost) -> None:
    a_channel(a_rule(elements=STATUS, conditions="becomes 403"))
    for duns in COMPANIES:
        delivered(*[news("organization.telephone", [], [str(hour)], duns=duns, hours=-hour) for hour in range(9)])
        delivered(news(duns=duns), a_seed(f"2{duns[1:]}"))
    # Three of them for a batch: who reported what its alerts contain. And for the companies that are added.
    with django_assert_max_num_queries(70):
        assert raised() == 2 * len(COMPANIES)
    assert Alert.objects.filter(kind=AlertKind.CHANGE).count() == len(COMPANIES)
